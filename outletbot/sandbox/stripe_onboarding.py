"""The page at which the owner of a connected account signs up, as Stripe's does."""

from urllib.parse import quote

from aiohttp import web

from outletbot.sandbox.stripe_books import Json
from outletbot.sandbox.stripe_connect import account_object, find_link, sign_up
from outletbot.sandbox.stripe_connect import visit_link as visit
from outletbot.sandbox.stripe_pages import render
from outletbot.sandbox.stripe_state import SANDBOX

routes = web.RouteTableDef()


@routes.get("/setup/s/{id}")
async def show_onboarding(request: web.Request) -> web.Response:
    """Show the page once; a link that was used or is old leads back for another."""
    sandbox = request.app[SANDBOX]
    try:
        link, in_time = visit(
            sandbox.books, request.match_info["id"], now=sandbox.clock()
        )
    except LookupError as error:
        raise web.HTTPNotFound(text="There is no such page.") from error
    sandbox.commit()
    if not in_time:
        raise web.HTTPSeeOther(link["refresh_url"])
    account = account_object(sandbox.account(link["account"]), now=sandbox.clock())
    return render(request, "stripe_setup.html", account=account, link=link)


@routes.post("/setup/s/{id}")
async def take_onboarding(request: web.Request) -> web.Response:
    """Complete the account, or leave it as it is; either way lead back."""
    sandbox, form = request.app[SANDBOX], await request.post()
    link = _visited(request)
    if form.get("do") == "finish":
        name = str(form.get("name", "")).strip() or "Sandbox"
        sign_up(sandbox.account(link["account"]), name, now=sandbox.clock())
        sandbox.commit()
    raise web.HTTPSeeOther(link["return_url"])


def _visited(request: web.Request) -> Json:
    """Return the link whose page this form is of."""
    link_id = request.match_info["id"]
    try:
        link = find_link(request.app[SANDBOX].books, link_id)
    except LookupError as error:
        raise web.HTTPNotFound(text="There is no such page.") from error
    if not link["visited"]:
        page = f"/setup/s/{quote(link_id)}"
        raise web.HTTPSeeOther(page)
    return link
