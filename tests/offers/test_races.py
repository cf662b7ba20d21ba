"""
The same rules with real processes and threads, all at once, on both databases.
"""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlmodel import Session, select

from offers.catalog import Offer
from offers.claim_rows import Granted
from offers.claims import Claim, place_holds
from offers.deals import Deal
from offers.holds import Hold, HoldState
from offers.orders import Order
from offers.posting import lease_due_posts
from offers.prices import PricePoint
from offers.shelving import import_rows
from outletbot.db import Database
from tests.conftest import Connect
from tests.factories import (
    MINUTE,
    NOON,
    SECOND,
    make_checkout,
    make_claim,
    make_deal,
    make_hold,
    make_offer,
    make_row,
    north,
    post_of,
)
from webhooks.handlers import handle
from webhooks.inbox import Arrival, lease_arrivals, receive
from webhooks.settling import settle_checkout

T = TypeVar("T")
PROCESSES = 4
PLENTY = 200

# What one process does: 200 shoppers after the same units, a few of them at a time.
RUSH = """
import sys
from offers.claims import Claim, Granted, place_holds
from outletbot.db import Database
from tests.factories import NOON

url, deal, post, name = sys.argv[1:]
database = Database.connect(url)
granted = 0
for batch in range(40):
    claims = [
        Claim(deal, post, f"{name}-{batch}-{n}", f"{name}-{batch}-{n}")
        for n in range(5)
    ]
    answers = database.transact_here(place_holds, claims, now=NOON)
    granted += sum(isinstance(answer, Granted) for answer in answers)
print(granted)
database.close()
"""


def at_once(work: Callable[[], T], times: int) -> list[T]:
    with ThreadPoolExecutor(times) as threads:
        return [one.result() for one in [threads.submit(work) for _ in range(times)]]


def test_four_processes_hold_each_unit_once(
    database: Database, session: Session
) -> None:
    deal = make_deal(session, allotment=100)
    url = database.engine.url.render_as_string(hide_password=False)
    arguments = [url, deal.id, post_of(session, deal).id]

    running = [
        subprocess.Popen(  # noqa: S603  (ourselves)
            [sys.executable, "-c", RUSH, *arguments, f"process-{number}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    answers = [process.communicate(timeout=120) for process in running]

    assert [errors for _, errors in answers] == [""] * PROCESSES
    assert sum(int(granted) for granted, _ in answers) == 100
    session.rollback()
    session.expire_all()
    assert session.get_one(Deal, deal.id).held == 100
    assert len(session.exec(select(Hold)).all()) == 100


def test_one_key_by_many_ways_is_one_hold(connect: Connect, session: Session) -> None:
    deal = make_deal(session, allotment=10)
    claim = make_claim(session, deal)
    others = [[make_claim(session, deal)] for _ in range(8)]

    def place() -> list[str]:
        claims: list[Claim] = [claim, *others.pop()]
        answers = connect().transact_here(place_holds, claims, now=NOON)
        return [answer.id for answer in answers if isinstance(answer, Granted)]

    placed = at_once(place, 8)

    assert [len(holds) for holds in placed] == [2] * 8
    assert len({holds[0] for holds in placed}) == 1
    session.refresh(deal)
    assert deal.held == 9


def test_one_checkout_settled_from_everywhere_is_one_order(
    database: Database, session: Session
) -> None:
    offer = make_offer(session, quantity=10)
    deal = make_deal(session, offer)
    hold = make_hold(session, deal, state=HoldState.OPEN, quantity=2)
    checkout = make_checkout(hold)

    def settle() -> str:
        return database.transact_here(
            settle_checkout, checkout, livemode=False, now=NOON
        )

    assert at_once(settle, 8) == ["ordered"] * 8

    session.rollback()
    session.expire_all()
    assert len(session.exec(select(Order)).all()) == 1
    assert (deal.held, deal.sold, offer.quantity) == (0, 2, 8)


def test_paid_and_expired_at_once_are_one_end(
    database: Database, session: Session
) -> None:
    deal = make_deal(session, allotment=20, limit_per_shopper=1)
    holds = [make_hold(session, deal, state=HoldState.OPEN) for _ in range(6)]
    words = [make_checkout(hold) for hold in holds for _ in range(2)]
    words += [make_checkout(hold, state="expired", paid="unpaid") for hold in holds]

    def settle() -> str:
        checkout = words.pop()
        return database.transact_here(
            settle_checkout, checkout, livemode=False, now=NOON
        )

    at_once(settle, len(words))

    session.rollback()
    session.expire_all()
    assert (deal.left, deal.held, deal.sold) == (14, 0, 6)


def test_two_workers_lease_each_post_once(database: Database, session: Session) -> None:
    for _ in range(PLENTY):
        make_deal(session, opens_at=NOON - SECOND, opened_at=None)
    leased: Counter[str] = Counter()

    def work() -> Counter[str]:
        mine: Counter[str] = Counter()
        while posts := database.transact_here(
            lease_due_posts, now=NOON, ahead=SECOND, limit=7
        ):
            mine.update(post.id for post in posts)
        return mine

    for mine in at_once(work, 2):
        leased += mine

    assert len(leased) == PLENTY
    assert set(leased.values()) == {1}


def test_a_feed_imported_twice_at_once_is_imported_once(
    database: Database, session: Session
) -> None:
    retailer_id = north(session).id
    rows = [make_row(f"SKU-{number}") for number in range(50)]

    def bring() -> tuple[int, int]:
        tally, _ = database.transact_here(
            import_rows, retailer_id, rows, source="feed", now=NOON
        )
        return tally.new, tally.same

    assert sorted(at_once(bring, 2)) == [(0, 50), (50, 0)]

    assert len(session.exec(select(Offer)).all()) == 50
    assert len(session.exec(select(PricePoint)).all()) == 50


def test_an_import_and_orders_at_once_lose_no_unit(
    database: Database, session: Session
) -> None:
    offer = make_offer(session, quantity=100, sku="PARKA", price_amount=9_900)
    deal = make_deal(session, offer, allotment=100)
    holds = [make_hold(session, deal, state=HoldState.OPEN) for _ in range(8)]
    words = [make_checkout(hold) for hold in holds]
    titles = [f"Parka {number}" for number in range(8)]

    def work() -> None:
        row = make_row("PARKA", title=titles.pop(), quantity=None)
        retailer_id = offer.retailer_id
        database.transact_here(import_rows, retailer_id, [row], source="f", now=NOON)
        database.transact_here(
            settle_checkout, words.pop(), livemode=False, now=NOON + MINUTE
        )

    at_once(work, 8)

    session.rollback()
    session.expire_all()
    assert offer.quantity == 92


def test_a_count_and_orders_at_once_lose_no_unit(
    database: Database, session: Session
) -> None:
    offer = make_offer(session, quantity=100, sku="PARKA")
    deal = make_deal(session, offer, allotment=100)
    holds = [make_hold(session, deal, state=HoldState.OPEN) for _ in range(8)]
    words = [make_checkout(hold) for hold in holds]
    arrivals = [_counted(offer, number) for number in range(8)]
    for arrival in arrivals:
        database.transact_here(receive, arrival)

    def work() -> None:
        database.transact_here(
            settle_checkout, words.pop(), livemode=False, now=NOON + MINUTE
        )
        database.transact_here(
            handle, arrivals.pop(), None, livemode=False, now=NOON + MINUTE
        )

    at_once(work, 8)

    session.rollback()
    session.expire_all()
    assert offer.quantity == 82


def test_a_count_waits_for_an_order_that_is_being_written(
    database: Database, session: Session
) -> None:
    offer = make_offer(session, quantity=100, sku="PARKA")
    hold = make_hold(session, make_deal(session, offer), state=HoldState.OPEN)
    arrival = _counted(offer, 1)
    database.transact_here(receive, arrival)
    written = threading.Event()

    def settle_slowly(other: Session) -> None:
        now = NOON + MINUTE
        settle_checkout(other, make_checkout(hold), livemode=False, now=now)
        written.set()
        time.sleep(0.3)

    with ThreadPoolExecutor(2) as threads:
        settling = threads.submit(database.transact_here, settle_slowly)
        assert written.wait(10)
        database.transact_here(handle, arrival, None, livemode=False, now=NOON + MINUTE)
        settling.result()

    session.rollback()
    session.expire_all()
    assert offer.quantity == 89


def _counted(offer: Offer, number: int) -> Arrival:
    """The shop's word, of before the orders, that there are 90."""
    return Arrival(
        id=f"arrival_{number}",
        retailer_id=offer.retailer_id,
        source="stock",
        message_id=f"msg_{number}",
        type="stock.updated",
        payload={"items": [{"sku": offer.sku, "quantity": 90}]},
        sent_at=NOON,
        received_at=NOON,
        due_at=NOON,
    )


def test_a_message_that_comes_at_once_many_times_is_handled_once(
    database: Database, session: Session
) -> None:
    hold = make_hold(session, state=HoldState.OPEN)
    checkout = make_checkout(hold)
    sent = [
        Arrival(
            id=f"arrival_{number}",
            source="stripe",
            message_id="evt_1",
            type="checkout.session.completed",
            payload={"id": checkout.id},
            sent_at=NOON,
            received_at=NOON,
            due_at=NOON,
        )
        for number in range(8)
    ]

    assert sorted(at_once(lambda: _receive(database, sent.pop()), 8)) == [False] * 7 + [
        True
    ]
    (arrival,) = database.transact_here(lease_arrivals, now=NOON)

    def act() -> str:
        return database.transact_here(
            handle, arrival, checkout, livemode=False, now=NOON
        )

    assert sorted(at_once(act, 4)) == ["handled before"] * 3 + ["ordered"]


def _receive(database: Database, arrival: Arrival) -> bool:
    return database.transact_here(receive, arrival)
