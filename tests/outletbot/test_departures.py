"""
Posts that are due at the same instant are noted together and leave at that instant.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from offers.deals import Deal
from offers.departures import Departure, Verdict
from outletbot.db import Database
from outletbot.departures import MARGIN, Departures, Held
from tests.factories import NOON, SECOND, make_deal, post_of


class Counted:
    """A database that keeps how many departures came in each transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.batches: list[int] = []

    async def transact(self, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
        self.batches.append(len(args[0]))
        await asyncio.sleep(0.01)
        return await self._database.transact(work, *args, **more)


class Broken:
    async def transact(self, *_args: Any, **_more: Any) -> Any:
        msg = "the database is away"
        raise ConnectionError(msg)


def ready(session: Session) -> Departure:
    deal = make_deal(session, opens_at=NOON, opened_at=None)
    post = post_of(session, deal)
    session.commit()
    fresh = session.get_one(Deal, deal.id, populate_existing=True)
    session.refresh(post)
    session.expunge_all()
    return Departure(post, fresh, "Parka")


async def test_those_that_come_meanwhile_are_noted_together(
    database: Database, session: Session
) -> None:
    counted = Counted(database)
    departures = Departures(counted, lambda: NOON)  # type: ignore[arg-type]
    everything = [ready(session) for _ in range(20)]

    await asyncio.gather(*(departures.leave(one) for one in everything))

    assert sum(counted.batches) == 20
    assert len(counted.batches) <= 2


async def test_nobody_leaves_before_the_instant(
    database: Database, session: Session
) -> None:
    moments = iter([NOON - MARGIN, NOON - MARGIN, NOON - SECOND / 50, NOON])
    last = NOON

    def clock() -> datetime:
        nonlocal last
        last = next(moments, NOON)
        return last

    await Departures(database, clock).leave(ready(session))

    assert last == NOON


async def test_what_is_not_to_go_out_is_held(
    database: Database, session: Session
) -> None:
    one = ready(session)
    one.post.fence += 1

    with pytest.raises(Held) as held:
        await Departures(database, lambda: NOON).leave(one)

    assert held.value.verdict is Verdict.NOT_OURS


async def test_each_is_told_that_nothing_was_noted(session: Session) -> None:
    departures = Departures(Broken(), lambda: NOON)  # type: ignore[arg-type]
    both = [departures.leave(ready(session)) for _ in range(2)]

    for outcome in await asyncio.gather(*both, return_exceptions=True):
        assert isinstance(outcome, ConnectionError)
