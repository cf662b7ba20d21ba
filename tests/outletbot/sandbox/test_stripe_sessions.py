"""
Checkout sessions are made as Stripe makes them, and refused for its reasons.
"""

from datetime import timedelta
from typing import Any

import pytest
import stripe

from tests.outletbot.sandbox.stripe_stage import (
    NORTH,
    Stage,
    priced,
    stamp,
)


async def refusal_of(stage: Stage, **params: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await stage.create(**params)
    assert refusal.value.http_status == 400
    return refusal.value


class TestCreate:
    async def test_answers_with_an_open_session(self, stage: Stage) -> None:
        session = await stage.create(
            metadata={"hold": "hold_1"}, customer_email="ada@shop.test"
        )

        assert session.id.startswith("cs_test_")
        assert session.object == "checkout.session"
        assert (session.status, session.payment_status) == ("open", "unpaid")
        assert (session.amount_total, session.currency) == (2_500, "eur")
        assert session.url == f"{stage.address}/c/pay/{session.id}"
        assert session.client_reference_id == "hold_1"
        assert session.metadata.to_dict() == {"hold": "hold_1"}
        assert session.customer_details.email == "ada@shop.test"
        assert session.payment_intent is None
        assert session.livemode is False

    async def test_ends_after_a_day_unless_told_otherwise(self, stage: Stage) -> None:
        assert (await stage.create()).expires_at == stamp(hours=24)
        assert (await stage.create(expires_at=stamp(minutes=31))).expires_at == stamp(
            minutes=31
        )

    async def test_shows_every_field_that_the_library_promises(
        self, stage: Stage
    ) -> None:
        session = (await stage.create()).to_dict()

        promised = set(stripe.checkout.Session.__annotations__) - {"OBJECT_NAME"}
        assert promised - set(session) == {"line_items"}  # shown if asked for

    async def test_the_same_seed_makes_the_same_ids(self, stripe_stages) -> None:
        first, second = await stripe_stages(), await stripe_stages()

        assert (await first.create()).id == (await second.create()).id

    async def test_another_seed_makes_other_ids(self, stripe_stages) -> None:
        first, second = await stripe_stages(), await stripe_stages(seed=8)

        assert (await first.create()).id != (await second.create()).id


class TestRefusals:
    async def test_a_parameter_that_stripe_does_not_have(self, stage: Stage) -> None:
        error = await refusal_of(stage, sucess_url="http://shop.test")

        assert error.code == "parameter_unknown"
        assert error.param == "sucess_url"
        assert error.user_message == "Received unknown parameter: sucess_url"

    async def test_a_nested_parameter_that_stripe_does_not_have(
        self, stage: Stage
    ) -> None:
        error = await refusal_of(stage, payment_intent_data={"capture_methd": "manual"})

        assert error.code == "parameter_unknown"
        assert error.param == "payment_intent_data[capture_methd]"

    async def test_a_parameter_that_stripe_no_longer_has(self, stage: Stage) -> None:
        error = await refusal_of(stage, payment_method_types=["card"])

        assert error.code == "parameter_unknown"
        assert error.param == "payment_method_types"

    async def test_a_parameter_deep_in_a_line_item(self, stage: Stage) -> None:
        items = priced(500)
        items[0]["price_data"]["product_data"]["nam"] = "Lamp"

        error = await refusal_of(stage, line_items=items)

        assert error.param == "line_items[0][price_data][product_data][nam]"

    async def test_a_fraction_of_a_cent(self, stage: Stage) -> None:
        items = priced(500)
        items[0]["price_data"]["unit_amount"] = "5.00"

        error = await refusal_of(stage, line_items=items)

        assert error.code == "parameter_invalid_integer"
        assert error.user_message == "Invalid integer: 5.00"

    async def test_a_missing_currency(self, stage: Stage) -> None:
        items = priced(500)
        del items[0]["price_data"]["currency"]

        error = await refusal_of(stage, line_items=items)

        assert error.code == "parameter_missing"
        assert error.param == "line_items[0][price_data][currency]"

    async def test_a_word_that_stripe_does_not_know(self, stage: Stage) -> None:
        error = await refusal_of(stage, ui_mode="hosted")

        assert error.param == "ui_mode"
        assert "hosted_page" in str(error.user_message)

    async def test_an_empty_text(self, stage: Stage) -> None:
        error = await refusal_of(stage, success_url="")

        assert error.code == "parameter_invalid_empty"

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("mode", "parameter_missing"),
            ("success_url", "parameter_missing"),
            ("line_items", "parameter_missing"),
        ],
    )
    async def test_what_the_types_allow_to_leave_out(
        self, stage: Stage, name: str, code: str
    ) -> None:
        error = await refusal_of(stage, **{name: None})

        assert (error.code, error.param) == (code, name)

    @pytest.mark.parametrize("after", [{"minutes": 29, "seconds": 59}, {"hours": -1}])
    async def test_an_end_too_soon(self, stage: Stage, after) -> None:
        error = await refusal_of(stage, expires_at=stamp(**after))

        assert error.param == "expires_at"
        assert "at least 30 minutes" in str(error.user_message)

    async def test_thirty_minutes_by_a_clock_that_moved_on(self, stage: Stage) -> None:
        stage.clock.move(milliseconds=1)

        error = await refusal_of(stage, expires_at=stamp(minutes=30))

        assert error.param == "expires_at"

    async def test_an_end_too_late(self, stage: Stage) -> None:
        error = await refusal_of(stage, expires_at=stamp(hours=24, seconds=1))

        assert error.user_message == (
            "The `expires_at` timestamp must be less than 24 hours from Checkout "
            "Session creation."
        )

    @pytest.mark.parametrize(
        ("currency", "amount"),
        [("eur", 49), ("gbp", 29), ("jpy", 49), ("sek", 299), ("huf", 17_499)],
    )
    async def test_less_than_can_be_charged(
        self, stage: Stage, currency: str, amount: int
    ) -> None:
        error = await refusal_of(stage, line_items=priced(amount, currency))

        assert error.code == "amount_too_small"
        least = await stage.create(line_items=priced(amount + 1, currency))
        assert least.amount_total == amount + 1

    async def test_names_the_least_that_can_be_charged(self, stage: Stage) -> None:
        error = await refusal_of(stage, line_items=priced(10))

        assert str(error.user_message).endswith("must add up to at least €0.50 eur")

    async def test_more_than_can_be_charged(self, stage: Stage) -> None:
        error = await refusal_of(stage, line_items=priced(50_000_000, quantity=2))

        assert error.code == "amount_too_large"

    async def test_a_negative_amount(self, stage: Stage) -> None:
        error = await refusal_of(stage, line_items=[*priced(500), *priced(-1)])

        assert error.param == "line_items[1][price_data][unit_amount]"

    @pytest.mark.parametrize(("currency", "amount"), [("kwd", 5_001), ("isk", 50_050)])
    async def test_an_amount_finer_than_the_currency(
        self, stage: Stage, currency: str, amount: int
    ) -> None:
        error = await refusal_of(stage, line_items=priced(amount, currency))

        assert error.param == "line_items[0][price_data][unit_amount]"

    async def test_two_currencies(self, stage: Stage) -> None:
        error = await refusal_of(stage, line_items=[*priced(500), *priced(500, "usd")])

        assert error.param == "line_items[1][price_data][currency]"

    async def test_no_currency_at_all(self, stage: Stage) -> None:
        error = await refusal_of(stage, line_items=priced(500, "eux"))

        assert error.user_message == "Invalid currency: eux."

    @pytest.mark.parametrize(
        ("changes", "param"),
        [
            ({"quantity": 0}, "line_items[0][quantity]"),
            ({"adjustable_quantity": {"enabled": True}}, None),
            ({"tax_rates": ["txr_1"]}, None),
            ({"price_data": {"currency": "eur", "product": "prod_1"}}, None),
        ],
    )
    async def test_a_line_that_is_not_a_plain_one(
        self, stage: Stage, changes, param: str | None
    ) -> None:
        error = await refusal_of(stage, line_items=[{**priced(500)[0], **changes}])

        assert param in (None, error.param)
        assert error.code == ("sandbox_unsupported" if param is None else None)

    async def test_more_lines_than_a_page_shows(self, stage: Stage) -> None:
        assert (await refusal_of(stage, line_items=priced(500) * 101)).code is None

    async def test_no_way_left_to_pay(self, stage: Stage) -> None:
        error = await refusal_of(
            stage,
            allowed_payment_method_types=["card"],
            excluded_payment_method_types=["card"],
        )

        assert error.param == "allowed_payment_method_types"

    async def test_a_price_that_it_does_not_have(self, stage: Stage) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.create(line_items=[{"price": "price_1", "quantity": 1}])

        assert refusal.value.code == "resource_missing"

    @pytest.mark.parametrize(
        ("params", "param"),
        [
            ({"client_reference_id": "x" * 201}, "client_reference_id"),
            ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]"),
            ({"metadata": {"k": "v" * 501}}, "metadata[k]"),
            ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata"),
            ({"customer_email": "ada at home"}, "customer_email"),
            ({"success_url": "shop.test/done"}, "success_url"),
            ({"success_url": "http://[shop.test/done"}, "success_url"),
            ({"cancel_url": "javascript:alert(1)"}, "cancel_url"),
        ],
    )
    async def test_what_is_too_long_or_no_address(
        self, stage: Stage, params, param: str
    ) -> None:
        assert (await refusal_of(stage, **params)).param == param

    async def test_allows_the_longest(self, stage: Stage) -> None:
        metadata = {f"{n:0>40}": "v" * 500 for n in range(50)}

        session = await stage.create(
            client_reference_id="x" * 200,
            metadata={f"k{k[1:]}": v for k, v in metadata.items()},
        )

        assert len(session.metadata.to_dict()) == 50

    @pytest.mark.parametrize(
        "params",
        [
            {"mode": "subscription"},
            {"ui_mode": "elements"},
            {"automatic_tax": {"enabled": True}},
            {"adaptive_pricing": {"enabled": True}},
            {"after_expiration": {"recovery": {"enabled": True}}},
            {"payment_intent_data": {"capture_method": "manual"}},
        ],
    )
    async def test_what_it_does_not_act_out(self, stage: Stage, params) -> None:
        error = await refusal_of(stage, **params)

        assert error.code == "sandbox_unsupported"

    async def test_what_outletbot_will_send_is_taken(self, stage: Stage) -> None:
        session = await stage.create(
            NORTH,
            locale="auto",
            adaptive_pricing={"enabled": False},
            allowed_payment_method_types=["card"],
            phone_number_collection={"enabled": True},
            shipping_address_collection={"allowed_countries": ["FR", "BE"]},
            payment_intent_data={
                "metadata": {"hold": "hold_1"},
                "application_fee_amount": 100,
            },
        )

        assert session.payment_method_types == ["card"]

    @pytest.mark.parametrize("fee", [0, 2_500])
    async def test_a_fee_that_leaves_nothing(self, stage: Stage, fee: int) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.create(
                NORTH, payment_intent_data={"application_fee_amount": fee}
            )

        assert "application fee" in str(refusal.value.user_message)

    async def test_a_fee_on_its_own_account(self, stage: Stage) -> None:
        error = await refusal_of(
            stage, payment_intent_data={"application_fee_amount": 100}
        )

        assert error.param == "payment_intent_data[application_fee_amount]"


class TestExpire:
    async def test_ends_an_open_session(self, stage: Stage) -> None:
        session = await stage.create()

        expired = await stage.client.v1.checkout.sessions.expire_async(session.id)

        assert (expired.status, expired.url) == ("expired", None)
        await stage.sandbox.postman.settle()
        assert stage.receiver.types == ["checkout.session.expired"]

    @pytest.mark.parametrize("status", ["expired", "complete"])
    async def test_refuses_what_is_not_open(self, stage: Stage, status: str) -> None:
        session = await stage.create()
        expire = stage.client.v1.checkout.sessions.expire_async
        if status == "expired":
            await expire(session.id)
        else:
            stage.sandbox.pay(session.id)

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await expire(session.id)

        assert refusal.value.user_message == (
            'Only Checkout Sessions with a status in ["open"] can be expired. This '
            f"Checkout Session has a status of `{status}`."
        )
        assert (await stage.retrieve(session.id)).status == status

    async def test_happens_by_itself_when_the_time_is_up(self, stage: Stage) -> None:
        session = await stage.create(expires_at=stamp(minutes=30))

        stage.clock.move(minutes=29, seconds=59)
        assert (await stage.retrieve(session.id)).status == "open"
        stage.clock.move(seconds=1)
        assert (await stage.retrieve(session.id)).status == "expired"

        await stage.sandbox.postman.settle()
        assert stage.receiver.types == ["checkout.session.expired"]

    async def test_of_itself_is_told_though_nobody_asks(self, stage: Stage) -> None:
        session = await stage.create(expires_at=stamp(minutes=30))

        stage.clock.move(minutes=31)
        assert stage.sandbox.sweep(now=stage.clock()) == 1
        assert stage.sandbox.sweep(now=stage.clock()) == 0

        await stage.sandbox.postman.settle()
        assert [event.data.object.id for event in stage.receiver.events] == [session.id]

    async def test_is_swept_in_the_background(self, stripe_stages) -> None:
        stage = await stripe_stages(sweep_every=timedelta(milliseconds=10))
        session = await stage.create(expires_at=stamp(minutes=30))
        stage.clock.move(minutes=31)

        while not stage.receiver.seen:
            await stage.look("/sandbox/faults")

        account = stage.sandbox.account()
        assert account.get("checkout.session", session.id)["status"] == "expired"

    async def test_a_session_that_is_over_cannot_be_paid(self, stage: Stage) -> None:
        session = await stage.create(expires_at=stamp(minutes=30))
        stage.clock.move(minutes=30)

        status, place, _ = await stage.press(session.id)

        assert (status, place) == (410, None)
        assert (await stage.retrieve(session.id)).payment_status == "unpaid"


class TestAccounts:
    async def test_do_not_see_each_other(self, stage: Stage) -> None:
        session = await stage.create(NORTH)

        for options in ({}, {"stripe_account": "acct_south"}):
            with pytest.raises(stripe.InvalidRequestError) as refusal:
                await stage.retrieve(session.id, options)
            assert refusal.value.http_status == 404
            assert refusal.value.code == "resource_missing"

        assert (await stage.retrieve(session.id, NORTH)).id == session.id

    async def test_cannot_end_each_other(self, stage: Stage) -> None:
        session = await stage.create(NORTH)

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.checkout.sessions.expire_async(session.id)

        assert refusal.value.http_status == 404
        assert (await stage.retrieve(session.id, NORTH)).status == "open"

    async def test_events_name_their_account(self, stage: Stage) -> None:
        session = await stage.create(NORTH)

        stage.sandbox.pay(session.id)

        await stage.sandbox.postman.settle()
        assert {event.account for event in stage.receiver.events} == {"acct_north"}

    async def test_events_of_its_own_name_none(self, stage: Stage) -> None:
        stage.sandbox.pay((await stage.create()).id)

        await stage.sandbox.postman.settle()
        assert all("account" not in event for event in stage.receiver.events)

    async def test_share_no_idempotency_keys(self, stage: Stage) -> None:
        first = await stage.create({**NORTH, "idempotency_key": "k"})
        second = await stage.create({"idempotency_key": "k"})

        assert first.id != second.id


class TestList:
    async def test_is_newest_first_and_by_pages(self, stage: Stage) -> None:
        made = [(await stage.create()).id for _ in range(5)]
        sessions = stage.client.v1.checkout.sessions

        page = await sessions.list_async({"limit": 2})
        assert [each.id for each in page.data] == [made[4], made[3]]
        assert page.has_more

        page = await sessions.list_async({"limit": 3, "starting_after": made[3]})
        assert [each.id for each in page.data] == [made[2], made[1], made[0]]
        assert not page.has_more

        page = await sessions.list_async({"limit": 2, "ending_before": made[0]})
        assert [each.id for each in page.data] == [made[2], made[1]]
        assert page.has_more

    async def test_is_walked_through_by_the_library(self, stage: Stage) -> None:
        made = [(await stage.create()).id for _ in range(7)]

        page = await stage.client.v1.checkout.sessions.list_async({"limit": 3})
        walked = [each.id async for each in page.auto_paging_iter()]

        assert walked == made[::-1]

    async def test_can_be_of_one_status(self, stage: Stage) -> None:
        paid, expired = await stage.create(), await stage.create()
        opened = await stage.create()
        stage.sandbox.pay(paid.id)
        sessions = stage.client.v1.checkout.sessions
        await sessions.expire_async(expired.id)

        for status, one in (("complete", paid), ("expired", expired), ("open", opened)):
            page = await sessions.list_async({"status": status})
            assert [each.id for each in page.data] == [one.id]

    async def test_can_be_of_a_time(self, stage: Stage) -> None:
        await stage.create()
        stage.clock.move(minutes=1)
        later = await stage.create()
        sessions = stage.client.v1.checkout.sessions

        for created in ({"gte": stamp(minutes=1)}, {"gt": stamp()}, stamp(minutes=1)):
            page = await sessions.list_async({"created": created})
            assert [each.id for each in page.data] == [later.id]
        for created in ({"lt": stamp()}, {"gt": stamp(minutes=1)}):
            assert not (await sessions.list_async({"created": created})).data

    async def test_knows_what_has_ended_by_now(self, stage: Stage) -> None:
        await stage.create(expires_at=stamp(minutes=30))
        stage.clock.move(hours=1)

        page = await stage.client.v1.checkout.sessions.list_async({"status": "open"})

        assert not page.data

    @pytest.mark.parametrize(
        "asked", [{"limit": 0}, {"limit": 101}, {"starting_after": "cs_test_none"}]
    )
    async def test_refuses_absurd_pages(self, stage: Stage, asked) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.checkout.sessions.list_async(asked)

        assert refusal.value.param == next(iter(asked))

    async def test_refuses_filters_that_stripe_does_not_have(
        self, stage: Stage
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.checkout.sessions.list_async(
                {"client_reference_id": "hold_1"}
            )

        assert refusal.value.code == "parameter_unknown"


class TestExpand:
    async def test_shows_the_line_items(self, stage: Stage) -> None:
        session = await stage.create()
        sessions = stage.client.v1.checkout.sessions

        shown = await sessions.retrieve_async(session.id, {"expand": ["line_items"]})
        items = await sessions.line_items.list_async(session.id)

        for item in (shown.line_items.data[0], items.data[0]):
            assert (item.description, item.quantity) == ("Last season's parka", 2)
            assert item.amount_total == 2_500

    async def test_goes_from_session_to_balance(self, stage: Stage) -> None:
        session = await stage.create()
        stage.sandbox.pay(session.id)

        shown = await stage.client.v1.checkout.sessions.retrieve_async(
            session.id,
            {"expand": ["payment_intent.latest_charge.balance_transaction"]},
        )

        charge = shown.payment_intent.latest_charge
        assert charge.balance_transaction.net == 2_500 - 38 - 25

    async def test_goes_into_lists_and_past_what_is_not_there(
        self, stage: Stage
    ) -> None:
        await stage.create()
        stage.sandbox.pay((await stage.create()).id)

        page = await stage.client.v1.checkout.sessions.list_async(
            {"expand": ["data.payment_intent"]}
        )

        paid, unpaid = page.data
        assert paid.payment_intent.status == "succeeded"
        assert unpaid.payment_intent is None

    @pytest.mark.parametrize(
        ("path", "problem"),
        [
            ("currency", "This property cannot be expanded (currency)."),
            ("currencies", "This property cannot be expanded (currencies)."),
            ("created.id", "This property cannot be expanded (created.id)."),
            ("a.b.c.d.e", "You cannot expand more than 4 levels of a property."),
        ],
    )
    async def test_refuses_what_names_nothing(
        self, stage: Stage, path: str, problem: str
    ) -> None:
        session = await stage.create()

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.checkout.sessions.retrieve_async(
                session.id, {"expand": [path]}
            )

        assert refusal.value.user_message == problem


async def test_a_restart_forgets_nothing(stripe_stages, tmp_path) -> None:
    file = tmp_path / "stripe.db"
    before = await stripe_stages(state_path=file)
    paid = await before.create({"idempotency_key": "k"})
    before.sandbox.pay(paid.id)
    await before.sandbox.postman.settle()

    after = await stripe_stages(state_path=file)

    # The first id of the second run would be the first of the first one, had it not
    # been kept how many there were.
    assert (await after.create()).id != paid.id
    assert (await after.retrieve(paid.id)).payment_status == "paid"
    assert (await after.create({"idempotency_key": "k"})).id == paid.id
    events = await after.client.v1.events.list_async()
    assert len(events.data) == 3
