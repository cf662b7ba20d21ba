"""
Two merchants, a provider and a job at once: an order gives back what was paid, no more,
and its sum is that of its refunds.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlmodel import Session, col, select

from offers.disputes import Dispute, note_dispute
from offers.echoes import Echo
from offers.errors import OfferError
from offers.money import Money
from offers.orders import Order
from offers.refund_news import RefundWord, note_refunds
from offers.refunds import Refund, RefundStage
from offers.returns import RefundReason, RefundWish, ask_refund
from outletbot.db import Database
from tests.factories import (
    NOON,
    make_deal,
    make_echo,
    make_offer,
    make_order,
    make_refund,
    make_shop,
    north,
)
from tests.offers.test_disputes import said
from webhooks.messages import STOCK_CHANGED
from webhooks.outbox import Delivery
from webhooks.refunding import refund_order

T = TypeVar("T")


def at_once(work: Callable[[int], T], times: int) -> list[T]:
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(work, range(times)))


def wish(key: str, amount: int, units: int = 0) -> RefundWish:
    return RefundWish(
        key=key,
        money=Money(amount, "eur"),
        units=units,
        reason=RefundReason.REQUESTED,
        note="",
        asked_by="merchant_ana",
    )


def refunds(session: Session) -> list[Refund]:
    session.rollback()
    session.expire_all()
    return list(session.exec(select(Refund).order_by(col(Refund.id))))


def test_merchants_at_once_give_back_no_more_than_was_paid(
    database: Database, session: Session
) -> None:
    offer = make_offer(session, quantity=0)
    deal = make_deal(session, offer, price_amount=4_000, allotment=2)
    order = make_order(session, deal, quantity=2)

    def ask(number: int) -> bool:
        asked = wish(f"form-{number}", 3_000, units=1)
        try:
            database.transact_here(
                ask_refund, order.retailer_id, order.id, asked, now=NOON
            )
        except OfferError:
            return False
        return True

    granted = at_once(ask, 8)

    assert sum(granted) == 2
    assert sum(refund.amount for refund in refunds(session)) == 6_000
    session.refresh(offer)
    assert offer.quantity == 2


def test_one_form_sent_many_times_at_once_is_one_refund(
    database: Database, session: Session
) -> None:
    offer = make_offer(session, quantity=0)
    order = make_order(session, make_deal(session, offer), quantity=2)

    def ask(_: int) -> str:
        asked = wish("form", 1_000, units=1)
        refund = database.transact_here(
            ask_refund, order.retailer_id, order.id, asked, now=NOON
        )
        return refund.id

    assert len(set(at_once(ask, 8))) == 1

    assert len(refunds(session)) == 1
    session.refresh(offer)
    assert offer.quantity == 1


def test_news_of_one_payment_by_many_ways_is_counted_once(
    database: Database, session: Session
) -> None:
    order = make_order(session)
    ours = make_refund(session, of=order, amount=1_000)
    money = Money(1_000, "eur")
    words = [
        RefundWord(id="re_1", money=money, stage=stage, refund_id=ours.id)
        for stage in (RefundStage.PENDING, RefundStage.SUCCEEDED)
    ]
    words.append(RefundWord(id="re_2", money=money, stage=RefundStage.SUCCEEDED))

    def hear(number: int) -> None:
        heard = words[number % 3 :] + words[: number % 3]
        database.transact_here(note_refunds, "", order.payment_id, heard, now=NOON)

    at_once(hear, 8)

    assert len(refunds(session)) == 2
    assert session.get_one(Order, order.id).refunded_amount == 2_000


def test_a_dispute_heard_many_times_at_once_is_one(
    database: Database, session: Session
) -> None:
    order = make_order(session)

    def hear(_: int) -> None:
        database.transact_here(note_dispute, "", said(order), now=NOON)

    at_once(hear, 8)

    session.rollback()
    assert len(session.exec(select(Dispute)).all()) == 1


def test_a_form_that_is_sent_twice_at_once_tells_the_shops_once(
    database: Database, session: Session
) -> None:
    retailer = north(session)
    retailer.webhook_url = "https://north.example/hook"
    session.add(retailer)
    make_shop(session, tells_back=True)
    offer = make_offer(session, quantity=0)
    deal = make_deal(session, offer, price_amount=4_000, allotment=2)
    order = make_order(session, deal, quantity=2)
    echo = make_echo(session, offer, change=-2, source_id=order.id)

    def ask(_: int) -> None:
        asked = wish("form", 3_000, units=1)
        database.transact_here(
            refund_order, order.retailer_id, order.id, asked, now=NOON
        )

    at_once(ask, 6)

    session.rollback()
    assert len(refunds(session)) == 1
    came_back = select(Echo).where(Echo.id != echo.id)
    assert [each.change for each in session.exec(came_back)] == [1]
    told = select(Delivery.type).where(Delivery.type == STOCK_CHANGED)
    assert len(session.exec(told).all()) == 1
