"""Signing in at an account's own server, which is how Mastodon is spread out.

Each server wants an app of its own, which is made there on the way. Whom the server
knows us as then travels in the sealed *state*: nothing of it is kept here, and a code
is taken to no other server than the one that was asked.
"""

from collections.abc import Sequence

from aiohttp import web

from offers.errors import InvalidField
from offers.sentences import Sentence
from outletbot.channels import ChannelError
from outletbot.channels.mastodon_oauth import MastodonApp
from outletbot.channels.oauth import Entrance
from outletbot.keys import NETWORKS, SETTINGS
from outletbot.known_networks import NETWORKS as KNOWN
from outletbot.web.desk.addresses import read_server
from outletbot.web.desk.connecting import connect_page, lead_to, return_address

KIND = "mastodon"

routes = web.RouteTableDef()


@routes.get("/channels/connect/mastodon/server")
async def show_form(_request: web.Request) -> web.Response:
    """Lead whoever loads the answer to the form anew to the form."""
    raise web.HTTPSeeOther("/channels/connect/mastodon")


@routes.post("/channels/connect/mastodon/server")
async def sign_in_there(request: web.Request) -> web.Response:
    """Make an app at the server that was named, and lead to the server's page."""
    form = await request.post()
    try:
        base_url = read_server(form, "server", request.app[SETTINGS])
        app = await _register(request, base_url)
    except InvalidField as problem:
        return connect_page(request, KNOWN[KIND], typed=form, refusal=problem)
    entrance = request.app[NETWORKS].server(base_url).through(app)
    return lead_to(request, KIND, entrance, base_url, app.client_id, app.client_secret)


def entrance_at(request: web.Request, along: Sequence[str]) -> tuple[Entrance, str]:
    """Return the way in that was set out for, and its server, by what came along."""
    base_url, client_id, secret = along
    app = MastodonApp(client_id, secret)
    return request.app[NETWORKS].server(base_url).through(app), base_url


async def _register(request: web.Request, base_url: str) -> MastodonApp:
    """Return the app that the server made for us.

    Raises:
        InvalidField: If it made none, with what it said.
    """
    server = request.app[NETWORKS].server(base_url)
    try:
        return await server.register(return_address(request, KIND))
    except ChannelError as error:
        raise InvalidField("server", Sentence("{said}", said=error)) from error
