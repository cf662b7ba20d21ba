"""
A reader gets the best of our languages, written as in their country.
"""

import re
from collections.abc import Iterator

import pytest
from babel.messages.pofile import read_po

from outletbot.languages import FOLDER, choose_language, locale_of, translations


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("en-US,en;q=0.9,fr;q=0.8", "en"),
        ("de, fr;q=0.7, en;q=0.3", "fr"),
        ("en;q=0.5, fr", "fr"),
        ("de", "en"),
        ("*", "en"),
        ("fr;q=0", "en"),
        ("fr;q=nonsense, en", "en"),
        (",;,;q=,=", "en"),
        ("é\udce9", "en"),
    ],
)
def test_choose_language(accepted: str, language: str) -> None:
    assert choose_language(accepted) == language


def test_choose_language_falls_back_on_the_default() -> None:
    assert choose_language("de", default="fr") == "fr"


@pytest.mark.parametrize(
    ("language", "country", "locale"),
    [
        ("en", "", "en_GB"),
        ("en", "US", "en_US"),
        ("en", "ie", "en_IE"),
        ("fr", "", "fr"),
        ("fr", "FR", "fr_FR"),
        ("fr", "IE", "fr"),
        ("en", "XX", "en"),
    ],
)
def test_locale_of(language: str, country: str, locale: str) -> None:
    assert str(locale_of(language, country)) == locale


def test_english_needs_no_catalog() -> None:
    assert translations("en").gettext("Sold out.") == "Sold out."


def french() -> Iterator[tuple[str, str]]:
    """Yield each message with its French; each plural form with the English plural."""
    with (FOLDER / "fr.po").open("rb") as text:
        for message in read_po(text, locale="fr"):
            if isinstance(message.string, tuple):
                yield from ((message.id[-1], said) for said in message.string)
            elif message.id:
                yield message.id, message.string


class TestFrench:
    def test_has_the_facts_and_the_marks_of_each_message(self) -> None:
        facts = re.compile(r"%\(\w+\)s|\{\w*\}|</?\w[^>]*>")

        wrong = [
            (message, said)
            for message, said in french()
            if sorted(facts.findall(message)) != sorted(facts.findall(said))
        ]

        assert wrong == []

    def test_is_set_as_french_is(self) -> None:
        """No line begins with a mark, and no apostrophe is straight."""
        slips = re.compile(r"\S [;:!?»%](?:[\s%]|$)|\w[!?](?:\s|$)|« |'|\.\.\.")

        assert [said for _, said in french() if slips.search(said)] == []

    def test_tells_one_from_many(self) -> None:
        say = translations("fr").ngettext
        said = [say("%(num)s channel", "%(num)s channels", n) for n in (0, 1, 2)]

        assert said == ["%(num)s canal", "%(num)s canal", "%(num)s canaux"]

    def test_never_says_what_the_law_keeps_for_some_weeks(self) -> None:
        """``Soldes`` have a season of their own (Code de commerce, L310-3)."""
        kept = re.compile(r"\bsolde", re.IGNORECASE)

        assert [said for _, said in french() if kept.search(said)] == []
