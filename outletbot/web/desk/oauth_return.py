"""Coming back from a network's own page, with its leave or without.

What it brings is checked before anything is believed; what goes wrong is told on the
page from which the merchant set out. If it lets us into several accounts, they choose.
"""

from collections.abc import Sequence

from aiohttp import web

from offers.errors import InvalidField, OfferError, WrongState
from offers.sentences import Sentence
from outletbot.channels import ChannelError
from outletbot.channels.oauth import Candidate
from outletbot.keys import NETWORKS
from outletbot.networks import Network
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
    network = _network(request)
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
        candidates = await _let_in(request, network)
    except OfferError as refusal:
        return connect_page(request, network, refusal=refusal)
    except ChannelError as error:
        said = WrongState(Sentence("{said}", said=error))
        return connect_page(request, network, refusal=said)
    if len(candidates) > 1:
        sealed = close_candidates(request, network.kind, list(candidates))
        return connect_page(request, network, candidates=candidates, sealed=sealed)
    await keep(request, [Found(network.kind, "", one) for one in candidates])
    return see_other("/channels")


async def _let_in(request: web.Request, network: Network) -> Sequence[Candidate]:
    """Return the accounts that we were let into.

    Raises:
        WrongState: If we were not, or whoever comes back did not set out.
        ChannelError: If the network does not take its own code.
    """
    verifier, query = come_home(request, network.kind), request.query
    if error := query.get("error", ""):
        raise WrongState(_why(network, error, query.get("error_description", "")))
    code = query.get("code", "")
    if not code or request.app[NETWORKS].app(network.kind) is None:
        lacking = Sentence("{name} sent nothing to go on with.", name=network.name)
        raise WrongState(lacking)
    return (
        await request.app[NETWORKS]
        .oauth(network.kind)
        .exchange(
            code,
            redirect_uri=return_address(request, network.kind),
            verifier=verifier,
        )
    )


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


def _network(request: web.Request) -> Network:
    """Return the network, which has to have a page of its own."""
    network = network_named(request)
    if network.app is None:
        raise NoSuchNetwork
    return network
