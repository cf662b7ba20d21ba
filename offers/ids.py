"""Identifiers: what a thing is, when it was made, and nothing that can be guessed.

Inside, an id is a TypeID: the kind of thing and a UUIDv7 in Crockford's base 32, so
that ids sort by when they were made (https://github.com/jetify-com/typeid/tree/main/spec).
What a shopper can see or type is a code of 130 random bits. Of what a rush makes many,
codes begin with the time, too: an index of theirs grows at its end, where a batch finds
its place on one page of it instead of on as many as it has rows.
"""

import secrets
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no i, l, o, u

_DIGITS = 26
_TIME_DIGITS = 8  # they begin anew in 2039, which costs nothing but some order

_DIGIT_OF_BYTE = bytes(ALPHABET.encode()[byte & 31] for byte in range(256))
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
_SHIFTS = range(120, -1, -10)

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62


def new_id(kind: str, now: datetime) -> str:
    """Return a fresh identifier such as ``hold_01jz5c8w3k9e7q2m4t6v8x0y2z``."""
    milliseconds = int(now.timestamp() * 1000) << 80
    head = secrets.randbits(12) << 64
    tail = secrets.randbits(62)
    return f"{kind}_{_digits(milliseconds | _VERSION_7 | head | _VARIANT | tail)}"


def new_code() -> str:
    """Return 130 random bits as 26 characters that can be typed from paper."""
    return secrets.token_bytes(_DIGITS).translate(_DIGIT_OF_BYTE).decode()


def new_dated_code(now: datetime) -> str:
    """Return a code after 8 digits of the time it was made, in milliseconds."""
    return _digits(int(now.timestamp() * 1000))[-_TIME_DIGITS:] + new_code()


def _digits(number: int) -> str:
    """Return 26 digits, two at a time: a rush needs many."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
