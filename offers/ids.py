"""Identifiers: what a thing is, when it was made, and nothing that can be guessed.

Inside, an id is a TypeID: the kind of thing and a UUIDv7 in Crockford's base 32, so
that ids sort by when they were made (https://github.com/jetify-com/typeid/tree/main/spec).
What a shopper can see or type is a code of 128 random bits.
"""

import secrets
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no i, l, o, u

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62


def new_id(kind: str, now: datetime) -> str:
    """Return a fresh identifier such as ``hold_01jz5c8w3k9e7q2m4t6v8x0y2z``."""
    milliseconds = int(now.timestamp() * 1000) << 80
    head = secrets.randbits(12) << 64
    tail = secrets.randbits(62)
    return f"{kind}_{_digits(milliseconds | _VERSION_7 | head | _VARIANT | tail)}"


def new_code() -> str:
    """Return 128 random bits as 26 characters that can be typed from paper."""
    return _digits(secrets.randbits(128))


def _digits(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
