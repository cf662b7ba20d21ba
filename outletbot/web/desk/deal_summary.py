"""One deal: how it sells, what each post brought, and what its price rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from sqlmodel import Session

from offers.accounts import accounts
from offers.deals import Deal, Phase
from offers.evidence import Evidence, find_evidence
from offers.money import Money
from offers.moving import Approval, approvals
from offers.planned import PLANNED
from offers.posts import Post, PostKind, posts_of_deal
from offers.prices import Reduction
from offers.scope import get_own
from offers.summary import (
    DealLine,
    PostLine,
    Sold,
    sales_by_post,
    sales_of_deal,
    units_over_time,
)
from outletbot.keys import CLOCK, DATABASE, LANGUAGE, NETWORKS, RETAILER, SETTINGS
from outletbot.known_networks import network_name
from outletbot.languages import translations
from outletbot.readiness import Readiness, read_lights
from outletbot.web.desk.charts import Course, Pin, at_times, draw
from outletbot.web.desk.live import follow
from outletbot.web.desk.summary import clock_time
from outletbot.web.rendering import page, render

WIDE, SLIM = (1120.0, 320.0), (380.0, 260.0)
BREATH = timedelta(seconds=20)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class PostRow:
    """A post, what it earned, how it does, and what is the matter with it, if anything.

    *readiness* is its light while it is planned. What a network does not tell of likes
    and the like is None.
    """

    line: PostLine
    handle: str
    failure: str
    due_at: datetime
    kind: PostKind = PostKind.ANNOUNCEMENT
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    views: int | None = None
    readiness: Readiness | None = None

    @property
    def is_planned(self) -> bool:
        return self.line.state in PLANNED


@dataclass(frozen=True, slots=True, kw_only=True)
class DealReport:
    """Everything that the page of a deal says."""

    line: DealLine
    price: Money
    reduction: Reduction | None
    withheld: int
    limit_per_shopper: int
    ended_early: bool
    sold_out_at: datetime | None
    offer_id: str
    posts: tuple[PostRow, ...]
    sold: tuple[Sold, ...]
    evidence: Evidence
    approval: Approval | None = None

    @property
    def widest(self) -> int:
        """The widest step of the funnel; buffered clicks may come after their holds."""
        sales = self.line.sales
        return max(sales.clicks, sales.holds, sales.orders, 1)

    @property
    def running(self) -> bool:
        return self.line.phase in {Phase.SCHEDULED, Phase.OPEN, Phase.ALL_HELD}


def read_report(
    session: Session, retailer_id: str, deal_id: str, *, now: datetime
) -> DealReport:
    """Return the report of a deal.

    Raises:
        Missing: If it is not this retailer's.
    """
    deal = get_own(session, Deal, retailer_id, deal_id)
    return DealReport(
        line=sales_of_deal(session, retailer_id, deal_id, now=now),
        price=deal.price,
        reduction=deal.reduction,
        withheld=deal.withheld,
        limit_per_shopper=deal.limit_per_shopper,
        ended_early=deal.ended_early,
        sold_out_at=deal.sold_out_at,
        offer_id=deal.offer_id,
        posts=_post_rows(session, retailer_id, deal_id),
        sold=tuple(units_over_time(session, retailer_id, deal_id)),
        evidence=find_evidence(session, deal),
        approval=approvals(session, retailer_id).get(deal_id),
    )


def _post_rows(session: Session, retailer_id: str, deal_id: str) -> tuple[PostRow, ...]:
    handles = {one.id: one.handle for one in accounts(session, retailer_id)}
    posts = {post.id: post for post in posts_of_deal(session, retailer_id, deal_id)}
    return tuple(
        _post_row(line, posts[line.post_id], handles)
        for line in sales_by_post(session, retailer_id, deal_id)
    )


def _post_row(line: PostLine, post: Post, handles: Mapping[str, str]) -> PostRow:
    return PostRow(
        line,
        handles.get(post.account_id, ""),
        post.failure,
        post.first_due_at,
        post.kind,
        post.likes,
        post.reposts,
        post.replies,
        post.views,
    )


@routes.get("/deals/{deal_id}")
async def show_deal(request: web.Request) -> web.Response:
    report = await _read(request)
    return page(request, "desk/deal.html", **_context(request, report))


@routes.get("/deals/{deal_id}/live")
async def follow_deal(request: web.Request) -> web.StreamResponse:
    """Send the deal's parts again whenever something changed."""
    retailer, language = request[RETAILER], request[LANGUAGE]

    async def read() -> DealReport:
        return await _read(request)

    def parts(report: DealReport) -> str:
        context = _context(request, report)
        return render(
            "desk/deal_parts.html",
            language,
            retailer=retailer,
            zone=retailer.zone,
            **context,
        )

    key = ("deal", retailer.id, request.match_info["deal_id"])
    return await follow(request, key, read, parts, lambda: clock_time(request))


async def _read(request: web.Request) -> DealReport:
    app, retailer_id = request.app, request[RETAILER].id
    deal_id, now = request.match_info["deal_id"], app[CLOCK]()
    report = await app[DATABASE].read(read_report, retailer_id, deal_id, now=now)
    if not any(row.is_planned for row in report.posts):
        return report
    lights = await read_lights(
        app[DATABASE],
        app[NETWORKS],
        retailer_id,
        public_url=app[SETTINGS].public_url,
        deal_id=deal_id,
        now=now,
    )
    rows = [
        replace(row, readiness=lights.get(row.line.post_id)) for row in report.posts
    ]
    return replace(report, posts=tuple(rows))


def _context(request: web.Request, report: DealReport) -> dict[str, Any]:
    zone, language = request[RETAILER].zone, request[LANGUAGE]
    course = find_course(report, language, now=request.app[CLOCK]())
    charts = [
        (name, draw(course, width=width, height=height, zone=zone, language=language))
        for name, (width, height) in (("wide", WIDE), ("slim", SLIM))
    ]
    return {
        "report": report,
        "line": report.line,
        "charts": charts,
        "table_of_sales": at_times(course, zone, language),
        "public_url": request.app[SETTINGS].public_url,
    }


def find_course(report: DealReport, language: str, *, now: datetime) -> Course:
    """Return what to draw: from the opening to now, or to when it was over."""
    line = report.line
    pins = [
        Pin(row.line.published_at, channel_name(row.line.channel, language))
        for row in report.posts
        if row.line.published_at is not None
    ]
    happened = [*(pin.at for pin in pins), *(sold.at for sold in report.sold)]
    start = min(line.opens_at, *happened, line.opens_at)
    over = report.sold_out_at or line.closes_at
    end = max(start + BREATH, min(now, over), *happened)
    return Course(
        sold=report.sold,
        start=start,
        end=end + (end - start) / 40,
        allotment=line.offered,
        pins=pins,
    )


def channel_name(kind: str, language: str) -> str:
    """Return what people call a kind of channel."""
    if kind == "outlet":
        return translations(language).gettext("Outlet page")
    return network_name(kind)
