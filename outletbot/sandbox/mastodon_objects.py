"""What a Mastodon server keeps: accounts, and posts with their versions and media.

All of them are values: a change makes another one with the same id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Account:
    """*scopes* are what its token may do: ``read`` includes ``read:accounts``."""

    username: str
    token: str = field(repr=False)
    display_name: str = ""
    scopes: Sequence[str] = ("read", "write")
    id: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    id: str
    account_id: str
    content: bytes = field(repr=False)
    content_type: str
    size: tuple[int, int]
    description: str | None
    status_id: str | None = None
    looks_until_ready: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """*votes* are how many each of the options has."""

    id: str
    options: tuple[str, ...]
    expires_at: datetime
    multiple: bool = False
    votes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A text of a post, and since when it was that."""

    text: str
    spoiler_text: str
    sensitive: bool
    media: tuple[Media, ...]
    created_at: datetime
    poll: Poll | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """Which post another one answers, and whose that is; it may be gone by now."""

    status_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Status:
    id: str
    account: Account
    visibility: str
    language: str | None
    versions: tuple[Version, ...]
    in_reply_to: Parent | None = None

    @property
    def now(self) -> Version:
        return self.versions[-1]

    @property
    def created_at(self) -> datetime:
        return self.versions[0].created_at

    @property
    def edited_at(self) -> datetime | None:
        return self.now.created_at if len(self.versions) > 1 else None
