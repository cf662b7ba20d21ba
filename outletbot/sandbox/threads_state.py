"""A Threads: profiles, the tokens that open them, containers and posts.

What is not allowed is a ``GraphFault``. Nothing here knows HTTP.
"""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from outletbot.clock import Clock
from outletbot.sandbox.meta_errors import bad_token, lacks, refuse
from outletbot.sandbox.shelf import Shelf, Thing
from outletbot.sandbox.threads_rules import (
    CHILDREN,
    check_form,
    check_poll,
    look_at,
    missing,
    spent,
)

SCOPES = (
    "threads_basic",
    "threads_content_publish",
    "threads_delete",
    "threads_manage_replies",
    "threads_read_replies",
    "threads_manage_insights",
)
POSTS = 250
REPLIES = 1000
DELETIONS = 100
DAY = timedelta(days=1)
CONTAINER_LASTS = timedelta(days=1)
SHORT = timedelta(hours=1)
LONG = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Account:
    """A profile; *access_token* is a long-lived one until *expires_at*."""

    handle: str
    access_token: str = field(repr=False)
    user_id: str = "17841400000000001"
    scopes: tuple[str, ...] = SCOPES
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """What a token is good for."""

    user_id: str
    scopes: tuple[str, ...]
    issued_at: datetime | None = None
    is_long: bool = True

    def needs(self, *scopes: str) -> None:
        wanted = [s for s in ("threads_basic", *scopes) if s not in self.scopes]
        if wanted:
            raise lacks(*wanted)


class ThreadsSandbox:
    """All that a Threads remembers. A container is ready after *looks*."""

    def __init__(
        self,
        *,
        clock: Clock,
        public_url: str,
        accounts: Iterable[Account],
        looks: int,
        state_path: Path | None,
    ) -> None:
        self.clock = clock
        self.public_url = public_url.rstrip("/")
        self.accounts = {account.user_id: account for account in accounts}
        self.looks = looks
        self.shelf = Shelf(state_path)

    def open(self, token: str) -> Pass:
        """Return what *token* is good for."""
        for account in self.accounts.values():
            if account.access_token == token:
                self._check_expiry(account.expires_at)
                return Pass(account.user_id, account.scopes)
        kept = self.shelf.get("token", token)
        if kept is None:
            raise bad_token(0, "Invalid OAuth access token - Cannot parse access token")
        self._check_expiry(datetime.fromisoformat(kept["expires_at"]))
        issued_at = datetime.fromisoformat(kept["issued_at"])
        scopes = tuple(kept["scopes"])
        return Pass(kept["user_id"], scopes, issued_at, is_long=kept["is_long"])

    def issue_code(self, user_id: str, redirect_uri: str, scopes: Iterable[str]) -> str:
        code = secrets.token_urlsafe(16)
        facts = {"user_id": user_id, "redirect_uri": redirect_uri}
        self.shelf.keep("code", code, {**facts, "scopes": list(scopes)})
        return code

    def spend_code(self, code: str, redirect_uri: str) -> Thing | None:
        """Return what a code was for, once, or None."""
        kept = self.shelf.get("code", code)
        self.shelf.drop("code", code)
        return kept if kept and kept["redirect_uri"] == redirect_uri else None

    def issue(self, user_id: str, scopes: Iterable[str], *, is_long: bool) -> Thing:
        token, now = secrets.token_urlsafe(24), self.clock()
        lasts = LONG if is_long else SHORT
        kept = {
            "user_id": user_id,
            "scopes": list(scopes),
            "issued_at": now.isoformat(),
            "expires_at": (now + lasts).isoformat(),
            "is_long": is_long,
        }
        self.shelf.keep("token", token, kept)
        seconds = int(lasts.total_seconds())
        return {"access_token": token, "token_type": "bearer", "expires_in": seconds}

    def make_container(
        self, user_id: str, form: Mapping[str, str], content: bytes | None
    ) -> str:
        check_form(form)
        facts: dict[str, Any] = {**form, "user_id": user_id, "looks": self.looks}
        facts["status"] = "IN_PROGRESS" if content is None else look_at(content)
        if "poll_attachment" in form:
            facts["poll_attachment"] = json.loads(form["poll_attachment"])
            check_poll(facts["poll_attachment"])
        if "reply_to_id" in form:
            self.post(form["reply_to_id"])
        if form["media_type"] == "CAROUSEL":
            facts["children"] = self._children(user_id, form.get("children", ""))
        facts["made_at"] = self.clock().isoformat()
        number = self._number()
        self.shelf.keep("container", number, facts, content)
        return number

    def look_at_container(self, number: str) -> Thing:
        """Return a container; each look brings it closer to being finished."""
        container = self._container(number)
        made_at = datetime.fromisoformat(container["made_at"])
        if container["status"] == "IN_PROGRESS":
            container["looks"] -= 1
            if container["looks"] < 0:
                container["status"] = "FINISHED"
        if container["status"] == "FINISHED":
            old = self.clock() - made_at >= CONTAINER_LASTS
            container["status"] = "EXPIRED" if old else "FINISHED"
        self.shelf.keep("container", number, container)
        error = "INVALID_ASPEC_RATIO" if container["status"] == "ERROR" else None
        return {"id": number, "status": container["status"], "error_message": error}

    def publish(self, user_id: str, number: str) -> str:
        """Publish a container, which can be done once."""
        container = self._container(number)
        if container["user_id"] != user_id or container["status"] != "FINISHED":
            raise missing()
        kind, most = (
            ("reply", REPLIES) if "reply_to_id" in container else ("post", POSTS)
        )
        if self.used(user_id, kind) >= most:
            raise spent(kind)
        self.shelf.keep("container", number, {**container, "status": "PUBLISHED"})
        made = self._number()
        post = {**container, "kind": kind, "made_at": self.clock().isoformat()}
        self.shelf.keep("post", made, {**post, "container": number, "gone": False})
        return made

    def post(self, number: str) -> Thing:
        post = self.shelf.get("post", number)
        if post is None or post["gone"]:
            raise missing()
        return post

    def posts(self, **facts: str) -> list[tuple[str, Thing]]:
        """Return the posts with such *facts*, newest first."""
        return [
            (number, post)
            for number, post in reversed(list(self.shelf.all("post")))
            if not post["gone"] and facts.items() <= post.items()
        ]

    def delete(self, user_id: str, number: str) -> None:
        post = self.post(number)
        if post["user_id"] != user_id:
            raise missing()
        if self.used(user_id, "deletion") >= DELETIONS:
            kind = "deletion"
            raise spent(kind)
        gone_at = self.clock().isoformat()
        self.shelf.keep("post", number, {**post, "gone": True, "gone_at": gone_at})

    def used(self, user_id: str, kind: str) -> int:
        """Return how many posts, replies or deletions there were in 24 hours."""
        moment = "gone_at" if kind == "deletion" else "made_at"
        since = (self.clock() - DAY).isoformat()
        return sum(
            post["user_id"] == user_id
            and kind in {post["kind"], "deletion"}
            and post.get(moment, "") > since
            for _, post in self.shelf.all("post")
        )

    def measure(self, number: str, **values: int) -> None:
        """Let a post be seen: ``views=40, likes=3``."""
        self.shelf.keep("numbers", number, dict(values))

    def _container(self, number: str) -> Thing:
        container = self.shelf.get("container", number)
        if container is None:
            raise missing()
        return container

    def _children(self, user_id: str, children: str) -> list[str]:
        numbers = children.split(",")
        if len(numbers) not in CHILDREN:
            refuse("A carousel has 2 to 20 items.")
        for number in numbers:
            child = self._container(number)
            if child["user_id"] != user_id or child["status"] != "FINISHED":
                raise missing()
        return numbers

    def _number(self) -> str:
        return str(18_000_000_000_000_000 + self.shelf.number())

    def _check_expiry(self, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self.clock():
            words = "Error validating access token: Session has expired"
            raise bad_token(463, words)
