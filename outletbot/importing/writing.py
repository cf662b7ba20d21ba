"""Writing: what was read of a feed goes into the catalog, while more is being read.

A transaction has some thousand rows that are new, or a thousand that may change what
is known: whoever waits for the database meanwhile does not wait long. Skus are there
once in a file, so blocks may be written in any order, and in a database with many
writers two at a time.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlmodel import Session

from offers.comparing import Tally
from offers.deals import offers_in_deals
from offers.feed import Block, FeedRow
from offers.feed.facts import NAMES, FactRows, Facts, facts_of
from offers.imports import import_batch
from offers.newcomers import add_newcomers
from offers.packing import Newcomers, Origin, pack_newcomers
from offers.placing import Places
from outletbot.aside import Packed, Packing
from outletbot.db import Database
from webhooks.refitting import refit

TOGETHER = 2_800  # rows that are new, being entered at once
AT_ONCE = 1_000  # rows that may be known
STEP = timedelta(milliseconds=1)

SKU = NAMES.index("sku")


class Writer:
    """Writes what is in blocks, in nearly their order; ``finish`` waits for all."""

    def __init__(
        self, database: Database, retailer_id: str, import_id: str, now: datetime
    ) -> None:
        self._database = database
        self._minted_at = now
        self._all_new = True
        self._lanes = 1 if database.is_file else 2
        self._origin = Origin(database.engine.dialect.name, retailer_id, import_id, now)
        self._threads = ThreadPoolExecutor(self._lanes, thread_name_prefix="import")
        self._facts = FactRows()
        self._places: list[tuple[str, tuple[tuple[str, int], ...]]] = []
        self._waiting: deque[Future[Tally]] = deque()
        self._tally = Tally()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def packing(self) -> Packing:
        """As what blocks may be packed before they are written."""
        return Packing(self._origin, TOGETHER // self._lanes)

    def write(self, block: Block) -> None:
        """Let *block* be written, with others; wait if too much is waiting already."""
        if isinstance(block, Packed) and block.newcomers is not None:
            self._submit(block.facts, block.places, block.newcomers)
            return
        self._facts.extend(block.facts)
        self._places += block.places
        if len(self._facts) >= self.packing.together:
            self._submit_gathered()

    def finish(self) -> Tally:
        """Wait until all is written; return what it did."""
        self._submit_gathered()
        while self._waiting:
            self._tally += self._waiting.popleft().result()
        return self._tally

    def _submit_gathered(self) -> None:
        if self._facts:
            self._submit(self._facts, self._places)
            self._facts, self._places = FactRows(), []

    def _submit(
        self,
        facts: FactRows,
        places: Places,
        newcomers: Newcomers | None = None,
    ) -> None:
        self._minted_at += STEP
        if self._lanes == 1:  # another thread would keep this one from its own work
            self._tally += self._write(facts, places, newcomers, self._minted_at)
            return
        if len(self._waiting) >= self._lanes:
            self._tally += self._waiting.popleft().result()
        self._waiting.append(
            self._threads.submit(self._write, facts, places, newcomers, self._minted_at)
        )

    def _write(
        self,
        facts: FactRows,
        places: Places,
        newcomers: Newcomers | None,
        minted_at: datetime,
    ) -> Tally:
        if self._all_new and not places:
            newcomers = newcomers or pack_newcomers(
                facts, self._origin, minted_at=minted_at
            )
            if newcomers and self._database.transact_here(add_newcomers, newcomers):
                return Tally(new=len(facts))
        done = Tally()
        for start in range(0, len(facts), AT_ONCE):
            some = list(facts[start : start + AT_ONCE])
            done += self._change(some, places, minted_at)
        self._all_new = not (done.changed or done.same)
        return done

    def _change(
        self, facts: Sequence[Facts], places: Places, minted_at: datetime
    ) -> Tally:
        skus = {str(row[SKU]) for row in facts}
        return self._database.transact_here(
            bring_facts,
            self._origin.retailer_id,
            self._origin.source,
            facts,
            [(sku, told) for sku, told in places if sku in skus],
            now=self._origin.now,
            minted_at=minted_at,
        )


def bring_facts(
    session: Session,
    retailer_id: str,
    import_id: str,
    facts: Sequence[Facts],
    places: Places = (),
    *,
    now: datetime,
    minted_at: datetime | None = None,
) -> Tally:
    """Import some rows, and fit the deals to the new stock."""
    tally = import_batch(
        session,
        retailer_id,
        import_id,
        facts,
        places=places,
        now=now,
        minted_at=minted_at,
    )
    fit_deals(session, retailer_id, [str(row[SKU]) for row in facts], now=now)
    return tally


def bring_rows(
    session: Session,
    retailer_id: str,
    import_id: str,
    rows: Sequence[FeedRow],
    *,
    now: datetime,
) -> Tally:
    """Import rows that were read one by one."""
    facts = [facts_of(row) for row in rows]
    places = [(row.sku, row.quantities) for row in rows if row.quantities]
    return bring_facts(session, retailer_id, import_id, facts, places, now=now)


def fit_deals(
    session: Session, retailer_id: str, skus: Sequence[str], *, now: datetime
) -> None:
    """Fit the deals of offers to their stock; what got some may get units back.

    If there are fewer than are held, the newest holds lose.
    """
    in_deals = offers_in_deals(session, retailer_id, skus)
    refit(session, {offer.id for offer in in_deals}, now=now)
