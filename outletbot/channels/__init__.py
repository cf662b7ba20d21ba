"""Channels: what the service needs of a place to post, whichever network it is.

One file a network, each a thin client of that network's API that knows nothing of
deals, retries or databases. What a network can do is data: ``Capabilities``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class ChannelError(Exception):
    """The channel did not take what it was given. Words for a person."""


class TryLater(ChannelError):
    """It may take the same later.

    It did nothing now, or doing it twice is as good as once (an edit, a deletion).
    """

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class Unconfirmed(ChannelError):
    """It was sent and no answer came: it may have been done, or not."""


class Rejected(ChannelError):
    """It will never take this as it is: a person has to look."""


class Disowned(Rejected):
    """It refuses who we are, and so whatever else we ask: connect it again."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture to go with a post; *alt* says what it shows."""

    content: bytes = field(repr=False)
    content_type: str
    alt: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A post as it is to be published: *text* already holds *link*.

    *since* is when the post was first due: nothing published before it is this one.
    """

    text: str
    link: str
    language: str
    since: datetime
    images: Sequence[Image] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """Where the post ended up."""

    remote_id: str
    url: str


class Ability(StrEnum):
    """What can be done to a post once it is out."""

    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a network takes.

    A text is *max_length* long at most, as ``Channel.length`` counts it; up to
    *max_images* images of *max_image_bytes* each, with alt texts of *max_alt_length*.
    """

    max_length: int
    max_images: int
    max_image_bytes: int
    max_alt_length: int
    abilities: frozenset[Ability]


class Channel(Protocol):
    """One account on one network.

    Every method raises ``TryLater`` if the network is down before it took anything,
    or limits our rate, or fails at what may be done twice (``edit``, ``delete``);
    ``Rejected`` if it refuses what we ask or who we are; and the ones that change
    something raise ``Unconfirmed`` if the answer was lost.
    """

    name: str
    capabilities: Capabilities

    def length(self, text: str) -> int:
        """Return how long the network says *text* is."""
        ...

    async def check(self) -> str:
        """Return the account's handle, as proof that the credentials work."""
        ...

    async def publish(self, draft: Draft, *, key: str) -> Published:
        """Publish *draft*, at most once for the same *key* where the network can."""
        ...

    async def find(self, draft: Draft) -> Published | None:
        """Look for a post with the draft's link among ours; newest first."""
        ...

    async def edit(self, remote_id: str, text: str) -> None:
        """Replace the text of a post and keep its images."""
        ...

    async def delete(self, remote_id: str) -> None:
        """Take a post back; one that is gone already is fine."""
        ...
