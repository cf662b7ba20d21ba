"""Commands that run the service.

The service is imported by the command that runs it: importing a feed does without, in
half the memory.
"""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from outletbot.cli.common import out
from outletbot.config import ConfigError, Settings
from outletbot.db import Database
from outletbot.logs import set_up_logs
from outletbot.mail import open_transport
from outletbot.schema import migrate as migrate_schema
from outletbot.sealing import NO_KEY, Seal

if TYPE_CHECKING:
    from outletbot.processes import Part

Port = Annotated[
    int, typer.Option(help="The first port to try; the next free ones follow.")
]
Folder = Annotated[Path, typer.Option(help="Where everything is kept.")]


def add_to(cli: typer.Typer) -> None:
    for command in (serve, web, worker, migrate, demo, sandbox):
        cli.command()(command)


def serve() -> None:
    """Run web and worker in one process, and migrate first: the way to begin."""
    from outletbot.processes import serve_web, watch, work  # noqa: PLC0415  (see above)

    settings = _ready_settings()
    _migrate(settings)
    _run(settings, serve_web, work, watch)


def web() -> None:
    """Answer requests. Any number may run beside each other on PostgreSQL."""
    from outletbot.processes import serve_web, watch  # noqa: PLC0415  (see above)

    _run(_ready_settings(), serve_web, watch)


def worker() -> None:
    """Do the work that no request waits for: post, settle, expire, deliver."""
    from outletbot.processes import watch, work  # noqa: PLC0415  (see above)

    _run(_ready_settings(), work, watch)


def migrate() -> None:
    """Bring the database to the newest schema."""
    _migrate(Settings.from_env())
    out.print("The database is at the newest schema.")


def demo(port: Port = 8080, folder: Folder = Path("var/demo")) -> None:
    """Run a sample outlet, with sandboxes in place of Stripe and the networks."""
    set_up_logs("auto", least=logging.WARNING)
    from outletbot.demo.running import run_demo  # noqa: PLC0415  (see above)

    uvloop.run(run_demo(folder, port=port, say=_say))


def sandbox(
    port: Port = 8090,
    folder: Folder = Path("var/sandbox"),
    shop: Annotated[int, typer.Option(help="The port of the shop it tells.")] = 8080,
) -> None:
    """Run the stand-ins for Stripe and the networks on their own."""
    set_up_logs("auto", least=logging.WARNING)
    from outletbot.demo.running import run_sandbox  # noqa: PLC0415  (see above)

    uvloop.run(run_sandbox(folder, port=port, shop=shop, say=_say))


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _ready_settings() -> Settings:
    """Return settings that the service can run with.

    Raises:
        ConfigError: Naming all that is missing or malformed.
    """
    settings = Settings.from_env()
    if missing := settings.missing():
        raise ConfigError("\n".join(missing))
    try:
        Seal(settings.secret_key.get_secret_value())
    except ValueError as error:
        raise ConfigError(NO_KEY) from error
    try:
        open_transport(settings.smtp_url.get_secret_value(), settings.mail_from)
    except ValueError as error:
        msg = f"SMTP_URL, MAIL_FROM: {error}"
        raise ConfigError(msg) from error
    return settings


def _migrate(settings: Settings) -> None:
    database = Database.connect(settings.database_url)
    try:
        migrate_schema(database.engine)
    finally:
        database.close()


def _run(settings: Settings, *parts: "Part") -> None:
    from outletbot.processes import run  # noqa: PLC0415  (see above)

    set_up_logs(settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings, *parts))
