"""Headers: what a column's name says, however it is spelled.

A name is compared without case, accents and punctuation. It may also carry a currency
("Prix €", "Price (EUR)") and say whether tax is in the price ("Prix TTC").
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from offers.feed.rows import Tax
from offers.money import is_currency

LONGEST_NAME = 200

SYMBOLS = {
    "€": ("eur",),
    "£": ("gbp",),
    "$": ("usd", "cad", "aud", "nzd", "sgd", "hkd", "mxn", "ars", "clp", "cop"),
    "us$": ("usd",),
    "c$": ("cad",),
    "ca$": ("cad",),
    "a$": ("aud",),
    "r$": ("brl",),
    "¥": ("jpy", "cny"),
    "₺": ("try",),
    "tl": ("try",),
    "₹": ("inr",),
    "₽": ("rub",),
    "₴": ("uah",),
    "zł": ("pln",),
    "kč": ("czk",),
    "ft": ("huf",),
    "lei": ("ron",),
    "лв": ("bgn",),
    "kr": ("sek", "nok", "dkk", "isk"),
    "fr": ("chf",),
    "fr.": ("chf",),
    "sfr": ("chf",),
    "dt": ("tnd",),
    "dh": ("mad", "aed"),
    "dhs": ("mad", "aed"),
    "euro": ("eur",),
    "euros": ("eur",),
}

_EXCLUDED = (
    "tax excluded",
    "tax excl",
    "excluding tax",
    "excl tax",
    "ex tax",
    "without tax",
    "excluding vat",
    "excl vat",
    "ex vat",
    "hors taxes",
    "hors taxe",
    "ht",
    "netto",
    "net",
    "ohne mwst",
    "zzgl mwst",
)
_INCLUDED = (
    "tax included",
    "tax incl",
    "including tax",
    "incl tax",
    "inc tax",
    "with tax",
    "including vat",
    "incl vat",
    "inc vat",
    "ttc",
    "brutto",
    "gross",
    "inkl mwst",
    "mit mwst",
)
# Codes that are no words: "price_gross_eur" says a currency, "price_gross_all" none.
_SMALL_CODES = frozenset(
    {"eur", "usd", "gbp", "chf", "dkk", "sek", "nok", "pln", "czk", "huf", "ron"}
    | {"bgn", "cad", "aud", "nzd", "jpy", "tnd", "mad", "brl", "inr", "zar", "mxn"}
)
_SAID = re.compile(r"\bcurrency\s*=\s*([a-z]{3})\b", re.IGNORECASE)
_PARENTHESES = re.compile(r"[(\[][^()\[\]]*[)\]]")
_NUMBER = re.compile(r"\b[0-9]{1,2}\b|(?<=[a-z])[0-9]{1,2}\b")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Header:
    """One column's name, taken apart."""

    text: str
    name: str
    currency: str | None
    tax: Tax


def normalise(text: str) -> str:
    """Return *text* in lower case without accents, its words joined by one space."""
    return _normalise(text[:LONGEST_NAME])


@lru_cache(maxsize=4096)
def _normalise(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(_WORD.findall(letters))


def read_header(text: str) -> Header:
    return _read_header(text) if len(text) <= LONGEST_NAME else _take_apart(text)


def _take_apart(text: str) -> Header:
    name = normalise(text)
    said = text[:LONGEST_NAME]
    return Header(text, name, _currency_in(said) or _last_code(name), _tax_in(name))


_read_header = lru_cache(maxsize=4096)(_take_apart)


def currency_said(columns: Iterable[str]) -> str:
    """Return the currency of ``*Action(SiteID=US|Currency=USD|…)``, or nothing."""
    for column in columns:
        found = _SAID.search(column)
        if found and is_currency(found[1].lower()):
            return found[1].lower()
    return ""


def rest_of(text: str, beginning: str) -> str:
    """Return what comes in *text*, as it is spelled, after the words *beginning*."""
    end = 0
    for found, _ in zip(_WORD.finditer(text), beginning.split(), strict=False):
        end = found.end()
    return text[end:].strip(" \t:;-_/()[]*\"'\ufeff")


@lru_cache(maxsize=4096)
def _spellings(text: str) -> tuple[str, ...]:
    header = read_header(text)
    bare = normalise(_PARENTHESES.sub(" ", text))
    moneyless = _without_currency(bare, header) or _without_currency(
        header.name, header
    )
    return header.name, bare, moneyless or bare, _without_tax(moneyless or bare)


def spellings(header: Header) -> tuple[str, ...]:
    """Return the names under which *header* may be known, the fullest first."""
    return _spellings(header.text[:LONGEST_NAME])


def numbered(name: str) -> tuple[str, int | None]:
    """Return ``option {n} name`` and 2 for ``option2 name`` or ``option 2 name``."""
    found = _NUMBER.search(name)
    if found is None:
        return name, None
    before, after = name[: found.start()].strip(), name[found.end() :].strip()
    return " ".join(part for part in (before, "{n}", after) if part), int(found[0])


def _currency_in(text: str) -> str | None:
    for symbol in ("€", "£", "₺", "₹", "zł", "Kč"):
        if symbol in text:
            return SYMBOLS[symbol.lower()][0]
    codes = re.findall(r"(?<![=\w])[A-Z]{3}\b", text)
    found = [code.lower() for code in codes if is_currency(code.lower())]
    return found[-1] if found else None


def _last_code(name: str) -> str | None:
    last = name.rpartition(" ")[2]
    return last if last in _SMALL_CODES else None


def _without_currency(name: str, header: Header) -> str:
    """Return *name* without its currency, or nothing if it has none."""
    if header.currency is None:
        return ""
    words = [word for word in name.split() if word not in (header.currency, "zł")]
    return " ".join(words)


def _tax_in(name: str) -> Tax:
    padded = f" {name} "
    excluded = any(f" {words} " in padded for words in _EXCLUDED)
    included = any(f" {words} " in padded for words in _INCLUDED)
    if excluded == included:
        return "unknown"
    return "excluded" if excluded else "included"


def _without_tax(name: str) -> str:
    padded = f" {name} "
    for words in (*_EXCLUDED, *_INCLUDED):
        padded = padded.replace(f" {words} ", " ")
    return padded.strip()
