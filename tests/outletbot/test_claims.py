"""
Holds asked for at once are committed at once, and nobody is answered before.
"""

import asyncio
from collections import Counter, deque

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from offers.claim_rows import Granted
from offers.claims import Claim
from offers.deals import Deal
from offers.errors import AllHeld, OfferError
from offers.holds import Hold
from outletbot.claim_lines import MAX_BATCH, Batch, Wish
from outletbot.claims import ClaimQueue
from outletbot.db import Database
from tests.factories import NOON, make_claim, make_deal, post_of

BOTH_DATABASES = True


@pytest.fixture
def queue(database: Database) -> ClaimQueue:
    return ClaimQueue(database, lambda: NOON)


def many(deal: Deal, post_id: str, number: int) -> list[Claim]:
    return [Claim(deal.id, post_id, f"key-{n}", f"shopper-{n}") for n in range(number)]


async def test_the_last_units_go_to_exactly_as_many(
    queue: ClaimQueue, session: Session
) -> None:
    deal = make_deal(session, allotment=7)
    wanted = many(deal, post_of(session, deal).id, 50)

    answers = await asyncio.gather(*map(queue.claim, wanted), return_exceptions=True)

    holds = [answer for answer in answers if isinstance(answer, Granted)]
    assert len(holds) == 7
    assert sum(isinstance(answer, AllHeld) for answer in answers) == 43
    assert {hold.key for hold in holds} == {f"key-{n}" for n in range(7)}
    session.refresh(deal)
    assert deal.held == 7


async def test_a_hold_is_committed_when_it_is_answered(
    queue: ClaimQueue, database: Database, session: Session
) -> None:
    deal = make_deal(session)

    hold = await queue.claim(make_claim(session, deal))

    found = database.read_here(lambda other: other.exec(select(Hold.id)).all())
    assert list(found) == [hold.id]


async def test_a_double_tap_gets_the_same_hold(
    queue: ClaimQueue, session: Session
) -> None:
    claim = make_claim(session, make_deal(session))

    one, other = await asyncio.gather(queue.claim(claim), queue.claim(claim))
    later = await queue.claim(claim)

    assert one.id == other.id == later.id


async def test_more_than_a_batch_is_answered_too(
    queue: ClaimQueue, session: Session
) -> None:
    deal = make_deal(session, allotment=3)
    wanted = many(deal, post_of(session, deal).id, MAX_BATCH + 10)

    answers = await asyncio.gather(*map(queue.claim, wanted), return_exceptions=True)

    assert sum(isinstance(answer, Granted) for answer in answers) == 3
    assert all(isinstance(answer, (Granted, OfferError)) for answer in answers)


async def test_a_batch_that_breaks_is_heard_by_all_and_the_next_goes_on(
    queue: ClaimQueue, session: Session
) -> None:
    deal = make_deal(session)
    wrong = make_claim(session, deal, post_id="post_none")

    with pytest.raises(IntegrityError):
        await queue.claim(wrong)

    assert isinstance(await queue.claim(make_claim(session, deal)), Granted)


async def test_who_goes_away_does_not_stop_the_others(
    queue: ClaimQueue, session: Session
) -> None:
    deal = make_deal(session)
    gone, there = (make_claim(session, deal) for _ in range(2))
    impatient = asyncio.create_task(queue.claim(gone))
    patient = asyncio.create_task(queue.claim(there))
    await asyncio.sleep(0)

    impatient.cancel()

    assert isinstance(await patient, Granted)


class TestManyDealsAtOnce:
    """They are committed together, and what one of them suffers the others do not."""

    async def test_each_is_granted_what_it_has(
        self, queue: ClaimQueue, database: Database, session: Session, monkeypatch
    ) -> None:
        deals = [make_deal(session, allotment=n % 3 + 1) for n in range(40)]
        wanted = [
            Claim(deal.id, post_of(session, deal).id, f"key-{n}", f"shopper-{n}")
            for deal in deals
            for n in range(4)
        ]
        turns = noted(monkeypatch, database)

        answers = await asyncio.gather(
            *map(queue.claim, wanted), return_exceptions=True
        )

        got = Counter(a.deal_id for a in answers if isinstance(a, Granted))
        assert got == {deal.id: deal.allotment for deal in deals}
        assert sum(isinstance(a, AllHeld) for a in answers) == 160 - got.total()
        assert len(turns) < 20  # and not forty
        assert all(turn == sorted(turn) for turn in turns)
        session.expire_all()
        assert [deal.held for deal in deals] == [deal.allotment for deal in deals]

    async def test_one_that_breaks_breaks_alone(
        self, queue: ClaimQueue, session: Session
    ) -> None:
        deals = [make_deal(session) for _ in range(9)]
        wanted = [make_claim(session, deal) for deal in deals]
        wanted[5] = make_claim(session, deals[5], post_id="post_none")
        beside = make_claim(session, deals[5])

        answers = await asyncio.gather(
            *map(queue.claim, [*wanted, beside]), return_exceptions=True
        )

        assert [n for n, a in enumerate(answers) if not isinstance(a, Granted)] == [5]
        assert isinstance(answers[5], IntegrityError)

    async def test_who_is_alone_comes_next_all_the_same(
        self, queue: ClaimQueue, session: Session
    ) -> None:
        deals = [make_deal(session, allotment=99) for _ in range(3)]
        crowd = many(deals[0], post_of(session, deals[0]).id, 60)

        for deal in deals:
            others = [make_claim(session, other) for other in deals]
            await asyncio.gather(*map(queue.claim, [*crowd[:20], *others]))
            crowd = crowd[20:]
            assert isinstance(await queue.claim(make_claim(session, deal)), Granted)


def noted(monkeypatch, database: Database) -> list[list[str]]:
    """Return what will be the deals of each turn."""
    turns: list[list[str]] = []
    claim = database.claim

    async def note(work, batches):  # noqa: ANN202 — as the database has it
        turns.append([*batches])
        return await claim(work, batches)

    monkeypatch.setattr(database, "claim", note)
    return turns


class TestATransactionThatIsRepeated:
    """Its shoppers may have been answered meanwhile, by another process too."""

    def test_grants_nothing_to_who_was_sent_away(self) -> None:
        batch = batch_of("one", "other")
        assert len(batch.fill()) == 2

        away = batch.close()

        assert [wish.claim.key for wish in away] == ["one", "other"]
        assert batch.fill() == []

    def test_grants_nothing_to_who_has_gone(self) -> None:
        batch = batch_of("gone", "there")
        batch.fill()

        batch.wishes[0].answer.cancel()

        assert [claim.key for claim in batch.fill()] == ["there"]
        assert [wish.claim.key for wish in batch.wishes] == ["there"]


def batch_of(*keys: str) -> Batch:
    loop = asyncio.new_event_loop()
    wishes = [
        Wish(Claim("deal", "post", key, "shopper"), loop.create_future())
        for key in keys
    ]
    loop.close()
    return Batch(deque(wishes))
