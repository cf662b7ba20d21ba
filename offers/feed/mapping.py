"""Mapping: which column of a file is which field, and why.

An exact name is trusted: the dialect's own first, then the names retailers use. A
name that is only similar is proposed to a person, and for a price or a quantity not
even that.
"""

from collections.abc import Iterator, Mapping, Sequence

from rapidfuzz import fuzz, process

from offers.feed.aliases import DENIED, ERROR_COLUMN, GENERIC, ORDER_WORDS
from offers.feed.errors import NotAFeed
from offers.feed.fields import (
    FIELDS,
    GUARDED_FIELDS,
    IDENTITY_FIELDS,
    MONEY_FIELDS,
    OPTION_SLOTS,
    PRICE_FIELDS,
)
from offers.feed.headers import Header, normalise, numbered, read_header, spellings
from offers.feed.rows import ColumnMapping
from offers.feed.shops.kinds import Dialect
from offers.sentences import Sentence

SIMILAR = 85
ENOUGH_ORDER_WORDS = 3

_CHOSEN = Sentence("You chose this.")
_IGNORED = Sentence("You chose not to read this column.")
_NAMELESS = Sentence("The column has no name.")
_OURS = Sentence("The column of errors that outletbot added; it is not read.")
_UNKNOWN = Sentence("Not needed for an offer.")
_GUARDED = Sentence("This may be a price or a quantity. Choose it by hand if it is.")


def known_names(cells: Sequence[str]) -> int:
    """Return how many of *cells* are names of columns that somebody is known to use."""
    headers = [read_header(cell) for cell in cells if len(cell) < 100]
    return sum(any(name in GENERIC for name in spellings(header)) for header in headers)


def names_of(columns: Sequence[str]) -> frozenset[str]:
    """Return the normalised names of *columns*, with and without brackets."""
    return frozenset(
        name
        for column in columns
        for name in list(spellings(read_header(column)))[:2]
        if name
    )


def map_columns(
    columns: Sequence[str], dialect: Dialect, chosen: Mapping[str, str]
) -> list[ColumnMapping]:
    """Say what each of *columns* is taken for; no field is given twice.

    *chosen* is what a person decided: the field of a column, or nothing to ignore it.

    Raises:
        ValueError: If *chosen* names a field that does not exist.
    """
    unknown = set(chosen.values()) - {*FIELDS, ""}
    if unknown:
        msg = f"no such fields: {sorted(unknown)}"
        raise ValueError(msg)
    headers = [read_header(column) for column in columns]
    guesses = [_guess(header, dialect, chosen) for header in headers]
    order = sorted(
        range(len(guesses)), key=lambda i: (_rank(headers[i], guesses[i]), i)
    )
    taken: dict[str, str] = {}
    seen: set[str] = set()
    for i in order:
        guesses[i] = _settle(guesses[i], taken, seen)
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
        _by_dialect(header, dialect) or _by_name(header) or _refuse_or_propose(header)
    )


def _by_dialect(header: Header, dialect: Dialect) -> ColumnMapping | None:
    for name, field in _found(header, dialect.aliases):
        reason = Sentence("{shop} calls it “{name}”.", shop=dialect.name, name=name)
        return ColumnMapping(header.text, field, 1.0, reason)
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
        if number is not None and template in aliases and number <= OPTION_SLOTS:
            yield name, aliases[template].replace("{n}", str(number))


def _is_money_word(header: Header, name: str, field: str) -> bool:
    """Whether *name* only came about by taking money words from something else."""
    bare = list(spellings(header))[1]
    return field not in MONEY_FIELDS and name != bare


def _refuse_or_propose(header: Header) -> ColumnMapping:
    for words, reason in DENIED:
        if words.search(header.name):
            return ColumnMapping(header.text, None, 1.0, reason)
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


def _rank(header: Header, guess: ColumnMapping) -> tuple[int, float]:
    """Who comes first where several columns want one field: the lowest.

    A person's choice, then a price with its tax, because that is what shoppers pay.
    """
    chosen = 0 if guess.reason == _CHOSEN else 1
    taxed = 1 if header.tax == "excluded" and guess.field in MONEY_FIELDS else 0
    if guess.field == "cost":
        taxed = 0
    return chosen + taxed, -guess.confidence


def _settle(
    guess: ColumnMapping, taken: dict[str, str], seen: set[str]
) -> ColumnMapping:
    """Give the field to the first column that wants it."""
    repeated = guess.column in seen
    seen.add(guess.column)
    if guess.field is None or guess.field == "option":
        return guess
    if guess.field not in taken:
        taken[guess.field] = guess.column
        return guess
    reason = Sentence("“{first}” already says it.", first=taken[guess.field])
    if repeated:
        reason = Sentence("Another column has the same name; only the first is read.")
    return ColumnMapping(guess.column, None, 0.0, reason)


def repeated_names(columns: Sequence[str]) -> list[str]:
    names = [column for column in columns if normalise(column)]
    return sorted({name for name in names if names.count(name) > 1})


def refuse_useless(mappings: Sequence[ColumnMapping]) -> None:
    """Refuse a file from which no offer can be read.

    Raises:
        NotAFeed: If there is no price, no title or nothing to know a product by.
    """
    fields = {mapping.field for mapping in mappings if mapping.field}
    missing = [
        name
        for name, wanted in (
            ("sku", IDENTITY_FIELDS),
            ("title", ("title",)),
            ("price", PRICE_FIELDS),
        )
        if fields.isdisjoint(wanted)
    ]
    if not missing:
        return
    if "price" in missing:
        _refuse_orders(mappings)
    found = ", ".join(mapping.column[:40] for mapping in mappings[:12])
    raise NotAFeed(
        Sentence(
            "These columns are missing: {missing}. The file has: {found}. "
            "A feed needs a header line with at least sku, title and price.",
            missing=", ".join(missing),
            found=found + (", …" if len(mappings) > 12 else ""),
        )
    )


def _refuse_orders(mappings: Sequence[ColumnMapping]) -> None:
    said = [m.column for m in mappings if normalise(m.column) in ORDER_WORDS]
    if len(said) < ENOUGH_ORDER_WORDS:
        return
    raise NotAFeed(
        Sentence(
            "This looks like a report of past orders, not a stock list: it has the "
            "columns {columns}, and no price column. Export your products instead.",
            columns=", ".join(said),
        )
    )
