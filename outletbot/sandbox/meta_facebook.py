"""The Facebook side of the Meta sandbox: pages, photos, posts and comments."""

import json
import re
from io import BytesIO

from aiohttp import web
from PIL import Image as Pillow

from outletbot.sandbox.meta_books import MetaBooks, graph_time
from outletbot.sandbox.meta_calls import Call
from outletbot.sandbox.meta_errors import GraphFault, refuse
from outletbot.sandbox.shelf import Thing

MAX_MESSAGE = 63_206
MAX_COMMENT = 8_000
MAX_PHOTO_BYTES = 4 * 1024 * 1024
MAX_PHOTOS = 10
PHOTO_FORMATS = {"JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"}


def length_of(text: str) -> int:
    """Count characters; those beyond the first plane are two to Meta's JavaScript."""
    return sum(1 if ord(character) < 0x10000 else 2 for character in text)


def whole_page(page: Thing) -> Thing:
    return {
        "id": page["page_id"],
        "name": page["name"],
        "username": page["handle"] or None,
        "instagram_business_account": (
            {"id": page["instagram_id"], "username": page["handle"]}
            if page["instagram_id"]
            else None
        ),
    }


async def upload_photo(request: web.Request) -> web.Response:
    call = await Call.read(request)
    page = call.own_page()
    call.needs("pages_manage_posts", "pages_read_engagement")
    source = call.form.get("source")
    if not isinstance(source, web.FileField):
        refuse("The parameter url or a file is required")
    if call.text("published") != "false":
        refuse("This sandbox takes photos with published=false only")
    content = source.file.read()
    _check_photo(content)
    alt = call.text("alt_text_custom")
    photo = call.books.add("photo", page["page_id"], content=content, alt=alt, used="")
    return web.json_response({"id": photo})


async def publish(request: web.Request) -> web.Response:
    call = await Call.read(request)
    page = call.own_page()
    call.needs("pages_manage_posts", "pages_read_engagement")
    message, link, photos = call.text("message"), call.text("link"), _attached(call)
    _check_post(message, link, photos)
    _check_duplicate(call.books, page["page_id"], message)
    post = call.books.add(
        "post",
        page["page_id"],
        f"{page['page_id']}_{{}}",
        message=message,
        link=link,
        photos=photos,
    )
    for photo in photos:
        call.books.change(call.books.thing(photo), used=post)
    return web.json_response({"id": post})


async def published_posts(request: web.Request) -> web.Response:
    call = await Call.read(request)
    page = call.own_page()
    call.needs("pages_read_engagement")
    posts = call.books.things("post", account=page["page_id"])
    return call.some(posts, lambda post: whole_post(call, post))


async def comment(call: Call, post: Thing) -> web.Response:
    call.needs("pages_manage_engagement")
    message, photo = call.text("message"), call.text("attachment_id")
    if not message or length_of(message) > MAX_COMMENT:
        refuse("Comment message must not be empty, nor too long")
    if photo:
        call.books.change(call.books.thing(photo, "photo"), used=post["id"])
    number = post["id"].rpartition("_")[2]
    author = {"id": call.page["page_id"], "name": call.page["name"]}
    made = call.books.add(
        "comment",
        post["account"],
        f"{number}_{{}}",
        message=message,
        of=post["id"],
        photos=[photo] if photo else [],
        author=author,
    )
    return web.json_response({"id": made})


async def comments(call: Call, post: Thing) -> web.Response:
    call.needs("pages_read_engagement", "pages_read_user_content")
    found = call.books.things("comment", of=post["id"])
    if call.request.query.get("order") != "reverse_chronological":
        found.reverse()
    return call.some(found, lambda one: whole_comment(call, one))


async def edit(call: Call, thing: Thing) -> web.Response:
    post = thing["kind"] == "post"
    call.needs("pages_manage_posts" if post else "pages_manage_engagement")
    message = call.text("message")
    if not message or length_of(message) > (MAX_MESSAGE if post else MAX_COMMENT):
        refuse("Message must not be empty, nor too long")
    call.books.change(thing, message=message, edited=True)
    return web.json_response({"success": True})


async def delete(call: Call, thing: Thing) -> web.Response:
    post = thing["kind"] == "post"
    call.needs("pages_manage_posts" if post else "pages_manage_engagement")
    for one in call.books.things("comment", of=thing["id"]):
        call.books.shelf.drop("thing", one["id"])
    call.books.shelf.drop("thing", thing["id"])
    return web.json_response({"success": True})


def insights(call: Call, post: Thing) -> web.Response:
    call.needs("pages_read_engagement", "read_insights")
    if call.request.query.get("metric") != "post_media_view":
        refuse("The value must be a valid insights metric")
    value = {"value": post.get("views", 0)}
    metric = {"name": "post_media_view", "period": "lifetime", "values": [value]}
    return web.json_response({"data": [metric]})


def whole_post(call: Call, post: Thing) -> Thing:
    page, shares = call.page, post.get("shares", 0)
    return {
        "id": post["id"],
        "message": post["message"] or None,
        "created_time": graph_time(post["made_at"]),
        "permalink_url": call.address_of(post["id"]),
        "from": {"id": page["page_id"], "name": page["name"]},
        "shares": {"count": shares} if shares else None,
        "reactions": _summary(post.get("likes", 0)),
        "comments": _summary(len(call.books.things("comment", of=post["id"]))),
    }


def whole_comment(call: Call, comment: Thing) -> Thing:
    return {
        "id": comment["id"],
        "message": comment["message"],
        "created_time": graph_time(comment["made_at"]),
        "permalink_url": call.address_of(comment["id"]),
        "from": comment["author"],
        "reactions": _summary(comment.get("likes", 0)),
        "comments": _summary(0),
    }


def _summary(total: int) -> Thing:
    return {"data": [], "summary": {"total_count": total}}


def _attached(call: Call) -> list[str]:
    photos: list[str] = []
    while attached := call.text(f"attached_media[{len(photos)}]"):
        try:
            photos.append(str(json.loads(attached)["media_fbid"]))
        except (KeyError, TypeError, ValueError):
            refuse("Param attached_media must be an array")
    for photo in photos:
        if call.books.thing(photo, "photo")["used"]:
            refuse("Photos were already posted.")
    return photos


def _check_post(message: str, link: str, photos: list[str]) -> None:
    if not (message or link or photos):
        refuse("You must provide message, link or attached_media")
    if length_of(message) > MAX_MESSAGE:
        refuse("Param message is too long")
    if len(photos) > MAX_PHOTOS:
        refuse("Too many attached_media")
    if link and photos:
        refuse("A post has a link or attached_media, not both")
    if link and not re.match(r"https?://[^\s/]+", link):
        raise GraphFault(1500, "The url you supplied is invalid")


def _check_duplicate(books: MetaBooks, page_id: str, message: str) -> None:
    """Nobody says the same twice in a row."""
    last = next(iter(books.things("post", account=page_id)), None)
    if last is not None and last["message"] == message:
        told = "This status update is identical to the last one you posted."
        raise GraphFault(506, "Duplicate status message", subcode=1455006, told=told)


def _check_photo(content: bytes) -> None:
    told = (
        "Photos should be less than 4 MB and saved as JPG, PNG, GIF, TIFF, HEIF or"
        " WebP files."
    )
    fault = GraphFault(324, "Missing or invalid image file", subcode=1366046, told=told)
    if len(content) > MAX_PHOTO_BYTES:
        raise fault
    try:
        with Pillow.open(BytesIO(content)) as picture:
            if picture.format not in PHOTO_FORMATS:
                raise fault
    except OSError:
        raise fault from None
