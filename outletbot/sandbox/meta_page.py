"""What people see of the Meta sandbox: a page's posts, and its Instagram account's."""

from datetime import datetime

from aiohttp import web

from outletbot.sandbox.meta_calls import BOOKS, PUBLIC_URL
from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.social_page import Shown, show_posts


async def people_page(request: web.Request) -> web.Response:
    """Show what a page posted on either network, newest first."""
    page = _named(request)
    shown = [_post(request, one) for one in _things(request, "post", page)]
    shown += [_media(request, one) for one in _things(request, "media", page)]
    newest_first = sorted(shown, key=lambda post: post.made_at, reverse=True)
    return show_posts("Facebook and Instagram", page["name"], newest_first)


async def picture(request: web.Request) -> web.Response:
    content = request.app[BOOKS].shelf.content("thing", request.match_info["id"])
    if content is None:
        raise web.HTTPNotFound
    return web.Response(body=content, content_type=_type_of(content))


def _named(request: web.Request) -> Thing:
    handle = request.match_info["handle"]
    for page in request.app[BOOKS].pages():
        if handle in {page["handle"], page["page_id"]}:
            return page
    raise web.HTTPNotFound


def _things(request: web.Request, kind: str, page: Thing) -> list[Thing]:
    return request.app[BOOKS].things(kind, account=page["page_id"])


def _post(request: web.Request, post: Thing) -> Shown:
    link = post.get("link", "")
    comments = request.app[BOOKS].things("comment", of=post["id"])
    return Shown(
        text=post["message"],
        made_at=datetime.fromisoformat(post["made_at"]),
        address=f"#{post['id']}",
        pictures=_pictures(request, post["photos"]),
        card=(link, "What the page behind the link says of itself") if link else None,
        note="Facebook, edited" if post.get("edited") else "Facebook",
        answers=[_post(request, one) for one in reversed(comments)],
    )


def _media(request: web.Request, media: Thing) -> Shown:
    notes = request.app[BOOKS].things("note", of=media["id"])
    return Shown(
        text=media["caption"],
        made_at=datetime.fromisoformat(media["made_at"]),
        address=f"#{media['id']}",
        pictures=_pictures(request, media["pictures"]),
        note="Instagram",
        answers=[
            Shown(note["text"], datetime.fromisoformat(note["made_at"]))
            for note in reversed(notes)
        ],
    )


def _pictures(request: web.Request, ids: list[str]) -> list[tuple[str, str]]:
    place, books = request.app[PUBLIC_URL], request.app[BOOKS]
    return [(f"{place}/pictures/{one}", books.thing(one)["alt"]) for one in ids]


def _type_of(content: bytes) -> str:
    return "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
