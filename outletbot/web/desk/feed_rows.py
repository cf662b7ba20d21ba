"""Bad rows as a table to be mended on the page, some rows at a time.

Of a row as many cells are shown as are needed to know it and to put it right. A row
that has not as many cells as the header is shown as it stands in the file.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from aiohttp import web
from sqlmodel import Session

from offers.bad_rows import BadRow, bad_lines, count_bad_rows, wrong_cells
from offers.errors import InvalidField
from offers.imports import FeedImport
from offers.scope import get_own
from offers.sentences import Sentence, load_sentence
from outletbot.importing.mending import (
    Edit,
    Outcome,
    can_mend,
    mend_rows,
    version_of,
)
from outletbot.keys import CLOCK, DATABASE, HINTS, MERCHANT, RETAILER
from outletbot.web.desk.feed_view import Column, columns_of
from outletbot.web.forms import Form
from outletbot.web.rendering import page

SHOWN_ROWS = 20
LONGEST_CELL = 64 * 1024
TELLING = (
    "sku",
    "id",
    "title",
    "price",
    "sale_price",
    "regular_price",
    "quantity",
)
"""The fields by which a person knows a row, and puts most of them right."""

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Wrong:
    message: Sentence
    remedy: Sentence


@dataclass(frozen=True, slots=True)
class Cell:
    number: int
    value: str
    wrong: Sequence[Wrong]
    lines: int


@dataclass(frozen=True, slots=True)
class Row:
    """*cells* are those of the columns that are shown; *text* the row as it stands."""

    line: int
    cells: Sequence[Cell]
    text: str
    wrong: Sequence[Wrong]


@dataclass(frozen=True, slots=True)
class RowsView:
    entry: FeedImport
    mendable: bool
    columns: Sequence[Column]
    rows: Sequence[Row]
    page: int
    pages: int
    bad: int


@routes.get("/feeds/{import_id}/rows")
async def show_rows(request: web.Request) -> web.Response:
    number = _number(request.query.get("page", "1"))
    import_id, retailer = request.match_info["import_id"], request[RETAILER]
    view = await request.app[DATABASE].read(rows_view, retailer.id, import_id, number)
    names = ("good", "left_out", "bad", "stale")
    said = {name: _number(request.query.get(name, "0")) for name in names}
    return page(request, "desk/feed_rows.html", view=view, done=Outcome(**said))


@routes.post("/feeds/{import_id}/rows")
async def check_rows(request: web.Request) -> web.Response:
    """Read the rows again as they are now."""
    import_id, retailer = request.match_info["import_id"], request[RETAILER]
    form = await request.post()
    outcome = await request.app[DATABASE].transact(
        _mend,
        retailer.id,
        import_id,
        form,
        by=request[MERCHANT].id,
        now=request.app[CLOCK](),
    )
    request.app[HINTS].tell("imports")
    said = "&".join(
        f"{name}={getattr(outcome, name)}"
        for name in ("good", "left_out", "bad", "stale")
    )
    shown = _number(str(form.get("page", "1")))
    address = f"/feeds/{import_id}/rows?page={shown}&{said}"
    raise web.HTTPSeeOther(address)


def rows_view(
    session: Session, retailer_id: str, import_id: str, number: int
) -> RowsView:
    """Return a page of the bad rows of an import.

    Raises:
        Missing: If it is not this retailer's.
    """
    entry = get_own(session, FeedImport, retailer_id, import_id)
    bad = count_bad_rows(session, retailer_id, import_id).rows
    pages = max(1, -(-bad // SHOWN_ROWS))
    number = min(max(number, 1), pages)
    offset = (number - 1) * SHOWN_ROWS
    found = bad_lines(session, retailer_id, import_id, limit=SHOWN_ROWS, offset=offset)
    columns = _shown(columns_of(json.loads(entry.facts)), found)
    delimiter = json.loads(entry.facts).get("delimiter", ",")
    return RowsView(
        entry=entry,
        mendable=can_mend(entry),
        columns=columns,
        rows=[
            _row(list(cells), columns, entry, delimiter)
            for _, cells in groupby(found, key=lambda cell: cell.line)
        ],
        page=number,
        pages=pages,
        bad=bad,
    )


def _shown(columns: Sequence[Column], wrong: Sequence[BadRow]) -> list[Column]:
    """Return the columns by which a row is known, and those with something wrong."""
    names = {cell.column for cell in wrong if cell.column}
    return [c for c in columns if c.field in TELLING or c.column in names]


def _row(
    wrong: Sequence[BadRow],
    columns: Sequence[Column],
    entry: FeedImport,
    delimiter: str,
) -> Row:
    first = wrong[0]
    cells = json.loads(first.cells)
    wide = len(json.loads(entry.facts).get("columns", ()))
    return Row(
        line=first.line,
        cells=[_cell(column, cells, wrong) for column in columns],
        text=_as_text(cells, delimiter) if len(cells) != wide else "",
        wrong=[_wrong(cell) for cell in wrong if not cell.column],
    )


def _cell(column: Column, cells: Sequence[str], wrong: Sequence[BadRow]) -> Cell:
    i = column.number
    value = cells[i] if i < len(cells) else ""
    mine = [_wrong(cell) for cell in wrong if cell.column == column.column]
    return Cell(i, value, mine, min(6, len(value.splitlines())))


def _wrong(cell: BadRow) -> Wrong:
    return Wrong(load_sentence(cell.message), load_sentence(cell.remedy))


def _as_text(cells: Sequence[str], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(cells)
    return text.getvalue()


def _mend(
    session: Session,
    retailer_id: str,
    import_id: str,
    form: Form,
    *,
    by: str,
    now: datetime,
) -> Outcome:
    entry = get_own(session, FeedImport, retailer_id, import_id)
    lines = [
        _number(name.removeprefix("row-")) for name in form if name.startswith("row-")
    ][: 2 * SHOWN_ROWS]
    found = wrong_cells(session, retailer_id, import_id, lines)
    kept = {cell.line: cell.cells for cell in found}
    delimiter = json.loads(entry.facts).get("delimiter", ",")
    edits = [_edit(form, line, kept.get(line), delimiter) for line in lines]
    return mend_rows(session, retailer_id, import_id, edits, by=by, now=now)


def _edit(form: Form, line: int, kept: str | None, delimiter: str) -> Edit:
    """Return what *form* makes of the row that is *kept* now.

    Only what this person changed is taken, since somebody else may have changed other
    cells meanwhile. Where both changed the same one it is of no version at all.
    """
    if kept is None:
        return Edit(line, "", ())
    cells: list[str] = json.loads(kept)
    change = _Change(form, line)
    if f"text-{line}" in form:
        text = change.of("text", _as_text(cells, delimiter))
        cells = _as_cells(text, delimiter)
    cells = [change.of(str(i), cell) for i, cell in enumerate(cells)]
    version = "" if change.clashes else version_of(kept)
    return Edit(line, version, cells, left_out=f"out-{line}" in form)


class _Change:
    """What a person made of the cells of one row, beside what they saw."""

    def __init__(self, form: Form, line: int) -> None:
        self._form, self._line = form, line
        self.clashes = False

    def of(self, name: str, kept: str) -> str:
        """Return what a cell that is *kept* is to be."""
        field = f"text-{self._line}" if name == "text" else f"cell-{self._line}-{name}"
        value = self._form.get(field)
        seen = self._form.get(f"was-{field}", kept)
        if not isinstance(value, str) or not isinstance(seen, str):
            return kept
        if _alike(value, seen) or _alike(value, kept):
            return kept
        self.clashes = self.clashes or not _alike(seen, kept)
        return self._checked(value.replace("\0", ""))

    def _checked(self, value: str) -> str:
        if len(value) > LONGEST_CELL:
            problem = Sentence("Line {line} has a cell too long.", line=self._line)
            raise InvalidField("rows", problem)
        return value


def _as_cells(text: str, delimiter: str) -> list[str]:
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    return rows[0] if rows else []


def _alike(one: str, other: str) -> bool:
    """Whether two texts differ in a browser's line breaks at most."""
    return one == other or one.splitlines() == other.splitlines()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
