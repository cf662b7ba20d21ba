"""
Refunds never give back more than was paid, at once or in turn.
"""

from typing import Any

import pytest
import stripe

from tests.outletbot.sandbox.stripe_stage import NORTH, Stage


async def paid(stage: Stage, options: Any = None, do: str = "pay") -> str:
    session = await stage.create(options)
    await stage.press(session.id, do)
    if do == "later":
        stage.sandbox.conclude(session.id)
    intent: str = (await stage.retrieve(session.id, options)).payment_intent
    return intent


async def refused(stage: Stage, **params: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await stage.client.v1.refunds.create_async(params)
    return refusal.value


async def test_gives_everything_back(stage: Stage) -> None:
    intent = await paid(stage)

    refund = await stage.client.v1.refunds.create_async(
        {
            "payment_intent": intent,
            "reason": "requested_by_customer",
            "metadata": {"order": "order_1"},
        }
    )

    assert (refund.amount, refund.status, refund.currency) == (
        2_500,
        "succeeded",
        "eur",
    )
    assert refund.metadata["order"] == "order_1"
    again = await stage.client.v1.refunds.retrieve_async(refund.id)
    assert again.id == refund.id
    charge = await stage.client.v1.charges.retrieve_async(refund.charge)
    assert (charge.amount_refunded, charge.refunded) == (2_500, True)
    await stage.sandbox.postman.settle()
    assert {"refund.created", "charge.refunded"} <= set(stage.receiver.types)


async def test_costs_the_retailer_the_fee(stage: Stage) -> None:
    intent = await paid(stage)

    await stage.client.v1.refunds.create_async({"payment_intent": intent})

    listed = await stage.client.v1.balance_transactions.list_async()
    assert [(each.type, each.net) for each in listed.data] == [
        ("refund", -2_500),
        ("charge", 2_437),
    ]


async def test_parts_add_up(stage: Stage) -> None:
    intent = await paid(stage)
    refunds = stage.client.v1.refunds

    for amount in (1_000, 1_499):
        await refunds.create_async({"payment_intent": intent, "amount": amount})

    error = await refused(stage, payment_intent=intent, amount=2)
    assert error.user_message == (
        "Refund amount (€0.02) is greater than unrefunded amount on charge (€0.01)"
    )
    assert error.param == "amount"
    rest = await refunds.create_async({"payment_intent": intent})
    assert rest.amount == 1
    listed = await refunds.list_async({"payment_intent": intent})
    assert [each.amount for each in listed.data] == [1, 1_499, 1_000]


async def test_refuses_more_than_was_charged(stage: Stage) -> None:
    intent = await paid(stage)

    error = await refused(stage, payment_intent=intent, amount=2_501)

    assert error.user_message == (
        "Refund amount (€25.01) is greater than charge amount (€25.00)"
    )


async def test_refuses_a_second_full_refund(stage: Stage) -> None:
    intent = await paid(stage)
    first = await stage.client.v1.refunds.create_async({"payment_intent": intent})

    error = await refused(stage, payment_intent=intent)

    assert error.code == "charge_already_refunded"
    assert error.user_message == f"Charge {first.charge} has already been refunded."


async def test_with_the_same_key_gives_once(stage: Stage) -> None:
    intent = await paid(stage)
    refunds = stage.client.v1.refunds

    first = await refunds.create_async(
        {"payment_intent": intent}, {"idempotency_key": "refund-1"}
    )
    second = await refunds.create_async(
        {"payment_intent": intent}, {"idempotency_key": "refund-1"}
    )

    assert first.id == second.id
    assert len((await refunds.list_async()).data) == 1


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "parameter_missing"),
        ({"payment_intent": "pi_none"}, "resource_missing"),
        ({"charge": "ch_none"}, "resource_missing"),
        ({"charge": "ch_none", "ammount": 1}, "parameter_unknown"),
    ],
)
async def test_refuses_what_names_no_payment(stage: Stage, params, code: str) -> None:
    assert (await refused(stage, **params)).code == code


@pytest.mark.parametrize("amount", [0, -5])
async def test_refuses_an_absurd_amount(stage: Stage, amount: int) -> None:
    intent = await paid(stage)

    error = await refused(stage, payment_intent=intent, amount=amount)

    assert error.code == "parameter_invalid_integer"


async def test_is_of_one_account_only(stage: Stage) -> None:
    intent = await paid(stage, NORTH)

    error = await refused(stage, payment_intent=intent)

    assert error.http_status == 404
    refund = await stage.client.v1.refunds.create_async(
        {"payment_intent": intent}, NORTH
    )
    assert refund.status == "succeeded"


async def test_of_a_bank_debit_is_pending_first(stage: Stage) -> None:
    intent = await paid(stage, do="later")
    refund = await stage.client.v1.refunds.create_async({"payment_intent": intent})
    assert refund.status == "pending"

    stage.sandbox.conclude_refund(refund.id)

    again = await stage.client.v1.refunds.retrieve_async(refund.id)
    assert again.status == "succeeded"
    await stage.sandbox.postman.settle()
    assert "refund.updated" in stage.receiver.types


async def test_that_fails_leaves_the_money_where_it_was(stage: Stage) -> None:
    intent = await paid(stage)
    refunds = stage.client.v1.refunds
    refund = await refunds.create_async({"payment_intent": intent})

    stage.sandbox.fail_refund(refund.id)

    assert (await refunds.retrieve_async(refund.id)).status == "failed"
    charge = await stage.client.v1.charges.retrieve_async(refund.charge)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    listed = await stage.client.v1.balance_transactions.list_async()
    assert sum(each.amount for each in listed.data) == 2_500
    second = await refunds.create_async({"payment_intent": intent})
    assert second.status == "succeeded"
    await stage.sandbox.postman.settle()
    assert "refund.failed" in stage.receiver.types
