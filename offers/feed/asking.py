"""Asking: which questions a file leaves open."""

from collections.abc import Iterator

from offers.feed.aliases import QUANTITY_WORDS
from offers.feed.cells import read_sources
from offers.feed.contents import column
from offers.feed.days import DAY_FIRST, MONTH_FIRST, is_two_days
from offers.feed.fields import PRICE_FIELDS, STOCK_FIELDS
from offers.feed.layout import Layout
from offers.feed.mapping import rivals
from offers.feed.marks import is_ambiguous
from offers.feed.questions import Choice, Question
from offers.sentences import Sentence

_INCLUDED = Choice("included", Sentence("With tax, as shoppers pay"))
_EXCLUDED = Choice("excluded", Sentence("Without tax"))


def questions_on(layout: Layout, found: tuple[str, ...]) -> tuple[Question, ...]:
    """Return what only a person can say; *found* are places named in the rows."""
    if layout.unmapped:
        return (_on_mapping(),)
    priced = bool(layout.taxes)
    return (
        *(_on_money(layout) if priced else ()),
        *_on_places(layout, found),
        *_on_units(layout),
        *_on_marks(layout),
        *_on_days(layout),
    )


def _on_mapping() -> Question:
    return Question(
        kind="mapping",
        key="mapping",
        sentence=Sentence(
            "Which column is what? A feed needs at least a sku, a title and a price."
        ),
        needed=True,
    )


def _on_money(layout: Layout) -> Iterator[Question]:
    if not layout.currency_said:
        yield Question(
            kind="currency",
            key="currency",
            sentence=Sentence("In which currency are the prices?"),
            answered=layout.answers.currency is not None,
            answer=layout.currency,
        )
    if layout.tax == "unknown" or layout.answers.tax:
        yield Question(
            kind="tax",
            key="tax",
            sentence=Sentence("Are the prices with tax or without?"),
            choices=(_INCLUDED, _EXCLUDED),
            answered=layout.answers.tax is not None,
            answer=layout.answers.tax or "",
        )
    if layout.tax == "excluded" and "tax_rate" not in layout.index:
        rate = layout.answers.tax_rate
        yield Question(
            kind="tax_rate",
            key="tax_rate",
            sentence=Sentence("How many percent of tax come on top of the prices?"),
            needed=True,
            answered=rate is not None,
            answer="" if rate is None else f"{rate:f}",
        )
    yield from _on_clearance(layout)


def _on_clearance(layout: Layout) -> Iterator[Question]:
    answer = layout.answers.clearance
    others = rivals(layout.mappings, layout.dialect)
    if not others and answer is None:
        return
    read = [layout.column(f) for f in PRICE_FIELDS if f in layout.index]
    columns = dict.fromkeys([*read, *others])
    yield Question(
        kind="clearance",
        key="clearance",
        sentence=Sentence("Which column has the price that is charged now?"),
        choices=tuple(Choice(c, Sentence("{column}", column=c)) for c in columns),
        needed=True,
        answered=answer is not None,
        answer=answer or (read[0] if read else ""),
    )


def _on_places(layout: Layout, found: tuple[str, ...]) -> Iterator[Question]:
    names = tuple(dict.fromkeys(name for name, _ in layout.places)) or found
    names = names or _in_one_column(layout)
    if len(names) < 2:
        return
    wanted = layout.answers.places
    yield Question(
        kind="places",
        key="places",
        sentence=Sentence("Which places count? Only their units can be sold."),
        choices=tuple(Choice(n, Sentence("{place}", place=n)) for n in names),
        several=True,
        answered=wanted is not None,
        answer="\n".join(names if wanted is None else wanted),
    )


def _in_one_column(layout: Layout) -> tuple[str, ...]:
    """Return the places of "default=100,paris=5", as far as is seen."""
    if "sources" not in layout.index:
        return ()
    cells = column(layout.sample, layout.index["sources"])
    named = (name for cell in cells for name, _ in read_sources(cell))
    return tuple(dict.fromkeys(name for name in named if name))


def _on_units(layout: Layout) -> Iterator[Question]:
    units = layout.answers.units
    if units is None and _counts(layout):
        return
    yield Question(
        kind="units",
        key="units",
        sentence=Sentence(
            "How many units are there of what the file does not count? Left empty, "
            "nothing of it can be sold before somebody says."
        ),
        answered=units is not None,
        answer="" if units is None else str(units),
    )


def _counts(layout: Layout) -> bool:
    """Whether the file has numbers of units, and not only words, as far as is seen."""
    columns = [layout.index[f] for f in STOCK_FIELDS if f in layout.index]
    columns += [i for _, i in layout.places]
    cells = (cell.lower() for i in columns for cell in column(layout.sample, i) if cell)
    unknown = {
        word
        for words in (QUANTITY_WORDS, layout.dialect.quantity_words)
        for word, units in words.items()
        if units is None
    }
    return any(cell not in unknown for cell in cells)


def _on_marks(layout: Layout) -> Iterator[Question]:
    for field, mark in layout.marks.items():
        name = layout.column(field)
        if mark and name not in layout.answers.marks:
            continue
        cells = column(layout.sample, layout.index[field])
        example = next((cell for cell in cells if is_ambiguous(cell)), None)
        if example is None:
            continue
        yield Question(
            kind="mark",
            key=f"mark:{name}",
            sentence=Sentence(
                "What is {example} in “{column}”: thousands, or a number with three "
                "decimals?",
                example=example[:20],
                column=name,
            ),
            choices=_marks(example),
            needed=True,
            answered=bool(mark),
            answer=mark,
        )


def _on_days(layout: Layout) -> Iterator[Question]:
    for field, order in layout.day_orders.items():
        name = layout.column(field)
        if order and name not in layout.answers.days:
            continue
        cells = column(layout.sample, layout.index[field])
        example = next((cell for cell in cells if is_two_days(cell)), None)
        if example is None:
            continue
        yield Question(
            kind="days",
            key=f"days:{name}",
            sentence=Sentence(
                "What comes first in “{column}”, such as {example}?",
                column=name,
                example=example[:20],
            ),
            choices=(
                Choice(DAY_FIRST, Sentence("The day")),
                Choice(MONTH_FIRST, Sentence("The month")),
            ),
            needed=True,
            answered=bool(order),
            answer=order,
        )


def _marks(example: str) -> tuple[Choice, Choice]:
    used = "," if "," in example else "."
    other = "." if used == "," else ","
    return (
        Choice(other, Sentence("Thousands")),
        Choice(used, Sentence("Three decimals")),
    )
