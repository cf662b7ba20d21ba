"""Commands that bring goods in.

``import-feed`` ends with 0 when the good rows are in (bad ones are said), with 1 when
the file was refused, with 2 when it was called wrongly, and with 3 when something must
be said first: a question, a shrunken file, bad rows where all were wanted or none.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import offers.merchants  # noqa: F401  (foreign keys lead there)
from offers.errors import InvalidField
from offers.feed import DELIMITERS, ENCODINGS, FIELDS, Answers
from offers.money import is_currency
from offers.retailers import get_retailer_by_slug
from offers.sentences import Sentence
from offers.shrinking import TooMuchWouldGo
from outletbot.cli.common import open_database, out, progress
from outletbot.cli.feed_report import (
    ErrorFile,
    explain_doubt,
    explain_open,
    explain_skipped,
    print_report,
)
from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.importing import Open, Report, Wishes, import_file

OPEN = 3  # the exit code when something must be said first


def add_to(cli: typer.Typer) -> None:
    cli.command("import-feed")(import_feed)


def import_feed(  # noqa: PLR0913, PLR0917  (what a person may say)
    file: Annotated[
        Path,
        typer.Argument(help="A file of overstock.", exists=True, dir_okay=False),
    ],
    retailer: Annotated[str, typer.Option(help="The retailer's short name.")],
    currency: Annotated[
        str, typer.Option(help="Of prices that name none, such as EUR.")
    ] = "",
    tax: Annotated[
        str, typer.Option(help="Whether tax is in the prices: included or excluded.")
    ] = "",
    tax_rate: Annotated[
        str, typer.Option(help="The percentage to add to prices without tax.")
    ] = "",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help='What a column is, such as "Worth=cost"; repeat.'),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(help='An answer to another question, as "key=answer"; repeat.'),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Such as cp1252.")] = "",
    delimiter: Annotated[str, typer.Option(help="Between columns, such as ;")] = "",
    errors: Annotated[
        Path | None,
        typer.Option(help="Write the bad rows here, to be mended.", dir_okay=False),
    ] = None,
    agree: Annotated[
        int | None,
        typer.Option(help="So many offers may lose their stock by --complete."),
    ] = None,
    *,
    complete: Annotated[
        bool, typer.Option("--complete", help="What is not in the file has no stock.")
    ] = False,
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="Only if every row is good.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Use nothing chosen for earlier files.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Even if it is what was imported last.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result for a program.")
    ] = False,
) -> None:
    """Bring a retailer's overstock in; good rows go in even if others fail."""
    answers = {**_pairs("answer", answer), "tax": tax, "tax_rate": tax_rate}
    wishes = Wishes(
        chosen={
            "encoding": _one_of("encoding", encoding, ENCODINGS),
            "delimiter": _one_of("delimiter", _tab(delimiter), DELIMITERS),
            "mapping": _mapping(mapping),
            "answers": _checked({key: text for key, text in answers.items() if text}),
            "afresh": forget,
        },
        complete=complete,
        whole=all_or_nothing,
        agreed=agree,
        dry_run=dry_run,
        again=again,
    )
    with open_database() as database, ErrorFile(errors) as bad:
        report = _bring(database, file, retailer, _currency(currency), wishes, bad)
    explain_skipped(report)
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False))  # noqa: T201
    else:
        print_report(report, out, dry_run=dry_run)


def _bring(
    database: Database,
    file: Path,
    retailer: str,
    currency: str,
    wishes: Wishes,
    bad: ErrorFile,
) -> Report:
    seller = database.read_here(get_retailer_by_slug, retailer)
    now = utc_now()
    try:
        with progress("Reading") as on_progress:
            return import_file(
                database,
                file,
                seller,
                currency=currency or seller.currency,
                today=now.astimezone(seller.zone).date(),
                now=now,
                wishes=wishes,
                on_progress=on_progress,
                on_feed=bad.of,
            )
    except Open as problem:
        explain_open(problem)
    except TooMuchWouldGo as doubt:
        explain_doubt(doubt)
    raise typer.Exit(OPEN)


def _currency(code: str) -> str:
    if code and not is_currency(code.lower()):
        problem = Sentence("{code} is no currency; write such as EUR.", code=code)
        raise InvalidField("currency", problem, code)
    return code.lower()


def _mapping(said: list[str] | None) -> dict[str, str]:
    mapping = _pairs("map", said)
    for field in mapping.values():
        if field not in {*FIELDS, ""}:
            problem = Sentence(
                "{field} is no field. These are: {fields}.",
                field=field,
                fields=", ".join(sorted(FIELDS)),
            )
            raise InvalidField("map", problem, field)
    return mapping


def _pairs(name: str, said: list[str] | None) -> dict[str, str]:
    """Return what is said as ``name=value``; a name may have equals signs in it."""
    for one in said or ():
        if "=" not in one:
            problem = Sentence("Write --{name} as “name=value”.", name=name)
            raise InvalidField(name, problem, one)
    pairs = [one.rpartition("=") for one in said or ()]
    return {key.strip(): value.strip() for key, _, value in pairs}


def _checked(answers: dict[str, str]) -> dict[str, str]:
    for key, text in answers.items():
        try:
            Answers.read({key: text})
        except ValueError:
            problem = Sentence(
                "“{text}” is no answer to {key}.", text=text, key=key.replace("_", "-")
            )
            raise InvalidField(key, problem, text) from None
    return answers


def _tab(delimiter: str) -> str:
    return "\t" if delimiter in {"tab", "\\t"} else delimiter


def _one_of(name: str, value: str, values: Any) -> str:
    if value and value not in values:
        problem = Sentence(
            "{value} is none of these: {values}.",
            value=value,
            values=", ".join(v if v != "\t" else "tab" for v in values),
        )
        raise InvalidField(name, problem, value)
    return value
