"""How the control page is spoken with: by its own forms, or in JSON."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from outletbot.sandbox.stripe_books import Json
from outletbot.sandbox.stripe_errors import StripeRefusal


async def read_said(request: web.Request) -> dict[str, Any]:
    """Return what was sent, by a form of the control page or as JSON."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        message = "Another site's page may not work the sandbox."
        raise web.HTTPForbidden(text=message)
    if request.content_type != "application/json":
        return dict(await request.post())
    try:
        said = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="This is no JSON.") from error
    if not isinstance(said, dict):
        raise web.HTTPBadRequest(text="Please send an object.")
    return said


def attempt(request: web.Request, work: Callable[[], object]) -> web.Response:
    """Do what was asked for; what cannot be done is said, and nothing is broken."""
    try:
        result = work()
    except LookupError as error:
        raise web.HTTPNotFound(text=str(error)) from error
    except StripeRefusal as refusal:
        raise web.HTTPConflict(text=str(refusal)) from refusal
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
    return answer_done(request, {"done": True, "result": result})


def answer_done(request: web.Request, answer: Json) -> web.Response:
    if request.content_type == "application/json":
        return web.json_response(answer)
    page = "/sandbox"
    raise web.HTTPSeeOther(page)
