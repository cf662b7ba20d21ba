"""Everything a Mastodon server remembers, and the file behind it if there is one.

What is kept or dropped is written down by ``Books.commit``, all of it or nothing, so a
sandbox with a file goes on after a restart (or a kill) where it was. Accounts are not
in it: they are given each time.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from outletbot.sandbox.mastodon_objects import (
    Account,
    Media,
    Parent,
    Poll,
    Status,
    Version,
)

Json: TypeAlias = dict[str, Any]

_DDL = """
CREATE TABLE IF NOT EXISTS kept (
    kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, content BLOB,
    PRIMARY KEY (kind, id)
)
"""
# The content of a picture never changes, so that it is written only once.
_KEEP = """
INSERT INTO kept VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET body = excluded.body
"""
_DROP = "DELETE FROM kept WHERE kind = ? AND id = ?"
_ALL = "SELECT id, body, content FROM kept WHERE kind = ? ORDER BY rowid"


class Books:
    """Posts and media by id, oldest first, and which post was made for which key.

    *accounts* are those of this run, by id.

    Raises:
        ValueError: If the file has posts of an account that is not among them.
    """

    def __init__(self, path: Path | None, accounts: Mapping[str, Account]) -> None:
        self.statuses: dict[str, Status] = {}
        self.media: dict[str, Media] = {}
        self.made_by_key: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._made = 0
        self._changes: list[tuple[str, tuple[object, ...]]] = []
        self._file = None if path is None else sqlite3.connect(path)
        if self._file:
            # Safe against a kill of the process; a cut of power may lose the last rows.
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.execute(_DDL)
            try:
                self._load(accounts)
            except ValueError:
                self._file.close()
                raise

    def count(self) -> int:
        """Return how many things were made with this one, in all runs together."""
        self._made += 1
        return self._made

    def keep_status(self, status: Status) -> None:
        self._keep("status", status.id, _status_body(status))
        self.statuses[status.id] = status

    def keep_media(self, media: Media) -> None:
        body = asdict(media)
        content = body.pop("content")
        self._keep("media", media.id, body, content)
        self.media[media.id] = media

    def keep_key(self, account_id: str, key: str, made: Status) -> None:
        body = {"status_id": made.id, "made_at": made.created_at.isoformat()}
        self._keep("key", json.dumps([account_id, key]), body)
        self.made_by_key[account_id, key] = (made.id, made.created_at)

    def drop_status(self, status: Status) -> None:
        """Forget a post and the media it shows."""
        for media in status.now.media:
            self._changes.append((_DROP, ("media", media.id)))
            self.media.pop(media.id, None)
        self._changes.append((_DROP, ("status", status.id)))
        del self.statuses[status.id]

    def commit(self) -> None:
        """Write down what changed since the last commit."""
        if self._file and self._changes:
            self._keep("counter", "ids", {"made": self._made})
            with self._file:
                for statement, row in self._changes:
                    self._file.execute(statement, row)
        self._changes.clear()

    def close(self) -> None:
        self.commit()
        if self._file:
            self._file.close()

    def _keep(
        self, kind: str, thing_id: str, body: Json, content: bytes | None = None
    ) -> None:
        row = (kind, thing_id, json.dumps(body), content)
        self._changes.append((_KEEP, row))

    def _load(self, accounts: Mapping[str, Account]) -> None:
        """Read the file: media before the posts that show them."""
        for _, body, content in self._rows("media"):
            size = tuple(body.pop("size"))
            media = Media(**body, size=size, content=content)
            self.media[media.id] = media
        for status_id, body, _ in self._rows("status"):
            self.statuses[status_id] = self._read_status(status_id, body, accounts)
        for name, body, _ in self._rows("key"):
            account_id, key = json.loads(name)
            made_at = datetime.fromisoformat(body["made_at"])
            self.made_by_key[account_id, key] = (body["status_id"], made_at)
        for _, body, _ in self._rows("counter"):
            self._made = body["made"]

    def _rows(self, kind: str) -> Iterator[tuple[str, Json, bytes]]:
        assert self._file is not None
        for thing_id, body, content in self._file.execute(_ALL, (kind,)):
            yield thing_id, json.loads(body), content

    def _read_status(
        self, status_id: str, body: Json, accounts: Mapping[str, Account]
    ) -> Status:
        account = accounts.get(body["account_id"])
        if account is None:
            msg = f"post {status_id} is by account {body['account_id']}, not given"
            raise ValueError(msg)
        parent = body["in_reply_to"]
        return Status(
            status_id,
            account,
            body["visibility"],
            body["language"],
            tuple(self._read_version(one) for one in body["versions"]),
            Parent(**parent) if parent else None,
        )

    def _read_version(self, body: Json) -> Version:
        return Version(
            body["text"],
            body["spoiler_text"],
            body["sensitive"],
            tuple(self.media[media_id] for media_id in body["media_ids"]),
            datetime.fromisoformat(body["created_at"]),
            _read_poll(body.get("poll")),
        )


def _status_body(status: Status) -> Json:
    return {
        "account_id": status.account.id,
        "visibility": status.visibility,
        "language": status.language,
        "in_reply_to": asdict(status.in_reply_to) if status.in_reply_to else None,
        "versions": [_version_body(version) for version in status.versions],
    }


def _version_body(version: Version) -> Json:
    return {
        "text": version.text,
        "spoiler_text": version.spoiler_text,
        "sensitive": version.sensitive,
        "media_ids": [media.id for media in version.media],
        "created_at": version.created_at.isoformat(),
        "poll": _poll_body(version.poll) if version.poll else None,
    }


def _poll_body(poll: Poll) -> Json:
    return {**asdict(poll), "expires_at": poll.expires_at.isoformat()}


def _read_poll(body: Json | None) -> Poll | None:
    if body is None:
        return None
    return Poll(
        body["id"],
        tuple(body["options"]),
        datetime.fromisoformat(body["expires_at"]),
        body["multiple"],
        tuple(body["votes"]),
    )
