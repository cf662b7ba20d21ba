"""Faults: what goes wrong at other companies, on demand.

A sandbox is told which call shall go wrong next, and how; a fault happens once, in the
order in which it was asked for. "Before" means that the call had no effect, "after"
that it had its whole effect and only the answer was lost: the client cannot tell the
two apart, and that is what is rehearsed.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

Answer = Callable[[web.Request], web.StreamResponse]

_GLANCE = timedelta(milliseconds=10)


class Fault(StrEnum):
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    TOO_MANY = "too_many"
    LOCKED = "locked"
    CUT_BODY = "cut_body"
    SLOW = "slow"


@dataclass
class Faults:
    """The faults that wait for their call, a queue for each.

    A call is its method and path as the sandbox routes it, ``DELETE /v1/things/{id}``.
    *hold_for* is how long a time-out keeps a client waiting before the connection is
    dropped, if the client does not give up first; *slow_by* is how late a slow
    answer is.
    """

    hold_for: timedelta = timedelta(seconds=1)
    slow_by: timedelta = timedelta(milliseconds=250)
    _waiting: dict[str, deque[Fault]] = field(
        default_factory=lambda: defaultdict(deque), repr=False
    )

    def next(self, call: str, *faults: Fault) -> None:
        """Let the next calls of this kind go wrong, one for each of *faults*."""
        self._waiting[call].extend(faults)

    def take(self, call: str) -> Fault | None:
        waiting = self._waiting.get(call)
        return waiting.popleft() if waiting else None

    @property
    def waiting(self) -> dict[str, list[Fault]]:
        """What has not happened yet; a misspelt call stays here for ever."""
        return {call: list(faults) for call, faults in self._waiting.items() if faults}


def inject(
    faults: Faults,
    *,
    too_many: Answer,
    error: Answer,
    locked: Answer | None = None,
    call_of: Callable[[web.Request], str] | None = None,
) -> Middleware:
    """Make a middleware that lets calls go wrong as *faults* says.

    *too_many*, *error* and *locked* are the company's own answers to that; a company
    that locks nothing gives its *error* instead. *call_of* names a call where its
    address does not. Put it before the middlewares that turn exceptions into answers,
    so that what it spoils is an answer.
    """
    name = call_of or _call_of
    answers = {
        Fault.TOO_MANY: too_many,
        Fault.LOCKED: locked or error,
        Fault.ERROR_BEFORE: error,
    }

    @web.middleware
    async def spoil(request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = faults.take(name(request))
        if fault in answers:
            await request.read()  # who is still sending would never hear the answer
            return answers[fault](request)
        if fault is Fault.TIMEOUT_BEFORE:
            return await _hang_up(request, faults.hold_for)
        if fault is Fault.SLOW:
            await asyncio.sleep(faults.slow_by.total_seconds())
        answer = await handler(request)
        if fault is Fault.ERROR_AFTER:
            return error(request)
        if fault is Fault.TIMEOUT_AFTER:
            return await _hang_up(request, faults.hold_for)
        return await _cut(request, answer) if fault is Fault.CUT_BODY else answer

    return spoil


def _call_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else request.path}"


async def _hang_up(request: web.Request, hold_for: timedelta) -> web.StreamResponse:
    """Say nothing until the client gives up or *hold_for* is over, then hang up."""
    for _ in range(hold_for // _GLANCE):
        if request.transport is None or request.transport.is_closing():
            break
        await asyncio.sleep(_GLANCE.total_seconds())
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _cut(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """Send half of the answer and hang up."""
    if not isinstance(answer, web.Response) or not isinstance(answer.body, bytes):
        return await _hang_up(request, timedelta())
    half = web.StreamResponse(status=answer.status, headers=answer.headers)
    half.content_length = len(answer.body)
    await half.prepare(request)
    await half.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()  # closes once what was written is sent
    return half
