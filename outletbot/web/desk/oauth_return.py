"""Coming back from a network's own page, with its leave or without.

What it brings is checked before anything is believed; what goes wrong is told on the
page from which the merchant set out. If it lets us into several accounts, they choose.
"""

from collections.abc import Sequence

from aiohttp import web

from offers.errors import InvalidField, OfferError, WrongState
from offers.sentences import Sentence
from outletbot.channels import ChannelError
from outletbot.channels.oauth import Candidate, Entrance
from outletbot.keys import NETWORKS
from outletbot.known_networks import Network
from outletbot.web.desk.connecting import (
    Found,
    NoSuchNetwork,
    connect_page,
    keep,
    network_named,
    return_address,
)
from outletbot.web.desk.oauth_state import (
    close_candidates,
    come_home,
    forget,
    open_candidates,
)
from outletbot.web.desk.own_server import KIND as OWN_SERVERS
from outletbot.web.desk.own_server import entrance_at
from outletbot.web.desk.sign_in import see_other
from outletbot.web.forms import read_text

DENIED = {
    "access_denied",
    "user_cancelled_login",
    "user_cancelled_authorize",
}
"""What networks call it if somebody does not let us in."""

LONGEST_SEALED = 500_000

routes = web.RouteTableDef()


@routes.get("/channels/return/{kind}")
async def come_back(request: web.Request) -> web.Response:
    """Let in what the network's page has just allowed, once."""
    network = _network(request, own_servers=True)
    response = await _come_back(request, network)
    forget(request, response, network.kind)
    # The address has the network's code in it, which is nobody else's business.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@routes.post("/channels/return/{kind}")
async def choose(request: web.Request) -> web.Response:
    """Keep those of several accounts that the merchant has picked."""
    network, form = _network(request), await request.post()
    sealed = read_text(form, "sealed", longest=LONGEST_SEALED)
    try:
        candidates = open_candidates(request, network.kind, sealed)
    except OfferError as refusal:
        return connect_page(request, network, refusal=refusal)
    try:
        picked = _picked(candidates, form.getall("account", []))
    except InvalidField as problem:
        return connect_page(
            request, network, refusal=problem, candidates=candidates, sealed=sealed
        )
    await keep(request, [Found(network.kind, "", one) for one in picked])
    raise web.HTTPSeeOther("/channels")


async def _come_back(request: web.Request, network: Network) -> web.Response:
    try:
        found = await _let_in(request, network)
    except OfferError as refusal:
        return connect_page(request, network, refusal=refusal)
    except ChannelError as error:
        said = WrongState(Sentence("{said}", said=error))
        return connect_page(request, network, refusal=said)
    if len(found) > 1:
        candidates = [one.candidate for one in found]
        sealed = close_candidates(request, network.kind, candidates)
        return connect_page(request, network, candidates=candidates, sealed=sealed)
    await keep(request, found)
    return see_other("/channels")


async def _let_in(request: web.Request, network: Network) -> list[Found]:
    """Return the accounts that we were let into.

    Raises:
        WrongState: If we were not, or whoever comes back did not set out.
        ChannelError: If the network does not take its own code.
    """
    home, query = come_home(request, network.kind), request.query
    if error := query.get("error", ""):
        raise WrongState(_why(network, error, query.get("error_description", "")))
    code = query.get("code", "")
    if not code or not _is_known(request, network):
        lacking = Sentence("{name} sent nothing to go on with.", name=network.name)
        raise WrongState(lacking)
    entrance, base_url = _entrance(request, network, home.along)
    address = return_address(request, network.kind)
    let_in = await entrance.exchange(code, redirect_uri=address, verifier=home.verifier)
    return [Found(network.kind, base_url, one) for one in let_in]


def _is_known(request: web.Request, network: Network) -> bool:
    """Whether the network knows us still, or the account's server does."""
    return network.app is None or request.app[NETWORKS].app(network.kind) is not None


def _entrance(
    request: web.Request, network: Network, along: Sequence[str]
) -> tuple[Entrance, str]:
    if network.app is None:
        return entrance_at(request, along)
    return request.app[NETWORKS].oauth(network.kind), ""


def _why(network: Network, error: str, description: str) -> Sentence:
    if error in DENIED:
        return Sentence(
            "{name} says that you did not allow it. Nothing was connected.",
            name=network.name,
        )
    said = (description or error)[:200]
    return Sentence("{name} says: {said}", name=network.name, said=said)


def _picked(
    candidates: Sequence[Candidate], chosen: Sequence[object]
) -> list[Candidate]:
    picked = [one for place, one in enumerate(candidates) if str(place) in chosen]
    if not picked:
        raise InvalidField("account", Sentence("Choose at least one."))
    return picked


def _network(request: web.Request, *, own_servers: bool = False) -> Network:
    """Return the network: it or, with *own_servers*, each of its servers has a page."""
    network = network_named(request)
    if network.app is None and not (own_servers and network.kind == OWN_SERVERS):
        raise NoSuchNetwork
    return network
