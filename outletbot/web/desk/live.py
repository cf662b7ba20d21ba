"""Live pages: what changed is sent while somebody looks, as server-sent events.

A page's numbers are read at most once a second, however many look at it, and sent when
they are no longer what was sent before. Events are ``parts`` (HTML that replaces named
parts of the page) and ``beat`` (nothing new, still here).
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from aiohttp import hdrs, web

from outletbot.hints import Listener
from outletbot.keys import HINTS

T = TypeVar("T")

EVERY = 1.0  # seconds between two looks at the numbers
SOON = 0.25  # of that, at least, between a look in vain and a look at a hint
TOPICS = ("deals", "holds", "posts", "refunds")
BEAT_EVERY = 10.0  # seconds: proxies and phones give up on silence
LONGEST = 600.0  # seconds: then the browser comes again, and shows its sign-in again


class Live:
    """Numbers that several pages look at, and whether the process is to stop."""

    def __init__(self, *, every: float = EVERY) -> None:
        self.every = every
        self.stopping = asyncio.Event()
        self._reads: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    async def look(
        self, key: Hashable, read: Callable[[], Awaitable[T]], *, soon: bool = False
    ) -> T:
        """Return what *read* returns, or returned to another within ``every``.

        *soon* means that it may have changed since.
        """
        now = asyncio.get_running_loop().time()
        self._forget(now - self.every * (SOON if soon else 0.9))
        if key not in self._reads:
            self._reads[key] = now, asyncio.ensure_future(_awaited(read))
        task: asyncio.Task[T] = self._reads[key][1]
        return await asyncio.shield(task)

    async def rest(self, listener: Listener, *, told: bool) -> bool:
        """Wait until it is worth looking again. Return whether a hint says so.

        After a telling there is a full pause.
        """
        pause = self.every if told else self.every * SOON
        await Listener(()).wait(pause, stop=self.stopping)
        return await listener.wait(self.every - pause, stop=self.stopping)

    def _forget(self, latest: float) -> None:
        old = [
            key
            for key, (started, task) in self._reads.items()
            if task.done() and started <= latest
        ]
        for key in old:
            del self._reads[key]


async def _awaited(read: Callable[[], Awaitable[T]]) -> T:
    return await read()


LIVE = web.AppKey("LIVE", Live)


def prepare(app: web.Application) -> None:
    app[LIVE] = Live()
    app.on_shutdown.append(_stop)


async def _stop(app: web.Application) -> None:
    """Let go of who listens, or the process would wait for them."""
    app[LIVE].stopping.set()


async def follow(
    request: web.Request,
    key: Hashable,
    read: Callable[[], Awaitable[T]],
    parts: Callable[[T], str],
    time: Callable[[], str],
) -> web.StreamResponse:
    """Send *parts* of what is read whenever it changed, until one of us leaves.

    Pages with the same *key* share what is read; *time* is printed beside it.
    """
    live, clock = request.app[LIVE], asyncio.get_running_loop().time
    shown = await live.look(key, read)
    response = web.StreamResponse(headers=HEADERS)
    ends, beats = clock() + LONGEST, clock() + BEAT_EVERY
    listening, told = request.app[HINTS].listening(*TOPICS), True
    with suppress(ConnectionError), listening as listener:
        await response.prepare(request)
        await response.write(event("parts", parts(shown), time()))
        while clock() < ends:
            hint = await live.rest(listener, told=told)
            if live.stopping.is_set():
                break
            seen, shown = shown, await live.look(key, read, soon=hint)
            told = seen != shown
            if told:
                await response.write(event("parts", parts(shown), time()))
            elif clock() >= beats:
                await response.write(event("beat", time()))
            else:
                continue
            beats = clock() + BEAT_EVERY
    return response


HEADERS = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events back
}


def event(kind: str, data: str, key: str = "") -> bytes:
    """Return an event as browsers read it.

    The form is of https://html.spec.whatwg.org/multipage/server-sent-events.html.
    """
    lines = [f"event: {kind}"]
    if key:
        lines.append(f"id: {key}")
    lines += [f"data: {line}" for line in data.splitlines()]
    return ("\n".join(lines) + "\n\n").encode()
