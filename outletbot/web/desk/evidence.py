"""Evidence: what a struck-through price rests on, or why there is none.

The rule itself is in ``offers.honesty_prior``; here it is laid open for the merchant,
who has to be able to show it, of each post that went out and long after (Directive
98/6/EC, article 6a).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from aiohttp import web
from sqlmodel import Session

from offers.catalog import Offer
from offers.deals import Deal
from offers.declarations import PriceDeclaration, declarations
from offers.evidence import (
    Evidence,
    PostEvidence,
    evidence_between,
    evidence_of_deal,
    find_evidence,
)
from offers.imports import FeedImport, ImportState, imports
from offers.scope import get_own
from outletbot.keys import CLOCK, DATABASE, LANGUAGE, RETAILER
from outletbot.web.desk.evidence_chart import price_charts
from outletbot.web.desk.evidence_files import send_evidence
from outletbot.web.rendering import page

DAY = timedelta(days=1)
MONTH = timedelta(days=30)
SHOWN, FILES = 200, 10

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Period:
    """From the *first* day to the *last*, both included, in the retailer's zone."""

    first: date
    last: date

    def span(self, zone: tzinfo) -> tuple[datetime, datetime]:
        return _midnight(self.first, zone), _midnight(self.last + DAY, zone)


@dataclass(frozen=True, slots=True)
class DealEvidence:
    """What a deal may announce, why, and what its posts relied on."""

    deal: Deal
    offer: Offer
    evidence: Evidence
    kept: Sequence[PostEvidence]


@dataclass(frozen=True, slots=True)
class Drawer:
    """What is kept of a period, what was declared, and files of which it could be."""

    kept: Sequence[PostEvidence]
    declared: Sequence[PriceDeclaration]
    files: Sequence[FeedImport]

    @property
    def revoked(self) -> set[str | None]:
        return {one.revokes_id for one in self.declared}


@routes.get("/evidence")
async def show_evidence(request: web.Request) -> web.Response:
    period, retailer = read_period(request), request[RETAILER]
    start, end = period.span(retailer.zone)
    drawer = await request.app[DATABASE].read(_drawer, retailer.id, start, end)
    return page(request, "desk/evidence.html", drawer=drawer, period=period, most=SHOWN)


@routes.get("/evidence.csv")
@routes.get("/evidence.json")
async def send_period(request: web.Request) -> web.Response:
    """Send what the posts of some days relied on."""
    period, retailer = read_period(request), request[RETAILER]
    start, end = period.span(retailer.zone)
    kept = await request.app[DATABASE].read(evidence_between, retailer.id, start, end)
    name = f"evidence-{period.first}-{period.last}"
    return send_evidence(kept, name, _kind(request), zone=retailer.zone)


@routes.get("/deals/{deal_id}/evidence")
async def show_deal_evidence(request: web.Request) -> web.Response:
    """Show what the price before a deal is, and why, or why there is none."""
    found = await _read_deal(request)
    retailer = request[RETAILER]
    return page(
        request,
        "desk/evidence_deal.html",
        found=found,
        evidence=found.evidence,
        charts=price_charts(found.evidence, retailer.zone, request[LANGUAGE]),
    )


@routes.get("/deals/{deal_id}/evidence.csv")
@routes.get("/deals/{deal_id}/evidence.json")
async def send_deal_evidence(request: web.Request) -> web.Response:
    """Send what the posts of a deal relied on."""
    found, zone = await _read_deal(request), request[RETAILER].zone
    name = f"evidence-{found.deal.id}"
    return send_evidence(found.kept, name, _kind(request), zone=zone)


def read_period(request: web.Request) -> Period:
    """Return the days that are asked for; the last 30 if none are, or no days."""
    today = request.app[CLOCK]().astimezone(request[RETAILER].zone).date()
    last = _day(request.query.get("to", ""), today)
    first = _day(request.query.get("from", ""), last - MONTH)
    return Period(min(first, last), last)


async def _read_deal(request: web.Request) -> DealEvidence:
    return await request.app[DATABASE].read(
        _deal_evidence, request[RETAILER].id, request.match_info["deal_id"]
    )


def _deal_evidence(session: Session, retailer_id: str, deal_id: str) -> DealEvidence:
    deal = get_own(session, Deal, retailer_id, deal_id)
    return DealEvidence(
        deal,
        get_own(session, Offer, retailer_id, deal.offer_id),
        find_evidence(session, deal),
        evidence_of_deal(session, retailer_id, deal_id),
    )


def _drawer(
    session: Session, retailer_id: str, start: datetime, end: datetime
) -> Drawer:
    files = [
        entry
        for entry in imports(session, retailer_id)
        if entry.state is ImportState.IMPORTED
    ]
    return Drawer(
        evidence_between(session, retailer_id, start, end, limit=SHOWN),
        declarations(session, retailer_id),
        files[:FILES],
    )


def _kind(request: web.Request) -> str:
    return request.path.rpartition(".")[2]


def _day(text: str, otherwise: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return day if date(2000, 1, 1) <= day <= date(2999, 1, 1) else otherwise


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
