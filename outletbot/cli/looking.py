"""Commands that look and change nothing."""

import asyncio

import typer

from outletbot.cli.common import out
from outletbot.config import Settings

MARKS = {"fine": "✓", "look": "!", "wrong": "✗"}


def add_to(cli: typer.Typer) -> None:
    cli.command("check")(check_installation)


def check_installation() -> None:
    """Say in plain words whether this installation is configured right."""
    settings = Settings.from_env()
    if asyncio.run(_print_all(settings)):
        raise typer.Exit(1)


async def _print_all(settings: Settings) -> bool:
    """Return whether something is wrong."""
    # Other commands do without all that a check looks at.
    from outletbot.checking import Verdict, check  # noqa: PLC0415

    wrong = False
    async for finding in check(settings):
        mark = MARKS[finding.verdict]
        words = f"{mark} {finding.what}: {finding.words}"
        out.print(words, markup=False, highlight=False, soft_wrap=True)
        wrong = wrong or finding.verdict is Verdict.WRONG
    return wrong
