"""The merchant's desk: every page behind the sign-in, and the way in.

    live            pages that follow what happens, by server-sent events
    spreadsheets    tables to take away
    sign_in         who comes in, and how
    summary         all deals and what they brought in
    charts          a picture of how a deal sold
    evidence        what a struck-through price rests on;  evidence_chart,
                    evidence_files
    declaring       what was charged before there was a log
    deal_summary    one deal: its posts, its course, its numbers
    sales           orders
    ledger          what Stripe's books say, and where ours differ
    order           one of them;  order_view, refund_form, dashboard
    alarms          money that a person has to look at
    redeem          what was reserved is paid in the store

Then the pages on which goods and deals are made and channels are connected:

    feeds           a file comes in;  feed_upload, feed_view, feed_choices, feed_errors,
                    feed_rows
    feed_sources    feeds that come by themselves;  source_form
    offers          what could be sold;  offer_view, picture_upload
    proposals       what to let go first;  proposals_rules, proposals_form
    proposals_week  many of them become deals in one go
    planning        an offer becomes a deal;  plan_form, deal_preview
    markdowns       a deal's price falls in steps;  markdowns_form, markdowns_chart
    deals           all of them, and what ends one
    calendar        when they open and are posted;  calendar_view, calendar_style
    rehearsals      a deal played in a copy;  rehearsal_chart
    channels        where they are posted;  channels_view, connecting, own_server,
                    oauth_return
    texts           what the posts say;  sample, post_preview
    deliveries      what the shop is told
    shops           who tells us the stock;  shops_view
    shop_sales      what the retailer's own shop is told of sales
    settings        who the retailer is;  people, addresses, price_settings
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
    declaring,
    deliveries,
    evidence,
    feed_errors,
    feed_rows,
    feed_sources,
    feeds,
    ledger,
    live,
    markdowns,
    oauth_return,
    offers,
    order,
    own_server,
    payments,
    people,
    planning,
    price_settings,
    proposals,
    proposals_rules,
    proposals_week,
    redeem,
    rehearsals,
    sales,
    settings,
    shop_sales,
    shops,
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
    proposals.routes,
    proposals_rules.routes,
    proposals_week.routes,
    markdowns.routes,
    deals.routes,
    calendar.routes,
    evidence.routes,
    declaring.routes,
    deal_summary.routes,
    rehearsals.routes,
    feed_errors.routes,
    feed_sources.routes,
    feed_rows.routes,
    feeds.routes,
    offers.routes,
    channels.routes,
    connecting.routes,
    own_server.routes,
    oauth_return.routes,
    texts.routes,
    deliveries.routes,
    shop_sales.routes,
    shops.routes,
    settings.routes,
    price_settings.routes,
    payments.routes,
    people.routes,
)


def prepare(app: web.Application) -> None:
    """Give the pages what they share while the application runs."""
    live.prepare(app)
