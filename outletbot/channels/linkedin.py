"""Posting to a LinkedIn page, in the name of an organization.

LinkedIn knows no idempotency key, but it refuses a text that is there already: a
duplicate is therefore ``Unconfirmed``, and found by its link. An answer is a comment;
its id holds the id of what it stands under. The longest answer is what its website
takes, since nothing is written about the API's.

Facts: learn.microsoft.com/linkedin, "Posts API", "Comments API", "Images API", "Poll
API", "MultiImage API", "Social Metadata API", "Organization Share Statistics". Not
there but reported by others: 150 posts a day, 5 MB a picture, 3,000 characters.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import aiohttp

from outletbot.channels import (
    Capabilities,
    Counting,
    Disowned,
    Draft,
    Go,
    ImageRules,
    Numbers,
    PollRules,
    Published,
    Rate,
    Rejected,
    Unconfirmed,
    at_once,
)
from outletbot.channels.calls import PATIENCE, Calls, NotThere, Patience
from outletbot.channels.credentials import Credentials
from outletbot.channels.linkedin_api import (
    RECONNECT,
    SERVER,
    VERSION,
    api_headers,
    comments_of,
    in_path,
    is_comment,
    judge_linkedin,
    method,
    pages,
    path_of,
    read_handle,
)
from outletbot.channels.linkedin_content import Contents, check_poll
from outletbot.channels.linkedin_numbers import read_numbers
from outletbot.channels.linkedin_text import (
    MAX_LENGTH,
    from_little,
    links_of,
    text_length,
    to_little,
    utf16_length,
)
from outletbot.clock import Clock

SKEW = timedelta(minutes=5)
MAX_ANSWER = 1250

CAPABILITIES = Capabilities(
    max_length=MAX_LENGTH,
    counting=Counting.UTF16,
    images=ImageRules(most=20, max_bytes=5_000_000, max_alt_length=4086),
    posts=(Rate(150, timedelta(days=1)),),
    poll=PollRules(2, 4, 30, timedelta(days=1), timedelta(days=14)),
)


class LinkedIn:
    """One page. *version* is the month of the API that is spoken, YYYYMM."""

    name = "linkedin"
    capabilities = CAPABILITIES

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
        version: str = VERSION,
    ) -> None:
        self._api = Calls(
            http,
            base_url,
            headers=api_headers(credentials.access_token, version),
            judge=judge_linkedin,
            clock=clock,
            patience=patience,
            server=SERVER,
        )
        self._author_urn = credentials.account_id
        self._site = base_url.rstrip("/").replace("//api.", "//www.", 1)
        self._contents = Contents(
            http, self._api, base_url, credentials.access_token, clock, patience
        )

    def length(self, text: str) -> int:
        return text_length(text)

    async def check(self) -> str:
        """Return the last word of the page's address, or its name if it has none."""
        return await read_handle(self._api, self._author)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*. *key* is not used: LinkedIn has nothing of the kind."""
        if draft.answers:
            return await self._answer(draft, go)
        _check_length(text_length(draft.text), MAX_LENGTH)
        if draft.poll:
            check_poll(draft.poll)
        post = {
            "author": self._author,
            "commentary": to_little(draft.text),
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
            **await self._contents.describe(draft, self._author, self.capabilities),
        }
        await go()
        answer = await self._decide("/rest/posts", post)
        urn = unquote(answer.headers.get("x-restli-id", ""))
        if not urn:
            msg = "LinkedIn took the post, but did not say where it is."
            raise Unconfirmed(msg)
        return self._published(urn)

    async def find(self, draft: Draft) -> Published | None:
        since = draft.since - SKEW
        if draft.answers:
            return await self._find_answer(draft, since)
        async for post in self._own_posts(since):
            if draft.link in _links_of(post):
                return self._published(str(post["id"]))
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        change: dict[str, Any]
        if is_comment(remote_id):
            _check_length(utf16_length(draft.text), MAX_ANSWER)
            change = {"message": {"$set": {"text": draft.text}}}
        else:
            _check_length(text_length(draft.text), MAX_LENGTH)
            change = {"$set": {"commentary": to_little(draft.text)}}
        await self._api.call(
            "POST",
            path_of(remote_id, actor=self._author),
            lost=Unconfirmed,
            headers=method("PARTIAL_UPDATE"),
            json={"patch": change},
        )

    async def delete(self, remote_id: str) -> None:
        try:
            await self._api.call(
                "DELETE",
                path_of(remote_id, actor=self._author),
                lost=Unconfirmed,
                headers=method("DELETE"),
            )
        except NotThere:
            return

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        return await read_numbers(self._api, self._author, remote_ids)

    @property
    def _author(self) -> str:
        if not self._author_urn:
            msg = f"It is not known which LinkedIn page to post on. {RECONNECT}"
            raise Disowned(msg)
        return self._author_urn

    async def _answer(self, draft: Draft, go: Go) -> Published:
        """Comment on a post of ours; LinkedIn makes a card of the link by itself."""
        _check_length(utf16_length(draft.text), MAX_ANSWER)
        comment = {
            "actor": self._author,
            "object": draft.answers,
            "message": {"text": draft.text},
        }
        await go()
        answer = await self._decide(comments_of(draft.answers), comment)
        published = self._published_answer(answer.content, draft.answers)
        if published is None:
            msg = "LinkedIn took the answer, but did not say where it is."
            raise Unconfirmed(msg)
        return published

    async def _decide(self, path: str, body: Mapping[str, object]) -> Any:
        """Make the call after which something is out, if it got there at all."""
        return await self._api.call(
            "POST", path, lost=Unconfirmed, broken=Unconfirmed, json=body
        )

    async def _own_posts(self, since: datetime) -> AsyncIterator[Any]:
        """Yield our posts, newest first, down to those made before *since*."""
        author = in_path(self._author)
        path = f"/rest/posts?author={author}&q=author&sortBy=CREATED"
        finder = method("FINDER")
        async for post, made_at in pages(self._api, path, _posted, headers=finder):
            if made_at < since:
                return
            yield post

    async def _find_answer(self, draft: Draft, since: datetime) -> Published | None:
        """Return our newest answer with the link; in which order they come is open."""
        path, found = comments_of(draft.answers), []
        try:
            async for comment, made_at in pages(self._api, path, _commented):
                ours = comment.get("actor") == self._author
                if ours and made_at >= since and draft.link in _links_in(comment):
                    found.append((made_at, comment))
        except NotThere:
            return None
        newest = max(found, key=lambda one: one[0], default=(since, None))[1]
        return self._published_answer(newest, draft.answers)

    def _published(self, urn: str) -> Published:
        return Published(urn, f"{self._site}/feed/update/{urn}")

    def _published_answer(self, comment: Any, post_urn: str) -> Published | None:
        match comment:
            case {"commentUrn": str(urn)}:
                pass
            case {"id": str() | int() as comment_id}:
                thread = comment.get("object") or post_urn
                urn = f"urn:li:comment:({thread},{comment_id})"
            case _:
                return None
        # The website wants the short form: urn:li:comment:(activity:1,2).
        query = f"?commentUrn={in_path(urn.replace('(urn:li:', '(', 1))}"
        return Published(urn, f"{self._site}/feed/update/{post_urn}{query}")


def _check_length(length: int, most: int) -> None:
    """LinkedIn is said to cut a text that is too long, without a word."""
    if length > most:
        msg = (
            f"The text is {length} characters long as LinkedIn counts, and may be"
            f" {most}. Shorten it."
        )
        raise Rejected(msg)


def _posted(post: Any) -> int:
    return int(post.get("createdAt") or post["publishedAt"])


def _commented(comment: Any) -> int:
    return int(comment["created"]["time"])


def _links_of(post: Any) -> set[str]:
    """Return the links that a post shows, in its text and as a card."""
    links = links_of(from_little(str(post.get("commentary") or "")))
    match post:
        case {"content": {"article": {"source": str(source)}}}:
            links.add(source)
    return links


def _links_in(comment: Any) -> set[str]:
    match comment:
        case {"message": {"text": str(text)}}:
            return links_of(text)
    return set()
