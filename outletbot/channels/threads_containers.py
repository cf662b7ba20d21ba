"""What a post on Threads is made in: a container, and one for each of its pictures.

Nobody sees a container before it is published; it lasts a day.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from string import ascii_lowercase

from outletbot.channels import Draft, Image, ImageRules, Rejected, TryLater
from outletbot.channels.calls import Patience, Unclear
from outletbot.channels.graph import Graph
from outletbot.channels.threads_api import judge_container


class Containers:
    """Makes containers; pictures are as *rules* says."""

    def __init__(self, graph: Graph, rules: ImageRules, patience: Patience) -> None:
        self._graph = graph
        self._rules = rules
        self._patience = patience

    async def make(self, draft: Draft) -> str:
        """Return a finished container: nobody sees it, so losing one does no harm."""
        form = {"text": draft.text, **await self._content(draft)}
        if draft.answers:
            form["reply_to_id"] = draft.answers
        container = await self._graph.post_for_id("/me/threads", form)
        await self._until_finished(container)
        return container

    async def _content(self, draft: Draft) -> dict[str, str]:
        if draft.poll:
            lettered = zip(ascii_lowercase, draft.poll.options, strict=False)
            options = {f"option_{letter}": option for letter, option in lettered}
            return {"media_type": "TEXT", "poll_attachment": json.dumps(options)}
        if not draft.images:
            card = {"link_attachment": draft.link} if draft.card else {}
            return {"media_type": "TEXT", **card}
        pictures = [self._picture(image) for image in draft.images]
        if len(pictures) == 1:
            return pictures[0]
        return {"media_type": "CAROUSEL", "children": await self._children(pictures)}

    async def _children(self, pictures: Sequence[Mapping[str, str]]) -> str:
        children = []
        for picture in pictures:
            form = {**picture, "is_carousel_item": "true"}
            children.append(await self._graph.post_for_id("/me/threads", form))
        for child in children:
            await self._until_finished(child)
        return ",".join(children)

    async def _until_finished(self, container: str) -> None:
        try:
            async with asyncio.timeout(self._patience.picture.total_seconds()):
                state = await self.state_of(container)
                while state != "FINISHED":
                    await asyncio.sleep(self._patience.glance.total_seconds())
                    state = await self.state_of(container)
        except TimeoutError as error:
            msg = "Threads is still working on the post."
            raise TryLater(msg) from error

    async def state_of(self, container: str) -> str:
        """Return a container's state.

        Raises:
            Rejected: If it came to nothing.
        """
        path = f"/{container}"
        match await self._graph.read(path, fields="status,error_message"):
            case {"status": "ERROR", **more}:
                raise judge_container(str(more.get("error_message") or ""))
            case {"status": str(state)}:
                return state
        raise Unclear(path)

    def _picture(self, image: Image) -> dict[str, str]:
        if not image.address:
            msg = "Threads fetches pictures itself, and this one has no public address."
            raise Rejected(msg)
        alt = image.alt[: self._rules.max_alt_length]
        form = {"media_type": "IMAGE", "image_url": image.address}
        return {**form, "alt_text": alt} if alt else form
