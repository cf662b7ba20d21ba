"""Measures for Prometheus: by route, never by path or id."""

import time

from aiohttp import web
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
        route = _route(request)
        REQUESTS.labels(request.method, route, status).inc()
        SECONDS.labels(route).observe(time.perf_counter() - started)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
