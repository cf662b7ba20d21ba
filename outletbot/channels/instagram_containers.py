"""Containers: what an Instagram post is made of before anybody sees it.

Losing one does no harm: it is forgotten after a day.
"""

import asyncio
from collections.abc import Sequence

from outletbot.channels import Image, TryLater
from outletbot.channels.calls import Patience, Unclear
from outletbot.channels.graph import Graph
from outletbot.channels.instagram_errors import judge_picture
from outletbot.channels.instagram_limits import CAPABILITIES


class Containers:
    """Makes them, and waits until Instagram has finished its work on them."""

    def __init__(self, graph: Graph, patience: Patience) -> None:
        self._graph = graph
        self._patience = patience

    async def make(self, account: str, text: str, images: Sequence[Image]) -> str:
        """Return a container that can be published: of one picture, or a carousel.

        Raises:
            Rejected: If a picture does not fit.
            TryLater: If it cannot be fetched, or the work on it takes too long.
        """
        path, form = f"/{account}/media", {"caption": text}
        if len(images) == 1:
            form |= _picture(images[0])
        else:
            children = [await self._child(path, image) for image in images]
            for child in children:
                await self._until_finished(child)
            form |= {"media_type": "CAROUSEL", "children": ",".join(children)}
        container = await self._graph.post_for_id(path, form)
        await self._until_finished(container)
        return container

    async def _child(self, path: str, image: Image) -> str:
        form = {**_picture(image), "is_carousel_item": "true"}
        return await self._graph.post_for_id(path, form)

    async def _until_finished(self, container: str) -> None:
        try:
            async with asyncio.timeout(self._patience.picture.total_seconds()):
                finished = await self._is_finished(container)
                while not finished:
                    await asyncio.sleep(self._patience.glance.total_seconds())
                    finished = await self._is_finished(container)
        except TimeoutError as error:
            msg = "Instagram is still working on the picture."
            raise TryLater(msg) from error

    async def _is_finished(self, container: str) -> bool:
        path = f"/{container}"
        match await self._graph.read(path, fields="status_code,status"):
            case {"status_code": "FINISHED"}:
                return True
            case {"status_code": "IN_PROGRESS"}:
                return False
            case {"status_code": "ERROR", **more}:
                raise judge_picture(str(more.get("status", "")))
        raise Unclear(path)


def _picture(image: Image) -> dict[str, str]:
    alt = image.alt[: CAPABILITIES.images.max_alt_length]
    form = {"image_url": image.address}
    return {**form, "alt_text": alt} if alt else form
