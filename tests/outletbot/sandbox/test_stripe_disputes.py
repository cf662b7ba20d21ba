"""
Disputes: the money leaves at once, and comes back only if the bank says so.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from outletbot.sandbox.stripe_errors import StripeRefusal
from outletbot.sandbox.stripe_payments import DISPUTED_CARD, SLOW_REFUND_CARD, Shopper
from tests.outletbot.sandbox.stripe_stage import NOON, NORTH, Stage, visible

DUE = datetime(2026, 3, 14, 23, 59, 59, tzinfo=UTC)


async def paid(stage: Stage, options: Any = None, card: str = "") -> str:
    session = await stage.create(options)
    stage.sandbox.pay(session.id, Shopper(card=card) if card else None)
    return str((await stage.retrieve(session.id, options)).payment_intent)


async def books(stage: Stage) -> list[Any]:
    listed = await stage.client.v1.balance_transactions.list_async()
    return [(each.type, each.amount, each.fee) for each in reversed(listed.data)]


async def disputed(stage: Stage) -> stripe.Dispute:
    dispute = stage.sandbox.dispute(await paid(stage))
    return await stage.client.v1.disputes.retrieve_async(dispute["id"])


class TestOpening:
    async def test_takes_the_money_and_a_fee(self, stage: Stage) -> None:
        dispute = await disputed(stage)

        assert (dispute.amount, dispute.status) == (2_500, "needs_response")
        assert dispute.reason == "fraudulent"
        assert dispute.evidence_details.due_by == DUE.timestamp()
        assert await books(stage) == [
            ("charge", 2_500, 63),
            ("adjustment", -2_500, 2_000),
        ]
        (withdrawn,) = dispute.balance_transactions
        assert withdrawn.net == -4_500
        assert withdrawn.reporting_category == "dispute"

    async def test_is_told(self, stage: Stage) -> None:
        dispute = await disputed(stage)
        await stage.sandbox.postman.settle()

        told = [event for event in stage.receiver.events if "dispute" in event.type]
        assert sorted(event.type for event in told) == [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
        ]
        assert {event.data.object["id"] for event in told} == {dispute.id}
        assert told[0].data.object["payment_intent"] == dispute.payment_intent

    async def test_of_a_part_takes_the_part(self, stage: Stage) -> None:
        payment = await paid(stage)

        stage.sandbox.dispute(payment, 500, "product_not_received")

        assert (await books(stage))[-1] == ("adjustment", -500, 2_000)

    async def test_of_what_was_refunded_takes_the_rest(self, stage: Stage) -> None:
        payment = await paid(stage)
        await stage.client.v1.refunds.create_async(
            {"payment_intent": payment, "amount": 2_000}
        )

        assert stage.sandbox.dispute(payment)["amount"] == 500

    @pytest.mark.parametrize("amount", [0, 2_501])
    async def test_of_more_than_there_is_is_impossible(
        self, stage: Stage, amount: int
    ) -> None:
        payment = await paid(stage)

        with pytest.raises(StripeRefusal):
            stage.sandbox.dispute(payment, amount)

        assert len(await books(stage)) == 1

    async def test_happens_once(self, stage: Stage) -> None:
        dispute = await disputed(stage)

        with pytest.raises(StripeRefusal):
            stage.sandbox.dispute(str(dispute.payment_intent), 1)

    async def test_needs_a_payment(self, stage: Stage) -> None:
        with pytest.raises(LookupError):
            stage.sandbox.dispute("pi_none")

    async def test_comes_by_itself_with_one_test_card(self, stage: Stage) -> None:
        payment = await paid(stage, card=DISPUTED_CARD)

        (dispute,) = (await stage.client.v1.disputes.list_async()).data

        assert dispute.payment_intent == payment

    async def test_is_of_the_account_that_was_paid(self, stage: Stage) -> None:
        payment = await paid(stage, NORTH)
        stage.sandbox.dispute(payment)

        mine = await stage.client.v1.disputes.list_async()
        norths = await stage.client.v1.disputes.list_async(
            {"payment_intent": payment}, NORTH
        )

        assert (len(mine.data), len(norths.data)) == (0, 1)


class TestRefunding:
    async def test_a_disputed_payment_is_refused(self, stage: Stage) -> None:
        dispute = await disputed(stage)

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.refunds.create_async(
                {"payment_intent": str(dispute.payment_intent)}
            )

        assert refusal.value.code == "charge_disputed"
        assert dispute.is_charge_refundable is False

    async def test_is_possible_once_the_money_is_back(self, stage: Stage) -> None:
        dispute = await disputed(stage)
        stage.sandbox.decide_dispute(dispute.id, won=True)

        refund = await stage.client.v1.refunds.create_async(
            {"payment_intent": str(dispute.payment_intent)}
        )

        assert refund.status == "succeeded"

    async def test_takes_days_with_one_test_card(self, stage: Stage) -> None:
        payment = await paid(stage, card=SLOW_REFUND_CARD)

        refund = await stage.client.v1.refunds.create_async({"payment_intent": payment})
        stage.sandbox.conclude_refund(refund.id)
        later = await stage.client.v1.refunds.retrieve_async(refund.id)

        assert (refund.status, later.status) == ("pending", "succeeded")

    async def test_that_fails_brings_the_money_back(self, stage: Stage) -> None:
        payment = await paid(stage)
        refund = await stage.client.v1.refunds.create_async({"payment_intent": payment})
        stage.sandbox.fail_refund(refund.id)
        await stage.sandbox.postman.settle()

        failed = await stage.client.v1.refunds.retrieve_async(
            refund.id, {"expand": ["failure_balance_transaction", "charge"]}
        )

        assert failed.status == "failed"
        assert failed.failure_balance_transaction.type == "refund_failure"
        assert failed.charge.amount_refunded == 0
        told = {"refund.updated", "charge.refund.updated", "refund.failed"}
        assert told <= set(stage.receiver.types)


class TestAnswering:
    async def test_gives_it_to_the_bank(self, stage: Stage) -> None:
        dispute = await disputed(stage)

        answered = await stage.client.v1.disputes.update_async(
            dispute.id,
            {
                "evidence": {"shipping_tracking_number": "1Z999"},
                "metadata": {"order": "order_1"},
            },
        )

        assert answered.status == "under_review"
        assert answered.evidence.shipping_tracking_number == "1Z999"
        assert answered.evidence_details.has_evidence is True
        assert answered.evidence_details.submission_count == 1
        assert answered.metadata["order"] == "order_1"
        await stage.sandbox.postman.settle()
        assert "charge.dispute.updated" in stage.receiver.types

    async def test_may_be_prepared_first(self, stage: Stage) -> None:
        dispute = await disputed(stage)

        staged = await stage.client.v1.disputes.update_async(
            dispute.id, {"submit": False, "evidence": {"customer_name": "Sam"}}
        )

        assert staged.status == "needs_response"
        assert staged.evidence_details.submission_count == 0

    async def test_refuses_what_is_no_evidence(self, stage: Stage) -> None:
        dispute = await disputed(stage)
        evidence: Any = {"shiping_date": "today"}

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.disputes.update_async(
                dispute.id, {"evidence": evidence}
            )

        assert refusal.value.param == "evidence[shiping_date]"

    async def test_too_late_is_lost(self, stage: Stage) -> None:
        dispute = await disputed(stage)
        stage.clock.now = DUE + timedelta(seconds=1)

        late = await stage.client.v1.disputes.retrieve_async(dispute.id)

        assert late.status == "lost"
        with pytest.raises(stripe.InvalidRequestError):
            await stage.client.v1.disputes.update_async(dispute.id, {})

    async def test_in_time_is_not_lost_on_the_day(self, stage: Stage) -> None:
        dispute = await disputed(stage)
        stage.sandbox.answer_dispute(dispute.id)

        stage.sandbox.sweep(now=NOON + timedelta(days=30))

        again = await stage.client.v1.disputes.retrieve_async(dispute.id)
        assert again.status == "under_review"


class TestDeciding:
    async def test_won_gives_everything_back(self, stage: Stage) -> None:
        dispute = await disputed(stage)
        stage.sandbox.answer_dispute(dispute.id)

        stage.sandbox.decide_dispute(dispute.id, won=True)

        won = await stage.client.v1.disputes.retrieve_async(dispute.id)
        assert won.status == "won"
        assert [each.net for each in won.balance_transactions] == [-4_500, 4_500]
        assert (await books(stage))[-1] == ("adjustment", 2_500, -2_000)
        await stage.sandbox.postman.settle()
        told = {"charge.dispute.closed", "charge.dispute.funds_reinstated"}
        assert told <= set(stage.receiver.types)

    async def test_lost_gives_nothing_back(self, stage: Stage) -> None:
        dispute = await disputed(stage)

        closed = await stage.client.v1.disputes.close_async(dispute.id)

        assert closed.status == "lost"
        assert len(await books(stage)) == 2
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.refunds.create_async(
                {"payment_intent": str(dispute.payment_intent)}
            )
        assert refusal.value.code == "charge_disputed"


class TestControl:
    async def test_plays_a_dispute_by_buttons(self, stage: Stage) -> None:
        payment = await paid(stage)
        _, before = await stage.look("/sandbox")
        await _press(stage, f"/sandbox/payments/{payment}/dispute")
        (dispute,) = (await stage.client.v1.disputes.list_async()).data
        _, opened = await stage.look("/sandbox")

        await _press(stage, f"/sandbox/disputes/{dispute.id}/answer")
        await _press(stage, f"/sandbox/disputes/{dispute.id}/win")
        _, after = await stage.look("/sandbox")

        assert "Let the bank take it back" in visible(before)
        assert "needs_response, fraudulent 2026-03-14 23:59 UTC" in visible(opened)
        assert "won, fraudulent" in visible(after)

    async def test_plays_one_by_another_process(self, stage: Stage) -> None:
        payment = await paid(stage)

        status, said = await _send(
            stage, f"/sandbox/payments/{payment}/dispute", {"amount": 700}
        )
        dispute = said["result"]
        _, lost = await _send(stage, f"/sandbox/disputes/{dispute['id']}/lose", {})
        twice, _ = await _send(stage, f"/sandbox/disputes/{dispute['id']}/win", {})
        nobody, _ = await _send(stage, "/sandbox/disputes/du_none/win", {})
        absurd, _ = await _send(
            stage, f"/sandbox/payments/{payment}/dispute", {"amount": "a lot"}
        )

        assert (status, dispute["amount"]) == (200, 700)
        assert lost["result"]["status"] == "lost"
        assert (twice, nobody, absurd) == (409, 404, 422)

    async def test_pays_out(self, stage: Stage) -> None:
        await paid(stage)
        stage.clock.move(days=2)
        _, before = await stage.look("/sandbox")

        _, said = await _send(stage, "/sandbox/payouts", {"account": ""})

        assert "The key's own €24.37 €0.00" in visible(before).replace("&#39;", "'")
        assert [each["amount"] for each in said["result"]] == [2_437]

    async def test_pays_and_promises(self, stage: Stage) -> None:
        first, second = await stage.create(), await stage.create()

        _, paid = await _send(stage, f"/sandbox/sessions/{first.id}/pay", {})
        _, promised = await _send(stage, f"/sandbox/sessions/{second.id}/promise", {})

        assert paid["result"]["payment_status"] == "paid"
        assert promised["result"]["status"] == "complete"
        assert promised["result"]["payment_status"] == "unpaid"


async def _press(stage: Stage, path: str) -> None:
    async with stage.browser.post(f"{stage.address}{path}", data={}) as answer:
        assert answer.status == 200


async def _send(stage: Stage, path: str, said: Any) -> tuple[int, Any]:
    async with stage.browser.post(f"{stage.address}{path}", json=said) as answer:
        told = await answer.text()
        return answer.status, await answer.json() if answer.ok else told
