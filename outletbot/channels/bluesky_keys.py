"""Record keys: the names of our posts, made of when each was due and of its key.

A timestamp identifier (TID) is a word of 13 letters that sorts as the time it stands
for: 53 bits of microseconds and 10 bits that tell writers apart. A post's word is the
second in which it was due and 30 bits of its key, so that the same key is always the
same record.

Facts: atproto.com/specs/tid.
"""

import hashlib
from datetime import UTC, datetime, timedelta

_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_LENGTH = 13
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000  # microseconds


def record_key(since: datetime, key: str) -> str:
    """Return the name of the post that was due at *since*; the same for the same."""
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest())
    writer, part = divmod(digest, _SECOND)
    return _word(_seconds(since) * _SECOND + part, writer % 1024)


def first_key(moment: datetime) -> str:
    """Return the least name of the second of *moment*: older posts sort before it."""
    return _word(_seconds(moment) * _SECOND, 0)


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def _word(microseconds: int, writer: int) -> str:
    number = microseconds << 10 | writer
    shifts = range(5 * (_LENGTH - 1), -1, -5)
    return "".join(_LETTERS[number >> shift & 31] for shift in shifts)
