"""
A worker says that it is alive, and for how long it has said so.
"""

from datetime import timedelta

from offers.beats import last_beat
from outletbot.jobs.beating import Heart
from outletbot.referee import RefereedClock
from tests.factories import MINUTE, NOON

BOTH_DATABASES = True


async def test_a_heart_beats_by_one_name(database):
    now = [NOON]
    heart = Heart(database, lambda: now[0])

    done = await heart.beat()
    first = await database.read(last_beat)
    now[0] += MINUTE
    await heart.beat()
    second = await database.read(last_beat)

    assert done == 0
    assert first.id == second.id
    assert (second.started_at, second.beat_at) == (NOON, NOON + MINUTE)


async def test_one_that_was_forgotten_begins_anew(database):
    now = [NOON]
    heart, other = (Heart(database, lambda: now[0]) for _ in range(2))
    await heart.beat()
    await other.beat()
    now[0] += 2 * timedelta(days=1)
    await other.beat()

    await heart.beat()

    assert (await database.read(last_beat)).started_at in (NOON, now[0])
    await other.stop()
    assert (await database.read(last_beat)).started_at == now[0]


async def test_one_that_stops_is_forgotten(database):
    heart = Heart(database, lambda: NOON)
    await heart.stop()
    await heart.beat()

    await heart.stop()

    assert await database.read(last_beat) is None


async def test_tells_how_far_the_clock_is_off(database):
    clock = RefereedClock(lambda: NOON + MINUTE, ticks=lambda: 0.0)
    clock._word = NOON, 0.0  # noqa: SLF001  (what the database said)
    heart = Heart(database, clock)
    await heart.beat()

    await heart.beat()

    assert (await database.read(last_beat)).ahead == MINUTE
