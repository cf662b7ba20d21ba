"""What a planned deal would earn, may claim, and would look like where it is posted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from offers.accounts import ChannelAccount, accounts
from offers.catalog import Offer
from offers.deals import Deal
from offers.money import Money
from offers.planning import DealPlan
from offers.retailers import Retailer
from outletbot.channels.credentials import Credentials
from outletbot.composing import compose
from outletbot.networks import Networks
from outletbot.web.desk.evidence import Evidence, find_evidence

CODE = "0123456789abcdefghjkmnpqrs"
"""In the place of a link's own code, which a deal gets when it is armed."""


@dataclass(frozen=True, slots=True)
class PostPreview:
    """A post as it would read on one channel, *length* as that channel counts."""

    account: ChannelAccount
    text: str
    length: int
    most: int


@dataclass(frozen=True, slots=True)
class Preview:
    deal: Deal
    shop_price: Money
    margin: Money | None
    evidence: Evidence
    posts: Sequence[PostPreview]

    @property
    def under_cost(self) -> bool:
        return self.margin is not None and self.margin.amount < 0

    @property
    def margin_share(self) -> float | None:
        if self.margin is None:
            return None
        return self.margin.amount / self.deal.price_amount

    @property
    def discount_share(self) -> float:
        """How much less than in the shop, from 0 to 1; for the merchant's eyes."""
        return 1 - self.deal.price_amount / self.shop_price.amount

    @property
    def takings(self) -> Money:
        return self.deal.price * self.deal.allotment


def preview(
    session: Session,
    retailer: Retailer,
    offer: Offer,
    plan: DealPlan,
    networks: Networks,
    *,
    public_url: str,
    now: datetime,
) -> Preview:
    """Return what is known of a plan before it is a deal; nothing is kept."""
    deal = _sketch(retailer, offer, plan, now)
    evidence = find_evidence(session, deal)
    link = f"{public_url}/d/{CODE}"
    posts = []
    for account in accounts(session, retailer.id):
        if account.paused:
            continue
        # What a network takes is known without the account's token.
        channel = networks.connect(account.kind, account.base_url, Credentials(""))
        text = compose(
            deal, retailer, link, reduction=evidence.reduction, channel=channel
        )
        most = channel.capabilities.max_length
        posts.append(PostPreview(account, text, channel.length(text), most))
    margin = deal.price - offer.cost if offer.cost else None
    return Preview(deal, offer.price, margin, evidence, posts)


def _sketch(retailer: Retailer, offer: Offer, plan: DealPlan, now: datetime) -> Deal:
    return Deal(
        id="deal_preview",
        retailer_id=retailer.id,
        offer_id=offer.id,
        title=plan.title or offer.title,
        pitch=plan.pitch,
        price_amount=plan.price.amount,
        currency=plan.price.currency,
        allotment=plan.units,
        limit_per_shopper=plan.limit_per_shopper,
        hold_minutes=plan.hold_minutes,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        created_at=now,
    )
