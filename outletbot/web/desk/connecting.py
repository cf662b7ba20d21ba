"""Connecting: how an account on each network becomes a channel.

Where a network has a page of its own for that, the merchant is sent there and comes
back by ``oauth_return``; else they paste what it gave them, which is tried at once.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import structlog
from aiohttp import web
from sqlmodel import Session

from offers.accounts import ChannelAccount, connect_account
from offers.errors import InvalidField, NotFound, OfferError, WrongState
from offers.keeping import Key, keep_key
from offers.merchants import Role
from offers.sentences import Sentence
from outletbot.channels import Capabilities, ChannelError, Rejected, TryLater
from outletbot.channels.credentials import Credentials
from outletbot.channels.discord_webhook import read_webhook_url
from outletbot.channels.oauth import Candidate, Entrance, challenge_of
from outletbot.channels.telegram import chat_of
from outletbot.keys import (
    CLOCK,
    DATABASE,
    MERCHANT,
    NETWORKS,
    RETAILER,
    SEAL,
    SETTINGS,
)
from outletbot.known_networks import NETWORKS as KNOWN
from outletbot.known_networks import Network
from outletbot.renewing import seal_key
from outletbot.web.desk.addresses import read_server
from outletbot.web.desk.channels_view import possible_afterwards
from outletbot.web.desk.oauth_state import remember, set_out
from outletbot.web.errors import status_of
from outletbot.web.forms import Form, read_text
from outletbot.web.rendering import page

LONGEST_TOKEN = 500
_BOT_TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{10,100}")

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


class NoSuchNetwork(NotFound):
    code = "no_such_network"

    def __init__(self) -> None:
        super().__init__(Sentence("This network cannot be connected here."))


@dataclass(frozen=True, slots=True)
class Found:
    """An account that its network has just let us into."""

    kind: str
    base_url: str
    candidate: Candidate

    @property
    def remote_id(self) -> str:
        """The network's own name of it; one that begins with @ may change."""
        account_id = self.candidate.credentials.account_id
        return "" if account_id.startswith("@") else account_id


@routes.get("/channels/connect/{kind}")
async def show_way(request: web.Request) -> web.Response:
    """Say how an account on a network is connected."""
    return connect_page(request, network_named(request))


@routes.post("/channels/connect/{kind}")
async def connect(request: web.Request) -> web.Response:
    """Keep an account whose token works, or lead to the network's own page."""
    network = network_named(request)
    if network.app is not None:
        return lead_away(request, network)
    form = await request.post()
    try:
        found = await WAYS[network.kind](request, form)
    except InvalidField as problem:
        return connect_page(request, network, typed=form, refusal=problem)
    except ChannelError as error:
        field = _field(network, form, error)
        said = InvalidField(field, Sentence("{said}", said=error))
        return connect_page(request, network, typed=form, refusal=said)
    await keep(request, [found])
    raise web.HTTPSeeOther("/channels")


def lead_away(request: web.Request, network: Network) -> web.Response:
    """Lead to the network's page, which asks whether we may."""
    kind = network.kind
    if request.app[NETWORKS].app(kind) is None:
        missing = Sentence(
            "This installation has no app at {name} yet.", name=network.name
        )
        return connect_page(request, network, refusal=WrongState(missing))
    return lead_to(request, kind, request.app[NETWORKS].oauth(kind))


def lead_to(
    request: web.Request, kind: str, entrance: Entrance, *along: str
) -> web.Response:
    """Lead to the page of *entrance*; *along* goes there and back in the state."""
    journey = set_out(request, kind, *along)
    address = entrance.authorization_url(
        redirect_uri=return_address(request, kind),
        state=journey.state,
        challenge=challenge_of(journey.verifier),
    )
    response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})
    remember(request, response, kind, journey)
    return response


def return_address(request: web.Request, kind: str) -> str:
    """Return where a network's page sends people back to; it has to be told before."""
    return f"{request.app[SETTINGS].public_url}/channels/return/{kind}"


def network_named(request: web.Request) -> Network:
    """Return the network that the address names.

    Raises:
        NoSuchNetwork: If it cannot be connected.
    """
    network = KNOWN.get(request.match_info["kind"])
    if network is None or (network.app is None and network.kind not in WAYS):
        raise NoSuchNetwork
    return network


async def keep(request: web.Request, found: Sequence[Found]) -> None:
    """Keep accounts that were let in just now."""
    app, now, who = request.app, request.app[CLOCK](), request[MERCHANT].id
    for one in found:
        account = await app[DATABASE].transact(
            _keep,
            request[RETAILER].id,
            one,
            seal_key(app[SEAL], one.kind, one.candidate.credentials, now=now),
            can=app[NETWORKS].capabilities(one.kind),
            now=now,
        )
        log.info("channel_connected", account=account.id, kind=one.kind, by=who)


def connect_page(
    request: web.Request,
    network: Network,
    *,
    typed: Form | None = None,
    refusal: OfferError | None = None,
    candidates: Sequence[Candidate] = (),
    sealed: str = "",
) -> web.Response:
    """Answer with the page; *refusal* is why nothing was connected."""
    field = refusal.field if isinstance(refusal, InvalidField) else ""
    shown = {name: str((typed or {}).get(name, ""))[:200] for name in SHOWN}
    return page(
        request,
        "desk/connect.html",
        status=status_of(refusal) if refusal else HTTPStatus.OK,
        network=network,
        ready=network.app is None
        or request.app[NETWORKS].app(network.kind) is not None,
        owner=request[MERCHANT].role is Role.OWNER,
        redirect_uri=return_address(request, network.kind),
        capabilities=request.app[NETWORKS].capabilities(network.kind),
        values=shown,
        problems={field: refusal.sentence} if refusal and field else {},
        refusal=refusal.sentence if refusal else None,
        candidates=candidates,
        sealed=sealed,
    )


async def _by_token(request: web.Request, form: Form) -> Found:
    """Mastodon: an access token of the server's own making."""
    base_url = read_server(form, "base_url", request.app[SETTINGS])
    return await _proved(request, "mastodon", base_url, Credentials(read_token(form)))


async def _by_password(request: web.Request, form: Form) -> Found:
    """Bluesky: an app password, which is exchanged for a session and forgotten."""
    base_url = ""
    if read_text(form, "base_url", longest=LONGEST_TOKEN):
        base_url = read_server(form, "base_url", request.app[SETTINGS])
    handle = read_text(form, "handle", longest=300, needed=True)
    password = read_text(form, "password", longest=100, needed=True)
    entrance = request.app[NETWORKS].entrance("bluesky", base_url)
    return Found("bluesky", base_url, await entrance.sign_in(handle, password))


async def _by_bot(request: web.Request, form: Form) -> Found:
    """Telegram: a bot's token, and the channel that it is an administrator of."""
    token = read_text(form, "token", longest=LONGEST_TOKEN, needed=True)
    if not _BOT_TOKEN.fullmatch(token):
        problem = Sentence("A bot's token is a number, a colon and some 35 letters.")
        raise InvalidField("token", problem)
    channel = chat_of(read_text(form, "channel", longest=200, needed=True))
    credentials = Credentials(token, account_id=channel)
    return await _proved(request, "telegram", "", credentials)


async def _by_webhook(request: web.Request, form: Form) -> Found:
    """Discord: the URL of a webhook."""
    pasted = read_text(form, "webhook", longest=LONGEST_TOKEN, needed=True)
    try:
        credentials = read_webhook_url(pasted)
    except Rejected as refusal:
        said = Sentence("{said}", said=refusal)
        raise InvalidField("webhook", said) from refusal
    return await _proved(request, "discord", "", credentials)


WAYS: Mapping[str, Callable[[web.Request, Form], Awaitable[Found]]] = {
    "mastodon": _by_token,
    "bluesky": _by_password,
    "telegram": _by_bot,
    "discord": _by_webhook,
}
"""How the networks are connected that have no page of their own for it."""

SECRETS = {
    "mastodon": "token",
    "bluesky": "password",
    "telegram": "token",
    "discord": "webhook",
}
"""The field to which a network's refusal belongs."""


def _field(network: Network, form: Form, error: ChannelError) -> str:
    """Return the field to blame: a server that nobody reaches has no say of secrets."""
    silent = isinstance(error, TryLater) and form.get("base_url")
    return "base_url" if silent else SECRETS[network.kind]


SHOWN = ("server", "base_url", "handle", "channel")
"""What was typed and is shown again; secrets are not."""


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


async def _proved(
    request: web.Request, kind: str, base_url: str, credentials: Credentials
) -> Found:
    channel = request.app[NETWORKS].connect(kind, base_url, credentials)
    return Found(kind, base_url, Candidate(await channel.check(), credentials))


def _keep(
    session: Session,
    retailer_id: str,
    found: Found,
    key: Key,
    *,
    can: Capabilities,
    now: datetime,
) -> ChannelAccount:
    """What its network cannot do with old posts, is not left chosen."""
    account = connect_account(
        session,
        retailer_id,
        found.kind,
        base_url=found.base_url,
        handle=found.candidate.handle,
        sealed_token=key.sealed_token,
        remote_id=found.remote_id,
        now=now,
    )
    keep_key(session, account, key)
    possible = possible_afterwards(can)
    if account.afterwards not in possible:
        account.afterwards = possible[0]
    return account
