"""A Bluesky server to practise on: the part of its protocol that a channel uses.

It keeps the limits of the lexicons, ends its tokens, counts its points, answers its
errors in its words, and goes wrong on demand. People see the posts at ``/@{handle}``
and each at the path it has at bsky.app.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.bluesky_rates import Rates, headers_of
from outletbot.sandbox.bluesky_routes import (
    RATES,
    SANDBOX,
    SPENT,
    TooMany,
    routes,
    spend,
)
from outletbot.sandbox.bluesky_rules import MAX_BLOB, XrpcError
from outletbot.sandbox.bluesky_state import Account, BlueskySandbox
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.windows import Spent

__all__ = ["FAULTS", "RATES", "SANDBOX", "Account", "build_bluesky_sandbox"]

FAULTS = web.AppKey("bluesky_faults", Faults)


def build_bluesky_sandbox(
    *,
    clock: Clock,
    public_url: str,
    accounts: Iterable[Account],
    faults: Faults | None = None,
    state_path: Path | None = None,
) -> web.Application:
    """Build the server; *public_url* is how people and clients reach it.

    With *state_path* posts, pictures and sessions go on after a restart. The server is
    ``app[SANDBOX]``, which also gives tokens without a password; what shall go wrong is
    ``app[FAULTS]``, and the budgets are ``app[RATES]``.
    """
    faults = faults or Faults()
    app = web.Application(
        client_max_size=2 * MAX_BLOB,
        middlewares=[
            inject(faults, too_many=_too_many, error=_broken),
            _answer_errors,
            _count_calls,
        ],
    )
    app[SANDBOX] = BlueskySandbox(
        clock=clock, public_url=public_url, accounts=accounts, state_path=state_path
    )
    app[FAULTS] = faults
    app[RATES] = Rates()
    app.add_routes(routes)
    app.cleanup_ctx.append(_close)
    return app


async def _close(app: web.Application) -> AsyncIterator[None]:
    yield
    app[SANDBOX].shelf.close()


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer in the protocol's form, a code and a sentence, and tell what is left."""
    try:
        answer = await handler(request)
    except TooMany as refusal:
        return _over(request, refusal.spent)
    except XrpcError as refusal:
        answer = _error(refusal.status, refusal.code, refusal.sentence)
    except web.HTTPClientError as error:
        answer = _error(error.status, "InvalidRequest", error.reason)
    if SPENT in request:
        now = request.app[SANDBOX].clock()
        answer.headers.update(headers_of(request[SPENT], now=now))
    return answer


@web.middleware
async def _count_calls(request: web.Request, handler: Handler) -> web.StreamResponse:
    if "/xrpc/" in request.path:
        _count(request)
    return await handler(request)


def _count(request: web.Request) -> Spent:
    return spend(request, f"at {request.remote}", request.app[RATES].calls)


def _over(request: web.Request, spent: Spent) -> web.Response:
    answer = _error(429, "RateLimitExceeded", "Rate Limit Exceeded")
    answer.headers.update(headers_of(spent, now=request.app[SANDBOX].clock()))
    return answer


def _too_many(request: web.Request) -> web.Response:
    spent = _count(request)
    return _over(request, replace(spent, used=spent.budget.calls + 1))


def _broken(_request: web.Request) -> web.Response:
    return _error(500, "InternalServerError", "Internal Server Error")


def _error(status: int, code: str, sentence: str) -> web.Response:
    return web.json_response({"error": code, "message": sentence}, status=status)
