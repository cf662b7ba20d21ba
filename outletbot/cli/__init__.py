"""The command line: ``outletbot …``.

serving   serve, web, worker, migrate, demo, sandbox
feeding   import-feed
people    add-retailer, invite, new-key
looking   check
rehearse  rehearse
backup    backup, restore

A command that is given loads its own module alone: half the program would take longer
to load than a small feed to import.
"""

import sys
from collections.abc import Iterable
from importlib import import_module

import typer
from sqlalchemy.exc import SQLAlchemyError

from offers.errors import OfferError
from offers.feed.errors import NotAFeed
from outletbot.cli.common import err
from outletbot.config import ConfigError

MODULES = ("serving", "feeding", "people", "looking", "rehearse", "backup")
ALONE = {"import-feed": "feeding", "add-retailer": "people", "backup": "backup"}
"""The module of commands that others run often, or wait for."""


def build(modules: Iterable[str] = MODULES) -> typer.Typer:
    """Return the command line with the commands of *modules*."""
    cli = typer.Typer(
        name="outletbot",
        help="Flash offers of overstock: posted the minute they open, never oversold.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    # One command alone would be taken for the program itself.
    cli.callback()(lambda: None)
    for module in modules:
        import_module(f"outletbot.cli.{module}").add_to(cli)
    return cli


def main() -> None:
    """Run a command; whatever goes wrong is said in a sentence."""
    alone = ALONE.get(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        build([alone] if alone else MODULES)()
    except ConfigError as error:
        _complain(f"This installation is not configured right.\n{error}")
        sys.exit(2)
    except SQLAlchemyError as error:
        _complain(f"The database says: {str(error).splitlines()[0]}")
        sys.exit(1)
    except (OfferError, NotAFeed, OSError) as error:
        _complain(str(error))
        sys.exit(1)


def _complain(words: str) -> None:
    err.print(words, markup=False, highlight=False, soft_wrap=True)
