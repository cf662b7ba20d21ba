"""An X: what can be done to posts and pictures, by its rules.

Nothing here knows HTTP.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from outletbot.clock import Clock
from outletbot.sandbox.shelf import Shelf, Thing
from outletbot.sandbox.windows import Budget, Spent, Windows
from outletbot.sandbox.x_grants import Account, Grants
from outletbot.sandbox.x_rules import (
    FEES,
    MAX_ALT,
    MAX_MEDIA,
    addresses,
    check_file,
    check_poll,
    check_text,
    forbidden,
    invalid,
    no_credits,
)

MEDIA_LASTS = timedelta(days=1)
_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC)
_NO_ANSWERS = (
    "Reply to this conversation is not allowed because you have not been mentioned or"
    " otherwise engaged by the author of the post you are replying to."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks a post to be."""

    text: str = ""
    media_ids: tuple[str, ...] = ()
    answers: str = ""
    options: tuple[str, ...] = ()
    minutes: int = 0


class XSandbox:
    """One X with an app on it. *shelf* can be read by whoever rehearses.

    *looks_until_ready* is how often an upload is still worked on. *credits* is what is
    left to pay for calls with, in US dollars; None is without end.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        public_url: str,
        accounts: Iterable[Account],
        looks_until_ready: int = 0,
        state_path: Path | None = None,
    ) -> None:
        self.clock = clock
        self.public_url = public_url.rstrip("/")
        self.shelf = Shelf(state_path)
        self.accounts = {account.id: account for account in accounts}
        self.grants = Grants(self.shelf, self.accounts, clock)
        self.credits: Decimal | None = None
        self._looks_until_ready = looks_until_ready
        self._windows = Windows()

    def spend(self, who: str, budget: Budget) -> Spent:
        """Count a call of *who* against *budget*."""
        return self._windows.spend(who, budget, now=self.clock())

    def create_post(self, account: Account, wish: Wish) -> Thing:
        self._check(account, wish)
        linked = any(addresses(wish.text))
        self._pay(FEES["post_with_link" if linked else "post"])
        post_id = self._new_id()
        post = {
            "id": post_id,
            "account_id": account.id,
            "text": wish.text,
            "media_ids": list(wish.media_ids),
            "answers": wish.answers,
            "conversation_id": self._conversation(wish.answers) or post_id,
            "options": list(wish.options),
            "minutes": wish.minutes,
            "created_at": self.clock().isoformat(),
            "metrics": {"likes": 0, "reposts": 0, "views": 0},
        }
        self.shelf.keep("post", post_id, post)
        return post

    def delete_post(self, account: Account, post_id: str) -> bool:
        """Take a post back. Return whether it was there."""
        post = self.shelf.get("post", post_id)
        if post is None:
            return False
        if post["account_id"] != account.id:
            detail = "You are not authorized to delete this Tweet."
            raise forbidden(detail)
        self._pay(FEES["delete"])
        return self.shelf.drop("post", post_id)

    def posts_of(self, account_id: str) -> list[Thing]:
        """Return an account's posts and answers, newest first."""
        posts = [post for _, post in self.shelf.all("post")]
        return [post for post in reversed(posts) if post["account_id"] == account_id]

    def answers_to(self, post_id: str) -> list[Thing]:
        """Return what answers a post, oldest first."""
        posts = (post for _, post in self.shelf.all("post"))
        return [post for post in posts if post["answers"] == post_id]

    def upload(self, account: Account, content: bytes) -> Thing:
        """Take a picture; it can be posted for a day, once it was looked at enough."""
        media_id = self._new_id()
        media = {
            "id": media_id,
            "account_id": account.id,
            "content_type": check_file(content),
            "size": len(content),
            "alt": "",
            "looks": self._looks_until_ready,
            "ends_at": (self.clock() + MEDIA_LASTS).isoformat(),
        }
        self.shelf.keep("media", media_id, media, content)
        return media

    def look_at_media(self, account: Account, media_id: str) -> Thing:
        media = self._own_media(account, media_id)
        media["looks"] = max(0, media["looks"] - 1)
        self.shelf.keep("media", media_id, media)
        return media

    def describe(self, account: Account, media_id: str, alt: str) -> Thing:
        if len(alt) > MAX_ALT:
            raise invalid("text", "length must be at most 1000", len(alt))
        media = self._own_media(account, media_id)
        media["alt"] = alt
        self.shelf.keep("media", media_id, media)
        return media

    def _check(self, account: Account, wish: Wish) -> None:
        if not wish.text.strip() and not wish.media_ids:
            raise invalid("text", "text or media is required", wish.text)
        check_text(wish.text)
        if wish.options or wish.minutes:
            check_poll(wish.options, wish.minutes, pictured=bool(wish.media_ids))
        self._check_media(account, wish.media_ids)
        if wish.answers:
            self._check_answer(account, wish.answers)
        if any(post["text"] == wish.text for post in self.posts_of(account.id)):
            detail = "You are not allowed to create a Tweet with duplicate content."
            raise forbidden(detail)

    def _check_media(self, account: Account, media_ids: tuple[str, ...]) -> None:
        if len(media_ids) > MAX_MEDIA:
            raise invalid("media_ids", "size must be between 1 and 4", media_ids)
        for media_id in media_ids:
            if self._own_media(account, media_id)["looks"]:
                raise invalid("media_ids", "Your media IDs are invalid.", media_id)

    def _check_answer(self, account: Account, post_id: str) -> None:
        if self.shelf.get("post", post_id) is None:
            detail = (
                "You attempted to reply to a Tweet that is deleted or not visible to"
                " you."
            )
            raise forbidden(detail)
        if not account.answers:
            raise forbidden(_NO_ANSWERS)

    def _own_media(self, account: Account, media_id: str) -> Thing:
        media = self.shelf.get("media", media_id)
        if (
            media is None
            or media["account_id"] != account.id
            or datetime.fromisoformat(media["ends_at"]) <= self.clock()
        ):
            raise invalid("media_ids", "Your media IDs are invalid.", media_id)
        return media

    def _conversation(self, answers: str) -> str:
        answered = self.shelf.get("post", answers)
        return str(answered["conversation_id"]) if answered else ""

    def _pay(self, fee: Decimal) -> None:
        if self.credits is None:
            return
        if self.credits < fee:
            raise no_credits()
        self.credits -= fee

    def _new_id(self) -> str:
        """Make an id as X does: milliseconds since 2010, then a number; sortable."""
        milliseconds = (self.clock() - _EPOCH) // timedelta(milliseconds=1)
        return str((milliseconds << 22) + self.shelf.number())
