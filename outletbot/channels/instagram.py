"""Posting to a professional Instagram account that belongs to a Facebook page.

Every post has a picture, which Instagram fetches itself. A post is made in steps: a
container for each picture (and one for all of them, if there are several), which has to
be finished; then it is published, which can be done once only. An answer is a comment.
What is posted cannot be edited. Links in captions and comments are plain text.

Facts: developers.facebook.com, Instagram Platform: "Content Publishing", "IG User
Media" (2,200 characters, 20 @; JPEG, 8 MB, 4:5 to 1.91:1, up to 1440 wide; alt text of
1000; carousels of 10; containers last a day), "Content Publishing Limit", "IG Media",
"Comments", "Insights". Meta's pages say 30 hashtags, Instagram announced 5 in December
2025. They say 50 posts a day, and 100; the limit is told at run time.

That a post can be deleted (``IGMedia#delete`` in ``facebook-business-sdk-codegen``,
announced on 3 December 2025) takes the permission ``instagram_manage_contents`` and a
login by Facebook; clients report that it works, and that it failed on Meta's side for
some until July 2026. Whether emoji count for one character is not documented; here they
count for two.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import aiohttp

from outletbot.channels import (
    ChannelError,
    Draft,
    Go,
    Image,
    Limited,
    Numbers,
    Published,
    Rejected,
    Unconfirmed,
    at_once,
)
from outletbot.channels.calls import PATIENCE, NotThere, Patience, Unclear
from outletbot.channels.credentials import Credentials
from outletbot.channels.graph import PAUSE, Graph
from outletbot.channels.graph_counts import Views, count
from outletbot.channels.graph_text import holds, moment, utf16_length
from outletbot.channels.instagram_containers import Containers
from outletbot.channels.instagram_errors import judge_instagram
from outletbot.channels.instagram_limits import CAPABILITIES
from outletbot.clock import Clock

SKEW = timedelta(minutes=5)
PAGE = "50"


class Instagram:
    """One account; its id is the credentials' *account_id*.

    The token is that of the Facebook page which the account belongs to. With the app's
    secret every call proves that it is the app that makes it.
    """

    name = "instagram"
    capabilities = CAPABILITIES

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
        app_secret: str = "",
    ) -> None:
        self._graph = Graph(
            http,
            base_url,
            credentials.access_token,
            clock=clock,
            server="Instagram",
            patience=patience,
            app_secret=app_secret,
            judge=judge_instagram,
        )
        self._account = credentials.account_id
        self._containers = Containers(self._graph, patience)
        self._username = ""
        self._views = Views(self._graph, "views")

    def length(self, text: str) -> int:
        return utf16_length(text)

    async def check(self) -> str:
        """Return the account's handle."""
        path = f"/{self._account or await self._account_of_page()}"
        match await self._graph.read(path, fields="id,username"):
            case {"id": str(account), "username": str(username)}:
                self._account, self._username = account, username
                return f"@{username}"
        raise Unclear(path)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*. A container is published once, but each try makes its own.

        An answer is words alone.

        Raises:
            Rejected: If it has no picture at a public address, or none that fits.
        """
        if draft.answers:
            await go()
            return await self._comment(draft)
        addressed = _addressed(draft)
        account = await self._own_id()
        await self._heed_quota(account)
        container = await self._containers.make(account, draft.text, addressed)
        await go()
        made = await self._graph.post_for_id(
            f"/{account}/media_publish", {"creation_id": container}, lost=Unconfirmed
        )
        return Published(made, await self._address(made))

    async def find(self, draft: Draft) -> Published | None:
        if draft.answers:
            return await self._find_comment(draft)
        path = f"/{await self._own_id()}/media"
        facts = "id,caption,permalink,timestamp"
        async for media in self._graph.each(path, fields=facts, limit=PAGE):
            match media:
                case {"timestamp": str(at)} if _read(at, path) < draft.since - SKEW:
                    return None
                case {"id": str(made), "caption": str(text), "permalink": str(url)}:
                    if holds(text, draft.link):
                        return Published(made, url)
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        msg = "A post on Instagram stays as it is: delete it, or comment on it."
        raise Rejected(msg)

    async def delete(self, remote_id: str) -> None:
        """Take a post back: the account has to allow managing its content."""
        await self._graph.delete(f"/{remote_id}")

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        numbers = {}
        for remote_id in remote_ids:
            try:
                counts = await self._graph.read(
                    f"/{remote_id}", fields="like_count,comments_count"
                )
            except NotThere:
                continue
            numbers[remote_id] = Numbers(
                likes=count(counts, "like_count"),
                replies=count(counts, "comments_count"),
                views=await self._views.of(remote_id),
            )
        return numbers

    async def _heed_quota(self, account: str) -> None:
        """Begin nothing that could not be published; what is not told is not heeded."""
        path = f"/{account}/content_publishing_limit"
        match await self._graph.read(path, fields="quota_usage,config"):
            case {
                "data": [
                    {"quota_usage": int(used), "config": {"quota_total": int(total)}},
                    *_,
                ]
            } if used >= total:
                msg = (
                    f"Instagram takes {total} posts in 24 hours, and {used} were"
                    " posted. The post goes out as soon as there is room."
                )
                raise Limited(msg, after=PAUSE)

    async def _comment(self, draft: Draft) -> Published:
        path, form = f"/{draft.answers}/comments", {"message": draft.text}
        made = await self._graph.post_for_id(path, form, lost=Unconfirmed)
        return Published(made, await self._address(draft.answers))

    async def _find_comment(self, draft: Draft) -> Published | None:
        """Look among the account's own comments; they have no address of their own."""
        await self._own_name()
        path = f"/{draft.answers}/comments"
        facts = "id,text,timestamp,username"
        async for comment in self._graph.each(path, fields=facts, limit=PAGE):
            match comment:
                case {"id": str(made), "text": str(text), "username": str(author)}:
                    if author == self._username and holds(text, draft.link):
                        return Published(made, await self._address(draft.answers))
        return None

    async def _address(self, media: str) -> str:
        """Return where a post is; it is out, so that nothing may go wrong any more."""
        with suppress(ChannelError):
            match await self._graph.read(f"/{media}", fields="permalink"):
                case {"permalink": str(url)}:
                    return url
        return "https://www.instagram.com/"

    async def _account_of_page(self) -> str:
        match await self._graph.read("/me", fields="instagram_business_account"):
            case {"instagram_business_account": {"id": str(account)}}:
                return account
        msg = (
            "The page has no professional Instagram account. Connect one to the page"
            " in its settings on Facebook."
        )
        raise Rejected(msg)

    async def _own_id(self) -> str:
        if not self._account:
            await self.check()
        return self._account

    async def _own_name(self) -> str:
        if not self._username:
            await self.check()
        return self._username


def _addressed(draft: Draft) -> Sequence[Image]:
    if not draft.images:
        msg = "Instagram takes no post without a picture. Add one to the deal."
        raise Rejected(msg)
    if not all(image.address for image in draft.images):
        msg = "Instagram fetches pictures itself, and this one has no public address."
        raise Rejected(msg)
    return draft.images


def _read(at: str, path: str) -> Any:
    try:
        return moment(at)
    except ValueError as error:
        raise Unclear(path) from error
