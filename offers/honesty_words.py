"""Words that a text of the retailer's own may not say, or not now.

"Soldes" is a word of the law in France: it may be used within two periods and never
outside them, in any of its forms. And a reduction is announced by outletbot alone,
which knows what it is reckoned from: a percentage, a crossed-out figure or a former
price that somebody typed would be one without evidence.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from sqlmodel import Session

from offers.errors import InvalidField
from offers.honesty_seasons import Season, seasons
from offers.retailers import Retailer
from offers.sentences import Sentence

# Solde, soldes, solder, soldé, soldée, soldées, soldent, soldant, soldeur, solderie …
_SOLDES = re.compile(
    r"(?<![a-z])sold(?:e|es|er|ee|ees|ent|ant|ons|ez|eur|eurs|euse|euses|erie|eries)"
    r"(?![a-z])"
    r"|[#@](?:soldes?\w*|\w*soldes)"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_STRUCK = re.compile("[\u0335-\u0338]")
_SHARE = r"\d{1,3}(?:[.,]\d+)?\s?(?:%|\u066a|per ?cent|pour ?cent|prozent)"
_PERCENT = re.compile(
    rf"(?<!\d)[-\u2010-\u2015\u2212]\s?{_SHARE}"
    rf"|{_SHARE}[\s-]?(?:off\b|less\b|discount|cheaper|reduction|moins cher"
    r"|de (?:reduction|remise|rabais|moins)|d['\u2019]economie|rabatt|reduziert"
    r"|gunstiger|billiger|nachlass|(?:de )?descuento|di sconto|korting)"
    r"|(?:save|reduced by|discount of|remise de|reduction de|rabais de|economisez"
    r"|minus|reduziert um|spare|sparen sie|sconto del|descuento del)\s"
    rf"{_SHARE}"
    r"|\bhalf[\s-]price|\bmoitie prix|\bhalben? preis"
)
_FORMER = re.compile(
    r"(?:\bwas|\binstead of|\bdown from|\bformerly|\bau lieu de|\bprix barre"
    r"|\bavant|\bancien prix|\bstatt|\bvorher|\bfruher)\s*:?\s*"
    r"(?:[€$£]\s?\d|\d[\d\s.,]*\s?(?:[€$£]|eur|usd|gbp))"
)


def says_soldes(text: str) -> bool:
    """Whether *text* says "soldes" or a form of it, however it is written."""
    return any(_SOLDES.search(_plain(one)) for one in (text, _CAMEL.sub("_", text)))


def says_reduction(text: str) -> bool:
    """Whether *text* says in its own words how much less something costs."""
    if _STRUCK.search(unicodedata.normalize("NFKD", text)):
        return True
    plain = _plain(text)
    return bool(_PERCENT.search(plain) or _FORMER.search(plain))


def check_words(
    session: Session,
    retailer: Retailer,
    texts: Iterable[tuple[str, str]],
    *,
    start: datetime,
    end: datetime,
) -> list[InvalidField]:
    """Return what may not be said from *start* to *end*, of *texts* by their fields."""
    problems = []
    for field, text in texts:
        problem = why_not_said(session, retailer, text, start=start, end=end)
        if problem is not None:
            problems.append(InvalidField(field, problem, text))
    return problems


def why_not_said(
    session: Session, retailer: Retailer, text: str, *, start: datetime, end: datetime
) -> Sentence | None:
    """Return why *text* may not be said from *start* to *end*, if it may not."""
    if says_reduction(text):
        return Sentence(
            "Leave out percentages off and former prices: outletbot adds what your"
            " price log proves."
        )
    return why_no_soldes(session, retailer, text, start=start, end=end)


def why_no_soldes(
    session: Session, retailer: Retailer, text: str, *, start: datetime, end: datetime
) -> Sentence | None:
    """Return why *text* may not say "soldes" from *start* to *end*, if it does."""
    if not says_soldes(text):
        return None
    around = start.astimezone(retailer.zone).date()
    found = seasons(session, retailer, around=around)
    return why_out_of_season(text, found, retailer.zone, start=start, end=end)


def why_out_of_season(
    text: str,
    found: Sequence[Season],
    zone: tzinfo,
    *,
    start: datetime,
    end: datetime,
) -> Sentence | None:
    """Return why *text* may not say "soldes", of a retailer that *found* are of."""
    if not found or not says_soldes(text):
        return None
    if any(one.opens_at(zone) <= start and end <= one.closes_at(zone) for one in found):
        return None
    following = _following(found, zone, start)
    return Sentence(
        "The law keeps the word “{word}” for two periods of the year. The next one"
        " is from {first}, 08:00, to {last}.",
        word="soldes",
        first=following.begins_on.isoformat(),
        last=following.ends_on.isoformat(),
    )


def _following(found: Sequence[Season], zone: tzinfo, start: datetime) -> Season:
    """Return the season that goes on at *start*, or the next one."""
    coming = [one for one in found if one.closes_at(zone) > start]
    return coming[0] if coming else found[-1]


def _plain(text: str) -> str:
    """Return *text* in small letters without accents and what cannot be seen."""
    seen = _UNSEEN.sub("", text)
    whole = unicodedata.normalize("NFKD", seen)
    bare = "".join(each for each in whole if not unicodedata.combining(each))
    return bare.casefold()
