"""The summary: what all of a retailer's deals brought in, as it comes in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.deals import Phase
from offers.summary import DealLine, Total, sales_by_deal, totals
from outletbot.config import Settings
from outletbot.keys import CLOCK, DATABASE, LANGUAGE, RETAILER, SETTINGS
from outletbot.printing import print_clock
from outletbot.web.desk.alarms import Alarms, read_alarms
from outletbot.web.desk.ledger import Standing, read_standing
from outletbot.web.desk.live import follow
from outletbot.web.desk.spreadsheets import Cell, send_csv
from outletbot.web.rendering import page, render

HEADER = (
    "deal_id",
    "title",
    "phase",
    "opens_at",
    "closes_at",
    "offered",
    "sold",
    "sell_through",
    "clicks",
    "robots",
    "holds",
    "orders",
    "gross",
    "refunded",
    "net",
    "currency",
    "sold_out_after_seconds",
    "disputed",
)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Overview:
    """All deals of a retailer. What has not opened yet was not offered yet.

    *alarms* is the money that a person has to look at, *standing* what the provider's
    books say.
    """

    lines: tuple[DealLine, ...]
    alarms: Alarms
    standing: Standing

    @property
    def units(self) -> int:
        return sum(line.sales.units for line in self.lines)

    @property
    def offered(self) -> int:
        return sum(line.offered for line in self.lines if opened(line))

    @property
    def sell_through(self) -> float:
        return self.units / self.offered if self.offered else 0.0

    @property
    def clicks(self) -> int:
        return sum(line.sales.clicks for line in self.lines)

    @property
    def robots(self) -> int:
        return sum(line.sales.robots for line in self.lines)

    @property
    def holds(self) -> int:
        return sum(line.sales.holds for line in self.lines)

    @property
    def orders(self) -> int:
        return sum(line.sales.orders for line in self.lines)

    @property
    def money(self) -> list[Total]:
        """What came in and what went back, once for each currency."""
        return totals(self.lines)


def opened(line: DealLine) -> bool:
    return line.phase is not Phase.SCHEDULED


def read_overview(
    session: Session, retailer_id: str, settings: Settings, *, now: datetime
) -> Overview:
    return Overview(
        lines=tuple(sales_by_deal(session, retailer_id, now=now)),
        alarms=read_alarms(session, retailer_id, settings, now=now),
        standing=read_standing(session, retailer_id, now=now),
    )


@routes.get("/desk")
async def find_the_way(_request: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/summary")


@routes.get("/summary")
async def show_summary(request: web.Request) -> web.Response:
    overview = await _read(request)
    return page(request, "desk/summary.html", overview=overview)


@routes.get("/summary/live")
async def follow_summary(request: web.Request) -> web.StreamResponse:
    """Send the summary's parts again whenever a number changed."""
    retailer, language = request[RETAILER], request[LANGUAGE]

    async def read() -> Overview:
        return await _read(request)

    def parts(overview: Overview) -> str:
        return render(
            "desk/summary_parts.html",
            language,
            overview=overview,
            path="/summary",
            retailer=retailer,
            zone=retailer.zone,
        )

    key = ("summary", retailer.id)
    return await follow(request, key, read, parts, lambda: clock_time(request))


@routes.get("/summary.csv")
async def export_summary(request: web.Request) -> web.Response:
    """Send one line a deal; the header is the same in every language."""
    overview = await _read(request)
    rows = map(_row, overview.lines)
    return send_csv("summary.csv", HEADER, rows, zone=request[RETAILER].zone)


def clock_time(request: web.Request) -> str:
    """Return what a clock on the retailer's wall shows."""
    now, zone = request.app[CLOCK](), request[RETAILER].zone
    return print_clock(now, zone, request[LANGUAGE])


async def _read(request: web.Request) -> Overview:
    now = request.app[CLOCK]()
    return await request.app[DATABASE].read(
        read_overview, request[RETAILER].id, request.app[SETTINGS], now=now
    )


def _row(line: DealLine) -> Sequence[Cell]:
    after = line.sold_out_after
    sales = line.sales
    return (
        line.deal_id,
        line.title,
        line.phase,
        line.opens_at,
        line.closes_at,
        line.offered,
        sales.units,
        line.sell_through,
        sales.clicks,
        sales.robots,
        sales.holds,
        sales.orders,
        sales.gross,
        sales.refunded,
        sales.net,
        sales.gross.currency.upper(),
        int(after.total_seconds()) if after is not None else None,
        sales.disputed,
    )
