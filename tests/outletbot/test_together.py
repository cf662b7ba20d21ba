"""
What is asked for at once is done at once, and each is told what came of their own.
"""

import asyncio
from collections.abc import Sequence

import pytest

from outletbot.together import Together


class Squares:
    """Squares numbers, keeps how many came together, and knows no negative ones."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()

    async def work(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        self.begun.set()
        await asyncio.sleep(0)
        return [n * n if n >= 0 else ValueError(n) for n in numbers]


async def broken(_numbers: Sequence[int]) -> list[int]:
    raise ConnectionError


async def test_what_comes_at_once_is_done_at_once() -> None:
    squares = Squares()
    together = Together(squares.work)

    found = await asyncio.gather(*(together.do(n) for n in range(10)))

    assert found == [n * n for n in range(10)]
    assert squares.batches == [list(range(10))]


async def test_what_comes_meanwhile_is_next() -> None:
    squares = Squares()
    together = Together(squares.work)
    first = asyncio.create_task(together.do(2))
    await squares.begun.wait()

    assert [*await asyncio.gather(together.do(3), together.do(4))] == [9, 16]
    assert await first == 4
    assert squares.batches == [[2], [3, 4]]


async def test_ones_trouble_is_nobody_elses() -> None:
    together = Together(Squares().work)

    good, bad = await asyncio.gather(
        together.do(2), together.do(-2), return_exceptions=True
    )

    assert good == 4
    assert isinstance(bad, ValueError)


async def test_everybody_is_told_of_what_broke_for_all() -> None:
    together = Together(broken)

    for _ in range(2):
        with pytest.raises(ConnectionError):
            await together.do(1)


async def test_what_breaks_the_work_of_all_is_its_own_trouble_alone() -> None:
    async def work(numbers: Sequence[int]) -> list[float]:
        return [12 / n for n in numbers]

    together = Together(work)

    found = await asyncio.gather(
        *(together.do(n) for n in (1, 0, 3)), return_exceptions=True
    )

    assert (found[0], found[2]) == (12, 4)
    assert isinstance(found[1], ZeroDivisionError)


async def test_who_has_gone_keeps_nobody_waiting() -> None:
    together = Together(Squares().work)
    gone, here = (asyncio.create_task(together.do(n)) for n in (2, 3))
    await asyncio.sleep(0)
    gone.cancel()

    assert await here == 9
