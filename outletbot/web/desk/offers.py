"""Offers: what a retailer could sell, and one of them in full."""

import asyncio
from http import HTTPStatus

from aiohttp import BodyPartReader, web
from sqlmodel import Session

from offers.catalog import Offer, hang_picture
from offers.errors import InvalidField
from offers.pictures import keep_picture
from offers.scope import get_own
from outletbot.clock import Clock
from outletbot.keys import CLOCK, DATABASE, RETAILER
from outletbot.web.desk.offer_view import is_full, offer_lines, offer_view
from outletbot.web.desk.picture_upload import (
    FIELD,
    MAX_BYTES,
    NO_PICTURE,
    TOO_LARGE,
    Jpeg,
    make_jpeg,
)
from outletbot.web.rendering import page

LAST_PAGE = 10_000
CHUNK = 64 * 1024

routes = web.RouteTableDef()


@routes.get("/offers")
async def show_offers(request: web.Request) -> web.Response:
    search = request.query.get("q", "").strip()[:100]
    number = _page_number(request.query.get("page", ""))
    lines = await request.app[DATABASE].read(
        offer_lines, request[RETAILER].id, search=search, number=number
    )
    return page(
        request,
        "desk/offers.html",
        lines=lines,
        search=search,
        number=number,
        more=is_full(lines),
    )


@routes.get("/offers/{offer_id}")
async def show_offer(request: web.Request) -> web.Response:
    return await _offer_page(request)


@routes.post("/offers/{offer_id}/picture")
async def change_picture(request: web.Request) -> web.Response:
    """Keep the picture that was sent as the offer's own."""
    database, offer_id = request.app[DATABASE], request.match_info["offer_id"]
    retailer = request[RETAILER]
    await database.read(get_own, Offer, retailer.id, offer_id)
    try:
        jpeg = await asyncio.to_thread(make_jpeg, await _read_file(request))
    except InvalidField as problem:
        return await _offer_page(request, problem)
    clock = request.app[CLOCK]
    await database.transact(_hang, retailer.id, offer_id, jpeg, clock)
    address = f"/offers/{offer_id}"
    raise web.HTTPSeeOther(address)


async def _offer_page(
    request: web.Request, problem: InvalidField | None = None
) -> web.Response:
    view = await request.app[DATABASE].read(
        offer_view, request[RETAILER].id, request.match_info["offer_id"]
    )
    return page(
        request,
        "desk/offer.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        view=view,
        now=request.app[CLOCK](),
        problem=problem.sentence if problem else None,
    )


async def _read_file(request: web.Request) -> bytes:
    """Return the file of a form, or refuse it once it is longer than pictures are."""
    if not request.content_type.startswith("multipart/"):
        raise InvalidField(FIELD, NO_PICTURE)
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == FIELD:
            return await _read_part(part)
    raise InvalidField(FIELD, NO_PICTURE)


async def _read_part(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(CHUNK):
        content += chunk
        if len(content) > MAX_BYTES:
            raise InvalidField(FIELD, TOO_LARGE)
    return bytes(content)


def _hang(
    session: Session, retailer_id: str, offer_id: str, jpeg: Jpeg, clock: Clock
) -> None:
    offer = get_own(session, Offer, retailer_id, offer_id)
    picture = keep_picture(
        session, retailer_id, jpeg.content, size=jpeg.size, now=clock()
    )
    hang_picture(session, offer, picture)


def _page_number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return max(1, min(number, LAST_PAGE))
