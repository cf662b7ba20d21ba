"""The command that rehearses a deal before its big day."""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from offers.rehearsals import MOST_SHOPPERS, Stage, dump_progress
from offers.rehearsals import Progress as Standing
from offers.reports import Report, Tone, remarks
from outletbot.cli.common import err, open_database, out
from outletbot.config import ConfigError, Settings
from outletbot.logs import set_up_logs

BROKEN = 3
GENTLY = 10  # added to the niceness: others come first
TELL_EVERY = 1.0  # seconds
MARKS = {Tone.GOOD: "[green]✓[/]", Tone.WARN: "[yellow]![/]", Tone.BAD: "[red]✗[/]"}
WORDS = {
    Stage.COPYING: "Copying what the deal needs",
    Stage.OPENING: "Opening in {ahead:.0f} s",
    Stage.SELLING: "{sold} sold, {held} held of {units}; {gone} of {shoppers} gone",
    Stage.SETTLING: "Settling: {sold} sold, {held} held of {units}",
    Stage.AUDITING: "Counting",
}

Tell = Callable[[Standing], None]


def add_to(cli: typer.Typer) -> None:
    cli.command("rehearse")(rehearse)


def rehearse(
    deal: Annotated[str, typer.Argument(help="The deal's id, as in /deals/ID.")],
    shoppers: Annotated[
        int, typer.Option(help="How many come.", min=1, max=MOST_SHOPPERS)
    ] = 5_000,
    web: Annotated[
        int, typer.Option(help="Web processes; more than 1 need PostgreSQL.", min=1)
    ] = 1,
    seed: Annotated[int, typer.Option(help="The same seed draws the same crowd.")] = (
        2009
    ),
    logs: Annotated[
        Path | None, typer.Option(help="A folder to keep the processes' logs in.")
    ] = None,
    *,
    faults: Annotated[
        bool, typer.Option("--faults", help="Let Stripe and the worker fail meanwhile.")
    ] = False,
    gently: Annotated[
        bool, typer.Option("--gently", help="Let everything else here come first.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report for a program.")
    ] = False,
) -> None:
    """Play a deal in a copy of the database, with a crowd and a practice Stripe.

    Nothing of yours is changed, nothing is posted and no money moves. It exits with 1
    if anything happened that must never happen, with 3 if it could not be played.
    """
    settings = _ready(web)
    if gently:
        os.nice(GENTLY)
    # Other commands do without all that a rehearsal needs.
    from outletbot.rehearsing.playing import Plan, play  # noqa: PLC0415
    from outletbot.rehearsing.troupe import Broken  # noqa: PLC0415

    plan = Plan(
        deal_id=deal, shoppers=shoppers, faults=faults, web=web, seed=seed, logs=logs
    )
    try:
        with _stoppable(), _telling() as tell:
            report = play(settings, plan, tell)
    except Broken as reason:
        err.print(str(reason), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(BROKEN) from reason
    if as_json:
        print(json.dumps(report.as_json()))  # noqa: T201
    else:
        _print(report)
    if not report.passed:
        raise typer.Exit(1)


def _ready(web: int) -> Settings:
    """Return the settings of this installation.

    Raises:
        ConfigError: If it is not migrated, or cannot do with so many processes.
    """
    set_up_logs("auto", least=logging.ERROR)
    settings = Settings.from_env()
    with open_database() as database:
        on_file = database.engine.dialect.name == "sqlite"
    if on_file and web > 1:
        msg = "On SQLite there is one web process. Leave --web out, or use PostgreSQL."
        raise ConfigError(msg)
    return settings


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let a request to stop end a rehearsal as Ctrl-C does: with nothing left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _telling() -> Iterator[Tell]:
    """Yield what tells how it goes: in colours, or as lines that a program reads."""
    if not sys.stderr.isatty():
        yield _in_lines()
        return
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=None)

        def tell(now: Standing) -> None:
            total, done = now.units or None, now.sold
            progress.update(task, description=_words(now), total=total, completed=done)

        yield tell


def _in_lines() -> Tell:
    told: list[tuple[float, Stage]] = []

    def tell(now: Standing) -> None:
        at = time.monotonic()
        if told and told[-1][1] is now.stage and at - told[-1][0] < TELL_EVERY:
            return
        told[:] = [(at, now.stage)]
        print(dump_progress(now), file=sys.stderr, flush=True)  # noqa: T201

    return tell


def _words(now: Standing) -> str:
    return WORDS[now.stage].format(
        ahead=max(0.0, -now.seconds),
        sold=now.sold,
        held=now.held,
        units=now.units,
        gone=now.gone,
        shoppers=now.shoppers,
    )


def _print(report: Report) -> None:
    for remark in remarks(report):
        out.print(f"{MARKS[remark.tone]} {remark.sentence}")
    more = report.more
    table = Table("", "", show_header=False, box=None)
    for name, value in (
        ("Units sold", f"{report.sold} of {report.units}"),
        ("Holds", f"{more.holds}, at most {more.holds_per_second_peak} a second"),
        ("Payments, orders, refunds", _three(report)),
        ("Page, p50 and p99", f"{more.page_p50_ms:.0f} and {more.page_p99_ms:.0f} ms"),
        (
            "Claim, p50 and p99",
            f"{more.claim_p50_ms:.0f} and {more.claim_p99_ms:.0f} ms",
        ),
        ("Everything settled", f"{report.seconds_to_settled or 'never,'} s"),
        ("Still waiting", ", ".join(f"{n} {k}" for k, n in more.unsettled.items())),
    ):
        if value:
            table.add_row(name, value)
    out.print(table)


def _three(report: Report) -> str:
    return f"{report.payments}, {report.orders}, {report.refunds}"
