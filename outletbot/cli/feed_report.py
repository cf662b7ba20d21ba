"""What is said of a feed on the terminal, and the file of its bad rows."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offers.feed import Feed, Question, RowError, write_error_file
from offers.shrinking import TooMuchWouldGo
from outletbot.cli.common import err
from outletbot.importing import Open, Report
from outletbot.importing.reading import OnErrors, ignore

SHOWN_ERRORS = 20
OPTIONS = {"currency": "--currency", "tax": "--tax", "tax_rate": "--tax-rate"}


class ErrorFile:
    """The file of bad rows, written while a feed is read; *path* may be none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stream: BinaryIO | None = None
        self._begun = False

    def __enter__(self) -> Self:
        if self._path is not None:
            self._stream = self._path.open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def of(self, feed: Feed) -> OnErrors:
        """Return what writes the errors of *feed*."""
        stream = self._stream
        if stream is None:
            return ignore
        header = [column.column for column in feed.columns]

        def write(errors: Sequence[RowError]) -> None:
            lines = list(write_error_file(errors, header, delimiter=feed.delimiter))
            stream.writelines(lines[1:] if self._begun else lines)
            self._begun = True

        return write


def explain_skipped(report: Report) -> None:
    """Nothing is left out in silence, not even in front of a program."""
    if report.passed and report.skipped:
        first = report.skipped[0]
        _say(
            f"{report.passed} lines are no offers of their own; the first is line "
            f"{first.line}: {first.reason}"
        )
    for warning in report.warnings:
        _say(f"Note: {warning}")
    if report.remembered:
        _say(
            f"Read as {report.remembered} was, which has the same header. "
            "With --forget nothing of that is used."
        )


def explain_open(problem: Open) -> None:
    """Say what must be answered first, and how."""
    if not problem.report.open_questions:
        _say(str(problem))
        return
    for question in problem.report.open_questions:
        _say(f"{question.sentence}  {_how(question)}")
    _say("Nothing was imported.")


def _how(question: Question) -> str:
    if question.kind == "mapping":
        return 'Say it with --map "Column=field".'
    option = OPTIONS.get(question.key, f'--answer "{question.key}=…"')
    said = ", ".join(choice.value for choice in question.choices)
    return f"Say it with {option}" + (f" ({said})." if said else ".")


def explain_doubt(doubt: TooMuchWouldGo) -> None:
    _say(f"{doubt} Say it with --agree {doubt.losing}. Nothing was imported.")


def print_report(report: Report, out: Console, *, dry_run: bool) -> None:
    if report.repeats:
        out.print(
            f"This file was imported last, on {report.repeats}, and read in the same "
            "way: there is nothing to do. With --again it is read all the same.",
            markup=False,
        )
    would = "would be " if dry_run else ""
    out.print(
        f"{report.dialect}, {report.encoding}, {report.delimiter!r}: "
        f"{report.rows} rows, {report.good} good, {would}{report.new} new, "
        f"{report.changed} changed, {report.same} the same.",
        markup=False,
    )
    if report.tally.unknown:
        out.print(
            f"{report.tally.unknown} rows count the stock of things that are not "
            "offered yet, and say no price: they are left out.",
            markup=False,
        )
    if report.shrinkage.missing:
        out.print(
            f"{report.shrinkage.missing} of {report.shrinkage.known} known offers are "
            "not in the file.",
            markup=False,
        )
    if report.errors:
        out.print(_error_table(report))
        out.print(f"{report.wrong} cells to mend in {report.bad} rows.")


def _say(words: str) -> None:
    err.print(words, markup=False, highlight=False, soft_wrap=True)


def _error_table(report: Report) -> Table:
    table = Table("line", "column", "value", "what is wrong", "what to do")
    for error in report.errors[:SHOWN_ERRORS]:
        words = (error.column, error.value, str(error.message), str(error.remedy))
        table.add_row(str(error.line), *(escape(word) for word in words))
    return table
