"""Reading what people send: each field read, or refused in words they can act on."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from offers.errors import InvalidField
from offers.money import Money
from offers.sentences import Sentence

Form = Mapping[str, object]

_AMOUNT = re.compile(r"[0-9]{1,9}(?:[.,][0-9]{1,3})?")


def read_text(form: Form, field: str, *, longest: int, needed: bool = False) -> str:
    """Return *field* without the space around it, and without NUL anywhere.

    Raises:
        InvalidField: If it is too long, or empty and *needed*.
    """
    value = form.get(field, "")
    text = value.replace("\0", "").strip() if isinstance(value, str) else ""
    if needed and not text:
        raise InvalidField(field, Sentence("Fill this in."))
    if len(text) > longest:
        problem = Sentence("Use {longest} characters at most.", longest=longest)
        raise InvalidField(field, problem, text)
    return text


def read_int(form: Form, field: str, *, minimum: int, maximum: int) -> int:
    """Return *field* as a number.

    Raises:
        InvalidField: If it is missing, no integer, or out of range.
    """
    text = read_text(form, field, longest=20)
    if not (text.isascii() and text.isdigit()):
        raise InvalidField(field, Sentence("Enter a whole number."), text)
    if not minimum <= (number := int(text)) <= maximum:
        problem = Sentence(
            "Choose between {minimum} and {maximum}.", minimum=minimum, maximum=maximum
        )
        raise InvalidField(field, problem, text)
    return number


def read_amount(form: Form, field: str, currency: str) -> Money:
    """Return *field*, major units with a point or a comma, as money.

    Raises:
        InvalidField: If it is no amount, or finer than the currency's smallest unit.
    """
    text = read_text(form, field, longest=20, needed=True)
    problem = Sentence("Enter an amount such as 12.50.")
    if not _AMOUNT.fullmatch(text):
        raise InvalidField(field, problem, text)
    try:
        return Money.of(Decimal(text.replace(",", ".")), currency)
    except ValueError:
        raise InvalidField(field, problem, text) from None


def read_moment(form: Form, field: str, zone: ZoneInfo) -> datetime:
    """Return *field*, a local time in *zone* as browsers send it, as an instant.

    Raises:
        InvalidField: If it is no time, or one that a change of the clocks skips.
    """
    text = read_text(form, field, longest=40)
    try:
        local = datetime.fromisoformat(text)
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        if local.tzinfo is not None:
            raise ValueError  # noqa: TRY301  (what is asked for is a local time)
    except (ValueError, OverflowError):
        problem = Sentence("Enter a day and a time, such as 2026-12-01T18:00.")
        raise InvalidField(field, problem, text) from None
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        problem = Sentence("The clocks go forward then: there is no such time.")
        raise InvalidField(field, problem, text)
    return moment
