"""The wall as Atom (RFC 4287) and as JSON Feed 1.1 (https://jsonfeed.org/version/1.1).

An entry's id never changes, and what became of its deal changes the entry: readers see
"Sold out" where the offer was.
"""

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from outletbot.web.rendering import render
from outletbot.web.shop.wall import Entry, Wall

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An entry in words."""

    id: str
    url: str
    title: str
    summary: str
    image: str
    published: str
    updated: str


def atom_feed(wall: Wall, *, public_url: str) -> str:
    """Return the feed as XML; what XML cannot say is left out."""
    text = render(
        "shop/feed.atom.xml",
        wall.seller.language,
        feed_id=_urn(f"outlet:{wall.seller.slug}"),
        seller=wall.seller,
        about=wall.about,
        home=f"{public_url}/o/{wall.seller.slug}",
        updated=_iso(wall.updated_at or EPOCH),
        items=_items(wall, public_url),
    )
    return NOT_IN_XML.sub("", text)


def json_feed(wall: Wall, *, public_url: str) -> str:
    home = f"{public_url}/o/{wall.seller.slug}"
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": wall.seller.name,
        "description": wall.about,
        "home_page_url": home,
        "feed_url": f"{home}/feed.json",
        "language": wall.seller.language,
        "authors": [{"name": wall.seller.name, "url": home}],
        "items": [_json_item(item) for item in _items(wall, public_url)],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1)


def _json_item(item: Item) -> dict[str, str]:
    known = {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "content_text": item.summary,
        "image": item.image,
        "date_published": item.published,
        "date_modified": item.updated,
    }
    return {name: value for name, value in known.items() if value}


def _items(wall: Wall, public_url: str) -> list[Item]:
    return [_item(entry, wall, public_url) for entry in wall.entries]


def _item(entry: Entry, wall: Wall, public_url: str) -> Item:
    card = entry.card
    picture = f"{public_url}/pictures/{card.picture_id}.jpg"
    return Item(
        id=_urn(entry.post_id),
        url=f"{public_url}/d/{card.code}",
        title=_title(entry, wall.seller.language),
        summary=_summary(entry, wall),
        image=picture if card.picture_id else "",
        published=_iso(entry.published_at),
        updated=_iso(entry.updated_at),
    )


def _title(entry: Entry, language: str) -> str:
    return render(
        "shop/feed_title.txt", language, card=entry.card, phase=entry.card.phase.value
    )


def _summary(entry: Entry, wall: Wall) -> str:
    language, card = wall.seller.language, entry.card
    return render(
        "shop/feed_summary.txt",
        language,
        card=card,
        pitch=entry.pitch,
        phase=card.phase.value,
        zone=wall.seller.zone,
        place=wall.seller.place,
    )


def _urn(name: str) -> str:
    """An id that stays even if the installation moves."""
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
