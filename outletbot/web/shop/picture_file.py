"""Pictures, sent so that nobody asks for the same one twice.

Some networks take no file: they fetch a picture where it is, and so there is an address
at which it is fit for them.
"""

import asyncio
from dataclasses import replace

from aiohttp import hdrs, web

from offers.accounts import OUTLET
from outletbot import known_networks
from outletbot.channels import Image, ImageRules, Rejected
from outletbot.channels.images import fit_image
from outletbot.keys import NETWORKS
from outletbot.web.guard import public
from outletbot.web.shop.keys import PICTURES
from outletbot.web.shop.recent import Recent

FOR_EVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"  # what is fit for a network may change with it
JPEG = "image/jpeg"
KEEP = 100  # some 100 kB each

routes = web.RouteTableDef()


class Fitted:
    """Pictures as networks take them, each made once, and one at a time.

    Anybody may ask for any: so many who ask keep no more than one processor busy, and
    none of the threads that others wait for.
    """

    def __init__(self) -> None:
        self._kept: Recent[tuple[str, str], bytes] = Recent(KEEP)
        self._turn = asyncio.Lock()

    async def get(
        self, picture_id: str, kind: str, content: bytes, rules: ImageRules
    ) -> bytes:
        """Return a picture as a *kind* of network takes it by its *rules*.

        Raises:
            HTTPNotFound: If it is none.
        """
        key = picture_id, kind
        if (found := self._kept.find(key)) is not None:
            return found
        async with self._turn:
            if (found := self._kept.find(key)) is not None:
                return found
            fitted = await _fit(content, replace(rules, formats=(JPEG,)))
            return self._kept.keep(key, fitted)


FITTED: web.AppKey[Fitted] = web.AppKey("FITTED")


@routes.get("/pictures/{picture_id}.jpg")
@public
async def send_picture(request: web.Request) -> web.Response:
    content = await request.app[PICTURES].get(request.match_info["picture_id"])
    return _jpeg(content, FOR_EVER)


@routes.get("/pictures/{picture_id}/{kind}.jpg")
@public
async def send_fitted(request: web.Request) -> web.Response:
    """Send a picture as a kind of network takes it."""
    picture_id, kind = request.match_info["picture_id"], request.match_info["kind"]
    if kind != OUTLET and kind not in known_networks.NETWORKS:
        raise web.HTTPNotFound
    content = await request.app[PICTURES].get(picture_id)
    rules = request.app[NETWORKS].capabilities(kind).images
    fitted = await request.app[FITTED].get(picture_id, kind, content, rules)
    return _jpeg(fitted, A_DAY)


async def _fit(content: bytes, rules: ImageRules) -> bytes:
    try:
        image = await asyncio.to_thread(fit_image, Image(content, JPEG, ""), rules)
    except Rejected as error:  # it was a picture when it was kept
        raise web.HTTPNotFound from error
    return image.content


def _jpeg(content: bytes, kept: str) -> web.Response:
    headers = {hdrs.CACHE_CONTROL: kept}
    return web.Response(body=content, content_type=JPEG, headers=headers)
