"""Channels: what the service needs of a place to post, whichever network it is.

One file a network (with its helpers of the same first name), each a thin client of that
network's API that knows nothing of deals, retries or databases. What a network can do
is data: ``Capabilities``, in ``outletbot.channels.capabilities``.

calls         how a network is called, and what its failures mean
credentials   what opens an account, and until when
oauth         how a network's own page lets us into an account
images        pictures made fit for a network
graphemes     what a reader takes for one character
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Protocol

from outletbot.channels.capabilities import (
    Ability,
    Capabilities,
    Counting,
    Fees,
    ImageRules,
    PollRules,
    Rate,
)

__all__ = [
    "Ability",
    "CannotLook",
    "Capabilities",
    "Card",
    "Channel",
    "ChannelError",
    "Counting",
    "Disowned",
    "Draft",
    "Fees",
    "Go",
    "Image",
    "ImageRules",
    "Limited",
    "Numbers",
    "Poll",
    "PollRules",
    "Published",
    "Rate",
    "Rejected",
    "TryLater",
    "Unconfirmed",
    "at_once",
]


LONGEST_WORDS = 1_000
LONGEST_WAIT = timedelta(days=7)
MOST_COUNTED = 2**31 - 1  # as the database keeps a number
"""What a server may say; anybody can run one."""


class ChannelError(Exception):
    """The channel did not take what it was given. Words for a person, cut to size.

    What is no character in them (a header may have any bytes) becomes a question mark.
    """

    def __init__(self, message: str = "") -> None:
        message = message.encode(errors="replace").decode()
        whole = len(message) <= LONGEST_WORDS
        super().__init__(message if whole else f"{message[: LONGEST_WORDS - 1]}…")


class TryLater(ChannelError):
    """It may take the same later.

    It did nothing now, or doing it twice is as good as once (an edit, a deletion).
    """

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = None if after is None else min(after, LONGEST_WAIT)


class Limited(TryLater):
    """We asked too often: the account is to be left alone until *after* is over."""


class Unconfirmed(ChannelError):
    """It was sent and no answer came: it may have been done, or not."""


class Rejected(ChannelError):
    """It will never take this as it is: a person has to look."""


class Disowned(Rejected):
    """It refuses who we are, and so whatever else we ask: connect it again."""


class CannotLook(Rejected):
    """The network lets nobody look for a post: a person has to."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture to go with a post; *alt* says what it shows.

    *address* is where anybody can fetch it, made fit for the network that it is for:
    some networks take no file.
    """

    content: bytes = field(repr=False)
    content_type: str
    alt: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A link as a box with a title; for the networks that do not read pages."""

    title: str
    description: str = ""
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    question: str
    options: Sequence[str]
    duration: timedelta


@dataclass(frozen=True, slots=True)
class Draft:
    """A post as it is to be published: *text* already holds *link*.

    *since* is when the post was first due: nothing published before it is this one.
    *answers* is the id of the post of ours that it answers, or empty. A channel shows
    *images* if there are any, else *card*, wherever it shows one at all.
    """

    text: str
    link: str
    language: str
    since: datetime
    images: Sequence[Image] = ()
    card: Card | None = None
    poll: Poll | None = None
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """Where the post ended up; an address that is no page's is none."""

    remote_id: str
    url: str

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            object.__setattr__(self, "url", "")


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a post does, as far as its network tells: None is not told.

    What cannot be is not told either.
    """

    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    views: int | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            told = getattr(self, each.name)
            if told is not None and not 0 <= told <= MOST_COUNTED:
                object.__setattr__(self, each.name, None)


Go = Callable[[], Awaitable[None]]
"""Is awaited when all is ready, right before the call after which a post is out.

What it raises ends the publishing, and nothing is posted.
"""


async def at_once() -> None:
    """Wait for nothing."""


class Channel(Protocol):
    """One account on one network.

    Every method raises ``TryLater`` if the network is down before it took anything or
    fails at what may be done twice (``edit``, ``delete``), ``Limited`` if it limits our
    rate; ``Rejected`` if it refuses what we ask, ``Disowned`` if it refuses who we are;
    and the ones that change something raise ``Unconfirmed`` if the answer was lost.
    What is not among the abilities raises ``Rejected`` and changes nothing.
    """

    name: str
    capabilities: Capabilities

    def length(self, text: str) -> int:
        """Return how long the network says *text* is."""
        ...

    async def check(self) -> str:
        """Return the account's handle, as proof that the credentials work."""
        ...

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*, at most once for the same *key* where the network can.

        Pictures are sent ahead; *go* says when the post itself may leave.
        """
        ...

    async def find(self, draft: Draft) -> Published | None:
        """Look for a post with the draft's link among ours; newest first.

        With ``draft.answers`` it is looked for among the answers to that post, and
        else among those that answer none.

        Raises:
            CannotLook: If ``Ability.FIND`` is not among the abilities.
        """
        ...

    async def edit(self, remote_id: str, draft: Draft) -> None:
        """Replace the text of a post by the draft's, and keep its images."""
        ...

    async def delete(self, remote_id: str) -> None:
        """Take a post back; one that is gone already is fine."""
        ...

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        """Return how our posts do; those that are gone are left out."""
        ...
