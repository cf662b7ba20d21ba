"""
An owner says to whom shoppers pay: nothing is kept that Stripe did not prove, nothing
changes without the password, and no secret is ever shown again.
"""

from typing import Any

import pytest
from aiohttp import web
from sqlmodel import Session, select

from offers.connecting import deauthorise
from offers.holds import Hold, HoldState
from offers.merchants import Merchant, Role
from offers.payment_accounts import (
    AccountWord,
    PaymentAccount,
    PaymentAccountKind,
    may_sell,
)
from outletbot.config import Settings
from outletbot.passwords import Passwords
from outletbot.web.desk.payment_changes import HOME
from tests.factories import (
    HOUR,
    NOON,
    make_hold,
    make_merchant,
    make_payment_account,
    make_retailer,
    north,
)
from tests.fakes import FakePayments
from tests.outletbot.desk.conftest import Client, sign_in

PASSWORD = "a good long password"
KEY = "rk_test_north"
NORTH = AccountWord("acct_1", "North & Sons", enabled=True)
CONNECTED = PaymentAccountKind.CONNECTED


@pytest.fixture
async def ana(session: Session) -> Merchant:
    return make_merchant(session, password_hash=await Passwords().hash(PASSWORD))


@pytest.fixture(autouse=True)
def stripe(payments: FakePayments) -> FakePayments:
    """A provider that knows one key."""
    payments.connector.words[KEY] = NORTH
    return payments


async def send(desk: Client, path: str, **form: str) -> Any:
    said = {"password": PASSWORD, **form}
    return await desk.post(f"{HOME}{path}", data=said, allow_redirects=False)


async def shown(desk: Client) -> str:
    answer = await desk.get(HOME)
    assert answer.status == 200
    return await answer.text()


def accounts(session: Session) -> list[PaymentAccount]:
    session.rollback()
    session.expire_all()
    return list(session.exec(select(PaymentAccount)))


class TestPage:
    async def test_says_that_the_house_takes_the_money(self, desk) -> None:
        html = await shown(desk)

        assert "The account of this service" in html
        assert "test mode: no real money" in html

    async def test_proves_whose_account_it_is(self, desk, session) -> None:
        make_payment_account(session, name="North", provider_id="acct_7", fee_bps=250)
        make_payment_account(
            session, name="Old", provider_id="acct_6", ended_at=NOON - HOUR
        )

        html = await shown(desk)

        assert "acct_7" in html
        assert "acct_6" in html
        assert "by a key of yours" in html

    async def test_shows_the_fee(self, desk, session) -> None:
        make_payment_account(session, kind=CONNECTED, fee_bps=250)

        html = await shown(desk)

        assert "2.5 % of each payment" in html
        assert "by Stripe Connect" in html

    async def test_shows_others_how_it_is_and_no_form(
        self, browser, database, session
    ) -> None:
        account = make_payment_account(session)
        await sign_in(browser, database, make_merchant(session, role=Role.MERCHANT))

        html = await shown(browser)

        assert account.provider_id in html
        assert 'name="password"' not in html

    async def test_is_linked_from_the_settings(self, desk) -> None:
        html = await (await desk.get("/settings")).text()

        assert f'href="{HOME}"' in html


class TestKey:
    async def test_is_proved_and_kept_sealed(self, desk, session, seal, stripe) -> None:
        answer = await send(desk, "/key", key=KEY)

        (account,) = accounts(session)
        url = f"http://outlet.example/webhooks/stripe/{account.id}"
        assert answer.status == 303
        assert (account.provider_id, account.name) == ("acct_1", "North & Sons")
        assert (account.proved_at, account.livemode) == (NOON, False)
        assert seal.open(account.sealed_key) == KEY
        assert stripe.connector.endpoints == [(KEY, url)]
        assert seal.open(account.sealed_webhook_secret) == "whsec_made"

    async def test_is_never_shown_again(self, desk) -> None:
        await send(desk, "/key", key=KEY)

        html = await shown(desk)

        assert KEY not in html
        assert "whsec_made" not in html

    async def test_of_an_account_that_has_an_endpoint_makes_no_other(
        self, desk, stripe
    ) -> None:
        for _ in "ab":
            await send(desk, "/key", key=KEY)

        assert len(stripe.connector.endpoints) == 1

    async def test_that_may_make_no_endpoint_is_taken_with_the_steps(
        self, desk, session, stripe
    ) -> None:
        stripe.connector.secret = ""

        await send(desk, "/key", key=KEY)
        html = await shown(desk)

        (account,) = accounts(session)
        assert account.is_in_use
        assert f"http://outlet.example/webhooks/stripe/{account.id}" in html
        assert "do it by hand" in html

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ("", "Fill this in"),
            ("pk_live_1", "publishable key"),
            ("hello", "begins with rk_live_"),
            ("sk_test_é", "begins with rk_live_"),
            ("rk_test_other", "Stripe does not take this key: Invalid API Key"),
        ],
    )
    async def test_that_is_none_is_refused(self, desk, session, key, said) -> None:
        answer = await send(desk, "/key", key=key, form="key")

        assert answer.status == 422
        assert said in await answer.text()
        assert accounts(session) == []

    async def test_of_an_account_that_takes_no_payments_is_refused(
        self, desk, session, stripe
    ) -> None:
        stripe.connector.words[KEY] = AccountWord("acct_1", "", enabled=False)

        answer = await send(desk, "/key", key=KEY)

        assert answer.status == 422
        assert accounts(session) == []

    async def test_is_not_taken_while_stripe_is_down(
        self, desk, session, stripe
    ) -> None:
        stripe.connector.down = True

        answer = await send(desk, "/key", key=KEY)

        assert answer.status == 409
        assert "Stripe says: no answer" in await answer.text()
        assert accounts(session) == []


class TestPassword:
    async def test_is_asked_for(self, desk, session) -> None:
        answer = await send(desk, "/key", key=KEY, password="wrong", form="key")

        assert answer.status == 422
        assert "This is not your password" in await answer.text()
        assert accounts(session) == []

    async def test_cannot_be_guessed_for_ever(self, desk) -> None:
        statuses = [
            (await send(desk, "/house", password="x")).status for _ in range(11)
        ]

        assert statuses == [422] * 10 + [429]

    async def test_is_an_owners(self, browser, database, session) -> None:
        await sign_in(browser, database, make_merchant(session, role=Role.MERCHANT))

        answer = await send(browser, "/key", key=KEY)

        assert answer.status == 409
        assert accounts(session) == []

    async def test_has_to_be_chosen_first(self, browser, database, session) -> None:
        await sign_in(browser, database, make_merchant(session))

        answer = await send(browser, "/key", key=KEY, form="key")

        assert answer.status == 422
        assert "You have no password yet" in await answer.text()


class TestSecret:
    async def test_is_taken_by_hand(self, desk, session, seal) -> None:
        account = make_payment_account(session)

        answer = await send(desk, f"/{account.id}/secret", secret="whsec_new")

        (account,) = accounts(session)
        assert answer.status == 303
        assert seal.open(account.sealed_webhook_secret) == "whsec_new"

    @pytest.mark.parametrize("secret", ["", "sk_test_1", "whsec_a,whsec_b"])
    async def test_that_is_none_is_refused(self, desk, session, secret) -> None:
        account = make_payment_account(session)

        answer = await send(desk, f"/{account.id}/secret", secret=secret, form="secret")

        assert answer.status == 422

    async def test_is_not_taken_for_another_retailer(self, desk, session) -> None:
        south = make_retailer(session)
        account = make_payment_account(session, retailer_id=south.id)

        answer = await send(desk, f"/{account.id}/secret", secret="whsec_new")

        assert answer.status == 404
        assert accounts(session)[0].sealed_webhook_secret == ""


class TestConnect:
    async def test_leads_to_stripe(self, desk, session, stripe) -> None:
        answer = await send(desk, "/connect")

        (account,) = accounts(session)
        back = f"http://outlet.example{HOME}"
        assert answer.headers["Location"] == "https://connect.example/acct_1"
        assert stripe.connector.links == [("acct_1", f"{back}/back", f"{back}/again")]
        assert (account.kind, account.proved_at) == (CONNECTED, None)
        assert not account.is_in_use

    async def test_makes_one_account_however_often_it_is_pressed(
        self, desk, session, stripe
    ) -> None:
        for _ in "abc":
            await send(desk, "/connect")

        assert len(accounts(session)) == len(stripe.connector.made) == 1

    async def test_takes_the_platforms_fee(
        self, app: web.Application, desk, session, settings: Settings
    ) -> None:
        assert settings.platform_fee_bps == 0

        await send(desk, "/connect")

        assert accounts(session)[0].fee_bps == 0

    async def test_an_old_address_is_replaced(self, desk, session) -> None:
        await send(desk, "/connect")

        answer = await desk.get(f"{HOME}/again", allow_redirects=False)

        assert answer.headers["Location"] == "https://connect.example/acct_1"

    async def test_an_address_that_cannot_be_had_is_explained(
        self, desk, stripe
    ) -> None:
        await send(desk, "/connect")
        stripe.connector.down = True

        answer = await desk.get(f"{HOME}/again", allow_redirects=False)

        assert answer.status == 409
        assert "Stripe says: no answer" in await answer.text()

    @pytest.mark.parametrize("path", ["/again", "/back"])
    async def test_nobody_is_led_where_nothing_was_begun(self, desk, path) -> None:
        answer = await desk.get(f"{HOME}{path}", allow_redirects=False)

        assert answer.headers["Location"] == HOME

    async def test_is_used_once_stripe_agrees(self, desk, session, stripe) -> None:
        await send(desk, "/connect")
        stripe.word = AccountWord("acct_1", "North", enabled=False)
        await desk.get(f"{HOME}/back")
        not_yet = accounts(session)[0].is_in_use

        stripe.word = NORTH
        await desk.get(f"{HOME}/back")

        assert not not_yet
        assert accounts(session)[0].is_in_use

    async def test_coming_back_while_stripe_is_down_changes_nothing(
        self, desk, session, stripe
    ) -> None:
        await send(desk, "/connect")
        stripe.down = True

        answer = await desk.get(f"{HOME}/back", allow_redirects=False)

        assert answer.status == 303
        assert not accounts(session)[0].is_in_use


class TestTest:
    async def test_notes_that_it_works(self, desk, session) -> None:
        account = make_payment_account(session, proved_at=NOON - HOUR)

        await send(desk, f"/{account.id}/test")

        assert accounts(session)[0].proved_at == NOON

    async def test_notes_that_it_does_not(self, desk, session, stripe) -> None:
        account = make_payment_account(session)
        stripe.refuses = "Expired API Key"

        await send(desk, f"/{account.id}/test")
        html = await shown(desk)

        assert "Stripe does not let us act for it: Expired API Key" in html

    async def test_says_that_stripe_is_down(self, desk, session, stripe) -> None:
        account = make_payment_account(session)
        stripe.down = True

        answer = await send(desk, f"/{account.id}/test")

        assert answer.status == 409
        assert accounts(session)[0].trouble == ""


class TestDisconnect:
    async def test_asks_again_while_shoppers_are_paying(self, desk, session) -> None:
        account = make_payment_account(session)
        make_hold(session, state=HoldState.OPEN, account_id=account.id)
        path = f"/{account.id}/disconnect"

        asked = await send(desk, path, form="disconnect")
        between = accounts(session)[0].ended_at
        done = await send(desk, path, form="disconnect", sure="yes")

        assert (asked.status, between) == (409, None)
        assert 'name="sure"' in await asked.text()
        assert done.status == 303
        assert accounts(session)[0].ended_at == NOON

    async def test_keeps_the_history(self, desk, session) -> None:
        account = make_payment_account(session, provider_id="acct_5")

        await send(desk, f"/{account.id}/disconnect")

        assert "acct_5" in await shown(desk)


class TestDeauthorised:
    async def test_is_an_alarm_with_a_way_out(self, desk, database, session) -> None:
        account = make_payment_account(session)
        await database.transact(deauthorise, account.id, now=NOON)

        html = await shown(desk)
        await send(desk, "/house")

        session.rollback()
        assert "Nothing is sold at the moment" in html
        assert may_sell(session, north(session).id)


class TestReviews:
    async def test_a_person_puts_the_units_back_on_sale(self, desk, session) -> None:
        hold = make_hold(session, state=HoldState.REVIEW)

        before = await shown(desk)
        answer = await send(desk, f"/holds/{hold.id}/release")

        session.refresh(hold)
        assert hold.id in before
        assert answer.status == 303
        assert hold.state is HoldState.RELEASED

    async def test_not_of_another_retailer(self, desk, session) -> None:
        hold = make_hold(session, state=HoldState.REVIEW)
        session.get_one(Hold, hold.id).retailer_id = make_retailer(session).id
        session.commit()

        answer = await send(desk, f"/holds/{hold.id}/release")

        assert answer.status == 404
