"""Posting to a Discord channel through a webhook.

A merchant makes a webhook in the channel's settings and gives us its URL, which is all
that is needed to post there: it is a secret. A webhook knows its own messages by their
ids only and can answer none, so a post whose answer was lost cannot be looked for.
There are no idempotency keys for webhooks. Nobody is ever mentioned by a post
(``allowed_mentions``), whatever its text says.

Facts: docs.discord.com: "Webhook Resource", "Message Resource" (embeds, attachments),
"Poll Resource", "API Reference" (files of 10 MiB each at least, "Uploading Files"), and
Discord's own OpenAPI description: lengths, numbers, that a message names its channel
but not its server, and that it may have ``reactions``. That it has them when a webhook
is answered is known from a client that tripped over them (discord.py, issue 7842); a
message without is taken as not told. That an edit leaves pictures alone that it does
not name is what discord.py and discord.js build on. Five calls in two seconds that
post, edit or delete, and 30 posts a minute in a channel, are from Discord's staff and
users (discord-api-docs, issue 367 and pull request 2243), not from its documents.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from io import BytesIO
from math import ceil
from typing import Any

import aiohttp

from outletbot.channels import (
    Ability,
    CannotLook,
    Capabilities,
    Card,
    Draft,
    Go,
    Image,
    ImageRules,
    Numbers,
    Poll,
    PollRules,
    Published,
    Rate,
    Rejected,
    TryLater,
    Unconfirmed,
    at_once,
)
from outletbot.channels.calls import PATIENCE, NotThere, Patience
from outletbot.channels.credentials import Credentials
from outletbot.channels.discord_api import DiscordApi
from outletbot.channels.images import fit_image
from outletbot.clock import Clock

BASE_URL = "https://discord.com/api/v10"
APP_URL = "https://discord.com/channels"
CAPABILITIES = Capabilities(
    max_length=2000,
    images=ImageRules(most=10, max_bytes=10 * 1024 * 1024, max_alt_length=1024),
    abilities=frozenset({Ability.EDIT, Ability.DELETE, Ability.MEASURE}),
    posts=(Rate(5, timedelta(seconds=2)), Rate(30, timedelta(minutes=1))),
    deletes=(Rate(5, timedelta(seconds=2)),),
    poll=PollRules(1, 10, 55, timedelta(hours=1), timedelta(hours=768)),
)
MAX_TITLE, MAX_DESCRIPTION = 256, 4096
_HOUR = timedelta(hours=1)


class Discord:
    """One webhook, and so one channel. *app_url* is where people see its posts."""

    name = "discord"
    capabilities = CAPABILITIES

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
        app_url: str = APP_URL,
    ) -> None:
        secret = credentials.access_token.strip()
        self._api = DiscordApi(http, base_url, secret, clock=clock, patience=patience)
        self._app_url = app_url.rstrip("/")
        self._guild_id = ""

    def length(self, text: str) -> int:
        return len(text)

    async def check(self) -> str:
        """Return the webhook's name and channel; learn its server on the way."""
        match (await self._api.call("GET")).content:
            case {
                "name": str(name),
                "channel_id": str(channel_id),
                "guild_id": str(guild_id),
            }:
                self._guild_id = guild_id
                return f"{name} (channel {channel_id})"
        msg = "Discord does not tell which channel the webhook is for."
        raise TryLater(msg)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*. Discord has no use for *key*.

        A post with a poll has neither pictures nor a card. Pictures travel with the
        post, after *go*.
        """
        if draft.answers:
            msg = "A Discord webhook cannot answer a post. Edit or delete it instead."
            raise Rejected(msg)
        if not self._guild_id:
            await self.check()
        card = None if draft.images or draft.poll else draft.card
        pictured = [card.image] if card and card.image else draft.images
        images = await self._fit(() if draft.poll else pictured)
        more = _poll(draft.poll) if draft.poll else _embeds(card, draft, images)
        await go()
        return await self._post(_content(draft) | more, images)

    async def find(self, draft: Draft) -> Published | None:
        msg = (
            "A webhook cannot read a Discord channel. Open the channel and look whether"
            " the post is there."
        )
        raise CannotLook(msg)

    async def edit(self, remote_id: str, draft: Draft) -> None:
        """Replace the text; pictures and cards that are not named stay."""
        await self._api.call(
            "PATCH", f"/messages/{remote_id}", lost=Unconfirmed, json=_content(draft)
        )

    async def delete(self, remote_id: str) -> None:
        try:
            await self._api.call("DELETE", f"/messages/{remote_id}", lost=Unconfirmed)
        except NotThere:
            return

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        """Return the reactions to our posts, all kinds together, as likes."""
        numbers = {}
        for remote_id in remote_ids:
            try:
                message = await self._api.call("GET", f"/messages/{remote_id}")
            except NotThere:
                continue
            numbers[remote_id] = Numbers(likes=_reactions(message.content))
        return numbers

    async def _fit(self, images: Sequence[Image]) -> list[Image]:
        rules = self.capabilities.images
        return [await asyncio.to_thread(fit_image, image, rules) for image in images]

    async def _post(
        self, message: Mapping[str, object], images: Sequence[Image]
    ) -> Published:
        answer = await self._api.call(
            "POST",
            params={"wait": "true"},
            lost=Unconfirmed,
            broken=Unconfirmed,
            **_body(message, images),
        )
        match answer.content:
            case {"id": str(remote_id), "channel_id": str(channel_id)}:
                place = f"{self._guild_id}/{channel_id}/{remote_id}"
                return Published(remote_id, f"{self._app_url}/{place}")
        msg = "Discord answered the post with something else."
        raise Unconfirmed(msg)


def _content(draft: Draft) -> dict[str, object]:
    return {"content": draft.text, "allowed_mentions": {"parse": []}}


def _embeds(
    card: Card | None, draft: Draft, images: Sequence[Image]
) -> dict[str, object]:
    if card is None:
        return {}
    embed: dict[str, object] = {"title": card.title[:MAX_TITLE], "url": draft.link}
    if card.description:
        embed["description"] = card.description[:MAX_DESCRIPTION]
    if images:
        embed["image"] = {"url": f"attachment://{_filename(0, images[0])}"}
    return {"embeds": [embed]}


def _body(message: Mapping[str, object], images: Sequence[Image]) -> dict[str, Any]:
    """Return a message as JSON, or as a form with its pictures beside it."""
    if not images:
        return {"json": message}
    form, attachments = aiohttp.FormData(), []
    for number, image in enumerate(images):
        filename = _filename(number, image)
        described = {"description": image.alt} if image.alt else {}
        attachments.append({"id": str(number), "filename": filename, **described})
        form.add_field(
            f"files[{number}]",
            BytesIO(image.content),  # bytes, if many, would block the loop
            filename=filename,
            content_type=image.content_type,
        )
    whole = json.dumps({**message, "attachments": attachments})
    form.add_field("payload_json", whole, content_type="application/json")
    return {"data": form}


def _filename(number: int, image: Image) -> str:
    return f"image{number}.{image.content_type.partition('/')[2]}"


def _poll(poll: Poll) -> dict[str, object]:
    asked = {
        "question": {"text": poll.question},
        "answers": [{"poll_media": {"text": option}} for option in poll.options],
        "duration": ceil(poll.duration / _HOUR),
    }
    return {"poll": asked}


def _reactions(message: Any) -> int | None:
    match message:
        case {"reactions": list(reactions)}:
            return sum(int(reaction.get("count") or 0) for reaction in reactions)
    return None
