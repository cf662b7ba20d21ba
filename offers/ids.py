"""Identifiers: what a thing is, when it was made, and nothing that can be guessed.

Inside, an id is a TypeID: the kind of thing and a UUIDv7 in Crockford's base 32, so
that ids sort by when they were made (https://github.com/jetify-com/typeid/tree/main/spec).
What a shopper can see or type is a code of 130 random bits. Of what a rush makes many,
codes begin with the time, too: an index of theirs grows at its end, where a batch finds
its place on one page of it instead of on as many as it has rows.
"""

import os
import secrets
from datetime import datetime
from functools import cache, lru_cache
from itertools import product

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no i, l, o, u

_DIGITS = 26
_TIME_DIGITS = 8  # they begin anew in 2039, which costs nothing but some order
_AT_ONCE = 256  # codes
_COUNTED = 3
MOST_AT_ONCE = len(ALPHABET) ** _COUNTED

_DIGIT_OF_BYTE = bytes(ALPHABET.encode()[byte & 31] for byte in range(256))
_SHIFTS = range(45, -1, -5)

# The digits of a UUIDv7 in which something is not random: four bits that say 7 and one
# that is; one that is, two that say 10, and two that are.
_VERSION_7 = {digit: ALPHABET[14 | n & 1] for n, digit in enumerate(ALPHABET)}
_VARIANT = {digit: ALPHABET[n & 19 | 8] for n, digit in enumerate(ALPHABET)}

_spare: list[str] = []
os.register_at_fork(after_in_child=_spare.clear)


def new_id(kind: str, now: datetime) -> str:
    """Return a fresh identifier such as ``hold_01jz5c8w3k9e7q2m4t6v8x0y2z``."""
    code = new_code()
    version, variant = _VERSION_7[code[0]], _VARIANT[code[3]]
    return f"{kind}_{_time_of(now)}{version}{code[1:3]}{variant}{code[4:16]}"


def new_ids(kind: str, now: datetime, number: int) -> list[str]:
    """Return the ids of a batch, each after the one before, at most ``MOST_AT_ONCE``.

    They end in a count, so who knows one knows them all: they are for rows that are
    found by their owner alone. What is random in them tells batches apart.
    """
    if number > MOST_AT_ONCE:
        msg = f"more than {MOST_AT_ONCE} ids at once"
        raise ValueError(msg)
    begun = new_id(kind, now)[:-_COUNTED]
    return [begun + count for count in _counts()[:number]]


@cache
def _counts() -> list[str]:
    return ["".join(digits) for digits in product(ALPHABET, repeat=_COUNTED)]


def new_code() -> str:
    """Return 130 random bits as 26 characters that can be typed from paper."""
    while True:
        try:
            return _spare.pop()
        except IndexError:
            _spare.extend(_new_codes(_AT_ONCE))


def new_dated_code(now: datetime) -> str:
    """Return a code after 8 digits of the time it was made, in milliseconds."""
    return _time_of(now)[-_TIME_DIGITS:] + new_code()


def _new_codes(number: int) -> list[str]:
    """Ask the system for many at once: a rush would be kept waiting for each."""
    digits = secrets.token_bytes(number * _DIGITS).translate(_DIGIT_OF_BYTE).decode()
    return [digits[n : n + _DIGITS] for n in range(0, len(digits), _DIGITS)]


def _time_of(now: datetime) -> str:
    return _digits(int(now.timestamp() * 1000))


@lru_cache(maxsize=64)
def _digits(milliseconds: int) -> str:
    """Return 10 digits."""
    return "".join([ALPHABET[milliseconds >> shift & 31] for shift in _SHIFTS])
