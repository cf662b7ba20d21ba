"""What the Meta sandbox remembers: pages, their tokens, and all that was posted.

A thing knows its ``kind``, the account it belongs to and when it was made; its other
facts are named as the Graph API names them.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from outletbot.clock import Clock
from outletbot.sandbox.meta_errors import bad_token, unknown
from outletbot.sandbox.shelf import Shelf, Thing

SCOPES = (
    "business_management",
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_contents",
    "instagram_manage_insights",
    "pages_manage_engagement",
    "pages_manage_posts",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_show_list",
    "read_insights",
)
LONG = timedelta(days=60)
SHORT = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class MetaAccount:
    """A page, and the Instagram account behind it if *instagram_id* is not empty.

    *page_token* is good from the beginning, until *expires_at* if there is one.
    """

    handle: str
    page_token: str = field(repr=False)
    page_id: str = "100200300"
    name: str = "North Outlet"
    instagram_id: str = "17841400000000001"
    scopes: tuple[str, ...] = SCOPES
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """What a token lets its bearer do; *page_id* is empty in a person's token."""

    page_id: str
    scopes: frozenset[str]


class MetaBooks:
    """Everything there is, on a shelf."""

    def __init__(
        self, clock: Clock, accounts: Iterable[MetaAccount], path: Path | None
    ) -> None:
        self.clock = clock
        self.shelf = Shelf(path)
        self.looks_until_finished = 1
        self.daily_posts = 50
        for account in accounts:
            facts = asdict(account)
            token, ends = facts.pop("page_token"), facts.pop("expires_at")
            self.shelf.keep("page", account.page_id, facts)
            if self.shelf.get("token", token) is None:
                self.keep_token(token, account.page_id, account.scopes, ends)

    @property
    def now(self) -> datetime:
        return self.clock()

    def keep_token(
        self, token: str, page_id: str, scopes: Iterable[str], ends: datetime | None
    ) -> None:
        ends_at = ends.isoformat() if ends else ""
        facts = {"page_id": page_id, "scopes": sorted(scopes), "ends_at": ends_at}
        self.shelf.keep("token", token, facts)

    def new_token(
        self, page_id: str, scopes: Iterable[str], *, lasts: timedelta | None
    ) -> str:
        token = f"EAA{secrets.token_hex(24)}"
        ends = self.now + lasts if lasts else None
        self.keep_token(token, page_id, scopes, ends)
        return token

    def pass_of(self, token: str) -> Pass:
        """Return what a token is good for, or refuse it as Meta does."""
        facts = self.shelf.get("token", token)
        if facts is None:
            message = f"Invalid OAuth access token - Cannot parse access token {token}"
            raise bad_token(0, message)
        ends_at = facts["ends_at"]
        if ends_at and datetime.fromisoformat(ends_at) <= self.now:
            raise bad_token(463, "Error validating access token: Session has expired.")
        return Pass(facts["page_id"], frozenset(facts["scopes"]))

    def add(
        self,
        kind: str,
        account: str,
        thing_id: str = "",
        *,
        content: bytes | None = None,
        **facts: object,
    ) -> str:
        """Keep a new thing and return its id; in *thing_id* ``{}`` is its number."""
        number = self.shelf.number()
        thing_id = thing_id.format(number) or str(17_900_000_000_000_000 + number)
        made_at = self.now.isoformat()
        thing = {"kind": kind, "account": account, "made_at": made_at, **facts}
        self.shelf.keep("thing", thing_id, {"id": thing_id, **thing}, content)
        return thing_id

    def thing(self, thing_id: str, *kinds: str) -> Thing:
        thing = self.shelf.get("thing", thing_id)
        if thing is None or (kinds and thing["kind"] not in kinds):
            raise unknown(thing_id)
        return thing

    def change(self, thing: Thing, **facts: object) -> None:
        self.shelf.keep("thing", thing["id"], {**thing, **facts})

    def things(self, kind: str, **facts: object) -> list[Thing]:
        """Return things of a kind of which *facts* are true, newest first."""
        return list(reversed([*self._oldest_first(kind, facts)]))

    def page(self, page_id: str) -> Thing | None:
        return self.shelf.get("page", page_id)

    def pages(self) -> list[Thing]:
        return [page for _, page in self.shelf.all("page")]

    def count(self, thing_id: str, name: str, number: int) -> None:
        """Let a post have so many ``likes``, ``shares`` or ``views``."""
        self.change(self.thing(thing_id), **{name: number})

    def _oldest_first(self, kind: str, facts: Thing) -> Iterator[Thing]:
        for _, thing in self.shelf.all("thing"):
            if thing["kind"] == kind and facts.items() <= thing.items():
                yield thing


def graph_time(isoformat: str) -> str:
    """Return a moment as the Graph API writes it."""
    return datetime.fromisoformat(isoformat).strftime("%Y-%m-%dT%H:%M:%S+0000")
