"""Posting to a Mastodon account, or to a server that speaks its API.

A post is made at most once for its key for an hour (``Idempotency-Key``); servers that
ignore the key are why an unconfirmed post is looked for by its link first. What the
server takes is asked of it once (``/api/v2/instance``); until then, and on servers that
do not tell, Mastodon's own defaults hold.

Facts: docs.joinmastodon.org, methods "statuses", "media", "accounts", "instance"; that
an edit takes away a poll that is not sent again, and keeps the votes of one that is, is
in mastodon's app/services/update_status_service.rb.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Any

import aiohttp

from outletbot.channels import (
    Draft,
    Go,
    Image,
    Numbers,
    Published,
    TryLater,
    Unconfirmed,
    at_once,
)
from outletbot.channels.calls import (
    PATIENCE,
    Answer,
    Calls,
    NotThere,
    Patience,
    Unclear,
)
from outletbot.channels.credentials import Credentials
from outletbot.channels.images import fit_image
from outletbot.channels.mastodon_api import judge_mastodon
from outletbot.channels.mastodon_entities import (
    kept,
    made_at,
    numbers,
    poll_body,
    published,
)
from outletbot.channels.mastodon_limits import Limits, read_limits
from outletbot.channels.mastodon_text import links_of, text_length
from outletbot.clock import Clock

# Their clock and ours may differ by this much; the link tells our posts apart anyway.
SKEW = timedelta(minutes=5)
PAGE = 40


class Mastodon:
    """One account. *clock* tells how far off the moments are that the server names."""

    name = "mastodon"

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
    ) -> None:
        token = credentials.access_token.strip()
        self._api = Calls(
            http,
            base_url,
            headers={"Authorization": f"Bearer {token}"},
            judge=judge_mastodon,
            clock=clock,
            patience=patience,
        )
        self._clock = clock
        self._patience = patience
        self._limits: Limits | None = None
        self._account_id = ""
        self.capabilities = Limits().capabilities

    def length(self, text: str) -> int:
        limits = self._limits or Limits()
        return text_length(text, url_length=limits.url_length)

    async def check(self) -> str:
        """Return the account's handle; learn what the server takes on the way."""
        await self._learn_limits()
        path = "/api/v1/accounts/verify_credentials"
        match (await self._api.read(path)).content:
            case {"id": str(account_id), "acct": str(handle)}:
                self._account_id = account_id
                return f"@{handle}"
        raise Unclear(path)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*; twice with the same *key* within an hour gives one post.

        A post with a poll has no pictures there, and its text is the question.
        """
        await self._learn_limits()
        images = () if draft.poll else draft.images
        media_ids = [await self._upload(image) for image in images]
        more: dict[str, object] = {"media_ids": media_ids} if media_ids else {}
        if draft.answers:
            more["in_reply_to_id"] = draft.answers
        if draft.poll:
            more["poll"] = poll_body(draft.poll)
        await go()
        return await self._post(draft.text, draft.language, key, **more)

    async def find(self, draft: Draft) -> Published | None:
        async for status in self._own_statuses(draft.since - SKEW):
            match status:
                case {"reblog": dict()}:
                    continue  # somebody else's post, passed on by us
                case {"content": str(content)} if (
                    draft.link in links_of(content)
                    and (status.get("in_reply_to_id") or "") == draft.answers
                ):
                    return published(status)
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        """Replace the text; what else is not sent again would be lost."""
        path = f"/api/v1/statuses/{remote_id}"
        keeps = kept((await self._api.read(path)).content, now=self._clock())
        if keeps is None:
            raise Unclear(path)
        change = {"status": draft.text, **keeps}
        await self._api.call("PUT", path, lost=Unconfirmed, json=change)

    async def delete(self, remote_id: str) -> None:
        path = f"/api/v1/statuses/{remote_id}"
        try:
            await self._api.call("DELETE", path, lost=Unconfirmed)
        except NotThere:
            return

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        found = {}
        for remote_id in remote_ids:
            try:
                status = (await self._api.read(f"/api/v1/statuses/{remote_id}")).content
            except NotThere:
                continue
            found[remote_id] = numbers(status)
        return found

    async def _post(
        self, text: str, language: str, key: str, **more: object
    ) -> Published:
        answer = await self._api.call(
            "POST",
            "/api/v1/statuses",
            lost=Unconfirmed,
            broken=Unconfirmed,
            headers={"Idempotency-Key": key},
            json={
                "status": text,
                # Mastodon knows languages by their two letters: fr, not fr-CA.
                "language": language.partition("-")[0],
                "visibility": "public",
                **more,
            },
        )
        post = published(answer.content)
        if post is None:
            msg = "The server answered the post with something else."
            raise Unconfirmed(msg)
        return post

    async def _upload(self, image: Image) -> str:
        """Give the server an image and return its id there, once it can be used.

        Nobody sees an image without its post, so that losing one does no harm.
        """
        fitted = await asyncio.to_thread(fit_image, image, self.capabilities.images)
        form = aiohttp.FormData()
        form.add_field(
            "file",
            BytesIO(fitted.content),
            filename=f"image.{fitted.content_type.partition('/')[2]}",
            content_type=fitted.content_type,
        )
        form.add_field("description", fitted.alt)
        path = "/api/v2/media"
        answer = await self._api.call("POST", path, lost=TryLater, data=form)
        match answer.content:
            case {"id": str(media_id)}:
                await self._until_ready(answer, f"/api/v1/media/{media_id}")
                return media_id
        raise Unclear(path)

    async def _until_ready(self, answer: Answer, path: str) -> None:
        """Wait for an image that was taken (202) but is still worked on (206)."""
        try:
            async with asyncio.timeout(self._patience.picture.total_seconds()):
                while answer.status != HTTPStatus.OK:
                    await asyncio.sleep(self._patience.glance.total_seconds())
                    answer = await self._api.read(path)
        except TimeoutError as error:
            msg = "The server is still working on the picture."
            raise TryLater(msg) from error

    async def _own_statuses(self, since: datetime) -> AsyncIterator[Any]:
        """Yield our posts, newest first, down to those made before *since*."""
        path = f"/api/v1/accounts/{await self._own_id()}/statuses"
        # Those that answer our own posts are among them nevertheless.
        params = {"exclude_replies": "true", "limit": str(PAGE)}
        while page := await self._read_page(path, params):
            for status, moment in page:
                if moment < since:
                    return
                yield status
            last = str(page[-1][0]["id"])
            if params.get("max_id") == last:
                return  # this server does not page
            params["max_id"] = last

    async def _read_page(
        self, path: str, params: dict[str, str]
    ) -> list[tuple[Any, datetime]]:
        page = (await self._api.read(path, params)).content
        if not isinstance(page, list):
            raise Unclear(path)
        try:
            return [(status, made_at(status)) for status in page]
        except (KeyError, TypeError, ValueError) as error:
            raise Unclear(path) from error

    async def _own_id(self) -> str:
        if not self._account_id:
            await self.check()
        return self._account_id

    async def _learn_limits(self) -> None:
        if self._limits is not None:
            return
        try:
            self._limits = read_limits(
                (await self._api.read("/api/v2/instance")).content
            )
        except NotThere:
            self._limits = Limits()
        self.capabilities = self._limits.capabilities
