"""
Disputes: as the provider says now, whatever was heard before or comes late.
"""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.disputes import (
    Dispute,
    DisputeWord,
    disputes_by_order,
    disputes_of_order,
    note_dispute,
    open_disputes,
)
from offers.money import Money
from offers.orders import Order
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_dispute,
    make_order,
    make_refund,
    make_retailer,
)


def said(order: Order, *, read_at: datetime = NOON, **facts: Any) -> DisputeWord:
    amount = facts.pop("amount", order.total_amount)
    withdrawn = facts.pop("withdrawn", amount)
    return DisputeWord(
        id=facts.pop("id", "dp_1"),
        payment_id=facts.pop("payment_id", order.payment_id),
        money=Money(amount, order.currency),
        withdrawn=Money(withdrawn, order.currency),
        reason=facts.pop("reason", "product_not_received"),
        state=facts.pop("state", "needs_response"),
        due_by=facts.pop("due_by", NOON + 7 * DAY),
        opened_at=facts.pop("opened_at", NOON - MINUTE),
        read_at=read_at,
    )


def note(session: Session, order: Order, word: DisputeWord, now: Any = NOON) -> Dispute:
    dispute = note_dispute(session, order.account_id, word, now=now)
    session.commit()
    assert dispute is not None
    return dispute


class TestNote:
    def test_keeps_what_there_is_to_know(self, session: Session) -> None:
        order = make_order(session)

        dispute = note(session, order, said(order))

        assert (dispute.order_id, dispute.retailer_id) == (order.id, order.retailer_id)
        assert (dispute.money, dispute.withdrawn) == (order.total, order.total)
        assert (dispute.due_by, dispute.opened_at) == (NOON + 7 * DAY, NOON - MINUTE)
        assert dispute.to_answer
        assert dispute.bars_refunds

    def test_follows_it_to_its_end(self, session: Session) -> None:
        order = make_order(session)
        note(session, order, said(order))

        later = NOON + DAY
        won = said(order, state="won", withdrawn=0, read_at=later)
        dispute = note(session, order, won, now=later)

        assert (dispute.state, dispute.withdrawn_amount) == ("won", 0)
        assert dispute.closed_at == later
        assert not dispute.bars_refunds
        assert len(session.exec(select(Dispute)).all()) == 1

    def test_an_older_word_changes_nothing(self, session: Session) -> None:
        order = make_order(session)
        note(session, order, said(order, state="lost", read_at=NOON + HOUR))

        dispute = note(session, order, said(order, read_at=NOON))

        assert dispute.state == "lost"

    def test_its_end_is_when_it_was_first_heard(self, session: Session) -> None:
        order = make_order(session)
        note(session, order, said(order, state="lost"))

        again = said(order, state="lost", read_at=NOON + HOUR)
        dispute = note(session, order, again, now=NOON + HOUR)

        assert dispute.closed_at == NOON

    def test_an_appeal_opens_it_again(self, session: Session) -> None:
        order = make_order(session)
        note(session, order, said(order, state="lost"))

        appeal = said(order, state="appeal_under_review", read_at=NOON + HOUR)
        dispute = note(session, order, appeal)

        assert (dispute.closed_at, dispute.bars_refunds) == (None, True)

    def test_of_a_payment_that_is_not_ours_is_left(self, session: Session) -> None:
        order = make_order(session)

        stranger = note_dispute(
            session, "", said(order, payment_id="pi_nobodys"), now=NOON
        )
        foreign = note_dispute(session, "pacc_2", said(order), now=NOON)

        assert (stranger, foreign) == (None, None)
        assert session.exec(select(Dispute)).all() == []

    def test_may_be_of_a_payment_that_became_no_order(self, session: Session) -> None:
        order = make_order(session)
        late = make_refund(session, payment_id="pi_late")

        word = said(order, payment_id=late.payment_id)
        dispute = note_dispute(session, "", word, now=NOON)

        assert dispute is not None
        assert (dispute.order_id, dispute.retailer_id) == (None, late.retailer_id)


class TestReading:
    def test_of_an_order_the_first_one_first(self, session: Session) -> None:
        order = make_order(session)
        second = make_dispute(session, order, opened_at=NOON + HOUR)
        first = make_dispute(session, order, state="won")
        south = make_retailer(session)

        found = disputes_of_order(session, order.retailer_id, order.id)

        assert found == [first, second]
        assert disputes_of_order(session, south.id, order.id) == []
        assert disputes_by_order(session, order.retailer_id) == {order.id: second}
        assert disputes_by_order(session, south.id) == {}

    def test_open_ones_begin_with_what_is_to_be_answered_first(
        self, session: Session
    ) -> None:
        order = make_order(session)
        reviewed = make_dispute(
            session, order, state="under_review", due_by=NOON + HOUR
        )
        later, soon = (
            make_dispute(session, order, due_by=NOON + days * DAY) for days in (3, 1)
        )
        for state in ("won", "lost", "warning_closed", "prevented"):
            make_dispute(session, order, state=state)

        assert open_disputes(session, order.retailer_id) == [soon, later, reviewed]
        assert open_disputes(session, make_retailer(session).id) == []

    @pytest.mark.parametrize(
        "state",
        ["warning_needs_response", "warning_under_review", "warning_closed", "won"],
    )
    def test_lets_refunds_be_where_the_provider_does(
        self, session: Session, state: str
    ) -> None:
        dispute = make_dispute(session, make_order(session), state=state)

        assert not dispute.bars_refunds

    @pytest.mark.parametrize(
        "state",
        ["needs_response", "under_review", "appeal_needs_response", "lost", "unheard"],
    )
    def test_bars_refunds_that_the_provider_would_refuse(
        self, session: Session, state: str
    ) -> None:
        dispute = make_dispute(session, make_order(session), state=state)

        assert dispute.bars_refunds
