"""The ledger: what Stripe's books say of a retailer's money, and where ours differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.agreement import Agreement, Cash, cash, compare
from offers.differences import Difference
from offers.ledger import LedgerEntry, entries, kinds
from offers.money import Money
from offers.orders import Order
from offers.payment_accounts import find_payment_account
from offers.scope import find_own
from outletbot.config import Settings
from outletbot.keys import CLOCK, DATABASE, RETAILER, SETTINGS
from outletbot.web.desk.dashboard import payment_address
from outletbot.web.desk.spreadsheets import Cell, send_csv
from outletbot.web.rendering import page

SHOWN = 100
EXPORTED = 1_000_000
HEADER = (
    "happened_at",
    "kind",
    "amount",
    "fee",
    "net",
    "currency",
    "shopper_amount",
    "shopper_currency",
    "order_id",
    "refund_id",
    "payment_id",
    "source_id",
    "transaction_id",
    "account_id",
)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the summary says of the books: the cash, and whether they agree.

    *stale* means that they were not read for an hour, or never.
    """

    cash: tuple[Cash, ...]
    agreement: Agreement
    stale: bool

    @property
    def is_known(self) -> bool:
        """Whether there are books to speak of: nothing was sold online otherwise."""
        return bool(self.agreement.books)

    @property
    def apart(self) -> list[Money]:
        """How far apart the books are, where they are, once for each currency."""
        sums = self.agreement.sums
        return [Money(abs(sum_.amount), sum_.currency) for sum_ in sums if sum_.amount]


@dataclass(frozen=True, slots=True)
class Item:
    """A difference, with what it is about and where in Stripe it is looked at."""

    difference: Difference
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    standing: Standing
    items: tuple[Item, ...]
    entries: tuple[LedgerEntry, ...]
    kinds: tuple[str, ...]

    @property
    def next(self) -> str:
        """The entry after which the next page begins; empty on the last one."""
        return self.entries[-1].id if len(self.entries) == SHOWN else ""


def read_standing(session: Session, retailer_id: str, *, now: datetime) -> Standing:
    agreement = compare(session, retailer_id)
    found = tuple(cash(session, retailer_id))
    return Standing(found, agreement, agreement.is_stale(now))


def read_ledger(
    session: Session,
    retailer_id: str,
    settings: Settings,
    *,
    kind: str,
    before: str,
    now: datetime,
) -> LedgerPage:
    standing = read_standing(session, retailer_id, now=now)
    shown = entries(session, retailer_id, kind=kind, before=before, limit=SHOWN)
    return LedgerPage(
        standing=standing,
        items=tuple(
            _item(session, retailer_id, settings, difference)
            for difference in standing.agreement.differences
        ),
        entries=tuple(shown),
        kinds=tuple(kinds(session, retailer_id)),
    )


def _item(
    session: Session, retailer_id: str, settings: Settings, difference: Difference
) -> Item:
    order = find_own(session, Order, retailer_id, difference.order_id)
    account = find_payment_account(session, difference.account_id)
    payment = difference.payment_id
    address = payment_address(settings, account, payment) if payment else ""
    return Item(difference, "" if order is None else order.title, address)


@routes.get("/ledger")
async def show_ledger(request: web.Request) -> web.Response:
    kind = request.query.get("kind", "")
    ledger = await request.app[DATABASE].read(
        read_ledger,
        request[RETAILER].id,
        request.app[SETTINGS],
        kind=kind,
        before=request.query.get("before", ""),
        now=request.app[CLOCK](),
    )
    return page(
        request,
        "desk/ledger.html",
        ledger=ledger,
        standing=ledger.standing,
        kind=kind,
        first="before" not in request.query,
    )


@routes.get("/ledger.csv")
async def export_ledger(request: web.Request) -> web.Response:
    """Send every entry; the header is the same in every language."""
    found = await request.app[DATABASE].read(
        entries,
        request[RETAILER].id,
        kind=request.query.get("kind", ""),
        limit=EXPORTED,
    )
    rows = map(_row, found)
    return send_csv("ledger.csv", HEADER, rows, zone=request[RETAILER].zone)


def _row(entry: LedgerEntry) -> Sequence[Cell]:
    return (
        entry.happened_at,
        entry.kind,
        entry.money,
        entry.fees,
        entry.left,
        entry.currency.upper(),
        entry.paid,
        entry.source_currency.upper(),
        entry.order_id,
        entry.refund_id,
        entry.payment_id,
        entry.source_id,
        entry.transaction_id,
        entry.account_id,
    )
