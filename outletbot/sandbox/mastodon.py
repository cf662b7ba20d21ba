"""A Mastodon server to practise on: the part of its API that a channel uses.

It keeps Mastodon's limits, scopes, rate limits and idempotency keys, answers its
errors in its words, and goes wrong on demand. People see the posts at
``/@{username}``.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.mastodon_limits import RateLimits, headers_of
from outletbot.sandbox.mastodon_oauth import doors
from outletbot.sandbox.mastodon_objects import Account
from outletbot.sandbox.mastodon_routes import SANDBOX, routes, token_of
from outletbot.sandbox.mastodon_rules import MAX_FILE, Refusal
from outletbot.sandbox.mastodon_state import MastodonSandbox
from outletbot.sandbox.windows import Spent

__all__ = ["FAULTS", "RATE_LIMITS", "SANDBOX", "Account", "build_mastodon_sandbox"]

FAULTS = web.AppKey("mastodon_faults", Faults)
RATE_LIMITS = web.AppKey("mastodon_rate_limits", RateLimits)


def build_mastodon_sandbox(
    *,
    clock: Clock,
    public_url: str,
    accounts: Iterable[Account],
    faults: Faults | None = None,
    looks_until_ready: int = 1,
    state_path: Path | None = None,
) -> web.Application:
    """Build the server; *public_url* is how people and clients reach it.

    A picture is ready after *looks_until_ready* looks at it, 0 being at once. With
    *state_path* posts, media, keys and ids go on after a restart, given the same
    *accounts* in the same order; rate limits begin anew. Any app may register and be
    let in, at ``/oauth/authorize``. The server is
    ``app[SANDBOX]``, what shall go wrong ``app[FAULTS]``, and the budgets of calls
    ``app[RATE_LIMITS]``.

    Raises:
        ValueError: If that file has posts of more accounts than are given.
    """
    faults = faults or Faults()
    app = web.Application(
        client_max_size=2 * MAX_FILE,
        middlewares=[
            inject(faults, too_many=_too_many, error=_broken),
            _limit_rate,
            _answer_errors,
        ],
    )
    app[SANDBOX] = MastodonSandbox(
        clock=clock,
        public_url=public_url,
        accounts=accounts,
        looks_until_ready=looks_until_ready,
        state_path=state_path,
    )
    app[FAULTS] = faults
    app[RATE_LIMITS] = RateLimits()
    app.add_routes(routes)
    app.add_routes(doors)
    app.cleanup_ctx.append(_close)
    return app


async def _close(app: web.Application) -> AsyncIterator[None]:
    yield
    app[SANDBOX].close()


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer in Mastodon's form: one sentence under ``error``."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return _error(refusal.status, refusal.sentence)
    except web.HTTPClientError as error:
        if request.path.startswith("/oauth/"):
            raise  # with its words, for the person who looks at the page
        known = {404: "Not Found", 413: "Payload Too Large"}
        return _error(error.status, known.get(error.status, error.reason))


@web.middleware
async def _limit_rate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count calls of the API, by account or else by address."""
    if not request.path.startswith("/api/"):
        return await handler(request)
    spent = _spend(request)
    if spent.over:
        return _over(spent)
    answer = await handler(request)
    if not answer.prepared:
        answer.headers.update(headers_of(spent))
    return answer


def _spend(request: web.Request) -> Spent:
    sandbox = request.app[SANDBOX]
    account = sandbox.account_of(token_of(request))
    return request.app[RATE_LIMITS].spend(
        account.id if account else f"at {request.remote}",
        request.method,
        request.path,
        now=sandbox.clock(),
    )


def _over(spent: Spent) -> web.Response:
    answer = _error(429, "Too many requests")
    answer.headers.update(headers_of(spent))
    return answer


def _too_many(request: web.Request) -> web.Response:
    spent = _spend(request)
    return _over(replace(spent, used=spent.budget.calls + 1))


def _broken(_request: web.Request) -> web.Response:
    return _error(500, "There was a problem on our end")


def _error(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
