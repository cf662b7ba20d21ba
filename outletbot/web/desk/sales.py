"""Orders, as the merchant sees them: what was sold when, to whom, and by which post."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.deals import Deal, deals
from offers.disputes import Dispute, disputes_by_order
from offers.money import Money
from offers.orders import Way, orders
from offers.posts import posts_of_deal
from offers.refunds import refunds_by_order
from offers.scope import get_own
from offers.settlements import Settled, settled_by_order
from outletbot.keys import DATABASE, RETAILER
from outletbot.web.desk.spreadsheets import Cell, send_csv
from outletbot.web.rendering import page

SHOWN = 200
EXPORTED = 1_000_000
HEADER = (
    "order_id",
    "paid_at",
    "deal_id",
    "title",
    "units",
    "total",
    "refunded",
    "net",
    "currency",
    "channel",
    "email",
    "name",
    "address",
    "way",
    "refunds",
    "dispute",
    "disputed",
    "fee",
    "net_after_fee",
    "settled_in",
)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An order with the channel it came by, and what became of its money.

    *settled* is what the provider's books say of it, once they do.
    """

    order_id: str
    code: str
    paid_at: datetime
    deal_id: str
    title: str
    units: int
    total: Money
    refunded: Money
    channel: str
    email: str
    name: str
    address: str
    way: Way
    refunds: int
    dispute: Dispute | None
    settled: Settled | None

    @property
    def disputed(self) -> Money:
        """What a dispute took of it."""
        none = Money(0, self.total.currency)
        return none if self.dispute is None else self.dispute.withdrawn

    @property
    def net(self) -> Money:
        return self.total - self.refunded - self.disputed


def read_sales(
    session: Session, retailer_id: str, *, deal_id: str, limit: int
) -> list[Sale]:
    """Return a retailer's orders, the latest first, or those of one deal.

    Raises:
        Missing: If the deal is not this retailer's.
    """
    if deal_id:
        get_own(session, Deal, retailer_id, deal_id)
    found = orders(session, retailer_id, deal_id=deal_id, limit=limit)
    channels = {
        post.id: post.channel
        for deal in {order.deal_id for order in found}
        for post in posts_of_deal(session, retailer_id, deal)
    }
    counts = refunds_by_order(session, retailer_id)
    disputes = disputes_by_order(session, retailer_id)
    settled = settled_by_order(session, retailer_id)
    return [
        Sale(
            order_id=order.id,
            code=order.code,
            paid_at=order.paid_at,
            deal_id=order.deal_id,
            title=order.title,
            units=order.quantity,
            total=order.total,
            refunded=order.refunded,
            channel=channels.get(order.post_id, ""),
            email=order.email,
            name=order.name,
            address=order.address,
            way=order.way,
            refunds=counts.get(order.id, 0),
            dispute=disputes.get(order.id),
            settled=settled.get(order.id),
        )
        for order in found
    ]


def _read_page(
    session: Session, retailer_id: str, *, deal_id: str
) -> tuple[list[Sale], list[Deal]]:
    sales = read_sales(session, retailer_id, deal_id=deal_id, limit=SHOWN)
    return sales, deals(session, retailer_id)


@routes.get("/sales")
async def show_sales(request: web.Request) -> web.Response:
    deal_id = request.query.get("deal", "")
    sales, to_choose = await request.app[DATABASE].read(
        _read_page, request[RETAILER].id, deal_id=deal_id
    )
    return page(
        request,
        "desk/sales.html",
        sales=sales,
        deals=to_choose,
        deal_id=deal_id,
        shown=SHOWN,
    )


@routes.get("/sales.csv")
async def export_sales(request: web.Request) -> web.Response:
    """Send every order; the header is the same in every language."""
    sales = await request.app[DATABASE].read(
        read_sales,
        request[RETAILER].id,
        deal_id=request.query.get("deal", ""),
        limit=EXPORTED,
    )
    rows = map(_row, sales)
    return send_csv("orders.csv", HEADER, rows, zone=request[RETAILER].zone)


def _row(sale: Sale) -> Sequence[Cell]:
    return (
        sale.order_id,
        sale.paid_at,
        sale.deal_id,
        sale.title,
        sale.units,
        sale.total,
        sale.refunded,
        sale.net,
        sale.total.currency.upper(),
        sale.channel,
        sale.email,
        sale.name,
        sale.address,
        sale.way,
        sale.refunds,
        sale.dispute.state if sale.dispute else None,
        sale.disputed,
        sale.settled.fee if sale.settled else None,
        sale.settled.net if sale.settled else None,
        sale.settled.net.currency.upper() if sale.settled else None,
    )
