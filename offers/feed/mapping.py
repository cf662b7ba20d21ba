"""Mapping: which column of a file is which field, and why.

An exact name is trusted: the dialect's own first, then the names retailers use. A
name that is only similar is proposed to a person, and for a price or a quantity not
even that.
"""

from collections.abc import Iterator, Mapping, Sequence

from offers.feed.aliases import DENIED, ERROR_COLUMN, GENERIC
from offers.feed.dialects import NAMES
from offers.feed.fields import (
    FIELDS,
    GUARDED_FIELDS,
    MONEY_FIELDS,
    MULTIPLE,
    OPTION_SLOTS,
)
from offers.feed.headers import Header, normalise, numbered, read_header, spellings
from offers.feed.rows import ColumnMapping
from offers.feed.shops.kinds import Dialect
from offers.sentences import Sentence

SIMILAR = 85
LONGEST_WORDS = 80

_CHOSEN = Sentence("You chose this.")
_IGNORED = Sentence("You chose not to read this column.")
_NAMELESS = Sentence("The column has no name.")
_OURS = Sentence("The column of errors that outletbot added; it is not read.")
_UNKNOWN = Sentence("Not needed for an offer.")
_GUARDED = Sentence("This may be a price or a quantity. Choose it by hand if it is.")
_TELLS_ROWS = Sentence("It says which rows are no offers.")
_REPEATED = Sentence("Another column has the same name; only the first is read.")


def known_names(cells: Sequence[str]) -> int:
    """Return how many of *cells* are names of columns that somebody is known to use."""
    headers = [read_header(cell) for cell in cells if len(cell) < 100]
    return sum(
        any(name in GENERIC or name in NAMES for name in spellings(header))
        for header in headers
    )


def names_of(columns: Sequence[str]) -> frozenset[str]:
    """Return the normalised names of *columns*, with and without brackets."""
    return frozenset(
        name
        for column in columns
        if len(column) < 100
        for name in spellings(read_header(column))[:2]
        if name
    )


def map_columns(
    columns: Sequence[str],
    dialect: Dialect,
    chosen: Mapping[str, str],
    currency: str = "",
    blank: frozenset[int] = frozenset(),
) -> list[ColumnMapping]:
    """Say what each of *columns* is taken for; no field is given twice.

    *chosen* is what a person decided: the field of a column, or nothing to ignore it.
    Of several prices, that in *currency* is read, but none from the columns *blank*.

    Raises:
        ValueError: If *chosen* names a field that does not exist.
    """
    unknown = set(chosen.values()) - {*FIELDS, ""}
    if unknown:
        msg = f"no such fields: {sorted(unknown)}"
        raise ValueError(msg)
    headers = [read_header(column) for column in columns]
    guesses = [_guess(header, dialect, chosen) for header in headers]
    _find_places(headers, guesses, dialect)
    firsts = {name: i for i, name in enumerate(dialect.aliases)}
    order = sorted(
        range(len(guesses)),
        key=lambda i: (
            i in blank and guesses[i].field in MONEY_FIELDS,
            _rank(headers[i], guesses[i], currency),
            firsts.get(headers[i].name, len(firsts)),
            i,
        ),
    )
    taken: dict[str, Header] = {}
    seen: set[str] = set()
    for i in order:
        guesses[i] = _settle(headers[i], guesses[i], taken, seen)
    return guesses


def _guess(
    header: Header, dialect: Dialect, chosen: Mapping[str, str]
) -> ColumnMapping:
    if header.text in chosen:
        field = chosen[header.text] or None
        return ColumnMapping(header.text, field, 1.0, _CHOSEN if field else _IGNORED)
    if not header.name:
        return ColumnMapping(header.text, None, 1.0, _NAMELESS)
    if header.name == ERROR_COLUMN:
        return ColumnMapping(header.text, None, 1.0, _OURS)
    return (
        _by_dialect(header, dialect)
        or _refused_by(header, dialect)
        or _by_name(header)
        or _refuse_or_propose(header)
    )


def _by_dialect(header: Header, dialect: Dialect) -> ColumnMapping | None:
    at_places = _by_start(header, dialect, dict.fromkeys(dialect.places, "at_place"))
    if at_places is not None:
        return at_places
    for name, field in _found(header, dialect.aliases):
        reason = Sentence("{shop} calls it “{name}”.", shop=dialect.name, name=name)
        return ColumnMapping(header.text, field, 1.0, reason)
    return _by_start(header, dialect, dialect.starts)


def _by_start(
    header: Header, dialect: Dialect, starts: Mapping[str, str]
) -> ColumnMapping | None:
    for beginning, field in starts.items():
        if header.name.startswith(f"{beginning} "):
            reason = Sentence(
                "In {shop} its name begins with “{name}”.",
                shop=dialect.name,
                name=beginning,
            )
            return ColumnMapping(header.text, field, 1.0, reason)
    return None


def _find_places(
    headers: Sequence[Header], guesses: list[ColumnMapping], dialect: Dialect
) -> None:
    """Take unknown columns for places, where a shop has them behind all others."""
    names = [header.name for header in headers]
    if not dialect.places_after or dialect.places_after not in names:
        return
    for i in range(names.index(dialect.places_after) + 1, len(names)):
        if guesses[i].field is None and guesses[i].confidence < 1:
            reason = Sentence("{shop} has its places here.", shop=dialect.name)
            guesses[i] = ColumnMapping(headers[i].text, "at_place", 1.0, reason)


def _refused_by(header: Header, dialect: Dialect) -> ColumnMapping | None:
    if header.name in dialect.skipped_where:
        return ColumnMapping(header.text, None, 1.0, _TELLS_ROWS)
    for beginning, reason in dialect.refused.items():
        if f"{header.name} ".startswith(f"{beginning} "):
            return ColumnMapping(header.text, None, 1.0, reason)
    return None


def _by_name(header: Header) -> ColumnMapping | None:
    for name, field in _found(header, GENERIC):
        # A name that had to lose its currency or tax words is still exact only if
        # what is left is a price: "Taille EUR" is no currency.
        if name != header.name and _is_money_word(header, name, field):
            continue
        reason = Sentence("“{name}” is a usual name for it.", name=name)
        return ColumnMapping(header.text, field, 0.95, reason)
    return None


def _found(header: Header, aliases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in spellings(header):
        if name in aliases:
            yield name, aliases[name]
        template, number = numbered(name)
        if number is not None and template in aliases:
            field = aliases[template]
            if "{n}" not in field or number <= OPTION_SLOTS:
                yield name, field.replace("{n}", str(number))


def _is_money_word(header: Header, name: str, field: str) -> bool:
    """Whether *name* only came about by taking money words from something else."""
    bare = spellings(header)[1]
    return field not in MONEY_FIELDS and name != bare


def _refuse_or_propose(header: Header) -> ColumnMapping:
    if len(header.name) > LONGEST_WORDS:
        return ColumnMapping(header.text, None, 0.0, _UNKNOWN)
    for words, reason in DENIED:
        if words.search(header.name):
            return ColumnMapping(header.text, None, 1.0, reason)
    # Most files never need it, and it is as large as a feed.
    from rapidfuzz import fuzz, process  # noqa: PLC0415

    similar = process.extractOne(
        header.name, GENERIC.keys(), scorer=fuzz.ratio, score_cutoff=SIMILAR
    )
    if similar is None or len(header.name) < 4:
        return ColumnMapping(header.text, None, 0.0, _UNKNOWN)
    name, score, _ = similar
    field = GENERIC[name]
    if field in GUARDED_FIELDS:
        return ColumnMapping(header.text, None, score / 100, _GUARDED)
    reason = Sentence("It is spelled like “{name}”. Is it that?", name=name)
    return ColumnMapping(header.text, None, score / 100, reason, proposed=field)


def _rank(
    header: Header, guess: ColumnMapping, currency: str
) -> tuple[bool, int, bool, float]:
    """Who comes first where several columns want one field: the lowest.

    A person's choice; then a price in the right currency, or in none that is named;
    then a price with its tax, because that is what shoppers pay.
    """
    money = guess.field in MONEY_FIELDS
    foreign = 0
    if money and currency and header.currency != currency:
        foreign = 1 if header.currency is None else 2
    untaxed = header.tax == "excluded" and money and guess.field != "cost"
    return guess.reason != _CHOSEN, foreign, untaxed, -guess.confidence


def _settle(
    header: Header, guess: ColumnMapping, taken: dict[str, Header], seen: set[str]
) -> ColumnMapping:
    """Give the field to the first column that wants it."""
    repeated = guess.column in seen
    seen.add(guess.column)
    if guess.field is None or (guess.field in MULTIPLE and not repeated):
        return guess
    if guess.field not in taken and guess.field not in MULTIPLE:
        taken[guess.field] = header
        return guess
    if repeated:
        return ColumnMapping(guess.column, None, 0.0, _REPEATED)
    first = taken[guess.field]
    if guess.field in MONEY_FIELDS and header.currency not in (None, first.currency):
        reason = Sentence("“{first}” says it in your currency.", first=first.text)
    else:
        reason = Sentence("“{first}” already says it.", first=first.text)
    return ColumnMapping(guess.column, None, 0.0, reason)


def rivals(mappings: Sequence[ColumnMapping], dialect: Dialect) -> list[str]:
    """Return the columns that may be the price as well as the one that is read as it.

    Those are "Prix 2" beside "Prix", and "Tarif" beside "Prix de vente": nobody can
    know which of them is charged. What a shop's own columns mean is known.
    """
    read = next((m.column for m in mappings if m.field == "price"), None)
    if read is None or dialect.signature:
        return []
    unread = (m for m in mappings if m.field is None and m.reason != _IGNORED)
    return [m.column for m in unread if _is_rival(read_header(m.column), read)]


def _is_rival(header: Header, read: str) -> bool:
    other = read_header(read)
    if header.name == other.name or header.currency not in (None, other.currency):
        return False
    template, number = numbered(header.name)
    first = "" if number is None else template.replace("{n}", "").strip()
    called = any(GENERIC.get(name) == "price" for name in (first, *spellings(header)))
    return called and header.tax == other.tax


def repeated_names(columns: Sequence[str]) -> list[str]:
    names = [column for column in columns if normalise(column)]
    return sorted({name for name in names if names.count(name) > 1})
