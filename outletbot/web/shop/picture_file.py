"""Pictures, sent so that nobody asks for the same one twice."""

from aiohttp import hdrs, web

from outletbot.web.guard import public
from outletbot.web.shop.keys import PICTURES

FOR_EVER = "public, max-age=31536000, immutable"

routes = web.RouteTableDef()


@routes.get("/pictures/{picture_id}.jpg")
@public
async def send_picture(request: web.Request) -> web.Response:
    content = await request.app[PICTURES].get(request.match_info["picture_id"])
    return web.Response(
        body=content, content_type="image/jpeg", headers={hdrs.CACHE_CONTROL: FOR_EVER}
    )
