"""Reading what shops send: JSON of any shape, and nothing of it is believed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import floor
from typing import Any

from offers.errors import InvalidField
from offers.sentences import Sentence

MOST = 1_000_000_000
"""More of one thing than this is a mistake, and more than our databases count."""

LONGEST = 200


def read_json(body: bytes) -> dict[str, Any]:
    """Return *body* as an object.

    Raises:
        InvalidField: If it is none.
    """
    try:
        read = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidField("body", Sentence("This is no JSON.")) from error
    if not isinstance(read, dict):
        raise InvalidField("body", Sentence("This is no JSON object."))
    return read


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def key_of(value: object) -> str:
    """Return *value* as a key, a number or a text; else nothing."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).encode(errors="ignore").decode().replace("\0", "").strip()
    return text if len(text) <= LONGEST else ""


def units_of(value: object) -> int | None:
    """Return *value* as whole units, rounded down; ``None`` if it is no number."""
    number = _decimal(value)
    if number is None or abs(number) > MOST:
        return None
    return floor(number)


def amount_of(value: object) -> Decimal | None:
    """Return *value* as an amount of money above zero, else ``None``."""
    number = _decimal(value)
    return number if number is not None and 0 < number < MOST else None


def moment_of(value: object, latest: datetime) -> datetime | None:
    """Return a moment, UTC if it says no zone; ``None`` if it is none.

    Not later than *latest*, or it would shut out what follows. What is finer than a
    millionth of a second is cut off.
    """
    try:
        moment = datetime.fromisoformat(str(value))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(aware.astimezone(UTC), latest)
    except (ValueError, OverflowError):
        return None


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value)[:40])
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
