"""An X to practise on: the part of its API v2 that a channel uses.

It keeps X's limits, scopes, rates, two-hour tokens with refresh tokens good once, and
credits if it is given some; it refuses a text that is out already, replaces links by
its own, answers its problems in its words, and goes wrong on demand. People see the
posts at ``/@{handle}``.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.windows import Budget, Spent
from outletbot.sandbox.x_grants import Account
from outletbot.sandbox.x_page import CLIENT_ID, CLIENT_SECRET, pages
from outletbot.sandbox.x_routes import (
    SANDBOX,
    SPENT,
    answer_refusal,
    rate_headers,
    routes,
)
from outletbot.sandbox.x_rules import MAX_FILE, Refusal, invalid, problem
from outletbot.sandbox.x_state import XSandbox

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "FAULTS",
    "SANDBOX",
    "Account",
    "build_x_sandbox",
]

FAULTS = web.AppKey("x_faults", Faults)


def build_x_sandbox(
    *,
    clock: Clock,
    public_url: str,
    accounts: Iterable[Account],
    faults: Faults | None = None,
    looks_until_ready: int = 0,
    state_path: Path | None = None,
) -> web.Application:
    """Build the server; *public_url* is how people and clients reach it.

    A picture is ready after *looks_until_ready* looks at it. With *state_path* posts,
    pictures and tokens go on after a restart; rates begin anew. The app that asks for
    access is ``CLIENT_ID`` with ``CLIENT_SECRET``, its page ``/i/oauth2/authorize``.
    The server is ``app[SANDBOX]``, and what shall go wrong ``app[FAULTS]``.
    """
    faults = faults or Faults()
    app = web.Application(
        client_max_size=2 * MAX_FILE,
        middlewares=[
            inject(faults, too_many=_too_many, error=_broken),
            _answer_errors,
        ],
    )
    app[SANDBOX] = XSandbox(
        clock=clock,
        public_url=public_url,
        accounts=accounts,
        looks_until_ready=looks_until_ready,
        state_path=state_path,
    )
    app[FAULTS] = faults
    app.add_routes(routes)
    app.add_routes(pages)
    app.cleanup_ctx.append(_close)
    return app


async def _close(app: web.Application) -> AsyncIterator[None]:
    yield
    app[SANDBOX].shelf.close()


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    answer = await _answer(request, handler)
    answer.headers.update(request.get(SPENT, {}))
    return answer


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return answer_refusal(refusal)
    except web.HTTPClientError as error:
        if "/2/" not in request.path:
            raise
        return answer_refusal(problem(error.status, error.reason))
    except (AttributeError, KeyError, TypeError, ValueError):
        return answer_refusal(invalid("body", "is not what is documented"))


def _too_many(request: web.Request) -> web.Response:
    budget = Budget(0, timedelta(minutes=15))
    spent: Spent = request.app[SANDBOX].spend("faults", budget)
    answer = answer_refusal(problem(429, "Too Many Requests"))
    answer.headers.update(rate_headers({"x-rate-limit": spent}))
    return answer


def _broken(_request: web.Request) -> web.Response:
    return answer_refusal(problem(503, "Service Unavailable"))
