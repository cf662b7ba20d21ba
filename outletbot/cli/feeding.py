"""Commands that bring goods in."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from offers.errors import InvalidField
from offers.money import is_currency
from offers.retailers import get_retailer_by_slug
from offers.sentences import Sentence
from outletbot.cli.common import err, open_database, out
from outletbot.clock import utc_now
from outletbot.importing import Report, import_file

SHOWN_ERRORS = 20


def add_to(cli: typer.Typer) -> None:
    cli.command("import-feed")(import_feed)


def import_feed(
    file: Annotated[
        Path,
        typer.Argument(help="A CSV file of overstock.", exists=True, dir_okay=False),
    ],
    retailer: Annotated[str, typer.Option(help="The retailer's short name.")],
    currency: Annotated[
        str, typer.Option(help="Of prices that name none, such as EUR.")
    ] = "",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result for a program.")
    ] = False,
) -> None:
    """Bring a retailer's overstock in; good rows go in even if others fail."""
    with open_database() as database, _progress() as on_progress:
        seller = database.read_here(get_retailer_by_slug, retailer)
        now = utc_now()
        report = import_file(
            database,
            file,
            seller,
            currency=_currency(currency) or seller.currency,
            today=now.astimezone(seller.zone).date(),
            now=now,
            dry_run=dry_run,
            on_progress=on_progress,
        )
    _explain_skipped(report)
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False))  # noqa: T201
    else:
        _print(report, dry_run=dry_run)


def _currency(code: str) -> str:
    if code and not is_currency(code.lower()):
        problem = Sentence("{code} is no currency; write such as EUR.", code=code)
        raise InvalidField("currency", problem, code)
    return code.lower()


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """Yield a function that takes the share that is done, from 0 to 1."""
    columns = (TextColumn("Reading"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=1.0)
        yield lambda share: progress.update(task, completed=share)


def _explain_skipped(report: Report) -> None:
    """Nothing is left out in silence, not even in front of a program."""
    if report.passed:
        first = report.skipped[0]
        err.print(
            f"{report.passed} lines are no offers of their own; the first is line "
            f"{first.line}: {first.reason}",
            markup=False,
        )
    for warning in report.warnings:
        err.print(f"Note: {warning}", markup=False)


def _print(report: Report, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    out.print(
        f"{report.dialect}, {report.encoding}, {report.delimiter!r}: "
        f"{report.rows} rows, {report.good} good, {would}{report.new} new, "
        f"{report.changed} changed, {report.same} the same.",
        markup=False,
    )
    if report.errors:
        out.print(_error_table(report))
        out.print(f"{report.wrong} cells to mend in {report.bad} rows.")


def _error_table(report: Report) -> Table:
    table = Table("line", "column", "value", "what is wrong", "what to do")
    for error in report.errors[:SHOWN_ERRORS]:
        words = (error.column, error.value, str(error.message), str(error.remedy))
        table.add_row(str(error.line), *(escape(word) for word in words))
    return table
