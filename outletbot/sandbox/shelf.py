"""A shelf: what a sandbox remembers, in a file if there is one.

Things are JSON with an id and a kind; a picture's bytes lie beside it. Every change is
written at once, so that a sandbox with a file goes on after a restart, or a kill, where
it was.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

Thing: TypeAlias = dict[str, Any]

_DDL = """
CREATE TABLE IF NOT EXISTS thing (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, content BLOB,
    UNIQUE (kind, id)
)
"""
_KEEP = """
INSERT INTO thing (kind, id, body, content) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET
    body = excluded.body, content = coalesce(excluded.content, content)
"""


class Shelf:
    """Things by kind and id, in the order in which they came. Close it when done."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = sqlite3.connect(path or ":memory:", isolation_level=None)
        # Safe against a kill of the process; a cut of power may lose the last rows.
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute(_DDL)

    def keep(
        self, kind: str, thing_id: str, body: Thing, content: bytes | None = None
    ) -> None:
        """Put a thing there, or in the place of the one it was."""
        self._file.execute(_KEEP, (kind, thing_id, json.dumps(body), content))

    def get(self, kind: str, thing_id: str) -> Thing | None:
        row = self._row("body", kind, thing_id)
        return None if row is None else json.loads(row[0])

    def content(self, kind: str, thing_id: str) -> bytes | None:
        row = self._row("content", kind, thing_id)
        return None if row is None else row[0]

    def all(self, kind: str) -> Iterator[tuple[str, Thing]]:
        """Yield the ids and things of a kind, oldest first."""
        query = "SELECT id, body FROM thing WHERE kind = ? ORDER BY number"
        for thing_id, body in self._file.execute(query, (kind,)).fetchall():
            yield thing_id, json.loads(body)

    def drop(self, kind: str, thing_id: str) -> bool:
        """Take a thing away. Return whether it was there."""
        query = "DELETE FROM thing WHERE kind = ? AND id = ?"
        return self._file.execute(query, (kind, thing_id)).rowcount == 1

    def number(self) -> int:
        """Return a number that was never given before, one higher each time."""
        last = (self.get("counter", "last") or {"number": 0})["number"]
        self.keep("counter", "last", {"number": last + 1})
        return int(last) + 1

    def close(self) -> None:
        self._file.close()

    def _row(self, column: str, kind: str, thing_id: str) -> tuple[Any, ...] | None:
        query = f"SELECT {column} FROM thing WHERE kind = ? AND id = ?"  # noqa: S608
        row = self._file.execute(query, (kind, thing_id)).fetchone()
        return None if row is None else tuple(row)
