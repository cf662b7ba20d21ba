"""An order's page: its address is the key to it, so there is no sign-in."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.money import Money
from offers.orders import Order, get_order_by_code
from offers.refunds import Refund, RefundState, refunds_of_order
from offers.retailers import get_retailer
from offers.wall import get_posted
from outletbot.keys import CLOCK, DATABASE
from outletbot.web.guard import public
from outletbot.web.shop.answers import private_page
from outletbot.web.shop.cards import Card, next_cards
from outletbot.web.shop.deal_view import Seller, seller_of

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    order: Order
    refunds: tuple[Refund, ...]
    seller: Seller
    picture_id: str | None
    code: str
    next: tuple[Card, ...]

    @property
    def unit(self) -> Money:
        order = self.order
        return Money(order.total_amount // order.quantity, order.currency)

    @property
    def coming(self) -> Money:
        """What the seller gives back and the provider has not sent yet."""
        due = (one.amount for one in self.refunds if one.state is RefundState.DUE)
        return Money(sum(due), self.order.currency)

    @property
    def over(self) -> bool:
        """Whether all of it went back, or is about to."""
        return self.order.refunded + self.coming >= self.order.total

    @property
    def number(self) -> str:
        """What a shopper can read out on the telephone."""
        return self.order.code[:8].upper()


def read_order(session: Session, code: str, *, now: datetime) -> OrderView:
    """Return the order that a shopper has the *code* of.

    Raises:
        Missing: If there is none.
    """
    order = get_order_by_code(session, code)
    posted = get_posted(session, order.retailer_id, order.deal_id, order.post_id)
    return OrderView(
        order=order,
        refunds=tuple(refunds_of_order(session, order.retailer_id, order.id)),
        seller=seller_of(get_retailer(session, order.retailer_id)),
        picture_id=posted.picture_id,
        code=posted.post.code,
        next=next_cards(session, posted.deal, posted.post.channel, now=now),
    )


@routes.get("/orders/{code}")
@public
async def show_order(request: web.Request) -> web.Response:
    view = await request.app[DATABASE].read(
        read_order, request.match_info["code"], now=request.app[CLOCK]()
    )
    return private_page(
        request,
        "order.html",
        seller=view.seller,
        view=view,
        order=view.order,
        email=masked(view.order.email),
    )


def masked(email: str) -> str:
    """Return enough of an address to recognise one's own: ``s••@example.com``."""
    name, at, host = email.partition("@")
    return f"{name[:1]}••{at}{host}" if name and host else ""
