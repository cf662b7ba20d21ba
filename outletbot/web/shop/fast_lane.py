"""The fast lane: what everybody asks for at once, answered before all else.

When a deal opens, nearly all that is asked for is its page and a unit of it. Such a
request, made as browsers make it, is answered here: the way through routes and
middlewares would cost more than the answer. Whatever is unusual about a request sends
it the normal way, and the answers are the same there, to the letter.
"""

import re
import time

from aiohttp import HttpVersion11, hdrs, web

from outletbot.web.measures import count
from outletbot.web.ready import Ready, Way
from outletbot.web.shop.fast_buying import FastBuying
from outletbot.web.shop.fast_page import FastPage
from outletbot.web.shop.keys import DEALS

ADDRESS = re.compile(r"/d/([0-9a-z]{1,64})(/buy)?")
PAGE, BUY = "/d/{code}", "/d/{code}/buy"


def open_fast_lane(runner: web.AppRunner) -> None:
    """Let what *runner*, which is set up, is asked go by the fast lane first.

    An application without a shop has none.
    """
    server = runner.server
    assert server is not None, "the runner is set up first"
    if DEALS in runner.app:
        server.request_handler = FastLane(runner.app, server.request_handler)


class FastLane:
    """Goes before the *normal* way of *app*, which counts what it answers itself."""

    def __init__(self, app: web.Application, normal: Way) -> None:
        self._normal = normal
        self._page = FastPage(app, normal)
        self._buying = FastBuying(app, normal)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = ADDRESS.fullmatch(request.rel_url.raw_path)
        if asked is None or _is_unusual(request):
            return await self._normal(request)
        started = time.perf_counter()
        code, buying = asked.groups()
        method, route = request.method, BUY if buying else PAGE
        if buying and method == hdrs.METH_POST:
            answer = await self._buying.answer(request, code)
        elif not buying and method == hdrs.METH_GET:
            answer = await self._page.answer(request, code)
        else:
            return await self._normal(request)
        if isinstance(answer, Ready):
            count(method, route, answer.status, time.perf_counter() - started)
        return answer


def _is_unusual(request: web.BaseRequest) -> bool:
    """Whether it asks for more than an answer on a connection that stays.

    Who is signed in goes the normal way, where that is noticed.
    """
    return (
        request.version != HttpVersion11
        or not request.keep_alive
        or hdrs.EXPECT in request.headers
        or "sign_in" in request.headers.get(hdrs.COOKIE, "")
    )
