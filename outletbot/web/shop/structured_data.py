"""A deal as search engines read it (https://schema.org/Offer)."""

from datetime import datetime
from typing import Any

from offers.deals import Phase
from outletbot.web.shop.deal_view import DealView

AVAILABILITY = {
    Phase.SCHEDULED: "https://schema.org/PreOrder",
    Phase.OPEN: "https://schema.org/InStock",
    Phase.ALL_HELD: "https://schema.org/LimitedAvailability",
    Phase.SOLD_OUT: "https://schema.org/SoldOut",
    Phase.ENDED: "https://schema.org/Discontinued",
}
CONDITIONS = {
    "new": "https://schema.org/NewCondition",
    "used": "https://schema.org/UsedCondition",
    "refurbished": "https://schema.org/RefurbishedCondition",
}


def structured_data(view: DealView, public_url: str) -> dict[str, Any]:
    """Return the product and the offer of it, as JSON-LD."""
    price = view.card.price
    product: dict[str, Any] = {"@type": "Product", "name": view.card.title}
    if view.photo is not None:
        product["image"] = f"{public_url}/pictures/{view.photo.id}.jpg"
    if view.brand:
        product["brand"] = {"@type": "Brand", "name": view.brand}
    if view.gtin:
        product["gtin"] = view.gtin
    offer: dict[str, Any] = {
        "@type": "Offer",
        "url": f"{public_url}/d/{view.code}",
        "price": str(price.value),
        "priceCurrency": price.currency.upper(),
        "availability": AVAILABILITY[view.phase],
        "validFrom": _iso(view.card.opens_at),
        "priceValidUntil": _iso(view.card.closes_at),
        "seller": {"@type": "Organization", "name": view.seller.name},
    }
    if view.condition in CONDITIONS:
        offer["itemCondition"] = CONDITIONS[view.condition]
    return {"@context": "https://schema.org", **product, "offers": offer}


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
