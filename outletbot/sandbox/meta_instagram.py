"""The Instagram side of the Meta sandbox: containers, media and comments."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO

import aiohttp
from aiohttp import web
from PIL import Image as Pillow
from yarl import URL

from outletbot.sandbox.meta_books import MetaBooks, graph_time
from outletbot.sandbox.meta_calls import Call
from outletbot.sandbox.meta_errors import GraphFault, refuse
from outletbot.sandbox.meta_facebook import length_of
from outletbot.sandbox.shelf import Thing

MAX_CAPTION = 2_200
MAX_HASHTAGS = 5
MAX_TAGS = 20
MAX_ALT = 1_000
MAX_BYTES = 8 * 1024 * 1024
MIN_CHILDREN, MAX_CHILDREN = 2, 10
SHAPES = (4 / 5, 1.91)
ROUNDING = 0.01
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches pictures by their address, from this machine only."""

    http: aiohttp.ClientSession

    async def fetch(self, address: str) -> bytes:
        fault = GraphFault(
            9004,
            "Only photo or video can be accepted as media type.",
            subcode=2207052,
            told=f"The media could not be fetched from this URI: {address}",
        )
        try:
            if URL(address).host not in LOOPBACK:
                raise fault
            async with self.http.get(address, allow_redirects=False) as answer:
                if answer.status != web.HTTPOk.status_code:
                    raise fault
                return await _read(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise fault from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """Read a picture, and of one that is too large just enough to see that."""
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > MAX_BYTES:
            break
    return bytes(content)


FETCHER = web.AppKey("fetcher", Fetcher)


async def make_container(request: web.Request) -> web.Response:
    call = await Call.read(request)
    page = call.own_instagram()
    call.needs("instagram_basic", "instagram_content_publish", "pages_read_engagement")
    _check_caption(call.text("caption"))
    if call.text("media_type") == "CAROUSEL":
        children, content = _children(call), None
    else:
        children, content = [], await _picture(call)
    container = call.books.add(
        "container",
        page["page_id"],
        content=content,
        caption=call.text("caption"),
        alt=call.text("alt_text"),
        children=children,
        item=call.text("is_carousel_item") == "true",
        looks=0,
        status="IN_PROGRESS",
    )
    return web.json_response({"id": container})


def look_at_container(call: Call, container: Thing) -> web.Response:
    """A container is finished after some looks, as pictures take a while."""
    looks, status = container["looks"] + 1, container["status"]
    if status == "IN_PROGRESS" and looks > call.books.looks_until_finished:
        status = "FINISHED"
    call.books.change(container, looks=looks, status=status)
    words = {"ERROR": "Error: Media upload has failed with error code 2207005"}
    said = words.get(status, f"{status.title()}: Media has been looked at.")
    return call.one({"id": container["id"], "status_code": status, "status": said})


async def publish(request: web.Request) -> web.Response:
    call = await Call.read(request)
    page = call.own_instagram()
    call.needs("instagram_basic", "instagram_content_publish", "pages_read_engagement")
    container = _publishable(call)
    if _used(call.books, page["page_id"]) >= call.books.daily_posts:
        told = "You reached maximum number of posts that is allowed to be published."
        raise GraphFault(
            9, "Application request limit reached", subcode=2207042, told=told
        )
    call.books.change(container, status="PUBLISHED")
    media = call.books.add(
        "media",
        page["page_id"],
        caption=container["caption"],
        pictures=container["children"] or [container["id"]],
    )
    return web.json_response({"id": media})


async def publishing_limit(request: web.Request) -> web.Response:
    call = await Call.read(request)
    page = call.own_instagram()
    call.needs("instagram_basic", "instagram_content_publish", "pages_read_engagement")
    used = _used(call.books, page["page_id"])
    config = {"quota_total": call.books.daily_posts, "quota_duration": 86_400}
    return web.json_response({"data": [{"quota_usage": used, "config": config}]})


async def media(request: web.Request) -> web.Response:
    call = await Call.read(request)
    page = call.own_instagram()
    call.needs("instagram_basic", "pages_read_engagement")
    found = call.books.things("media", account=page["page_id"])
    return call.some(found, lambda one: whole_media(call, one))


async def comment(call: Call, media: Thing) -> web.Response:
    call.needs("instagram_basic", "instagram_manage_comments")
    message = call.text("message")
    if not message or length_of(message) > MAX_CAPTION:
        refuse("The message must not be empty, nor too long")
    made = call.books.add(
        "note",
        media["account"],
        text=message,
        of=media["id"],
        username=call.page["handle"],
    )
    return web.json_response({"id": made})


async def comments(call: Call, media: Thing) -> web.Response:
    call.needs("instagram_basic", "instagram_manage_comments")
    found = call.books.things("note", of=media["id"])
    return call.some(found, _whole_note)


async def delete(call: Call, thing: Thing) -> web.Response:
    media = thing["kind"] == "media"
    call.needs("instagram_manage_contents" if media else "instagram_manage_comments")
    for one in call.books.things("note", of=thing["id"]):
        call.books.shelf.drop("thing", one["id"])
    call.books.shelf.drop("thing", thing["id"])
    return web.json_response({"success": True, "deleted_id": thing["id"]})


def insights(call: Call, media: Thing) -> web.Response:
    call.needs("instagram_basic", "instagram_manage_insights")
    if call.request.query.get("metric") != "views":
        refuse("metric[0] must be one of the following values: views")
    value = {"value": media.get("views", 0)}
    metric = {"name": "views", "period": "lifetime", "values": [value]}
    return web.json_response({"data": [metric]})


def whole_account(page: Thing) -> Thing:
    return {
        "id": page["instagram_id"],
        "username": page["handle"],
        "name": page["name"],
    }


def whole_media(call: Call, media: Thing) -> Thing:
    return {
        "id": media["id"],
        "caption": media["caption"] or None,
        "permalink": call.address_of(media["id"]),
        "timestamp": graph_time(media["made_at"]),
        "username": call.page["handle"],
        "like_count": media.get("likes", 0),
        "comments_count": len(call.books.things("note", of=media["id"])),
    }


def _whole_note(note: Thing) -> Thing:
    return {
        "id": note["id"],
        "text": note["text"],
        "timestamp": graph_time(note["made_at"]),
        "username": note["username"],
    }


def _used(books: MetaBooks, page_id: str) -> int:
    """Count what was published in the last 24 hours; what was deleted is forgotten."""
    begin = books.now - DAY
    posts = books.things("media", account=page_id)
    return sum(datetime.fromisoformat(post["made_at"]) > begin for post in posts)


def _publishable(call: Call) -> Thing:
    container = call.books.thing(call.text("creation_id"), "container")
    if container["status"] == "PUBLISHED" or container["item"]:
        told = "The media with this ID cannot be found."
        raise GraphFault(
            24, "The requested resource does not exist", subcode=2207006, told=told
        )
    if datetime.fromisoformat(container["made_at"]) <= call.books.now - DAY:
        told = "The media you are trying to access has expired."
        raise GraphFault(-2, "Media expired", subcode=2207020, told=told)
    if container["status"] != "FINISHED":
        told = "The media is not ready for publishing, please wait for a moment."
        raise GraphFault(9007, "Media ID is not available", subcode=2207027, told=told)
    return container


def _children(call: Call) -> list[str]:
    children = [one for one in call.text("children").split(",") if one]
    if not MIN_CHILDREN <= len(children) <= MAX_CHILDREN:
        told = "A carousel has from 2 to 10 pictures."
        raise GraphFault(100, "Invalid parameter", subcode=2207028, told=told)
    for child in children:
        if not call.books.thing(child, "container")["item"]:
            refuse(f"{child} is no carousel item")
    return children


def _check_caption(caption: str) -> None:
    words = caption.split()
    if (
        length_of(caption) > MAX_CAPTION
        or sum(word.startswith("#") for word in words) > MAX_HASHTAGS
        or sum(word.startswith("@") for word in words) > MAX_TAGS
    ):
        told = "The caption was too long, or had too many hashtags or tags."
        raise GraphFault(36004, "Caption is too long", subcode=2207010, told=told)


async def _picture(call: Call) -> bytes:
    """Fetch the picture and look at it, as Instagram does."""
    if not call.text("image_url"):
        refuse("The parameter image_url is required")
    if length_of(call.text("alt_text")) > MAX_ALT:
        refuse("Param alt_text must be no longer than 1000 characters")
    content = await call.request.app[FETCHER].fetch(call.text("image_url"))
    if len(content) > MAX_BYTES:
        told = "The image is too large to download. It should be less than 8 MiB."
        raise GraphFault(
            36000, "The image size is too large.", subcode=2207004, told=told
        )
    try:
        with Pillow.open(BytesIO(content)) as picture:
            form, shape = picture.format, picture.width / picture.height
    except OSError:
        form, shape = None, 1.0
    if form != "JPEG":
        told = "The image format is not supported. Use JPEG."
        raise GraphFault(36001, "Bad image format", subcode=2207005, told=told)
    if not SHAPES[0] - ROUNDING <= shape <= SHAPES[1] + ROUNDING:
        told = "The image's aspect ratio is not within 4:5 and 1.91:1."
        raise GraphFault(
            36003, "The aspect ratio is not supported.", subcode=2207009, told=told
        )
    return content
