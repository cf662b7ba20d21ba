"""
Events are signed and arrive at least once, in no order, and late if told so.
"""

import json
from datetime import timedelta

import pytest
import stripe

from outletbot.sandbox.stripe import build_stripe_sandbox
from outletbot.sandbox.stripe_webhooks import (
    DeliveryPolicy,
    Fate,
    Order,
    Treatment,
)
from tests.outletbot.sandbox.stripe_stage import (
    KEY,
    SECRET,
    MovableClock,
    Stage,
    stamp,
)


async def expire_some(stage: Stage, count: int) -> list[str]:
    """Make as many events of one kind. Return their sessions as they happened."""
    sessions = [(await stage.create()).id for _ in range(count)]
    for session_id in sessions:
        await stage.client.v1.checkout.sessions.expire_async(session_id)
    return sessions


def told(stage: Stage) -> list[str]:
    return [event.data.object.id for event in stage.receiver.events]


class TestEvents:
    async def test_carry_what_stripe_promises(self, stage: Stage) -> None:
        (session_id,) = await expire_some(stage, 1)

        await stage.sandbox.postman.settle()

        (event,) = stage.receiver.events
        assert event.id.startswith("evt_")
        assert event.api_version == stripe.api_version
        assert (event.livemode, event.created) == (False, stamp())
        assert event.data.object.id == session_id
        assert event.data.object.status == "expired"

    async def test_show_their_object_as_it_was_then(self, stage: Stage) -> None:
        session = await stage.create()
        await stage.press(session.id, "later")
        stage.sandbox.conclude(session.id)

        listed = await stage.client.v1.events.list_async(
            {"type": "checkout.session.completed"}
        )

        (event,) = listed.data
        assert event.data.object.payment_status == "unpaid"

    async def test_can_be_asked_for(self, stage: Stage) -> None:
        session = await stage.create()
        stage.sandbox.pay(session.id)
        events = stage.client.v1.events

        everything = await events.list_async()
        assert [event.type for event in everything.data] == [
            "checkout.session.completed",
            "payment_intent.succeeded",
            "charge.succeeded",
        ]
        one = await events.retrieve_async(everything.data[0].id)
        assert one.data.object.id == session.id
        some = await events.list_async(
            {"types": ["charge.succeeded", "checkout.session.completed"]}
        )
        assert len(some.data) == 2
        assert len((await events.list_async({"type": "charge.*"})).data) == 1
        newer = await events.list_async({"ending_before": everything.data[2].id})
        assert [event.id for event in newer.data] == [
            everything.data[0].id,
            everything.data[1].id,
        ]
        later = await events.list_async({"created": {"gt": stamp()}})
        assert not later.data

    async def test_tell_which_were_not_taken(self, stripe_stages) -> None:
        stage = await stripe_stages(policy=DeliveryPolicy(retries=()))
        stage.receiver.answers = [500]
        lost = await expire_some(stage, 1)
        await stage.sandbox.postman.settle()
        taken = await expire_some(stage, 1)
        await stage.sandbox.postman.settle()

        for success, session_ids in ((False, lost), (True, taken)):
            page = await stage.client.v1.events.list_async(
                {"delivery_success": success}
            )
            assert [event.data.object.id for event in page.data] == session_ids


class TestSignature:
    async def test_is_of_the_very_body(self, stage: Stage) -> None:
        payload = json.dumps({"id": "evt_1", "object": "event", "type": "ping"})
        header = stage.sandbox.postman.sign(payload)

        assert stripe.Webhook.construct_event(payload, header, SECRET).id == "evt_1"
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(payload + " ", header, SECRET)

    async def test_can_be_made_stale(self, stage: Stage) -> None:
        header = stage.sandbox.postman.sign("{}", timestamp=1_000_000_000)

        with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
            stripe.Webhook.construct_event("{}", header, SECRET)

    async def test_needs_a_secret(self) -> None:
        with pytest.raises(ValueError, match="empty webhook secret"):
            build_stripe_sandbox(
                clock=MovableClock(),
                webhook_url="http://127.0.0.1/webhooks/stripe",
                webhook_secret=" ",
                public_url="http://127.0.0.1",
                api_key=KEY,
            )


class TestRetries:
    async def test_go_on_until_it_is_taken(self, stage: Stage) -> None:
        stage.receiver.answers = [500, 503, 302]

        (session_id,) = await expire_some(stage, 1)
        await stage.sandbox.postman.settle()

        assert stage.receiver.seen == 4
        assert told(stage) == [session_id]

    async def test_end_some_day(self, stage: Stage) -> None:
        stage.receiver.answers = [500] * 9

        await expire_some(stage, 1)
        await stage.sandbox.postman.settle()

        assert stage.receiver.seen == 4
        (delivery,) = stage.sandbox.account().all("delivery")
        assert delivery["state"] == "given_up"
        assert [attempt["status"] for attempt in delivery["attempts"]] == [500] * 4

    async def test_follow_a_receiver_that_takes_too_long(self, stripe_stages) -> None:
        policy = DeliveryPolicy(
            retries=(timedelta(milliseconds=10),), timeout=timedelta(milliseconds=50)
        )
        stage = await stripe_stages(policy=policy)
        stage.receiver.patience = 0.5

        await expire_some(stage, 1)
        await stage.sandbox.postman.settle()

        (delivery,) = stage.sandbox.account().all("delivery")
        errors = [attempt["error"] for attempt in delivery["attempts"]]
        assert errors == ["TimeoutError"] * 2

    async def test_follow_a_receiver_that_is_away(self, stripe_stages) -> None:
        stage = await stripe_stages(webhook_url="http://127.0.0.1:1/webhooks/stripe")

        await expire_some(stage, 1)
        await stage.sandbox.postman.settle()

        (delivery,) = stage.sandbox.account().all("delivery")
        assert len(delivery["attempts"]) == 4
        assert "Cannot connect" in delivery["attempts"][0]["error"]

    async def test_go_on_after_a_restart(self, stripe_stages, tmp_path) -> None:
        slow = DeliveryPolicy(retries=(timedelta(hours=1),))
        file = tmp_path / "stripe.db"
        before = await stripe_stages(state_path=file, policy=slow)
        before.receiver.answers = [500]
        (session_id,) = await expire_some(before, 1)
        while before.receiver.seen == 0:
            await before.look("/sandbox/faults")

        after = await stripe_stages(state_path=file)
        await after.sandbox.postman.settle()

        assert told(after) == [session_id]


class TestTreatment:
    async def test_twice_means_the_same_event_twice(self, stage: Stage) -> None:
        stage.sandbox.postman.treat_next(Treatment(copies=2))

        await expire_some(stage, 1)
        await stage.sandbox.postman.settle()

        first, second = stage.receiver.events
        assert first.id == second.id

    async def test_dropped_means_never(self, stage: Stage) -> None:
        stage.sandbox.postman.treat_next(Treatment(Fate.DROPPED))

        dropped, sent = await expire_some(stage, 2)
        await stage.sandbox.postman.settle()

        assert told(stage) == [sent]
        listed = await stage.client.v1.events.list_async()
        assert {event.data.object.id for event in listed.data} == {dropped, sent}

    @pytest.mark.parametrize("order", list(Order))
    async def test_held_back_can_be_released_in_any_order(
        self, stage: Stage, order: Order
    ) -> None:
        stage.sandbox.postman.usual = Treatment(Fate.HELD)
        happened = await expire_some(stage, 6)
        await stage.sandbox.postman.settle()
        assert told(stage) == []

        assert await stage.sandbox.postman.release(order) == 6

        if order is Order.AS_HAPPENED:
            assert told(stage) == happened
        elif order is Order.BACKWARDS:
            assert told(stage) == happened[::-1]
        else:
            assert told(stage) not in (happened, happened[::-1])
            assert sorted(told(stage)) == sorted(happened)
        assert await stage.sandbox.postman.release(order) == 0

    async def test_released_but_not_taken_is_tried_again(self, stage: Stage) -> None:
        stage.sandbox.postman.usual = Treatment(Fate.HELD)
        (session_id,) = await expire_some(stage, 1)
        stage.receiver.answers = [500]

        await stage.sandbox.postman.release()
        await stage.sandbox.postman.settle()

        assert stage.receiver.seen == 2
        assert told(stage) == [session_id]

    async def test_late_events_let_others_pass(self, stage: Stage) -> None:
        late = Treatment(delay=timedelta(milliseconds=150))
        stage.sandbox.postman.treat_next(late)

        first, second = await expire_some(stage, 2)
        await stage.sandbox.postman.settle()

        assert told(stage) == [second, first]

    async def test_can_be_for_one_type_only(self, stage: Stage) -> None:
        stage.sandbox.postman.treat_next(
            Treatment(Fate.DROPPED), event_type="checkout.session.completed"
        )

        stage.sandbox.pay((await stage.create()).id)
        await stage.sandbox.postman.settle()

        assert sorted(stage.receiver.types) == [
            "charge.succeeded",
            "payment_intent.succeeded",
        ]

    async def test_sent_again_by_hand(self, stage: Stage) -> None:
        stage.sandbox.postman.treat_next(Treatment(Fate.DROPPED))
        (session_id,) = await expire_some(stage, 1)
        (event,) = stage.sandbox.account().all("event")

        stage.sandbox.postman.send_again(stage.sandbox.account(), event["id"])
        await stage.sandbox.postman.settle()

        assert told(stage) == [session_id]


async def test_nobody_is_told_where_there_is_no_address(stripe_stages) -> None:
    stage = await stripe_stages(webhook_url=None, webhook_secret="")

    await expire_some(stage, 1)
    await stage.sandbox.postman.settle()

    assert stage.receiver.seen == 0
    assert len(stage.sandbox.account().all("event")) == 1
