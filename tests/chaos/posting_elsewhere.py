"""
The same kills on networks that run elsewhere: ``python -m tests.chaos.posting_elsewhere
PLACE`` posts to the accounts in a file, and prints what became of each post.

What people see there is for others to count. Time is the machine's: instead of moving
the clock, what a dead worker had leased is made due.
"""

import gc
import json
import random
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine
from sqlmodel import Session, col, update

from offers.posts import Post
from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.schema import migrate
from tests.chaos.posting_audit import posts_in
from tests.chaos.posting_board import Board
from tests.chaos.posting_lives import WAITING, Lives
from tests.chaos.posting_place import Place
from tests.chaos.posting_scenery import Shop, open_shops, plan_deal
from tests.chaos.posting_worker import Job

SETTLED = 0.4
"""Seconds in which a server of this machine has done what it was asked for."""

SOON = timedelta(seconds=0.1)
EACH_TIME = 3


@dataclass
class Elsewhere:
    """With each of so many lives come a few deals that open as it begins."""

    engine: Engine
    shops: Sequence[Shop]
    numbers: "count[int]"
    lives: int
    strikes: bool = False

    def move_on(self) -> None:
        now, number = utc_now(), next(self.numbers)
        with Session(self.engine, expire_on_commit=False) as session:
            waiting = col(Post.state).in_(WAITING)
            session.exec(update(Post).where(waiting).values(due_at=now))
            for deal in range(EACH_TIME if number < self.lives else 0):
                shop = self.shops[deal % len(self.shops)]
                plan_deal(session, shop, number, now + SOON, now=now)
            session.commit()

    def settle(self) -> None:
        time.sleep(SETTLED)


def main() -> int:
    """Kill, and print the report."""
    asked = _parser().parse_args()
    place = Place.load(asked.place.read_text())
    with tempfile.TemporaryDirectory(prefix="outletbot-posts-") as folder:
        url = f"sqlite:///{folder}/posts.db"
        shops = _open(url, place)
        engine = create_engine(url, poolclass=NullPool)
        report = _play(engine, place, shops, asked.kills, asked.log)
    print(json.dumps(report))  # noqa: T201  (that is what it was asked for)
    return 0


def _open(url: str, place: Place) -> list[Shop]:
    database = Database.connect(url)
    migrate(database.engine)
    with Session(database.engine, expire_on_commit=False) as session:
        shops = open_shops(session, place.accounts)
    database.close()
    gc.collect()
    gc.freeze()
    return shops


def _play(
    engine: Engine, place: Place, shops: Sequence[Shop], kills: int, log: Path
) -> dict[str, Any]:
    lives = Lives(
        engine,
        Job(str(engine.url), place.window, utc_now, log),
        Board(),
        Elsewhere(engine, shops, count(), kills),
        random.Random(f"elsewhere/{kills}"),  # noqa: S311  (no secret)
        lambda _: None,
    )
    tally = lives.end(kills)
    return asdict(tally) | {"posts": [asdict(row) for row in posts_in(engine)]}


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m tests.chaos.posting_elsewhere", description=__doc__
    )
    add = parser.add_argument
    add("place", type=Path, help="JSON of tests.chaos.posting_place.Place")
    add("--kills", type=int, default=50)
    add("--log", type=Path, required=True, help="what the workers say")
    return parser


if __name__ == "__main__":
    sys.exit(main())
