"""The merchant's desk: every page behind the sign-in, and the way in.

    live            pages that follow what happens, by server-sent events
    spreadsheets    tables to take away
    sign_in         who comes in, and how
    summary         all deals and what they brought in
    charts          a picture of how a deal sold
    evidence        what a struck-through price rests on
    deal_summary    one deal: its posts, its course, its numbers
    sales           orders

Then the pages on which goods and deals are made and channels are connected.
"""

from collections.abc import Sequence

from aiohttp import web

from outletbot.web.desk import deal_summary, live, sales, sign_in, summary

ROUTES: Sequence[web.RouteTableDef] = (
    sign_in.routes,
    summary.routes,
    sales.routes,
    # Fixed addresses such as /deals/new come before those with a deal in them.
    deal_summary.routes,
)


def prepare(app: web.Application) -> None:
    """Give the pages what they share while the application runs."""
    live.prepare(app)
