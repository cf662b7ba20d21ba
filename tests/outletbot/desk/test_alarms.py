"""
The summary says what a person has to look at, money and posts, and leads to where that
is done.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from offers.payment_accounts import PaymentAccount, PaymentAccountKind
from offers.posts import Post, PostState
from outletbot.config import Settings
from outletbot.web.desk.alarms import read_alarms
from outletbot.web.desk.dashboard import payment_address
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_dispute,
    make_order,
    make_post,
    make_refund,
    make_retailer,
    post_of,
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


def make_due(session: Session, retailer_id: str = "", **facts: Any) -> Post:
    """Make a post that was due five minutes ago, on Mastodon."""
    deal = make_deal(
        session,
        title="Kettle",
        retailer_id=retailer_id,
        opens_at=NOON - 5 * MINUTE,
        opened_at=None,
    )
    post_of(session, deal).state = PostState.SKIPPED
    handle = f"north{deal.id}"
    account = make_account(session, handle=handle, retailer_id=deal.retailer_id)
    return make_post(session, deal, account, **facts)


class TestPosts:
    async def test_that_are_late_are_named_with_their_reason(self, desk, session):
        post = make_due(session, failure="Mastodon is down.")

        html = await (await desk.get("/summary")).text()

        text = texts(html)
        assert "The post about “Kettle” on Mastodon north" in text
        assert "is late. It was due Mon 2 Mar, 11:55. Mastodon is down." in text
        assert f'href="/deals/{post.deal_id}"' in html
        assert f'action="/posts/{post.id}/again"' not in html

    async def test_that_failed_can_be_sent_again(self, desk, session):
        post = make_due(session, state=PostState.FAILED, failure="Too long.")

        html = await (await desk.get("/summary")).text()

        assert "failed. It was due Mon 2 Mar, 11:55. Too long." in texts(html)
        assert f'action="/posts/{post.id}/again"' in html
        assert f'action="/posts/{post.id}/there"' not in html

    async def test_that_may_be_out_can_be_taken_for_that(self, desk, session):
        post = make_due(session, state=PostState.UNCONFIRMED)

        html = await (await desk.get("/summary")).text()

        assert "may be out or not: look there." in texts(html)
        assert f'action="/posts/{post.id}/again"' in html
        assert f'action="/posts/{post.id}/there"' in html

    async def test_cannot_go_out_on_a_channel_in_trouble(self, desk, session):
        make_deal(session)
        make_account(session, handle="@north", trouble="The token was revoked.")

        html = await (await desk.get("/summary")).text()

        assert (
            "The channel Mastodon @north needs a look: nothing goes out there. The"
            " token was revoked." in texts(html)
        )
        assert 'href="/channels">See the channels' in html

    async def test_of_another_retailer_are_none_of_ours(self, desk, session):
        south = make_retailer(session)
        make_due(session, south.id)
        make_account(session, retailer_id=south.id, trouble="Theirs.")

        text = texts(await (await desk.get("/summary")).text())

        assert "Kettle" not in text
        assert "Theirs" not in text

    async def test_write_what_people_typed_as_text(self, desk, session):
        make_due(session, failure="<script>alert(1)</script>")

        assert "<script>alert" not in await (await desk.get("/summary")).text()

    async def test_are_no_alarm_while_all_is_well(self, desk, session):
        make_deal(session)

        assert 'role="alert"' not in await (await desk.get("/summary")).text()


class TestBanner:
    @pytest.mark.parametrize("path", ["/deals", "/offers", "/channels", "/settings"])
    async def test_is_on_every_page(self, desk, session, path):
        post = make_due(session, state=PostState.FAILED, failure="Too long.")

        html = await (await desk.get(path)).text()

        assert "failed. It was due Mon 2 Mar, 11:55. Too long." in texts(html)
        assert f'action="/posts/{post.id}/again"' in html

    async def test_is_on_a_form_that_is_refused(self, desk, session):
        make_due(session, state=PostState.FAILED)

        html = await (await desk.post("/settings", data={"name": ""})).text()

        assert "The post about “Kettle”" in html

    async def test_is_no_second_time_on_the_summary(self, desk, session):
        make_due(session, state=PostState.FAILED)

        html = await (await desk.get("/summary")).text()

        assert html.count("The post about “Kettle”") == 1

    async def test_counts_what_is_too_much_to_list(self, desk, session):
        for _ in range(4):
            make_due(session, state=PostState.FAILED)

        html = await (await desk.get("/deals")).text()

        assert "4 posts, channels, feeds or shops need a look." in html
        assert html.count("The post about “Kettle”") == 1

    async def test_is_nowhere_while_all_is_well(self, desk, session):
        make_deal(session)

        assert 'role="alert"' not in await (await desk.get("/deals")).text()

    async def test_is_for_nobody_who_is_not_signed_in(self, browser, session):
        make_due(session, state=PostState.FAILED)

        for path in ("/sign-in", "/o/north"):
            assert "/again" not in await (await browser.get(path)).text()

    async def test_says_nothing_of_another_retailer(self, desk, session):
        make_due(session, make_retailer(session).id, state=PostState.FAILED)

        assert "Kettle" not in await (await desk.get("/deals")).text()


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

    def test_is_the_same_however_a_late_post_is_leased(
        self, session: Session, settings: Settings
    ) -> None:
        post = make_due(session)

        def read() -> object:
            session.commit()
            return read_alarms(session, post.retailer_id, settings, now=NOON)

        before = read()
        post.due_at, post.fence = NOON + 2 * MINUTE, 7

        assert read() == before


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
