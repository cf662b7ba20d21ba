"""Measures for Prometheus: by route, never by path or id."""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import REGISTRY
from prometheus_client.core import (
    CounterMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)  # seconds
ENDS = (*map(str, map(float, BOUNDS)), "+Inf")


@dataclass(slots=True)
class _Tally:
    """How many took up to each of ``BOUNDS``, those that took longer, and the sum."""

    within: list[int] = field(default_factory=lambda: [0] * len(ENDS))
    seconds: float = 0.0

    def add(self, other: "_Tally") -> None:
        self.within = [a + b for a, b in zip(self.within, other.within, strict=True)]
        self.seconds += other.seconds


class Answers(Collector):
    """Requests answered, by the one thread that answers.

    The library's own counters lock and check each time, which is a tenth of the time
    that a page takes; here that is left to who asks for the figures.
    """

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, int], _Tally] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered within *seconds*."""
        asked = (method, route, status)
        tally = self._tallies.get(asked) or self._tallies.setdefault(asked, _Tally())
        tally.within[bisect_left(BOUNDS, seconds)] += 1
        tally.seconds += seconds

    def collect(self) -> Iterator[Metric]:
        names = ("method", "route", "status")
        requests = CounterMetricFamily(
            "outletbot_requests", "Requests answered.", labels=names
        )
        by_route: defaultdict[str, _Tally] = defaultdict(_Tally)
        for (method, route, status), tally in list(self._tallies.items()):
            requests.add_metric([method, route, str(status)], sum(tally.within))
            by_route[route].add(tally)
        yield requests
        yield _times(by_route)


def _times(by_route: dict[str, _Tally]) -> Metric:
    times = HistogramMetricFamily(
        "outletbot_request_seconds", "Time to an answer.", labels=("route",)
    )
    for route, tally in by_route.items():
        ends = list(zip(ENDS, map(float, accumulate(tally.within)), strict=True))
        times.add_metric([route], ends, tally.seconds)
    return times


ANSWERS = Answers()
REGISTRY.register(ANSWERS)
count = ANSWERS.count


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    started = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as raised:
        status = raised.status
        raise
    else:
        return response
    finally:
        method = request.method if request.method in hdrs.METH_ALL else "OTHER"
        count(method, _route(request), status, time.perf_counter() - started)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
