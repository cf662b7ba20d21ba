"""The outlet page: the retailer's own wall on this installation.

It shows the deals whose post on this channel is published, so publishing is done when
our own database says so, and there is nobody to ask, to edit at, or to wait for.
"""

from collections.abc import Mapping, Sequence

from outletbot.channels import (
    Ability,
    Capabilities,
    Draft,
    Go,
    ImageRules,
    Numbers,
    Published,
    at_once,
)


class OutletPage:
    name = "outlet"
    capabilities = Capabilities(
        max_length=5_000,
        images=ImageRules(most=1, max_bytes=5_000_000, max_alt_length=1_500),
        abilities=frozenset({Ability.FIND, Ability.EDIT, Ability.DELETE}),
    )

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def length(self, text: str) -> int:
        return len(text)

    async def check(self) -> str:
        return self._public_url

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        await go()
        return Published(key, draft.link)

    async def find(self, draft: Draft) -> Published | None:
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        """The wall reads the deal itself."""

    async def delete(self, remote_id: str) -> None:
        """The wall shows no deal whose post is deleted."""

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        return {}
