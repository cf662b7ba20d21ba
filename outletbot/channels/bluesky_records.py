"""Bluesky's records: a post as the server keeps it, and what it takes of one.

Pictures and the box that shows a link are uploaded first; a post shows the one or the
other. An answer names both the post it answers and the one that its thread began with.

Facts: the lexicons app.bsky.feed.post, app.bsky.embed.images, app.bsky.embed.external;
docs.bsky.app, "Rate Limits". Bluesky's app takes alt texts of 2,000 characters and
shows pictures of 2,000 pixels (its source, lib/constants.ts). Older servers refuse
pictures of more than a million bytes, newer ones of more than two million; the picture
of a box may have one million.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from PIL import Image as Pillow

from outletbot.channels import (
    Ability,
    Capabilities,
    Card,
    Counting,
    Draft,
    Image,
    ImageRules,
    Rate,
    Rejected,
    TryLater,
)
from outletbot.channels.bluesky_text import MAX_GRAPHEMES, facets_of
from outletbot.channels.calls import Calls, Unclear
from outletbot.channels.images import fit_image

POST = "app.bsky.feed.post"
REPO = "/xrpc/com.atproto.repo"
ADDRESS = re.compile(rf"at://(?P<did>[^/]+)/{re.escape(POST)}/(?P<rkey>[^/]+)")

# Of 5,000 points an hour and 35,000 a day a record put costs 2 and one deleted 1; there
# may be 1,000 pictures a day besides.
CAPABILITIES = Capabilities(
    max_length=MAX_GRAPHEMES,
    counting=Counting.GRAPHEMES,
    images=ImageRules(
        most=4, max_bytes=1_000_000, max_alt_length=2_000, max_side=2_000
    ),
    abilities=frozenset(
        {Ability.FIND, Ability.DELETE, Ability.ANSWER, Ability.MEASURE}
    ),
    posts=(Rate(2_500, timedelta(hours=1)), Rate(17_500, timedelta(days=1))),
    deletes=(Rate(5_000, timedelta(hours=1)), Rate(35_000, timedelta(days=1))),
)


class Records:
    """Makes records of drafts; *api* is where their pictures go."""

    def __init__(self, api: Calls) -> None:
        self._api = api

    async def make(self, draft: Draft) -> dict[str, object]:
        """Return the record of *draft*; the same again if the same is asked for.

        Raises:
            TryLater: If the server does not take the pictures now.
            Rejected: If a picture cannot be shown, or what is answered is gone.
        """
        record: dict[str, object] = {
            "$type": POST,
            "text": draft.text,
            "createdAt": _moment(draft.since),
        }
        if draft.language:
            record["langs"] = [draft.language]
        if facets := facets_of(draft.text, draft.link):
            record["facets"] = facets
        if draft.answers:
            record["reply"] = await self._reply_to(draft.answers)
        if draft.images:
            record["embed"] = await self._pictures(draft.images)
        elif draft.card:
            record["embed"] = await self._box(draft.card, draft.link)
        return record

    async def _reply_to(self, remote_id: str) -> dict[str, object]:
        """Name the post that is answered, and the one that its thread began with."""
        address, path = address_of(remote_id), f"{REPO}.getRecord"
        params = {
            "repo": address["did"],
            "collection": POST,
            "rkey": address["rkey"],
        }
        parent = (await self._api.read(path, params)).content
        match parent:
            case {"uri": str(uri), "cid": str(cid), "value": dict(record)}:
                strong = {"uri": uri, "cid": cid}
                return {"root": _root(record) or strong, "parent": strong}
        raise Unclear(path)

    async def _pictures(self, images: Sequence[Image]) -> dict[str, object]:
        return {
            "$type": "app.bsky.embed.images",
            "images": [await self._picture(image) for image in images],
        }

    async def _picture(self, image: Image) -> dict[str, object]:
        fitted, (width, height) = await asyncio.to_thread(_fit, image)
        return {
            "alt": fitted.alt,
            "image": await self._upload(fitted),
            "aspectRatio": {"width": width, "height": height},
        }

    async def _box(self, card: Card, link: str) -> dict[str, object]:
        box: dict[str, object] = {
            "uri": link,
            "title": card.title,
            "description": card.description,
        }
        if card.image:
            fitted, _ = await asyncio.to_thread(_fit, card.image)
            box["thumb"] = await self._upload(fitted)
        return {"$type": "app.bsky.embed.external", "external": box}

    async def _upload(self, image: Image) -> dict[str, object]:
        """Give the server a picture, which nobody sees without its post."""
        path = f"{REPO}.uploadBlob"
        answer = await self._api.call(
            "POST",
            path,
            lost=TryLater,
            headers={"Content-Type": image.content_type},
            data=image.content,
        )
        match answer.content:
            case {"blob": dict(blob)}:
                return blob
        raise Unclear(path)


def address_of(remote_id: str) -> re.Match[str]:
    address = ADDRESS.fullmatch(remote_id)
    if address is None:
        msg = f"{remote_id} is no post on Bluesky."
        raise Rejected(msg)
    return address


def answered_by(record: Any) -> str:
    """Return the address of the post that a record answers, or an empty text."""
    match record:
        case {"reply": {"parent": {"uri": str(uri)}}}:
            return uri
    return ""


def _moment(moment: datetime) -> str:
    utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return utc.replace("+00:00", "Z")


def _fit(image: Image) -> tuple[Image, tuple[int, int]]:
    """Return a picture as Bluesky takes it, and how wide and high it is."""
    fitted = fit_image(image, CAPABILITIES.images)
    with Pillow.open(BytesIO(fitted.content)) as picture:
        return fitted, picture.size


def _root(record: Any) -> dict[str, object] | None:
    match record:
        case {"reply": {"root": {"uri": str(uri), "cid": str(cid)}}}:
            return {"uri": uri, "cid": cid}
    return None
