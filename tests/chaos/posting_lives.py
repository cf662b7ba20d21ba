"""
The lives of a worker: each is ended by SIGKILL at some instant, as the seed decides or
as a network strikes, until there were enough; then workers live until all is done.
"""

import os
import random
import select
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy import Engine, func
from sqlmodel import Session, col
from sqlmodel import select as pick

from offers.posts import Post, PostState
from tests.chaos.posting_board import Board, When
from tests.chaos.posting_worker import Job, fork, post

WAITING = (PostState.SCHEDULED, PostState.SENDING)
CALLS = 2
"""For each post that is due, a network strikes at one of so many calls."""

START = 0.2
EACH = START / 10
MANY = 30
QUIET_LIVES = 60


class World(Protocol):
    """What is around a worker; *strikes* says whether its networks may kill it."""

    strikes: bool

    def move_on(self) -> None:
        """Let the leases of the life before be over."""

    def settle(self) -> None:
        """Wait until what the dead one asked for is done or never will be."""


@dataclass(frozen=True, slots=True)
class Tally:
    """*struck*: kills by a network. *quiet_lives*: how many nobody ended.

    *while_sending*: lives that left posts of which nobody knew whether they were out;
    *half_sent*: how many posts.
    """

    kills: int
    struck: int
    while_sending: int
    half_sent: int
    quiet_lives: int


@dataclass
class Lives:
    """What ends workers, and counts what they leave behind."""

    engine: Engine
    job: Job
    board: Board
    world: World
    dice: random.Random
    say: Callable[[str], None]

    def end(self, kills: int) -> Tally:
        """Let so many end, and then some come to their own end."""
        struck = while_sending = half_sent = 0
        for number in range(kills):
            self.world.move_on()
            begun_at = self.job.clock()
            due = self._waiting(begun_at)
            struck += self._end_one(due)
            self.world.settle()
            left = self._half_sent(begun_at)
            while_sending += left > 0
            half_sent += left
            if number % 50 == 49:
                self.say(f"{number + 1} kills, {due} posts were due")
        quiet = self._finish()
        return Tally(kills, struck, while_sending, half_sent, quiet)

    def _end_one(self, due: int) -> bool:
        """Let a worker live and be killed. Return whether a network did it."""
        span = span_for(due)
        aimed = self.world.strikes and self.dice.random() < 0.5
        self.board.aim(0)
        child = fork(partial(post, self.job, until_done=False))
        if aimed:
            calls = self.dice.randint(1, CALLS * max(1, due))
            self.board.aim(child, calls, self.dice.choice(tuple(When)))
        struck = _ends_within(child, span if aimed else self.dice.uniform(0, span))
        self.board.aim(0)
        os.kill(child, signal.SIGKILL)  # it is ours until it is waited for
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            msg = f"a worker ended by itself: see {self.job.log}"
            raise RuntimeError(msg)
        return struck

    def _finish(self) -> int:
        """Let workers live that nobody kills. Return how many it took."""
        for number in range(QUIET_LIVES):
            if not self._waiting(None):
                return number
            self.world.move_on()
            child = fork(partial(post, self.job, until_done=True))
            _, status = os.waitpid(child, 0)
            if status:
                msg = f"a worker failed: see {self.job.log}"
                raise RuntimeError(msg)
            self.world.settle()
        return QUIET_LIVES

    def _half_sent(self, begun_at: datetime) -> int:
        sending = (Post.state == PostState.SENDING, col(Post.begun_at) >= begun_at)
        with Session(self.engine) as session:
            return session.exec(pick(func.count()).where(*sending)).one()

    def _waiting(self, due_by: datetime | None) -> int:
        waiting = pick(func.count()).where(col(Post.state).in_(WAITING))
        if due_by is not None:
            waiting = waiting.where(col(Post.first_due_at) <= due_by)
        with Session(self.engine) as session:
            return session.exec(waiting).one()


def _ends_within(child: int, seconds: float) -> bool:
    handle = os.pidfd_open(child)
    ended, _, _ = select.select([handle], [], [], seconds)
    os.close(handle)
    return bool(ended)


def span_for(due: int) -> float:
    """Return the seconds within which a worker dies that has so many posts to send.

    Most would be done by then, or what is left would only grow.
    """
    return START + EACH * due * (1 + due / MANY)
