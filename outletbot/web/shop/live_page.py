"""How a deal stands, for pages that are open: pushed, or asked for where pushing fails.

``state`` is one object of JSON; ``live`` sends the same as server-sent events
(https://html.spec.whatwg.org/multipage/server-sent-events.html), which begin with how
things are now: whoever comes back after a gap has missed nothing.
"""

from http import HTTPStatus

from aiohttp import hdrs, web

from outletbot.web.guard import public
from outletbot.web.shop.answers import NO_STORE
from outletbot.web.shop.keys import DEALS, LIVE
from outletbot.web.shop.live import Full

HEADERS = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: NO_STORE,
    "X-Accel-Buffering": "no",  # or nginx keeps events until it has a pageful
    "X-Content-Type-Options": "nosniff",
}

routes = web.RouteTableDef()


@routes.get("/d/{code}/state")
@public
async def send_state(request: web.Request) -> web.Response:
    view = await request.app[DEALS].get(request.match_info["code"])
    return web.json_response(
        request.app[LIVE].state(view), headers={hdrs.CACHE_CONTROL: NO_STORE}
    )


@routes.get("/d/{code}/live", allow_head=False)
@public
async def stream_states(request: web.Request) -> web.StreamResponse:
    """Send events until the deal is over or the shopper is gone."""
    messages = request.app[LIVE].messages(request.match_info["code"])
    try:
        first = await anext(messages)
    except Full:
        busy = HTTPStatus.SERVICE_UNAVAILABLE
        return web.Response(status=busy, headers={hdrs.RETRY_AFTER: "15"})
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    try:
        await response.write(b"retry: 3000\n\n" + first)
        async for message in messages:
            await response.write(message)
    except ConnectionError:
        return response  # they left; there is nobody to tell
    finally:
        await messages.aclose()
    return response
