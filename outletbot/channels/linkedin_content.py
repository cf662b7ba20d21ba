"""What goes with a post on LinkedIn: pictures, the card of a link, a poll, or nothing.

A post shows one of the three. A picture is uploaded to an address that LinkedIn names,
and worked on there; nobody sees it without its post, so that losing one does no harm.
A card is made of what we say, since LinkedIn reads no pages for posts of an API.

Facts: learn.microsoft.com/linkedin, "Images API" (what may be asked of an image's
status), "MultiImage API" (2 to 20), "Poll API" (the four durations).
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from outletbot.channels import (
    Capabilities,
    Card,
    Draft,
    Image,
    Poll,
    Rejected,
    TryLater,
)
from outletbot.channels.calls import Calls, Patience, Unclear
from outletbot.channels.images import fit_image
from outletbot.channels.linkedin_api import SERVER, in_path, judge_linkedin
from outletbot.clock import Clock

MAX_QUESTION = 140
MAX_TITLE = 400
MAX_DESCRIPTION = 4086
DURATIONS = {
    "ONE_DAY": timedelta(days=1),
    "THREE_DAYS": timedelta(days=3),
    "SEVEN_DAYS": timedelta(days=7),
    "FOURTEEN_DAYS": timedelta(days=14),
}

_INITIALIZE = "/rest/images?action=initializeUpload"


def check_poll(poll: Poll) -> None:
    """Raise ``Rejected`` for a question that is too long."""
    if len(poll.question) > MAX_QUESTION:
        msg = (
            f"A poll's question may be {MAX_QUESTION} characters long on LinkedIn."
            " Shorten it."
        )
        raise Rejected(msg)


class Contents:
    """Makes the ``content`` of posts; *token* goes to LinkedIn's own addresses only."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api: Calls,
        base_url: str,
        token: str,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._http = http
        self._api = api
        self._host = urlsplit(base_url).hostname
        self._token = token.strip()
        self._clock = clock
        self._patience = patience

    async def describe(
        self, draft: Draft, owner: str, takes: Capabilities
    ) -> Mapping[str, object]:
        """Upload what *draft* shows and return the field of the post that has it."""
        content: Mapping[str, object] = {}
        if draft.poll:
            content = {"poll": _poll(draft.poll)}
        elif draft.images:
            content = _media([await self._image(i, owner, takes) for i in draft.images])
        elif draft.card:
            article = await self._article(draft.card, draft.link, owner, takes)
            content = {"article": article}
        return {"content": content} if content else {}

    async def _article(
        self, card: Card, link: str, owner: str, takes: Capabilities
    ) -> Mapping[str, object]:
        article = {"source": link, "title": card.title[:MAX_TITLE]}
        if card.description:
            article["description"] = card.description[:MAX_DESCRIPTION]
        if card.image:
            article["thumbnail"] = (await self._image(card.image, owner, takes))["id"]
        return article

    async def _image(
        self, image: Image, owner: str, takes: Capabilities
    ) -> dict[str, str]:
        fitted = await asyncio.to_thread(fit_image, image, takes.images)
        address, urn = await self._place_for_upload(owner)
        await self._put(address, fitted)
        await self._until_ready(urn)
        return {"id": urn} | ({"altText": fitted.alt} if fitted.alt else {})

    async def _place_for_upload(self, owner: str) -> tuple[str, str]:
        request = {"initializeUploadRequest": {"owner": owner}}
        answer = await self._api.call("POST", _INITIALIZE, lost=TryLater, json=request)
        match answer.content:
            case {"value": {"uploadUrl": str(address), "image": str(urn)}}:
                return address, urn
        raise Unclear(_INITIALIZE)

    async def _put(self, address: str, image: Image) -> None:
        upload = Calls(
            self._http,
            address,
            headers=self._pass_for(address),
            judge=judge_linkedin,
            clock=self._clock,
            patience=self._patience,
            server=SERVER,
        )
        headers = {"Content-Type": "application/octet-stream"}
        await upload.call("PUT", "", lost=TryLater, headers=headers, data=image.content)

    def _pass_for(self, address: str) -> dict[str, str]:
        host = urlsplit(address).hostname or ""
        ours = host == self._host or f".{host}".endswith(".linkedin.com")
        return {"Authorization": f"Bearer {self._token}"} if ours else {}

    async def _until_ready(self, urn: str) -> None:
        try:
            async with asyncio.timeout(self._patience.picture.total_seconds()):
                ready = await self._is_ready(urn)
                while not ready:
                    await asyncio.sleep(self._patience.glance.total_seconds())
                    ready = await self._is_ready(urn)
        except TimeoutError as error:
            msg = "LinkedIn is still working on the picture."
            raise TryLater(msg) from error

    async def _is_ready(self, urn: str) -> bool:
        path = f"/rest/images/{in_path(urn)}"
        match (await self._api.read(path)).content:
            case {"status": "AVAILABLE"}:
                return True
            case {"status": "PROCESSING_FAILED"}:
                msg = "LinkedIn cannot use the picture. Please upload another one."
                raise Rejected(msg)
            case {"status": str()}:
                return False
        raise Unclear(path)


def _media(images: list[dict[str, str]]) -> dict[str, Any]:
    if len(images) == 1:
        return {"media": images[0]}
    return {"multiImage": {"images": images}}


def _poll(poll: Poll) -> dict[str, object]:
    """Let a poll last as long as was asked for, or to the next duration there is."""
    enough = (name for name, long in DURATIONS.items() if long >= poll.duration)
    return {
        "question": poll.question,
        "options": [{"text": option} for option in poll.options],
        "settings": {"duration": next(enough, "FOURTEEN_DAYS")},
    }
