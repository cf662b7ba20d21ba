"""Tables to take away: CSV that spreadsheets open well, and cannot be tricked by.

A cell that begins like a formula would be run by the spreadsheet of whoever opens it,
and what shoppers typed is in some of them: such cells get an apostrophe
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from aiohttp import hdrs, web

from offers.money import Money

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  (full width forms, which some spreadsheets run too)

Cell = str | int | float | Money | datetime | None


def send_csv(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], *, zone: tzinfo
) -> web.Response:
    """Answer with a file *name*; moments are in *zone*, amounts in major units."""
    return web.Response(
        body=write_csv(header, rows, zone=zone),
        headers={
            hdrs.CONTENT_TYPE: "text/csv; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
        },
    )


def write_csv(
    header: Sequence[str], rows: Iterable[Sequence[Cell]], *, zone: tzinfo
) -> bytes:
    """Return CSV in UTF-8, marked so that Excel knows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_written(cell, zone) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _written(cell: Cell, zone: tzinfo) -> str:
    match cell:
        case None:
            return ""
        case Money():
            return f"{cell.value:f}"
        case datetime():
            return cell.astimezone(zone).isoformat(timespec="seconds")
        case str():
            return f"'{cell}" if cell.startswith(FORMULAS) else cell
        case float():
            return f"{cell:.4f}"
        case _:
            return str(cell)
