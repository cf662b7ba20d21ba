"""
The balance is the sum of the books, whatever moved, for each account and currency.
"""

from typing import Any

import pytest
import stripe

from tests.outletbot.sandbox.conftest import SetStage
from tests.outletbot.sandbox.stripe_stage import NORTH, Stage, priced

FEE = {"payment_intent_data": {"application_fee_amount": 250}}


async def paid(stage: Stage, options: Any = None, **params: Any) -> str:
    """Return the payment of a session that was paid by card."""
    session = await stage.create(options, **params)
    stage.sandbox.pay(session.id)
    return str((await stage.retrieve(session.id, options)).payment_intent)


async def refund(stage: Stage, options: Any = None, **params: Any) -> Any:
    return await stage.client.v1.refunds.create_async(params, options or {})


async def books(stage: Stage, options: Any = None, **asked: Any) -> list[Any]:
    listed = await stage.client.v1.balance_transactions.list_async(asked, options or {})
    return listed.data


async def lines(stage: Stage, options: Any = None, **asked: Any) -> list[Any]:
    """Return what the books say, oldest first: kind, amount, fee."""
    found = await books(stage, options, **asked)
    return [(each.type, each.amount, each.fee) for each in reversed(found)]


async def balance(stage: Stage, options: Any = None) -> dict[str, tuple[int, int]]:
    """Return what is available and what is pending, for each currency."""
    told = await stage.client.v1.balance.retrieve_async({}, options or {})
    pending = {each.currency: each.amount for each in told.pending}
    return {
        each.currency: (each.amount, pending[each.currency]) for each in told.available
    }


class TestBalance:
    async def test_of_nobody_is_nothing(self, stage: Stage) -> None:
        assert await balance(stage) == {"eur": (0, 0)}

    async def test_waits_for_two_days(self, stage: Stage) -> None:
        await paid(stage)

        at_once = await balance(stage)
        stage.clock.move(days=2)
        later = await balance(stage)

        assert at_once == {"eur": (0, 2_437)}
        assert later == {"eur": (2_437, 0)}

    async def test_is_kept_for_each_currency(self, stage: Stage) -> None:
        await paid(stage)
        await paid(stage, line_items=priced(5_000, "jpy"))

        told = await balance(stage)

        assert told == {"eur": (0, 2_437), "jpy": (0, 4_900)}

    async def test_is_kept_for_each_account(self, stage: Stage) -> None:
        await paid(stage, NORTH)

        assert await balance(stage) == {"eur": (0, 0)}
        assert await balance(stage, NORTH) == {"eur": (0, 2_437)}

    async def test_is_the_sum_of_the_books(self, stage: Stage) -> None:
        first, second = await paid(stage), await paid(stage)
        await refund(stage, payment_intent=first, amount=1_000)
        failed = await refund(stage, payment_intent=second)
        stage.sandbox.fail_refund(failed.id)
        stage.clock.move(days=3)
        stage.sandbox.payout()
        await paid(stage)

        told, found = await balance(stage), await books(stage)

        assert sum(told["eur"]) == sum(each.net for each in found)
        assert all(each.net == each.amount - each.fee for each in found)


class TestTransactions:
    async def test_name_what_moved(self, stage: Stage) -> None:
        payment = await paid(stage)
        given = await refund(stage, payment_intent=payment, amount=500)
        stage.sandbox.fail_refund(given.id)

        told = await lines(stage)
        (of_charge,) = await books(stage, type="charge", expand=["data.source"])
        of_refund = await books(stage, source=given.id, expand=["data.source"])

        assert told == [
            ("charge", 2_500, 63),
            ("refund", -500, 0),
            ("refund_failure", 500, 0),
        ]
        assert of_charge.source.payment_intent == payment
        assert {each.source.payment_intent for each in of_refund} == {payment}

    async def test_of_a_bank_debit_are_called_payments(self, stage: Stage) -> None:
        session = await stage.create()
        stage.sandbox.promise(session.id)
        stage.sandbox.conclude(session.id)
        payment = (await stage.retrieve(session.id)).payment_intent
        given = await refund(stage, payment_intent=payment)

        found = await books(stage)

        assert [each.type for each in found] == ["payment_refund", "payment"]
        assert [each.reporting_category for each in found] == ["refund", "charge"]
        assert given.charge.startswith("py_")
        assert given.status == "pending"

    async def test_become_available(self, stage: Stage) -> None:
        await paid(stage)
        (first,) = await books(stage)
        stage.clock.move(days=2)

        later = await stage.client.v1.balance_transactions.retrieve_async(first.id)

        assert (first.status, later.status) == ("pending", "available")
        assert first.available_on == stage.clock().timestamp()

    async def test_are_walked_by_the_page(self, stage: Stage) -> None:
        for _ in range(5):
            await paid(stage)
        listing = stage.client.v1.balance_transactions

        newest = await listing.list_async({"limit": 2})
        all_ids = [each.id async for each in newest.auto_paging_iter()]
        after = await listing.list_async({"limit": 2, "ending_before": all_ids[-1]})

        assert len(set(all_ids)) == 5
        assert [each.id for each in after.data] == all_ids[2:4]
        assert after.has_more is True

    async def test_are_found_by_their_time(self, stage: Stage) -> None:
        await paid(stage)
        stage.clock.move(hours=1)
        await paid(stage)

        late = await books(stage, created={"gte": int(stage.clock().timestamp())})

        assert len(late) == 1


class TestPayouts:
    async def test_take_what_is_available(self, stage: Stage) -> None:
        first = await paid(stage)
        stage.clock.move(days=2)
        await paid(stage)

        (payout,) = stage.sandbox.payout()

        assert payout["amount"] == 2_437
        assert await balance(stage) == {"eur": (0, 2_437)}
        assert (await lines(stage))[-1] == ("payout", -2_437, 0)
        parts = await books(stage, payout=payout["id"], expand=["data.source"])
        assert [each.type for each in parts] == ["payout", "charge"]
        assert parts[1].source.payment_intent == first
        listed = await stage.client.v1.payouts.list_async()
        assert [each.id for each in listed.data] == [payout["id"]]

    async def test_take_each_earning_once(self, stage: Stage) -> None:
        await paid(stage)
        stage.clock.move(days=2)
        stage.sandbox.payout()
        await paid(stage)
        stage.clock.move(days=2)

        (second,) = stage.sandbox.payout()

        parts = await books(stage, payout=second["id"])
        assert [each.net for each in parts] == [-2_437, 2_437]
        assert stage.sandbox.payout() == []

    async def test_of_others_are_unknown(self, stage: Stage) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await books(stage, payout="po_north")

        assert refusal.value.code == "resource_missing"


class TestApplicationFees:
    async def test_are_a_cost_here_and_an_earning_there(self, stage: Stage) -> None:
        await paid(stage, NORTH, **FEE)

        assert await lines(stage, NORTH) == [("charge", 2_500, 313)]
        assert await lines(stage) == [("application_fee", 250, 0)]
        (earned,) = await books(stage, expand=["data.source"])
        assert earned.source.account == "acct_north"
        assert earned.reporting_category == "platform_earning"

    async def test_are_known_to_the_charge(self, stage: Stage) -> None:
        payment = await paid(stage, NORTH, **FEE)
        intent = await stage.client.v1.payment_intents.retrieve_async(
            payment, {"expand": ["latest_charge"]}, NORTH
        )

        fee = await stage.client.v1.application_fees.retrieve_async(
            intent.latest_charge.application_fee
        )

        assert (fee.amount, fee.charge) == (250, intent.latest_charge.id)

    async def test_stay_unless_they_are_given_back(self, stage: Stage) -> None:
        payment = await paid(stage, NORTH, **FEE)

        await refund(stage, NORTH, payment_intent=payment)

        assert (await lines(stage, NORTH))[-1] == ("refund", -2_500, 0)
        assert await lines(stage) == [("application_fee", 250, 0)]

    async def test_go_back_in_proportion(self, stage: Stage) -> None:
        payment = await paid(stage, NORTH, **FEE)
        options = {"payment_intent": payment, "refund_application_fee": True}

        await refund(stage, NORTH, **options, amount=1_000)
        await refund(stage, NORTH, **options)

        assert (await lines(stage, NORTH))[1:] == [
            ("refund", -1_000, -100),
            ("refund", -1_500, -150),
        ]
        assert (await lines(stage))[1:] == [
            ("application_fee_refund", -100, 0),
            ("application_fee_refund", -150, 0),
        ]
        assert await balance(stage) == {"eur": (-250, 250)}

    async def test_too_small_to_share_stay(self, stage: Stage) -> None:
        fee = {"payment_intent_data": {"application_fee_amount": 1}}
        payment = await paid(stage, NORTH, **fee)

        await refund(
            stage,
            NORTH,
            payment_intent=payment,
            amount=10,
            refund_application_fee=True,
        )

        assert await lines(stage) == [("application_fee", 1, 0)]

    async def test_that_nobody_took_cannot_be_given_back(self, stage: Stage) -> None:
        payment = await paid(stage)

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await refund(stage, payment_intent=payment, refund_application_fee=True)

        assert refusal.value.param == "refund_application_fee"
        assert len(await books(stage)) == 1


async def test_the_books_survive_a_restart(
    stripe_stages: SetStage, tmp_path: Any
) -> None:
    first = await stripe_stages(state_path=tmp_path / "stripe.db")
    await paid(first)
    first.clock.move(days=2)
    first.sandbox.payout()
    await paid(first)

    second = await stripe_stages(state_path=tmp_path / "stripe.db", seed=8)
    second.clock.now = first.clock.now
    second.clock.move(days=2)

    assert await balance(second) == {"eur": (2_437, 0)}
