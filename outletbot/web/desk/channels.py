"""Channels: where a retailer's deals are posted, and whether that will work.

Everybody of the retailer's may look after them. How one is connected is in
``connecting``; a token is proved at its network before it is kept, kept sealed, and
never shown again.
"""

from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from multidict import MultiDictProxy

from offers.accounts import (
    Afterwards,
    ChannelAccount,
    Show,
    pause_account,
)
from offers.choices import Choices, settle_account
from offers.errors import InvalidField, OfferError
from offers.keeping import disconnect_account
from offers.scope import get_own
from offers.sentences import Sentence
from outletbot.channels import Disowned
from outletbot.keys import (
    CLOCK,
    DATABASE,
    LANGUAGE,
    MERCHANT,
    NETWORKS,
    RETAILER,
    SEAL,
    SETTINGS,
)
from outletbot.known_networks import NETWORKS as KNOWN
from outletbot.printing import say
from outletbot.tokens import Keeper
from outletbot.web.desk.channels_view import (
    FOLLOW_UPS,
    Card,
    make_card,
    read_cards,
)
from outletbot.web.errors import status_of
from outletbot.web.forms import Form, read_amount, read_text
from outletbot.web.rendering import page

LARGEST_BUDGET = 100_000_00

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.get("/channels")
async def show_channels(request: web.Request) -> web.Response:
    return await channels_page(request)


@routes.post("/channels/{account_id}/test")
async def try_out(request: web.Request) -> web.Response:
    """Ask the network whether it knows us, and note what that proves."""
    account = await _account_named(request)
    app = request.app
    keeper = Keeper(app[DATABASE], app[NETWORKS], app[SEAL], app[CLOCK])
    refusal = await keeper.check(account)
    if refusal is not None and not isinstance(refusal, Disowned):
        said = Sentence("The test proved nothing: {said}", said=refusal)
        return await channels_page(request, warning=said)
    raise web.HTTPSeeOther("/channels")


@routes.post("/channels/{account_id}/pause")
async def pause(request: web.Request) -> web.Response:
    """Post nothing there until it is resumed."""
    await _pause(request, paused=True)
    raise web.HTTPSeeOther("/channels")


@routes.post("/channels/{account_id}/resume")
async def resume(request: web.Request) -> web.Response:
    await _pause(request, paused=False)
    raise web.HTTPSeeOther("/channels")


@routes.post("/channels/{account_id}/settings")
async def settle(request: web.Request) -> web.Response:
    """Settle how posts are made there, followed up, paid for and ended."""
    form, account = await request.post(), await _account_named(request)
    card = make_card(request, account, now=request.app[CLOCK]())
    try:
        choices = read_choices(form, card)
    except InvalidField as problem:
        return await channels_page(request, refusal=problem, account_id=account.id)
    await request.app[DATABASE].transact(
        settle_account, request[RETAILER].id, account.id, choices
    )
    raise web.HTTPSeeOther("/channels")


@routes.post("/channels/{account_id}/disconnect")
async def disconnect(request: web.Request) -> web.Response:
    """Forget the token; the channel's posts and their numbers stay."""
    account_id, now = request.match_info["account_id"], request.app[CLOCK]()
    await request.app[DATABASE].transact(
        disconnect_account, request[RETAILER].id, account_id, now=now
    )
    who = request[MERCHANT].id
    log.info("channel_disconnected", account=account_id, by=who)
    raise web.HTTPSeeOther("/channels")


def read_choices(form: MultiDictProxy[Any], card: Card) -> Choices:
    """Return what was chosen for a channel, as far as its network can do it.

    Raises:
        InvalidField: If something else was.
    """
    afterwards = _chosen(form, "afterwards", [str(one) for one in card.afterwards])
    shows = [str(one) for one in card.shows]
    if not card.is_away:
        return Choices(Afterwards(afterwards))
    show = _chosen(form, "show", shows) if len(shows) > 1 else shows[0]
    wanted = form.getall("follow_ups", [])
    return Choices(
        Afterwards(afterwards),
        Show(show),
        [str(kind) for kind in FOLLOW_UPS if kind in wanted],
        read_budget(form) if card.charges else None,
    )


def read_budget(form: Form) -> int | None:
    """Return a budget in US cents; none is no limit.

    Raises:
        InvalidField: If it is no amount, or more than anybody would mean.
    """
    if not read_text(form, "budget", longest=20):
        return None
    cents = read_amount(form, "budget", "usd").amount
    if cents > LARGEST_BUDGET:
        raise InvalidField("budget", Sentence("Choose 100,000 US dollars at most."))
    return cents


async def channels_page(
    request: web.Request,
    *,
    warning: Sentence | None = None,
    refusal: OfferError | None = None,
    account_id: str = "",
) -> web.Response:
    """Answer with the page; *refusal* is why an account's settings were not changed."""
    field = refusal.field if isinstance(refusal, InvalidField) else ""
    return page(
        request,
        "desk/channels.html",
        status=status_of(refusal) if refusal else HTTPStatus.OK,
        cards=await read_cards(request),
        networks=list(KNOWN.values()),
        follow_ups=[str(kind) for kind in FOLLOW_UPS],
        refused={account_id: {field: refusal.sentence}} if refusal else {},
        notice=say(warning, request[LANGUAGE]) if warning else "",
        notice_tone="warn",
        public_url=request.app[SETTINGS].public_url,
    )


def _chosen(form: Form, field: str, options: list[str]) -> str:
    choice = read_text(form, field, longest=20)
    if choice not in options:
        raise InvalidField(field, Sentence("Choose from the list."), choice)
    return choice


async def _account_named(request: web.Request) -> ChannelAccount:
    account_id, retailer = request.match_info["account_id"], request[RETAILER]
    database = request.app[DATABASE]
    return await database.read(get_own, ChannelAccount, retailer.id, account_id)


async def _pause(request: web.Request, *, paused: bool) -> None:
    account_id, retailer = request.match_info["account_id"], request[RETAILER]
    await request.app[DATABASE].transact(
        pause_account, retailer.id, account_id, paused=paused
    )
