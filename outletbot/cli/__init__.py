"""The command line: ``outletbot …``.

serving   serve, web, worker, migrate, demo, sandbox
feeding   import-feed
people    add-retailer, invite, new-key
looking   check
rehearse  rehearse
backup    backup, restore
"""

import sys

import typer
from sqlalchemy.exc import SQLAlchemyError

from offers.errors import OfferError
from offers.feed import NotAFeed
from outletbot.cli import backup, feeding, looking, people, rehearse, serving
from outletbot.cli.common import err
from outletbot.config import ConfigError

cli = typer.Typer(
    name="outletbot",
    help="Flash offers of overstock: posted the minute they open, never oversold.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for module in (serving, feeding, people, looking, rehearse, backup):
    module.add_to(cli)


def main() -> None:
    """Run a command; whatever goes wrong is said in a sentence."""
    try:
        cli()
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
