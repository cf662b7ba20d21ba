"""The command line: ``outletbot …``.

serving   serve, web, worker, migrate, demo, sandbox
feeding   import-feed
people    add-retailer, invite, new-key
looking   check
"""

import sys

import typer

from offers.errors import OfferError
from offers.feed import NotAFeed
from outletbot.cli import feeding, looking, people, serving
from outletbot.cli.common import err
from outletbot.config import ConfigError

cli = typer.Typer(
    name="outletbot",
    help="Flash offers of overstock: posted the minute they open, never oversold.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for module in (serving, feeding, people, looking):
    module.add_to(cli)


def main() -> None:
    """Run a command; whatever goes wrong is said in a sentence."""
    try:
        cli()
    except ConfigError as error:
        err.print(f"This installation is not configured right.\n{error}", markup=False)
        sys.exit(2)
    except (OfferError, NotAFeed, OSError) as error:
        err.print(str(error), markup=False)
        sys.exit(1)
