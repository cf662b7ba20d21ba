"""Measures for Prometheus: by route, never by path or id."""

import time
from functools import cache

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import Counter, Histogram

REQUESTS = Counter(
    "outletbot_requests_total", "Requests answered.", ("method", "route", "status")
)
SECONDS = Histogram(
    "outletbot_request_seconds",
    "Time to an answer.",
    ("route",),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)


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


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that was answered within *seconds*."""
    _requests(method, route, status).inc()
    _seconds(route).observe(seconds)


@cache
def _requests(method: str, route: str, status: int) -> Counter:
    """The library looks labels up under a lock; ours are few and stay."""
    return REQUESTS.labels(method, route, status)


@cache
def _seconds(route: str) -> Histogram:
    return SECONDS.labels(route)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
