"""Channels: where a retailer's deals are posted, and whether that will work.

A token is proved at its network before it is kept, kept sealed, and never shown again.
"""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from aiohttp import web

from offers.accounts import (
    Afterwards,
    ChannelAccount,
    accounts,
    choose_afterwards,
    connect_account,
    note_trouble,
    pause_account,
)
from offers.errors import InvalidField
from offers.scope import get_own
from offers.sentences import Sentence
from outletbot.channels import ChannelError
from outletbot.channels.credentials import Credentials
from outletbot.keys import CLOCK, DATABASE, NETWORKS, RETAILER, SEAL, SETTINGS
from outletbot.sealing import CannotOpen
from outletbot.web.desk.addresses import read_server
from outletbot.web.forms import Form, read_text
from outletbot.web.rendering import page

MASTODON = "mastodon"
LONGEST_TOKEN = 500
SEALED_OTHERWISE = Sentence(
    "The token cannot be opened with this installation's key. Connect again."
)

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.get("/channels")
async def show_channels(request: web.Request) -> web.Response:
    return await _channels_page(request)


@routes.post("/channels")
async def connect(request: web.Request) -> web.Response:
    """Keep an account whose token the network has just accepted."""
    form, settings = await request.post(), request.app[SETTINGS]
    values = {"base_url": str(form.get("base_url", ""))[:200]}
    try:
        base_url = read_server(form, "base_url", settings)
        token = read_token(form)
        handle = (
            await request.app[NETWORKS]
            .connect(MASTODON, base_url, Credentials(token))
            .check()
        )
    except InvalidField as problem:
        return await _channels_page(
            request, values=values, problems={problem.field: problem.sentence}
        )
    except ChannelError as error:
        said = Sentence("{said}", said=error)
        return await _channels_page(request, values=values, problems={"token": said})
    await request.app[DATABASE].transact(
        connect_account,
        request[RETAILER].id,
        MASTODON,
        base_url=base_url,
        handle=handle,
        sealed_token=request.app[SEAL].close(token),
        now=request.app[CLOCK](),
    )
    log.info("channel_connected", retailer=request[RETAILER].id, kind=MASTODON)
    raise web.HTTPSeeOther("/channels")


@routes.post("/channels/{account_id}/test")
async def try_out(request: web.Request) -> web.Response:
    """Ask the network whether the token still works, and note what it says."""
    account_id = request.match_info["account_id"]
    database, retailer = request.app[DATABASE], request[RETAILER]
    account = await database.read(get_own, ChannelAccount, retailer.id, account_id)
    trouble = await _trouble_of(request, account)
    await database.transact(
        note_trouble, retailer.id, account_id, trouble, now=request.app[CLOCK]()
    )
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


@routes.post("/channels/{account_id}/afterwards")
async def settle_afterwards(request: web.Request) -> web.Response:
    """Settle what becomes of posts whose deal is over."""
    choice = read_text(await request.post(), "afterwards", longest=20)
    if choice not in set(Afterwards):
        raise InvalidField("afterwards", Sentence("Choose from the list."), choice)
    await request.app[DATABASE].transact(
        choose_afterwards,
        request[RETAILER].id,
        request.match_info["account_id"],
        Afterwards(choice),
    )
    raise web.HTTPSeeOther("/channels")


def read_token(form: Form) -> str:
    """Return an access token, which goes into a header and must fit there.

    Raises:
        InvalidField: If there is none, or it cannot be one.
    """
    token = read_text(form, "token", longest=LONGEST_TOKEN, needed=True)
    if not (token.isascii() and token.isprintable() and " " not in token):
        problem = Sentence("This is no access token. Copy it again, alone.")
        raise InvalidField("token", problem)
    return token


async def _channels_page(
    request: web.Request,
    *,
    values: Mapping[str, str] | None = None,
    problems: Mapping[str, Sentence] | None = None,
) -> web.Response:
    found = await request.app[DATABASE].read(accounts, request[RETAILER].id)
    return page(
        request,
        "desk/channels.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        accounts=found,
        afterwards=list(Afterwards),
        values=values or {},
        problems=problems or {},
        public_url=request.app[SETTINGS].public_url,
    )


async def _trouble_of(request: web.Request, account: ChannelAccount) -> str:
    """Return what is wrong with an account, in words; nothing if it works."""
    try:
        await request.app[NETWORKS].channel(account).check()
    except ChannelError as error:
        return str(error)
    except CannotOpen:
        return str(SEALED_OTHERWISE)
    return ""


async def _pause(request: web.Request, *, paused: bool) -> None:
    account_id, retailer = request.match_info["account_id"], request[RETAILER]
    await request.app[DATABASE].transact(
        pause_account, retailer.id, account_id, paused=paused
    )
