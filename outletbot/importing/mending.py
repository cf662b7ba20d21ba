"""Mending: bad rows that a person put right on the page, read again by themselves.

They are read by the same reader, in the way that was chosen for their file. What is
good now joins the import that waits to be confirmed, or is imported at once if the
rest of its file is. Somebody else may mend the same rows: who is second is told.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from sqlmodel import Session

from offers.bad_rows import (
    count_bad_rows,
    lines_of_skus,
    replace_bad_row,
    wrong_cells,
)
from offers.comparing import Tally, compare_rows
from offers.errors import WrongState
from offers.feed import Feed, FeedRow, Parent, RowError, Skipped
from offers.imports import FeedImport, ImportState, lock_import
from offers.mending import keep_mended_row, mended_rows
from offers.products import find_product
from offers.retailers import get_retailer
from offers.sentences import Sentence
from outletbot.importing.opening import open_head
from outletbot.importing.reading import taken_sku
from outletbot.importing.writing import bring_rows

Cells = Mapping[int, Sequence[str]]
MENDABLE = (ImportState.CHECKED, ImportState.IMPORTED)


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person made of one row; *version* says of which row they made it."""

    line: int
    version: str
    cells: Sequence[str]
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows are *good* now, *left_out*, *bad* still, or were *stale*."""

    good: int = 0
    left_out: int = 0
    bad: int = 0
    stale: int = 0


def version_of(cells: str) -> str:
    """Return what stands for a bad row as it is kept."""
    return hashlib.sha256(cells.encode()).hexdigest()[:16]


def can_mend(entry: FeedImport) -> bool:
    """Whether its bad rows can be read again by themselves.

    Rows that count one thing at several places cannot: they are true together only.
    """
    if entry.state not in MENDABLE or not entry.head or not entry.bad:
        return False
    columns = json.loads(entry.facts).get("columns", ())
    return all(column["field"] != "place" for column in columns)


def mend_rows(
    session: Session,
    retailer_id: str,
    import_id: str,
    edits: Sequence[Edit],
    *,
    by: str | None,
    now: datetime,
) -> Outcome:
    """Read the edited rows again; nothing is lost of those that are bad still.

    Raises:
        Missing: If the import is not this retailer's.
        WrongState: If its rows cannot be mended any more.
    """
    entry = lock_import(session, retailer_id, import_id)
    if not can_mend(entry):
        raise WrongState(Sentence("The rows of this file cannot be mended any more."))
    kept = _kept(session, entry, edits)
    fresh = [e for e in edits if kept.get(e.line) == e.version]
    mending = _Mending(session, entry, by, now)
    mending.leave_out([edit for edit in fresh if edit.left_out])
    mending.read([edit for edit in fresh if not edit.left_out])
    mending.count()
    stale = len(edits) - len(fresh)
    return Outcome(mending.good, mending.left_out, mending.bad, stale)


def _kept(session: Session, entry: FeedImport, edits: Sequence[Edit]) -> dict[int, str]:
    """Return the versions of the bad rows that are edited."""
    lines = [edit.line for edit in edits]
    cells = wrong_cells(session, entry.retailer_id, entry.id, lines)
    return {cell.line: version_of(cell.cells) for cell in cells}


@dataclass
class _Mending:
    session: Session
    entry: FeedImport
    by: str | None
    now: datetime
    good: int = 0
    left_out: int = 0
    bad: int = 0
    tally: Tally = field(default_factory=Tally)

    def leave_out(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            replace_bad_row(self.session, self.entry, edit.line, (), now=self.now)
            if self.entry.state is ImportState.CHECKED:
                self._keep(edit.line, (), left_out=True)
        self.left_out = len(edits)

    def read(self, edits: Sequence[Edit]) -> None:
        cells = {edit.line: edit.cells for edit in edits}
        read = list(self._open().read_again(cells.items()))
        taken = self._taken(read, cells)
        for line, parts in groupby(read, key=lambda row: row.line):
            whole = list(parts)
            errors = [p for p in whole if isinstance(p, RowError)]
            rows = [p for p in whole if isinstance(p, FeedRow)]
            for row in rows:
                others = taken[row.sku] - {line}
                if others:
                    errors.append(_taken_error(row, min(others), cells))
            self._judge(line, cells[line], rows, errors)

    def count(self) -> None:
        """Bring the counts of the import up to date."""
        entry, tally = self.entry, self.tally
        counts = count_bad_rows(self.session, entry.retailer_id, entry.id)
        facts = json.loads(entry.facts)
        facts |= {"wrong": counts.wrong, "unplaced": counts.unplaced}
        entry.facts = json.dumps(facts, ensure_ascii=False)
        entry.bad = counts.rows
        entry.good += self.good
        entry.skipped += self.left_out
        entry.new += tally.new
        entry.changed += tally.changed
        entry.same += tally.same
        if entry.state is ImportState.IMPORTED and not counts.rows:
            entry.head = ""

    def _open(self) -> Feed:
        entry = self.entry
        facts = json.loads(entry.facts)
        zone = get_retailer(self.session, entry.retailer_id).zone
        today: date = self.now.astimezone(zone).date()
        chosen = json.loads(entry.overrides)
        return open_head(
            entry, chosen, facts["delimiter"], today=today, parents=self._find_product
        )

    def _find_product(self, key: str) -> Parent | None:
        return find_product(self.session, self.entry.retailer_id, key)

    def _taken(
        self, read: Sequence[FeedRow | RowError | Skipped], cells: Cells
    ) -> dict[str, set[int]]:
        """Return the lines of each sku: of these, of other bad and of mended rows."""
        session, entry = self.session, self.entry
        taken: dict[str, set[int]] = defaultdict(set)
        for row in read:
            if isinstance(row, FeedRow):
                taken[row.sku].add(row.line)
        bad = lines_of_skus(
            session, entry.retailer_id, entry.id, list(taken), beside=list(cells)
        )
        for sku, line in bad.items():
            taken[sku].add(line)
        for mended in mended_rows(session, entry.retailer_id, entry.id):
            if mended.sku and mended.line not in cells:
                taken[mended.sku].add(mended.line)
        return taken

    def _judge(
        self,
        line: int,
        cells: Sequence[str],
        rows: Sequence[FeedRow],
        errors: Sequence[RowError],
    ) -> None:
        session, entry, now = self.session, self.entry, self.now
        replace_bad_row(session, entry, line, errors, now=now)
        if errors:
            self.bad += 1
            return
        self.good += len(rows)
        self.left_out += not rows
        if entry.state is ImportState.CHECKED:
            tally, _ = compare_rows(session, entry.retailer_id, rows)
            self._keep(line, cells, sku=rows[0].sku if rows else "", left_out=not rows)
        else:
            tally = bring_rows(session, entry.retailer_id, entry.id, rows, now=now)
        self.tally += tally

    def _keep(
        self,
        line: int,
        cells: Sequence[str],
        *,
        sku: str = "",
        left_out: bool = False,
    ) -> None:
        keep_mended_row(
            self.session,
            self.entry,
            line,
            cells,
            sku=sku,
            left_out=left_out,
            by=self.by,
            now=self.now,
        )


def _taken_error(row: FeedRow, line: int, cells: Cells) -> RowError:
    return RowError(
        line=row.line,
        column="",
        value=row.sku,
        message=taken_sku(line),
        remedy=Sentence("Keep one of these rows, or give each its own sku."),
        cells=tuple(cells[row.line]),
        sku=row.sku,
    )
