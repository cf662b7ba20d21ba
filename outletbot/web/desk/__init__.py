"""The merchant's desk: every page behind the sign-in, and the way in.

    live            pages that follow what happens, by server-sent events
    spreadsheets    tables to take away
    sign_in         who comes in, and how
    summary         all deals and what they brought in
    charts          a picture of how a deal sold
    evidence        what a struck-through price rests on
    deal_summary    one deal: its posts, its course, its numbers
    sales           orders
    ledger          what Stripe's books say, and where ours differ
    order           one of them;  order_view, refund_form, dashboard
    alarms          money that a person has to look at
    redeem          what was reserved is paid in the store

Then the pages on which goods and deals are made and channels are connected:

    feeds           a file comes in;  feed_upload, feed_view, feed_choices, feed_errors
    offers          what could be sold;  offer_view, picture_upload
    planning        an offer becomes a deal;  plan_form, deal_preview
    deals           all of them, and what ends one
    calendar        when they open and are posted;  calendar_view, calendar_style
    rehearsals      a deal played in a copy;  rehearsal_chart
    channels        where they are posted;  channels_view, connecting, own_server,
                    oauth_return
    texts           what the posts say;  sample, post_preview
    deliveries      what the shop is told
    settings        who the retailer is;  people, addresses
    payments        to whom shoppers pay;  payments_view, payment_changes, reauth
"""

from collections.abc import Sequence

from aiohttp import web

from outletbot.web.desk import (
    calendar,
    channels,
    connecting,
    deal_summary,
    deals,
    deliveries,
    feed_errors,
    feeds,
    ledger,
    live,
    oauth_return,
    offers,
    order,
    own_server,
    payments,
    people,
    planning,
    redeem,
    rehearsals,
    sales,
    settings,
    sign_in,
    summary,
    texts,
)

ROUTES: Sequence[web.RouteTableDef] = (
    sign_in.routes,
    summary.routes,
    sales.routes,
    order.routes,
    redeem.routes,
    ledger.routes,
    # Fixed addresses such as /deals/new come before those with a deal in them.
    planning.routes,
    deals.routes,
    calendar.routes,
    deal_summary.routes,
    rehearsals.routes,
    feed_errors.routes,
    feeds.routes,
    offers.routes,
    channels.routes,
    connecting.routes,
    own_server.routes,
    oauth_return.routes,
    texts.routes,
    deliveries.routes,
    settings.routes,
    payments.routes,
    people.routes,
)


def prepare(app: web.Application) -> None:
    """Give the pages what they share while the application runs."""
    live.prepare(app)
