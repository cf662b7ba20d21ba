"""A Threads to practise on: the part of its API that a channel uses.

It keeps Threads' limits, permissions, tokens of 60 days and its 250 posts, 1,000
answers and 100 deletions within any 24 hours, fetches pictures itself (from this
machine only), answers its errors in Meta's form, and goes wrong on demand. People see
the posts at ``/@{handle}``.
"""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.meta_errors import GraphFault, blocked, broken, too_many
from outletbot.sandbox.meta_instagram import Fetcher
from outletbot.sandbox.threads_page import pages
from outletbot.sandbox.threads_routes import FETCHER, SANDBOX, routes
from outletbot.sandbox.threads_state import Account, ThreadsSandbox

__all__ = ["FAULTS", "SANDBOX", "Account", "build_threads_sandbox"]

FAULTS = web.AppKey("threads_faults", Faults)
_FETCH_FOR = aiohttp.ClientTimeout(total=10)


def build_threads_sandbox(
    *,
    clock: Clock,
    public_url: str,
    accounts: Iterable[Account],
    faults: Faults | None = None,
    looks_until_finished: int = 1,
    state_path: Path | None = None,
) -> web.Application:
    """Build the server; *public_url* is how people and clients reach it.

    A container is finished after *looks_until_finished* looks at it, 0 being at once.
    With *state_path* posts, pictures and tokens go on after a restart. The server is
    ``app[SANDBOX]``, and what shall go wrong ``app[FAULTS]``.
    """
    faults = faults or Faults()
    app = web.Application(
        middlewares=[
            inject(faults, too_many=too_many, error=broken, locked=blocked),
            _answer_faults,
        ],
    )
    app[SANDBOX] = ThreadsSandbox(
        clock=clock,
        public_url=public_url,
        accounts=accounts,
        looks=looks_until_finished,
        state_path=state_path,
    )
    app[FAULTS] = faults
    app.add_routes(routes)
    app.add_routes(pages)
    app.cleanup_ctx.append(_open)
    return app


async def _open(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(timeout=_FETCH_FOR) as http:
        app[FETCHER] = Fetcher(http)
        yield
    app[SANDBOX].shelf.close()


@web.middleware
async def _answer_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except GraphFault as fault:
        return fault.answer()
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        if "/v1.0/" not in request.path:
            raise
        path = request.path.rpartition("/")[2]
        return GraphFault(2500, f"Unknown path components: /{path}").answer()
    except ValueError:
        return GraphFault(100, "Invalid parameter").answer()
