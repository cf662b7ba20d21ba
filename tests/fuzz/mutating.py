# ruff: noqa: E501, RUF001 — odd letters are the point
"""
What befalls the bytes, the text and the cells of a file.

Every function takes the dice first and throws nothing away but what it means to.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from random import Random

from offers.feed.aliases import GENERIC
from offers.feed.dialects import DIALECTS

LONGEST = 400_000

_NUMBER = re.compile(rb"[0-9]+(?:[.,][0-9]+)*")
_CODECS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "shift_jis", "cp850")
_NAMES = sorted({*GENERIC, *(name for dialect in DIALECTS for name in dialect.aliases)})

# Bytes that parsers trip over.
_TEXTS = (
    '"', '""', '"""', ",", ";", "\t", "|", "\n", "\r", "\r\n", "\n\n\n", "\x00",
    "\x1a", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\ufeff", "\ufffe", "\ud800",
    "\u200b", "\u00a0", "\u202f", "=", '="', "'=", "=cmd|' /C calc'!A0", "sep=;\n",
    "sep=\x00\n", "<", ">", "&", "&amp;amp;", "&#0;", "&#x110000;", "&#999999999;",
    "<!--", "-->", "<script>", "</style", "]]>", "{n}", "{0}", "{field}", "%s",
    "\U0001f600", "ﬁ", "ẞ", "İ", "ǅ", "e\u0301" * 9, "\u202e", "/", "//", "://",
)  # fmt: skip
TOKENS = (
    *(text.encode("utf-8", "surrogatepass") for text in _TEXTS),
    *(b"\xff", b"\xfe\xff", b"\xff\xfe", b"\x80", b"\xc3", b"\xed\xa0\x80"),
)

# Texts of cells that stand for numbers, days, codes and what else is read.
CELLS = (
    "", " ", "-", "0", "-0", "-1", "1e3", "1E400", "4.6347E+11", "9" * 40, "0" * 40,
    "1.234", "1,234", "1.234.567,89", "1,234,567.89", "1 234,50", "1'234.50", ".5", "5.",
    ",", ".", "..", "1..2", "12,-", "12.50 EUR", "EUR 12.50", "$12", "€", "12 xyz",
    "12.50-15.00", "12 %", "inf", "NaN", "٣٤", "½", "²", "1_000", "0x1F", "+5", "(5)",
    "−5", "1\u00a0234\u202f567", "12.999999999999999", "0.001", "1" * 400,
    "not stocked", "variable", "InStock", "true", "False", "parent", "EUR 34375",
    "EUR 34375;DE-EUR 27500", "default=3,paris=x", "a=1|b=2", "=1+1", '="00012"',
    "0000-00-00", "2026-02-30", "3/4/2026", "31.12.2026", "2026-02-24T13:00-0800/",
    "2026-02-24/2026-02-29", "99999-01-01", "٢٠٢٦-٠١-٠١", "1/1/1", "9999-12-31",
    "4006381333931", "8.80609E+12", "0685387000000", "٤٠٠٦٣٨١٣٣٣٩٣١", "https://a.example",
    "http://[::1", "https://a,https://b", "javascript:x", "eur", "EU", "€€", "XXX", "XAU",
    "Size=S|Color=", "Color:color:0, Size", "id:", "id:9", "configurable", "variation",
    "a" * 5_000, "<p>" * 500, "&" * 2_000, "é" * 900, "1;2;3", "\n\n", "a\nb", "=",
    "sku=A-1,color=Red|sku=", "N/A", "#REF!", "None", "[]", "{}", "null", "\\N",
)  # fmt: skip


def mutate(dice: Random, data: bytes, other: bytes) -> bytes:
    """Return *data* after one mishap; *other* is another file of the corpus."""
    if not data:  # nothing more can happen to it
        return other
    change = dice.choice(CHANGES)
    return change(dice, data, other)[:LONGEST]


def _flip(dice: Random, data: bytes, _other: bytes) -> bytes:
    spoilt = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
    return bytes(spoilt)


def _overwrite(dice: Random, data: bytes, _other: bytes) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + dice.randbytes(dice.randint(1, 12)) + data[at + 4 :]


def _insert(dice: Random, data: bytes, _other: bytes) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(TOKENS) * dice.choice((1, 1, 1, 2, 700)) + data[at:]


def _delete(dice: Random, data: bytes, _other: bytes) -> bytes:
    start, end = _span(dice, data)
    return data[:start] + data[end:]


def _repeat(dice: Random, data: bytes, _other: bytes) -> bytes:
    start, end = _span(dice, data)
    times = dice.choice((2, 3, 50, 2_000))
    return (
        data[:start]
        + data[start:end] * min(times, LONGEST // (end - start))
        + data[end:]
    )


def _truncate(dice: Random, data: bytes, _other: bytes) -> bytes:
    return data[: dice.randrange(len(data))]


def _splice(dice: Random, data: bytes, other: bytes) -> bytes:
    at, there = dice.randrange(len(data) + 1), dice.randrange(len(other) + 1)
    return (
        data[:at] + other[there:] if dice.random() < 0.5 else other[:there] + data[at:]
    )


def _grow(dice: Random, data: bytes, _other: bytes) -> bytes:
    """Make one cell, line or run of delimiters far too long."""
    at = dice.randrange(len(data) + 1)
    filling = dice.choice(
        (b"A", b" ", b"9", b",", b'"', b"\x00", b"\n", b"<a>", b"&lt;")
    )
    size = dice.choice(
        (600, 9_000, 70_000, 260_000) if filling.isalnum() else (600, 9_000)
    )
    return data[:at] + filling * (size // len(filling)) + data[at:]


def _renumber(dice: Random, data: bytes, _other: bytes) -> bytes:
    share = dice.choice((0.05, 0.5, 1.0))
    return _NUMBER.sub(
        lambda found: (
            dice.choice(CELLS).encode() if dice.random() < share else found[0]
        ),
        data,
    )


def _redecode(dice: Random, data: bytes, _other: bytes) -> bytes:
    """Write the file in another encoding, or as if it had been read in a wrong one."""
    text = data.decode(dice.choice(_CODECS), "replace")
    return text.encode(dice.choice(_CODECS), "replace")


def _other_ends(dice: Random, data: bytes, _other: bytes) -> bytes:
    lines = data.splitlines()
    ends = (b"\n", b"\r\n", b"\r", b"\r\r\n", b"\n\r", b"", b"\x0b", b"\n\x00")
    one = dice.choice(ends)
    mixed = dice.random() < 0.5
    return b"".join(line + (dice.choice(ends) if mixed else one) for line in lines)


def _other_lines(dice: Random, data: bytes, _other: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    match dice.randrange(4):
        case 0:
            dice.shuffle(lines)
        case 1:
            del lines[dice.randrange(len(lines) + 1) :]
        case 2:
            lines.insert(dice.randrange(len(lines) + 1), dice.choice(lines or [b"\n"]))
        case _:
            lines = lines[1:]
    return b"".join(lines)


def _other_delimiter(dice: Random, data: bytes, _other: bytes) -> bytes:
    marks = (b",", b";", b"\t", b"|", b" ", b"::", b"\x01")
    return data.replace(dice.choice(marks[:4]), dice.choice(marks))


def _other_cells(dice: Random, data: bytes, other: bytes) -> bytes:
    """Take the file for a table, change its cells, and write it down again."""
    delimiter = dice.choice(",;\t|") if dice.random() < 0.1 else _delimiter_of(data)
    rows = _rows_of(data, delimiter)
    if not rows:
        return data
    for _ in range(dice.randint(1, 6)):
        dice.choice(_TABLE_CHANGES)(dice, rows, _rows_of(other, _delimiter_of(other)))
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows(rows)
    return written.getvalue().encode("utf-8", "replace")


def _rename(dice: Random, rows: list[list[str]], _others: Sequence[list[str]]) -> None:
    header = dice.choice(rows[:2])
    if header:
        name = dice.choice(_NAMES).replace("{n}", str(dice.randint(0, 12)))
        header[dice.randrange(len(header))] = dice.choice(
            (name, name.title(), f"{name} €")
        )


def _set_cell(
    dice: Random, rows: list[list[str]], _others: Sequence[list[str]]
) -> None:
    row = dice.choice(rows)
    if row:
        row[dice.randrange(len(row))] = dice.choice(CELLS)


def _set_column(
    dice: Random, rows: list[list[str]], _others: Sequence[list[str]]
) -> None:
    at, one = dice.randrange(len(rows[0]) or 1), dice.choice(CELLS)
    mixed = dice.random() < 0.5
    for row in rows[1:]:
        if at < len(row):
            row[at] = dice.choice(CELLS) if mixed else one


def _swap_columns(
    dice: Random, rows: list[list[str]], _others: Sequence[list[str]]
) -> None:
    one, other = dice.randrange(len(rows[0]) or 1), dice.randrange(len(rows[0]) or 1)
    for row in rows[dice.randrange(2) :]:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]


def _add_column(
    dice: Random, rows: list[list[str]], _others: Sequence[list[str]]
) -> None:
    for row in rows:
        row.extend(row[: dice.randint(0, 3)] or [""])


def _drop_column(
    dice: Random, rows: list[list[str]], _others: Sequence[list[str]]
) -> None:
    at = dice.randrange(len(rows[0]) or 1)
    for row in rows:
        del row[at : at + 1]


def _repeat_row(
    dice: Random, rows: list[list[str]], _others: Sequence[list[str]]
) -> None:
    rows.append(list(dice.choice(rows)))


def _borrow_rows(
    dice: Random, rows: list[list[str]], others: Sequence[list[str]]
) -> None:
    at = dice.randrange(len(rows) + 1)
    rows[at:at] = [list(row) for row in others[: dice.randint(0, 4)]]


def _shorten_row(
    dice: Random, rows: list[list[str]], _others: Sequence[list[str]]
) -> None:
    row = dice.choice(rows)
    del row[dice.randrange(len(row) + 1) :]


def _rows_of(data: bytes, delimiter: str) -> list[list[str]]:
    text = data.decode("utf-8", "replace").replace("\x00", "")
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[:60]
    except csv.Error:
        return []


def _delimiter_of(data: bytes) -> str:
    return max(",;\t|", key=lambda mark: data[:2_000].count(mark.encode()))


def _span(dice: Random, data: bytes) -> tuple[int, int]:
    start = dice.randrange(len(data))
    return start, min(len(data), start + dice.choice((1, 2, 5, 40, 500)))


_TABLE_CHANGES = (
    _rename, _rename, _set_cell, _set_cell, _set_column, _swap_columns, _add_column,
    _drop_column, _repeat_row, _borrow_rows, _shorten_row,
)  # fmt: skip

CHANGES: tuple[Callable[[Random, bytes, bytes], bytes], ...] = (
    _flip, _overwrite, _insert, _insert, _delete, _repeat, _truncate, _splice, _grow,
    _renumber, _redecode, _other_ends, _other_lines, _other_delimiter, _other_cells,
    _other_cells, _other_cells,
)  # fmt: skip
