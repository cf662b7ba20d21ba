"""
Money, numbers and moments are written as the reader writes them.
"""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from offers.money import Money
from offers.sentences import Sentence
from outletbot.printing import (
    print_day,
    print_duration,
    print_moment,
    print_money,
    print_number,
    print_percent,
    print_time,
    say,
)
from tests.factories import NOON

PARIS = ZoneInfo("Europe/Paris")
NARROW, NBSP = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("money", "language", "printed"),
    [
        (Money(1250, "eur"), "en", "€12.50"),
        (Money(1250, "eur"), "fr", f"12,50{NBSP}€"),
        (Money(123_456_700, "eur"), "en", "€1,234,567.00"),
        (Money(123_456_700, "eur"), "fr", f"1{NARROW}234{NARROW}567,00{NBSP}€"),
        (Money(1250, "jpy"), "en", "JP¥1,250"),
        (Money(0, "gbp"), "en", "£0.00"),
        (Money(-500, "eur"), "en", "-€5.00"),
        (Money(1234, "tnd"), "en", "TND1.234"),
    ],
)
def test_money(money: Money, language: str, printed: str) -> None:
    assert print_money(money, language) == printed


def test_numbers() -> None:
    assert print_number(12_345, "en") == "12,345"
    assert print_number(12_345, "fr") == f"12{NARROW}345"
    assert print_percent(0.49, "en") == "49%"
    assert print_percent(0.49, "fr") == f"49{NBSP}%"


def test_moments_are_those_of_the_zone() -> None:
    assert print_time(NOON, PARIS, "en") == "13:00"
    assert print_moment(NOON, PARIS, "en") == "Mon 2 Mar, 13:00"
    french = f"lun.{NBSP}2{NBSP}mars à{NBSP}13:00"
    assert print_moment(NOON, PARIS, "fr") == french
    late = NOON + timedelta(hours=11, minutes=30)
    assert print_day(late, PARIS, "en") == "3 March 2026"
    assert print_day(late, PARIS, "fr") == "3 mars 2026"


@pytest.mark.parametrize(
    ("duration", "printed"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=7, seconds=12), "7 min 12 s"),
        (timedelta(hours=2, minutes=5, seconds=9), "2 h 5 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
        (timedelta(minutes=10), "10 min"),
    ],
)
def test_durations(duration: timedelta, printed: str) -> None:
    assert print_duration(duration, "en") == printed


def test_durations_in_french() -> None:
    days = timedelta(days=3, hours=4)

    assert print_duration(days, "fr") == f"3{NBSP}j 4{NBSP}h"
    assert print_duration(timedelta(0), "fr") == f"0{NBSP}s"


def test_a_sentence_has_its_facts_printed() -> None:
    sentence = Sentence("It costs {price} and {most} are left.", price=Money(99, "eur"))
    sentence.facts["most"] = 7

    assert say(sentence, "en") == "It costs €0.99 and 7 are left."


def test_a_sentence_may_be_a_fact_of_another() -> None:
    sentence = Sentence("This is {kind}.", kind=Sentence("a PNG picture"))

    assert say(sentence, "en") == "This is a PNG picture."


def test_a_word_within_a_sentence_is_translated_too() -> None:
    sentence = Sentence("There is no {kind} {key}.", kind=Sentence("order"), key="7A")

    assert say(sentence, "en") == "There is no order 7A."
    assert say(sentence, "fr") == f"Introuvable{NBSP}: commande 7A."


def test_a_sentence_with_braces_in_a_fact_is_said_as_it_is() -> None:
    sentence = Sentence("There is no deal {key}.", key="{key.__class__}")

    assert say(sentence, "en") == "There is no deal {key.__class__}."
