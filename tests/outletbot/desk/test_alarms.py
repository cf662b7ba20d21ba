"""
The summary says which money a person has to look at, and leads to where that is done.
"""

from datetime import timedelta

import pytest
from sqlmodel import Session

from offers.payment_accounts import PaymentAccount, PaymentAccountKind
from outletbot.config import Settings
from outletbot.web.desk.alarms import read_alarms
from outletbot.web.desk.dashboard import payment_address
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_deal,
    make_dispute,
    make_order,
    make_refund,
    make_retailer,
)
from tests.outletbot.desk.test_summary import texts


class TestSummary:
    async def test_shows_nothing_when_all_is_well(self, desk, session):
        make_refund(session, of=make_order(session), given_at=NOON, provider_id="re_1")

        text = texts(await (await desk.get("/summary")).text())

        assert "A refund" not in text
        assert "disputed" not in text

    async def test_names_a_refund_that_failed_and_its_order(self, desk, session):
        order = make_order(session)
        failed = make_refund(
            session, of=order, amount=1_000, failed_at=NOON, failure="Stripe says no."
        )

        html = await (await desk.get("/summary")).text()

        text = texts(html)
        assert (
            "A refund of €10.00 failed (The shopper asked for it). Stripe says" in text
        )
        assert f'action="/refunds/{failed.id}/again"' in html
        assert f'action="/refunds/{failed.id}/clear"' in html
        assert f'href="/sales/{order.id}"' in html

    async def test_names_one_that_is_tried_in_vain(self, desk, session):
        order = make_order(session)
        make_refund(
            session, of=order, asked_at=NOON - 2 * HOUR, failure="The balance is low."
        )

        text = texts(await (await desk.get("/summary")).text())

        assert "is still not given" in text
        assert "It is tried again by itself." in text
        assert "Settled another way" not in text

    async def test_names_a_dispute_with_its_deadline(self, desk, session):
        order = make_order(session, make_deal(session, price_amount=4_000))
        make_dispute(session, order, due_by=NOON + 3 * DAY)

        html = await (await desk.get("/summary")).text()

        text = texts(html)
        assert "A payment of €40.00 is disputed" in text
        assert "Answer by Thu 5 Mar, 12:00 in Stripe's dashboard: 3 d left." in text
        assert "€40.00 gross, €0.00 refunded, €40.00 disputed" in text
        assert f'href="/sales/{order.id}"' in html

    async def test_says_that_a_dispute_is_being_decided(self, desk, session):
        make_dispute(session, make_order(session), state="under_review")

        text = texts(await (await desk.get("/summary")).text())

        assert "is being decided" in text
        assert "Answer in Stripe's dashboard" not in text

    async def test_shows_nothing_of_another_retailer(self, desk, session):
        make_order(session)
        south = make_retailer(session)
        foreign = make_order(session, make_deal(session, retailer_id=south.id))
        make_refund(session, of=foreign, failed_at=NOON)
        make_dispute(session, foreign)

        text = texts(await (await desk.get("/summary")).text())

        assert "A refund" not in text
        assert "disputed" not in text


class TestReadAlarms:
    def test_is_the_same_within_a_minute(
        self, session: Session, settings: Settings
    ) -> None:
        """Pages that follow are sent what changed, not each second."""
        dispute = make_dispute(session, make_order(session))

        def read(seconds: int) -> object:
            now = NOON + timedelta(seconds=seconds)
            return read_alarms(session, dispute.retailer_id, settings, now=now)

        assert read(1) == read(59)
        assert read(1) != read(61)


class TestAddress:
    @pytest.mark.parametrize(
        ("key", "address"),
        [
            ("sk_test_1", "https://dashboard.stripe.com/test/payments/pi_1"),
            ("sk_live_1", "https://dashboard.stripe.com/payments/pi_1"),
        ],
    )
    def test_of_the_house_is_by_its_key(self, key: str, address: str) -> None:
        settings = Settings(stripe_api_key=key)

        assert payment_address(settings, None, "pi_1") == address

    @pytest.mark.parametrize(
        ("livemode", "address"),
        [
            (False, "https://dashboard.stripe.com/acct_1/test/payments/pi_1"),
            (True, "https://dashboard.stripe.com/acct_1/payments/pi_1"),
        ],
    )
    def test_of_an_account_is_its_own(self, *, livemode: bool, address: str) -> None:
        account = PaymentAccount(
            id="pacc_1",
            retailer_id="retailer_1",
            kind=PaymentAccountKind.CONNECTED,
            provider_id="acct_1",
            livemode=livemode,
            connected_at=NOON,
        )

        assert payment_address(Settings(), account, "pi_1") == address
