"""Stripe's books are read, line by line, and its word on the balance beside them."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from offers.agreement import compare_account
from offers.ledger import (
    OPENING,
    BookLine,
    attribute_entries,
    keep_balances,
    keep_lines,
    opening_lines,
)
from offers.money import Money
from offers.readings import (
    Reading,
    Subject,
    advance_reading,
    began_at,
    finish_reading,
    lease_due_readings,
    put_off_reading,
)
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.jobs.reconciling import OVERLAP, PAGES, put_off
from outletbot.payments import Books, Gateways, PaymentError

log = structlog.get_logger(__name__)

SOON = timedelta(seconds=15)
BUSY = timedelta(minutes=1)
IDLE = timedelta(minutes=5)
CHUNK = 100


async def keep_books(database: Database, gateways: Gateways, clock: Clock) -> int:
    """Read the books that are due. Return how many were."""
    readings = await database.transact(lease_due_readings, Subject.BOOKS, now=clock())
    for reading in readings:
        try:
            await _Bookkeeper(database, clock, reading).read(gateways)
        except PaymentError as error:
            await put_off(reading, error, database, clock)
    return len(readings)


class _Bookkeeper:
    """Reads the books of one account, once."""

    def __init__(self, database: Database, clock: Clock, reading: Reading) -> None:
        self._database = database
        self._clock = clock
        self._reading = reading
        self._account_id = reading.account_id

    async def read(self, gateways: Gateways) -> None:
        """Take in what is new.

        The balance is asked for before and after: if nothing moved meanwhile, it is
        that of the lines read between, and the two can be compared.

        Raises:
            PaymentError: If Stripe does not say.
        """
        began = self._clock()
        books = await gateways.books(self._account_id)
        before = await books.balances()
        new = await self._take_in_all(books, before)
        if new is None:
            rest = SOON if self._reading.read_at is None else timedelta()
            until = self._clock() + rest
            await self._database.transact(
                put_off_reading, self._reading.id, until=until
            )
            return
        still = await books.balances() == before
        await self._database.transact(
            self._conclude, before if still else None, began, busy=bool(new)
        )
        await self._compare()

    async def _take_in_all(self, books: Books, before: Sequence[Money]) -> int | None:
        """Return how many lines were new; None if there is more to be read."""
        since = await self._database.read(began_at, self._account_id, now=self._clock())
        if self._reading.read_at is None:
            return await self._open(books, before, since)
        new = pages = 0
        position = self._reading.position
        async with aclosing(books.lines(after=position, since=since)) as lines:
            async for page in lines:
                new += await self._database.transact(self._take_in, page)
                pages += 1
                if pages == PAGES:
                    return None
        return new

    async def _open(
        self, books: Books, before: Sequence[Money], since: datetime
    ) -> int | None:
        """Take in all there is, and as one line what there was *since* before that."""
        lines = [
            line async for page in books.lines(after="", since=since) for line in page
        ]
        if await books.balances() != before:
            return None
        lines = [*opening_lines(before, lines, at=since), *lines]
        for start in range(0, len(lines), CHUNK):
            part = lines[start : start + CHUNK]
            await self._database.transact(self._take_in, part)
        return len(lines)

    def _take_in(self, session: Session, lines: Sequence[BookLine]) -> int:
        """Keep *lines*, and that they were read. Return how many were new."""
        now = self._clock()
        read = [line for line in lines if line.kind != OPENING]
        old = [line.id for line in read if line.happened_at <= now - OVERLAP]
        new = keep_lines(session, self._account_id, lines, now=now)
        if old:
            advance_reading(session, self._reading.id, old[-1])
        return new

    def _conclude(
        self,
        session: Session,
        balances: Sequence[Money] | None,
        began: datetime,
        *,
        busy: bool,
    ) -> None:
        now, rest = self._clock(), BUSY if busy else IDLE
        attribute_entries(session, self._account_id)
        if balances is None:
            rest = SOON
        else:
            keep_balances(session, self._account_id, balances, now=now)
        finish_reading(session, self._reading.id, began_at=began, again_at=now + rest)

    async def _compare(self) -> None:
        """Say it loudly if the books differ."""
        agreement = await self._database.read(compare_account, self._account_id)
        if agreement.differences:
            log.error(
                "ledger_differs",
                account=self._account_id,
                by=[str(money) for money in agreement.sums],
                items=[
                    f"{each.doubt} {each.reference or each.order_id} {each.money}"
                    for each in agreement.differences[:10]
                ],
                count=len(agreement.differences),
            )
