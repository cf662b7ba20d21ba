"""Workbooks: one sheet of an Excel file, as a table.

The reader loads whole sheets, so that this runs in a process of its own, within limits
(``outletbot.sheets``). Cells are the numbers a spreadsheet keeps, not the text it
shows: 3600541255432 comes as a float, 25.172 with the noise of 32 bits, and what has
more digits than a float can hold is written as such, for the reader of the feed to say
that the code is damaged.
"""

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from struct import Struct
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetVisibleEnum,
    load_workbook,
)

from offers.feed.errors import NotAFeed
from offers.feed.mapping import known_names
from offers.feed.tables import Table
from offers.feed.unpacking import Sheet
from offers.sentences import Sentence

HEADER_WITHIN = 20
NOISE_WITHIN = 1e-6
DECIMALS = 4
EXACT = 2**53
SHOWN_SHEETS = 6

Cell = int | float | str | bool | time | date | datetime | timedelta

_ENVELOPE = "EncryptedPackage".encode("utf-16-le")
_BEGINNING = b"\x09\x08\x10\x00\x00\x06"  # of a workbook since Excel 97
_RECORD = Struct("<2H")
_FILE_PASS = 0x2F
_UNRECKONED = re.compile(rb"</f>(?=</c>|<v></v>|<v/>)|<f[^<>]*/>(?=</c>|<v></v>|<v/>)")
_PROTECTED = Sentence(
    "The workbook is protected by a password. Save it without one and send it again."
)


DAMAGED = Sentence(
    "The workbook is damaged, or none that we can read. Save it again as XLSX or CSV."
)
_EMPTY = Sentence("The workbook is empty.")


def write_sheet(stream: BinaryIO, target: BinaryIO) -> Sheet:
    """Write the sheet of products of the workbook *stream* to *target*.

    Of a formula its value is read, as the spreadsheet kept it.

    Raises:
        NotAFeed: If it is protected, damaged or empty.
    """
    refuse_locked(stream)
    formulas = unreckoned_formulas(stream)
    stream.seek(0)
    try:
        with load_workbook(stream) as workbook:
            sheets = list(_filled(workbook))
            if not sheets:
                raise NotAFeed(_unreckoned(formulas) if formulas else _EMPTY)
            chosen = max(sheets, key=_names_in)  # the first of those with most
            noise = _write(chosen, target)
    except PasswordError:
        raise NotAFeed(_PROTECTED) from None
    except CalamineError:
        raise NotAFeed(DAMAGED) from None
    others = [sheet.name for sheet in sheets if sheet.name != chosen.name]
    notes = (*_notes(chosen.name, others, noise),)
    return Sheet(chosen.name, (*notes, _unreckoned(formulas)) if formulas else notes)


def unreckoned_formulas(stream: BinaryIO) -> int:
    """Return how many formulas of an XLSX file have no value beside them.

    Programs that write formulas and cannot reckon leave them to the spreadsheet.
    """
    stream.seek(0)
    try:
        with ZipFile(stream) as archive:
            return sum(
                sum(1 for _ in _UNRECKONED.finditer(block))
                for name in archive.namelist()
                if name.startswith("xl/worksheets/sheet")
                for block in _blocks(archive, name)
            )
    except (BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error):
        return 0  # who reads the workbook says what is wrong with it


def as_text(cell: Cell) -> str:
    """Return what a person would have typed to get *cell*."""
    match cell:
        case bool():
            return str(int(cell))
        case float():
            return _number(cell)
        case datetime():
            midnight = cell.time() == time()
            return cell.date().isoformat() if midnight else cell.isoformat(" ")
        case _:
            return str(cell)


def is_noisy(number: float) -> bool:
    """Whether *number* was kept with 32 bits and shows it: 25.17199993133545."""
    tidy = round(number, DECIMALS)
    return 1e-9 < abs(number - tidy) < NOISE_WITHIN


def refuse_locked(stream: BinaryIO) -> None:
    """Refuse a workbook that needs a password.

    An encrypted XLSX file is put into an envelope of the old kind, by a name of its
    own; an encrypted XLS file has a record FilePass near its beginning ([MS-XLS]
    2.1.7.20.1).

    Raises:
        NotAFeed: If *stream* is one.
    """
    stream.seek(0)
    kept, locked = b"", False
    if stream.read(4) == b"\xd0\xcf\x11\xe0":
        while not locked and (block := stream.read(256 * 1024)):
            seen = kept + block
            locked = _ENVELOPE in seen or _has_password(seen)
            kept = seen[-512:]
    stream.seek(0)
    if locked:
        raise NotAFeed(_PROTECTED)


def _has_password(seen: bytes) -> bool:
    """Whether one of the records after the beginning of a workbook is FilePass."""
    at = seen.find(_BEGINNING)
    for _ in range(4):
        if at < 0 or at + 4 > len(seen):
            return False
        record, length = _RECORD.unpack_from(seen, at)
        if record == _FILE_PASS:
            return True
        at += 4 + length
    return False


def _number(number: float) -> str:
    if not math.isfinite(number):
        return str(number)
    if abs(number) >= EXACT:
        return f"{number:.14E}"
    if number.is_integer():
        return str(int(number))
    tidy = round(number, DECIMALS)
    return repr(tidy if abs(number - tidy) < NOISE_WITHIN else number)


def _filled(workbook: CalamineWorkbook) -> Iterator[CalamineSheet]:
    """Yield the sheets that hold anything, those in sight first."""
    meta = workbook.sheets_metadata
    in_sight = [m.name for m in meta if m.visible == SheetVisibleEnum.Visible]
    hidden = [m.name for m in meta if m.visible != SheetVisibleEnum.Visible]
    for name in (*in_sight, *hidden):
        try:
            sheet = workbook.get_sheet_by_name(name)
        except CalamineError:  # a chart
            continue
        if sheet.start is not None:
            yield sheet


def _names_in(sheet: CalamineSheet) -> int:
    """Return how many names of columns the header of a sheet has, if it has one."""
    rows = islice(sheet.iter_rows(), HEADER_WITHIN)
    return max(
        (known_names([as_text(cell) for cell in row]) for row in rows), default=0
    )


def _write(sheet: CalamineSheet, target: BinaryIO) -> float | None:
    """Write the rows, row by row. Return a number with noise, if there is one."""
    table, noise = Table(target), None
    for row in sheet.iter_rows():
        if noise is None:
            noise = _noise(row)
        table.add([as_text(cell) for cell in row])
    table.close()
    return noise


def _unreckoned(formulas: int) -> Sentence:
    return Sentence(
        "{count} cells are formulas without a value. Open the workbook in a "
        "spreadsheet, save it and send it again.",
        count=formulas,
    )


def _noise(row: Sequence[Cell]) -> float | None:
    numbers = (cell for cell in row if isinstance(cell, float))
    return next((n for n in numbers if abs(n) < EXACT and is_noisy(n)), None)


def _notes(name: str, others: Sequence[str], noise: float | None) -> Iterator[Sentence]:
    if others:
        shown = ", ".join(others[:SHOWN_SHEETS])
        yield Sentence(
            "The sheet “{sheet}” is read. Not read: {others}.",
            sheet=name,
            others=shown + (", …" if len(others) > SHOWN_SHEETS else ""),
        )
    if noise is not None:
        yield Sentence(
            "The workbook keeps some numbers inexactly ({number}); they are read as "
            "{rounded}, and money to the cent.",
            number=repr(noise),
            rounded=as_text(noise),
        )


def _blocks(archive: ZipFile, name: str) -> Iterator[bytes]:
    """Yield an entry in blocks that are cut between two cells."""
    kept = b""
    with archive.open(name) as content:
        while block := content.read(256 * 1024):
            block = kept + block
            end = max(block.rfind(b"</c>"), 0) + 4 if b"</c>" in block else 0
            kept = block[end:][-1024 * 1024 :]
            yield block[:end]
