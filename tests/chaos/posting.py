"""``make chaos-posts``: kill the worker while it posts, then count what people see.

The networks are fakes in a process of their own. Each life of the worker begins when
the leases of the one before are over.
"""

import gc
import http.client
import json
import os
import random
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import NullPool, create_engine

from outletbot.db import Database
from outletbot.schema import migrate
from tests import postgres
from tests.chaos.posting_audit import audit, look, posts_in
from tests.chaos.posting_board import Board
from tests.chaos.posting_fakes import keep_fakes
from tests.chaos.posting_lives import Lives
from tests.chaos.posting_place import Place
from tests.chaos.posting_scenery import STEP, set_up, spread
from tests.chaos.posting_worker import Job, fork, speak_to

PATIENCE = 60.0


@dataclass
class Sandbox:
    """The fakes and the time in which they are."""

    board: Board
    window: str
    now: datetime
    strikes: bool = True

    def move_on(self) -> None:
        self.now += STEP
        self.board.set_clock(self.now)

    def settle(self) -> None:
        """A network has two minutes for that, and here no longer than it needs."""
        where = urlsplit(self.window)
        asking = http.client.HTTPConnection(where.netloc, timeout=PATIENCE)
        asking.request("GET", "/quiet")
        if asking.getresponse().status != http.HTTPStatus.OK:
            msg = "the networks do not say that they are quiet"
            raise RuntimeError(msg)
        asking.close()


def main() -> int:
    """Kill, and print the report; 1 if anything was wrong."""
    asked = _parser().parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="outletbot-posts-") as folder,
        _database(asked.database, Path(folder)) as url,
    ):
        report = play(asked, url, asked.log or Path(folder) / "worker.log")
    print(json.dumps(report, indent=2))  # noqa: T201  (that is what it was asked for)
    return 1 if report["wrong"] else 0


def play(asked: Namespace, url: str, log: Path) -> dict[str, Any]:
    """Do it with the database at *url*. Return the report."""
    board, began = Board(), time.monotonic()
    with _fakes(board, asked.retailers, log) as place:
        world = Sandbox(board, place.window, board.clock())
        _prepare(url, place, asked, world.now)
        engine = create_engine(url, poolclass=NullPool)
        job = Job(url, place.window, board.clock, log, blind=asked.blind)
        dice = random.Random(f"kills/{asked.seed}")  # noqa: S311  (no secret)
        tally = Lives(engine, job, board, world, dice, _say).end(asked.kills)
        seen = look(account.page for account in place.accounts)
        found = audit(posts_in(engine), seen)
    seconds = round(time.monotonic() - began)
    facts = {"database": engine.dialect.name, "seed": asked.seed, "seconds": seconds}
    return facts | asdict(tally) | found.as_json()


def _prepare(url: str, place: Place, asked: Namespace, now: datetime) -> None:
    """Make the rows, and let nothing be open when workers are forked."""
    deals = ceil(asked.posts * asked.retailers / len(place.accounts))
    dues = spread(asked.kills, deals, now + STEP, asked.seed)
    database = Database.connect(url)
    migrate(database.engine)
    set_up(database, place.accounts, posts=asked.posts, dues=dues, now=now)
    database.close()
    gc.collect()
    gc.freeze()


@contextmanager
def _fakes(board: Board, retailers: int, log: Path) -> Iterator[Place]:
    told, tell = os.pipe()
    stop, stopping = os.pipe()

    def keep() -> None:
        os.close(stopping)
        speak_to(log)
        keep_fakes(board, retailers, tell, stop)

    child = fork(keep)
    os.close(tell)
    os.close(stop)
    try:
        with os.fdopen(told) as pipe:
            yield Place.load(pipe.read())
    finally:
        os.close(stopping)
        os.waitpid(child, 0)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'posts.db'}"
        return
    with postgres.running() as server:
        yield server.create("posts")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201  (as above)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m tests.chaos.posting", description=__doc__)
    add = parser.add_argument
    add("--kills", type=int, default=1000)
    add("--posts", type=int, default=10_000)
    add("--retailers", type=int, default=60, help="with nine accounts each")
    add("--database", choices=("sqlite", "postgresql"), default="sqlite")
    add("--seed", type=int, default=1)
    add("--log", type=Path, help="keep what the workers say")
    add("--blind", action="store_true", help="sabotage: never find what is out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
