"""
The checkout page takes money once, and says what happened when it takes none.
"""

import asyncio

import pytest
import stripe

from outletbot.sandbox.stripe_payments import SessionOver, Shopper
from tests.outletbot.sandbox.stripe_stage import NORTH, Stage, priced, visible

SHIPPING = {
    "shipping_address_collection": {"allowed_countries": ["FR", "BE"]},
    "phone_number_collection": {"enabled": True},
}
ADDRESS = {
    "name": "Ada Byron",
    "line1": "1 rue du Bac",
    "postal_code": "75007",
    "city": "Paris",
    "country": "FR",
    "phone": "+33 1 23 45 67 89",
}


class TestPage:
    async def test_shows_what_is_paid_and_that_it_is_play(self, stage: Stage) -> None:
        session = await stage.create()

        status, page = await stage.look(f"/c/pay/{session.id}")

        assert status == 200
        said = visible(page)
        assert "Sandbox: no real money" in said
        assert "Last season's parka" in said.replace("&#39;", "'")
        assert "€25.00" in said
        assert 'href="http://shop.test/deal"' in page
        assert 'value="4242 4242 4242 4242"' in page
        assert "<script" not in page

    async def test_shows_markup_in_a_name_as_text(self, stage: Stage) -> None:
        items = priced(500)
        items[0]["price_data"]["product_data"]["name"] = "<b>Lamp</b>"
        session = await stage.create(line_items=items)

        _, page = await stage.look(f"/c/pay/{session.id}")

        assert "<b>Lamp" not in page

    async def test_asks_for_what_the_session_asks_for(self, stage: Stage) -> None:
        plain, full = await stage.create(), await stage.create(**SHIPPING)

        _, plain_page = await stage.look(f"/c/pay/{plain.id}")
        _, full_page = await stage.look(f"/c/pay/{full.id}")

        for name in ("phone", "line1", "country"):
            assert f'name="{name}"' not in plain_page
            assert f'name="{name}"' in full_page

    async def test_of_nothing_is_not_found(self, stage: Stage) -> None:
        assert (await stage.look("/c/pay/cs_test_none"))[0] == 404

    async def test_says_when_it_is_too_late(self, stage: Stage) -> None:
        session = await stage.create()
        await stage.client.v1.checkout.sessions.expire_async(session.id)

        status, page = await stage.look(f"/c/pay/{session.id}")

        assert status == 410
        assert "This page has expired" in visible(page)

    async def test_says_when_it_is_paid_for(self, stage: Stage) -> None:
        session = await stage.create()
        await stage.press(session.id)

        status, page = await stage.look(f"/c/pay/{session.id}")

        assert status == 200
        assert "This is paid for already" in visible(page)
        assert f"http://shop.test/done?session={session.id}" in page


class TestPay:
    async def test_completes_the_session_and_goes_back(self, stage: Stage) -> None:
        session = await stage.create()

        status, place, _ = await stage.press(session.id, email="ada@shop.test")

        assert status == 303
        assert place == f"http://shop.test/done?session={session.id}"
        paid = await stage.retrieve(session.id)
        assert (paid.status, paid.payment_status) == ("complete", "paid")
        assert paid.url is None
        assert paid.customer_details.email == "ada@shop.test"

    async def test_makes_a_payment_with_its_charge_and_fee(self, stage: Stage) -> None:
        session = await stage.create(
            payment_intent_data={"metadata": {"hold": "hold_1"}}
        )

        await stage.press(session.id)

        paid = await stage.retrieve(session.id)
        intent = await stage.client.v1.payment_intents.retrieve_async(
            paid.payment_intent,
            {"expand": ["latest_charge.balance_transaction"]},
        )
        assert (intent.status, intent.amount_received) == ("succeeded", 2_500)
        assert intent.metadata["hold"] == "hold_1"
        charge = intent.latest_charge
        assert (charge.amount, charge.paid, charge.refunded) == (2_500, True, False)
        assert charge.payment_intent == intent.id
        transaction = charge.balance_transaction
        # 1.5 % of 25.00 is 37.5 cents, rounded up, and 25 cents.
        assert (transaction.amount, transaction.fee) == (2_500, 63)
        assert transaction.net == 2_437

    async def test_takes_the_fee_of_the_platform(self, stage: Stage) -> None:
        session = await stage.create(
            NORTH, payment_intent_data={"application_fee_amount": 100}
        )

        await stage.press(session.id)

        listed = await stage.client.v1.balance_transactions.list_async({}, NORTH)
        assert [each.fee for each in listed.data] == [163]
        kinds = [detail.type for detail in listed.data[0].fee_details]
        assert kinds == ["stripe_fee", "application_fee"]

    async def test_twice_pays_once(self, stage: Stage) -> None:
        session = await stage.create()

        first, second = await asyncio.gather(
            stage.press(session.id), stage.press(session.id)
        )

        assert first[:2] == second[:2]
        assert first[0] == 303
        listed = await stage.client.v1.balance_transactions.list_async()
        assert len(listed.data) == 1

    async def test_tells_of_it_in_three_events(self, stage: Stage) -> None:
        session = await stage.create()

        await stage.press(session.id)

        await stage.sandbox.postman.settle()
        assert sorted(stage.receiver.types) == [
            "charge.succeeded",
            "checkout.session.completed",
            "payment_intent.succeeded",
        ]

    async def test_keeps_address_and_phone(self, stage: Stage) -> None:
        session = await stage.create(**SHIPPING)

        status, _, _ = await stage.press(session.id, **ADDRESS)

        paid = await stage.retrieve(session.id)
        assert status == 303
        assert paid.customer_details.phone == "+33 1 23 45 67 89"
        shipping = paid.collected_information.shipping_details
        assert shipping.name == "Ada Byron"
        assert (shipping.address.city, shipping.address.country) == ("Paris", "FR")

    @pytest.mark.parametrize(
        ("changed", "problem"),
        [
            ({"phone": ""}, "Please give a phone number."),
            ({"line1": " "}, "Please give the whole address."),
            ({"country": "US"}, "We do not ship to this country."),
        ],
    )
    async def test_wants_the_whole_address(
        self, stage: Stage, changed: dict[str, str], problem: str
    ) -> None:
        session = await stage.create(**SHIPPING)

        status, _, page = await stage.press(session.id, **{**ADDRESS, **changed})

        assert status == 200
        assert problem in visible(page)
        assert 'value="Ada Byron"' in page
        assert (await stage.retrieve(session.id)).status == "open"

    async def test_does_not_change_an_email_that_was_given(self, stage: Stage) -> None:
        session = await stage.create(customer_email="ada@shop.test")

        await stage.press(session.id, email="eve@shop.test")

        paid = await stage.retrieve(session.id)
        assert paid.customer_details.email == "ada@shop.test"


class TestDecline:
    @pytest.mark.parametrize(
        ("do", "card", "problem"),
        [
            ("decline", "4242 4242 4242 4242", "Your card has been declined."),
            ("pay", "4000 0000 0000 0002", "Your card has been declined."),
            ("pay", "4000000000009995", "Your card has insufficient funds."),
            ("pay", "5105 1051 0510 5100", "used a non test card."),
        ],
    )
    async def test_leaves_the_session_open(
        self, stage: Stage, do: str, card: str, problem: str
    ) -> None:
        session = await stage.create()

        status, place, page = await stage.press(session.id, do, card=card)

        assert (status, place) == (200, None)
        assert problem in visible(page)
        assert (await stage.retrieve(session.id)).status == "open"
        assert (await stage.press(session.id))[0] == 303


class TestDelayed:
    async def test_completes_unpaid_first(self, stage: Stage) -> None:
        session = await stage.create()

        status, _, _ = await stage.press(session.id, "later")

        assert status == 303
        promised = await stage.retrieve(session.id)
        assert (promised.status, promised.payment_status) == ("complete", "unpaid")
        listed = await stage.client.v1.balance_transactions.list_async()
        assert not listed.data

    async def test_money_may_come(self, stage: Stage) -> None:
        session = await stage.create()
        await stage.press(session.id, "later")

        stage.sandbox.conclude(session.id)

        assert (await stage.retrieve(session.id)).payment_status == "paid"
        await stage.sandbox.postman.settle()
        assert "checkout.session.async_payment_succeeded" in stage.receiver.types
        listed = await stage.client.v1.balance_transactions.list_async()
        assert [each.amount for each in listed.data] == [2_500]

    async def test_money_may_not_come(self, stage: Stage) -> None:
        session = await stage.create()
        await stage.press(session.id, "later")

        stage.sandbox.disappoint(session.id)

        failed = await stage.retrieve(session.id)
        assert (failed.status, failed.payment_status) == ("complete", "unpaid")
        await stage.sandbox.postman.settle()
        assert "checkout.session.async_payment_failed" in stage.receiver.types
        intent = await stage.client.v1.payment_intents.retrieve_async(
            failed.payment_intent
        )
        assert intent.status == "requires_payment_method"

    async def test_money_comes_or_fails_once(self, stage: Stage) -> None:
        session = await stage.create()
        await stage.press(session.id, "later")
        stage.sandbox.conclude(session.id)
        path = f"{stage.address}/sandbox/sessions/{session.id}/disappoint"

        async with stage.browser.post(path) as answer:
            assert answer.status == 409

        assert (await stage.retrieve(session.id)).payment_status == "paid"

    async def test_cannot_be_refunded_before_it_came(self, stage: Stage) -> None:
        session = await stage.create()
        await stage.press(session.id, "later")
        intent = (await stage.retrieve(session.id)).payment_intent

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.refunds.create_async({"payment_intent": intent})

        assert "does not have a successful charge" in str(refusal.value.user_message)

    async def test_is_not_offered_where_only_cards_are(self, stage: Stage) -> None:
        session = await stage.create(allowed_payment_method_types=["card"])

        _, page = await stage.look(f"/c/pay/{session.id}")
        status, _, refused = await stage.press(session.id, "later")

        assert 'value="later"' not in page
        assert status == 200
        assert "Bank debit is not offered." in visible(refused)
        assert (await stage.retrieve(session.id)).status == "open"


async def test_a_test_need_not_type_an_address(stage: Stage) -> None:
    session = await stage.create(**SHIPPING)

    stage.sandbox.pay(session.id)

    paid = await stage.retrieve(session.id)
    shipping = paid.collected_information.shipping_details
    assert (shipping.name, shipping.address.country) == ("Sandbox Shopper", "FR")
    assert shipping.address.line2 is None


async def test_a_test_can_pay_without_a_browser(stage: Stage) -> None:
    session = await stage.create()

    stage.sandbox.pay(session.id, Shopper(email="ada@shop.test"))

    with pytest.raises(SessionOver):
        stage.sandbox.pay(session.id)
    with pytest.raises(LookupError):
        stage.sandbox.promise("cs_test_none")
    assert (await stage.retrieve(session.id)).payment_status == "paid"
