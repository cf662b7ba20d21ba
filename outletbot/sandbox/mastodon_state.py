"""A Mastodon server: what can be done to accounts, posts and media, by its rules.

What is not allowed is a ``Refusal``; what was done is in the file, if there is one,
before the caller hears of it. Nothing here knows HTTP.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from outletbot.clock import Clock
from outletbot.sandbox.mastodon_apps import Apps
from outletbot.sandbox.mastodon_books import Books
from outletbot.sandbox.mastodon_objects import (
    Account,
    Media,
    Parent,
    Poll,
    Status,
    Version,
)
from outletbot.sandbox.mastodon_rules import (
    MAX_ATTACHMENTS,
    check_file,
    check_poll,
    check_text,
    look_at,
    not_found,
    refuse,
)
from outletbot.sandbox.shelf import Shelf

KEPT_KEYS_FOR = timedelta(hours=1)
VISIBILITIES = ("public", "unlisted", "private", "direct")


@dataclass(frozen=True, slots=True)
class PollWish:
    options: Sequence[str]
    lasts: timedelta | None
    multiple: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks a post to be; *media_ids* is None where it said nothing."""

    text: str = ""
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    visibility: str = "public"
    in_reply_to_id: str = ""
    media_ids: Sequence[str] | None = None
    poll: PollWish | None = None


class MastodonSandbox:
    """One server. *looks_until_ready* is how often an upload is "not ready yet".

    ``statuses`` and ``media`` can be read by whoever rehearses; *public_url* is where
    people see the posts. With *state_path* all of it but the accounts goes on after a
    restart; accounts are known by their place among *accounts*.

    Raises:
        ValueError: If that file has posts of more accounts than are given.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        public_url: str,
        accounts: Iterable[Account],
        looks_until_ready: int = 1,
        state_path: Path | None = None,
    ) -> None:
        self.clock = clock
        self.public_url = public_url.rstrip("/")
        self.looks_until_ready = looks_until_ready
        self.accounts = {
            account.username: replace(account, id=str(number))
            for number, account in enumerate(accounts, start=1)
        }
        self._books = Books(
            state_path, {account.id: account for account in self.accounts.values()}
        )
        self.apps = Apps(Shelf(state_path), clock)
        self.statuses = self._books.statuses
        self.media = self._books.media

    def close(self) -> None:
        """Let go of the file. Nothing is lost without it."""
        self._books.close()
        self.apps.close()

    def account_of(self, token: str) -> Account | None:
        """Return whose token it is, with what it may do."""
        for account in self.accounts.values():
            if account.token == token:
                return account
        allowed = self.apps.allowed(token)
        if allowed is None or allowed[0] not in self.accounts:
            return None
        return replace(self.accounts[allowed[0]], scopes=allowed[1])

    def create_status(self, account: Account, wish: Wish, *, key: str) -> Status:
        """Make a post, or return the one already made for *key* within the hour."""
        now = self.clock()
        made_by_key = self._books.made_by_key
        status_id, made_at = made_by_key.get((account.id, key), ("", now))
        if key and status_id in self.statuses and now - made_at < KEPT_KEYS_FOR:
            return self.statuses[status_id]
        parent = self._parent(wish.in_reply_to_id) if wish.in_reply_to_id else None
        if wish.visibility not in VISIBILITIES:
            refuse("Visibility is not included in the list")
        status_id = self._new_id()
        version = self._version(account, wish, status_id, None)
        status = Status(
            status_id, account, wish.visibility, wish.language, (version,), parent
        )
        self._books.keep_status(status)
        if key:
            self._books.keep_key(account.id, key, status)
        self._books.commit()
        return status

    def edit_status(self, account: Account, status_id: str, wish: Wish) -> Status:
        """Give a post a new version; what is not asked for again is gone.

        The votes of a poll stay if its options do.
        """
        status = self.own_status(account, status_id)
        version = self._version(account, wish, status_id, status.now.poll)
        if replace(version, created_at=status.now.created_at) == status.now:
            return status
        edited = replace(
            status,
            versions=(*status.versions, version),
            language=wish.language or status.language,
        )
        self._books.keep_status(edited)
        self._books.commit()
        return edited

    def delete_status(self, account: Account, status_id: str) -> Status:
        status = self.own_status(account, status_id)
        self._books.drop_status(status)
        self._books.commit()
        return status

    def get_status(self, status_id: str) -> Status:
        if status_id not in self.statuses:
            raise not_found()
        return self.statuses[status_id]

    def own_status(self, account: Account, status_id: str) -> Status:
        status = self.get_status(status_id)
        if status.account.id != account.id:
            raise not_found()
        return status

    def statuses_of(self, account_id: str) -> list[Status]:
        """Return the posts of an account, newest first."""
        statuses = reversed(self.statuses.values())  # ids rise as posts are made
        return [one for one in statuses if one.account.id == account_id]

    def ancestors_of(self, status: Status) -> list[Status]:
        """Return what a post answers, and what that answers, oldest first."""
        if status.in_reply_to is None:
            return []
        parent = self.statuses.get(status.in_reply_to.status_id)
        return [*self.ancestors_of(parent), parent] if parent else []

    def replies_to(self, status: Status) -> list[Status]:
        """Return the answers to a post and the answers to those, oldest first."""
        direct = [
            one
            for one in self.statuses.values()
            if one.in_reply_to and one.in_reply_to.status_id == status.id
        ]
        return [found for one in direct for found in (one, *self.replies_to(one))]

    def upload(
        self, account: Account, content: bytes, description: str | None
    ) -> Media:
        """Take a picture; it can be attached once it is ready."""
        check_file(content, description)
        content_type, size = look_at(content)
        media = Media(
            self._new_id(),
            account.id,
            content,
            content_type,
            size,
            description,
            looks_until_ready=self.looks_until_ready,
        )
        self._books.keep_media(media)
        self._books.commit()
        return media

    def look_at_media(self, account: Account, media_id: str) -> Media:
        """Return an upload that is in no post yet; each look brings it closer."""
        media = self.media.get(media_id)
        if media is None or media.account_id != account.id or media.status_id:
            raise not_found()
        nearer = max(0, media.looks_until_ready - 1)
        self._books.keep_media(replace(media, looks_until_ready=nearer))
        self._books.commit()
        return media

    def _parent(self, status_id: str) -> Parent:
        return Parent(status_id, self.get_status(status_id).account.id)

    def vote(self, status_id: str, *votes: int) -> None:
        """Let readers vote: so many for each of the options."""
        status = self.get_status(status_id)
        assert status.now.poll is not None
        voted = replace(status.now, poll=replace(status.now.poll, votes=votes))
        self._books.keep_status(
            replace(status, versions=(*status.versions[:-1], voted))
        )
        self._books.commit()

    def _version(
        self, account: Account, wish: Wish, status_id: str, before: Poll | None
    ) -> Version:
        media_ids = wish.media_ids or ()
        if not (wish.text.strip() or wish.spoiler_text.strip() or media_ids):
            refuse("Text can't be blank")
        check_text(wish.text + wish.spoiler_text)
        poll = self._poll(wish, before) if wish.poll else None
        media = self._attach(account, media_ids, status_id)
        return Version(
            wish.text, wish.spoiler_text, wish.sensitive, media, self.clock(), poll
        )

    def _poll(self, wish: Wish, before: Poll | None) -> Poll:
        assert wish.poll is not None
        check_poll(wish.poll.options, wish.poll.lasts)
        if wish.media_ids:
            refuse(f"Cannot attach more than {MAX_ATTACHMENTS} files")
        options = tuple(wish.poll.options)
        same = before and (before.options, before.multiple) == (
            options,
            wish.poll.multiple,
        )
        return Poll(
            before.id if before else self._new_id(),
            options,
            self.clock() + (wish.poll.lasts or timedelta()),
            wish.poll.multiple,
            before.votes if before and same else (0,) * len(options),
        )

    def _attach(
        self, account: Account, media_ids: Sequence[str], status_id: str
    ) -> tuple[Media, ...]:
        if len(media_ids) > MAX_ATTACHMENTS:
            refuse(f"Cannot attach more than {MAX_ATTACHMENTS} files")
        media = [
            replace(self._attachable(account, media_id, status_id), status_id=status_id)
            for media_id in media_ids
        ]
        for one in media:
            self._books.keep_media(one)
        return tuple(media)

    def _attachable(self, account: Account, media_id: str, status_id: str) -> Media:
        media = self.media.get(media_id)
        if (
            media is None
            or media.account_id != account.id
            or media.status_id not in {None, status_id}
        ):
            refuse(f"Media {media_id} not found or already attached to another post")
        if media.looks_until_ready:
            refuse(
                "Cannot attach files that have not finished processing."
                " Try again in a moment!"
            )
        return media

    def _new_id(self) -> str:
        """Make an id as Mastodon does: milliseconds, then a number; sortable."""
        milliseconds = int(self.clock().timestamp() * 1000)
        return str((milliseconds << 16) + self._books.count())
