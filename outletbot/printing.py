"""Printing: money, numbers, moments and durations, as a reader's language writes them.

Every function takes the language (``en`` or ``fr``) last.
"""

from datetime import date, datetime, timedelta, tzinfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, format_percent

from offers.money import Money
from offers.sentences import Sentence
from outletbot.languages import locale_of, translations

NBSP = "\u00a0"
"""What French has between a number and its unit, so that no line ends there."""


def print_money(money: Money, language: str) -> str:
    """Return such as ``€12.50`` or ``12,50 €``."""
    currency = money.currency.upper()
    return format_currency(money.value, currency, locale=locale_of(language))


def print_number(number: float, language: str) -> str:
    return format_decimal(number, locale=locale_of(language))


def print_percent(share: float, language: str) -> str:
    """Return a *share* from 0 to 1 as whole percent."""
    return format_percent(share, locale=locale_of(language))


def print_time(moment: datetime, zone: tzinfo, language: str) -> str:
    """Return the time of day in *zone*, such as ``18:00``."""
    return format_time(moment, "short", tzinfo=zone, locale=locale_of(language))


def print_clock(moment: datetime, zone: tzinfo, language: str) -> str:
    """Return the time of day in *zone* to the second, such as ``18:00:05``."""
    return format_time(moment, "HH:mm:ss", tzinfo=zone, locale=locale_of(language))


def print_date(moment: datetime, zone: tzinfo, language: str) -> str:
    """Return the day in *zone* without the year, such as ``23 Nov``."""
    day = moment.astimezone(zone)
    return format_date(day, "d MMM", locale=locale_of(language))


def print_moment(moment: datetime, zone: tzinfo, language: str) -> str:
    """Return such as ``Mon 23 Nov, 18:00`` or ``lun. 23 nov. à 18:00``, in *zone*."""
    french = f"EEE{NBSP}d{NBSP}MMM 'à'{NBSP}HH:mm"
    pattern = french if language == "fr" else "EEE d MMM, HH:mm"
    return format_datetime(moment, pattern, tzinfo=zone, locale=locale_of(language))


def print_weekday(day: date, language: str) -> str:
    """Return such as ``Mon 23 Nov``."""
    return format_date(day, "EEE d MMM", locale=locale_of(language))


def print_calendar_day(day: date, language: str) -> str:
    """Return such as ``23 Nov 2026``."""
    return format_date(day, "d MMM y", locale=locale_of(language))


def print_day(moment: datetime, zone: tzinfo, language: str) -> str:
    return format_date(moment.astimezone(zone), "long", locale=locale_of(language))


def print_duration(duration: timedelta, language: str) -> str:
    """Return such as ``7 min 12 s`` or ``2 h 5 min``."""
    seconds = int(duration.total_seconds())
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    day, gap = ("j", NBSP) if language == "fr" else ("d", " ")
    parts = [(days, day), (hours, "h"), (minutes, "min"), (rest, "s")]
    said = [f"{number}{gap}{unit}" for number, unit in parts if number]
    return " ".join(said[:2]) or f"0{gap}s"


def print_fact(fact: object, language: str) -> str:
    """Return a fact of a sentence."""
    if isinstance(fact, Money):
        return print_money(fact, language)
    if isinstance(fact, Sentence):
        return say(fact, language)
    return str(fact)


def say(sentence: Sentence, language: str) -> str:
    """Return *sentence* in *language*, its facts printed in the reader's way."""
    template = translations(language).gettext(sentence.template)
    facts = {name: print_fact(fact, language) for name, fact in sentence.facts.items()}
    return template.format(**facts)
