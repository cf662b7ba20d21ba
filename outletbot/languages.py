"""Languages: English as written in the code, and French from ``locale/fr.po``."""

import io
from functools import cache, lru_cache
from pathlib import Path

from babel.core import Locale, UnknownLocaleError, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = ("en", "fr")
FOLDER = Path(__file__).parent / "locale"


@lru_cache(maxsize=1024)
def choose_language(accepted: str, *, default: str = "en") -> str:
    """Return the best of our languages for an ``Accept-Language`` header."""
    wanted = [part.partition(";") for part in accepted.split(",") if part.strip()]
    ranked = sorted(wanted, key=lambda part: -_weight(part[2]))
    names = [
        name.strip().replace("-", "_")
        for name, _, weight in ranked
        if _weight(weight) > 0  # zero says: anything but this
    ]
    return negotiate_locale(names, LANGUAGES) or default


def _weight(parameter: str) -> float:
    try:
        return float(parameter.replace("q=", "").strip() or 1)
    except ValueError:
        return 0.0


@cache
def translations(language: str) -> NullTranslations:
    """Return the catalog of *language*; English needs none."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    binary = io.BytesIO()
    with path.open("rb") as text:
        write_mo(binary, read_po(text, locale=language))
    binary.seek(0)
    return Translations(binary)


def locale_of(language: str, country: str = "") -> Locale:
    """Return how *language* is written, in *country* if that is known."""
    if language == "en" and not country:
        country = "GB"  # day before month, and a 24 hour clock, as in Europe
    try:
        return Locale.parse(f"{language}_{country.upper()}" if country else language)
    except (ValueError, UnknownLocaleError):
        return Locale.parse(language)
