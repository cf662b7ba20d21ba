"""
A reader gets the best of our languages, written as in their country.
"""

import pytest

from outletbot.languages import choose_language, locale_of, translations


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
