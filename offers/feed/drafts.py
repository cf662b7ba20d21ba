"""Drafts: a row whose cells are known by field, and the finding of all its errors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from offers.feed.errors import BadCell
from offers.feed.layout import Layout
from offers.feed.rows import RowError
from offers.sentences import Sentence

T = TypeVar("T")

SHOWN = 200


@dataclass(slots=True)
class Draft:
    """A row of which it is known what product it is about, but no more.

    ``stocks`` are its units by place where other rows of the same sku tell them.
    """

    line: int
    cells: list[str]
    values: dict[str, str]
    sku: str
    stocks: tuple[tuple[str, int], ...] | None = None


@dataclass(slots=True)
class DraftReader:
    """Reads one draft, and goes on after an error, to find them all."""

    draft: Draft
    layout: Layout
    errors: list[RowError] = field(default_factory=list)

    def text(self, field: str) -> str:
        return self.draft.values.get(field, "")

    def read(self, field: str, parse: Callable[[str], T]) -> T | None:
        text = self.draft.values.get(field, "")
        if not text:
            return None
        try:
            return parse(text)
        except BadCell as bad:
            self.add(field, bad)
            return None

    def refuse(self, field: str, message: Sentence, remedy: Sentence) -> None:
        self.add(field, BadCell(message, remedy))

    def add(self, field: str, bad: BadCell) -> None:
        self.errors.append(error_of(self.draft, self.layout, field, bad))


def row_error(line: int, cells: list[str], bad: BadCell) -> RowError:
    """Return the error of a row that is at fault as a whole."""
    return RowError(line, "", "", bad.message, bad.remedy, tuple(cells))


def error_of(draft: Draft, layout: Layout, field: str, bad: BadCell) -> RowError:
    """Return the error of one cell, with a row that can be mended by itself."""
    return error_in(draft, layout, layout.index.get(field), bad)


def error_in(draft: Draft, layout: Layout, at: int | None, bad: BadCell) -> RowError:
    """Return the error of the cell in column *at*, or of the row as a whole."""
    cells = draft.cells + [""] * (len(layout.columns) - len(draft.cells))
    for inherited in layout.dialect.inherited:
        columns = layout.several.get(inherited, ())
        i = layout.index.get(inherited, columns[0] if columns else None)
        if i is not None:
            cells[i] = cells[i] or draft.values[inherited].replace("\n", ", ")
    return RowError(
        line=draft.line,
        column="" if at is None else layout.columns[at],
        value="" if at is None else cells[at][:SHOWN],
        message=bad.message,
        remedy=bad.remedy,
        cells=tuple(cells),
        sku=draft.sku,
    )
