"""A LinkedIn to practise on: the part of its API that a page's channel uses.

It keeps LinkedIn's limits, permissions and 150 posts a day, wants its headers and
names encoded, reads little text as strictly (what follows an unescaped mark is lost),
answers its errors in its words, and goes wrong on demand. People see the posts at
``/@{handle}``.
"""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.linkedin_grants import Account
from outletbot.sandbox.linkedin_page import pages
from outletbot.sandbox.linkedin_routes import SANDBOX, routes
from outletbot.sandbox.linkedin_rules import MAX_FILE, Refusal, too_many
from outletbot.sandbox.linkedin_state import LinkedInSandbox

__all__ = ["FAULTS", "SANDBOX", "Account", "build_linkedin_sandbox"]

FAULTS = web.AppKey("linkedin_faults", Faults)
_OLDEST = web.AppKey("linkedin_oldest_version", str)


def build_linkedin_sandbox(
    *,
    clock: Clock,
    public_url: str,
    accounts: Iterable[Account],
    faults: Faults | None = None,
    looks_until_ready: int = 1,
    refreshes: bool = True,
    oldest_version: str = "202511",
    state_path: Path | None = None,
) -> web.Application:
    """Build the server; *public_url* is how people and clients reach it.

    A picture is ready after *looks_until_ready* looks at it. Without *refreshes* no
    refresh token is given, as to most applications. Versions before *oldest_version*
    have ended. With *state_path* posts, pictures and tokens go on after a restart. The
    server is ``app[SANDBOX]``, and what shall go wrong ``app[FAULTS]``.
    """
    faults = faults or Faults()
    app = web.Application(
        client_max_size=2 * MAX_FILE,
        middlewares=[
            inject(faults, too_many=_too_many, error=_broken),
            _answer_errors,
            _check_protocol,
        ],
    )
    app[SANDBOX] = LinkedInSandbox(
        clock=clock,
        public_url=public_url,
        accounts=accounts,
        looks_until_ready=looks_until_ready,
        refreshes=refreshes,
        state_path=state_path,
    )
    app[FAULTS] = faults
    app[_OLDEST] = oldest_version
    app.add_routes(routes)
    app.add_routes(pages)
    app.cleanup_ctx.append(_close)
    return app


async def _close(app: web.Application) -> AsyncIterator[None]:
    yield
    app[SANDBOX].shelf.close()


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return _refuse(refusal)
    except web.HTTPClientError as error:
        return _refuse(Refusal(error.status, "RESOURCE_NOT_FOUND", error.reason))
    except (KeyError, TypeError, ValueError):
        words = "Request body could not be converted to data map"
        return _refuse(Refusal(400, "ILLEGAL_ARGUMENT", words))


@web.middleware
async def _check_protocol(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Want of every call what Rest.li 2.0 and the versions want."""
    if "/rest/" not in request.path:
        return await handler(request)
    version = request.headers.get("LinkedIn-Version", "")
    if not version:
        words = "A version must be present. Please specify a version by adding the"
        raise Refusal(400, "VERSION_MISSING", f"{words} LinkedIn-Version header.")
    if version < request.app[_OLDEST]:
        words = f"Requested version {version}01 is not active"
        raise Refusal(426, "NONEXISTENT_VERSION", words)
    protocol = request.headers.get("X-Restli-Protocol-Version")
    if protocol != "2.0.0" or ":" in request.raw_path:
        words = "Syntax exception in path variables"
        raise Refusal(400, "ILLEGAL_ARGUMENT", words)
    return await handler(request)


def _too_many(_request: web.Request) -> web.Response:
    return _refuse(too_many())


def _broken(_request: web.Request) -> web.Response:
    return _refuse(Refusal(500, "INTERNAL_SERVER_ERROR", "Internal Server Error"))


def _refuse(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.content, status=refusal.status)
