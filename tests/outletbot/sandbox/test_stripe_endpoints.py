"""
Webhook endpoints: each hears what it asked for, with a secret of its own.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
import stripe
from aiohttp import web

from outletbot.sandbox.stripe_webhooks import DeliveryPolicy, Fate, Treatment
from tests.outletbot.sandbox.conftest import SetStage
from tests.outletbot.sandbox.stripe_stage import NORTH, SECRET, Stage

EAST: Any = {"api_key": "sk_test_east"}
DONE: Any = ["checkout.session.completed"]


@dataclass
class Ear:
    """Keeps what it hears, as it was sent; *refuses* so many first."""

    refuses: int = 0
    heard: list[tuple[bytes, str]] = field(default_factory=list)
    url: str = ""

    async def listen(self, request: web.Request) -> web.Response:
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=500)
        body = await request.read()
        self.heard.append((body, request.headers["Stripe-Signature"]))
        return web.Response()

    def events(self, secret: str) -> list[stripe.Event]:
        return [stripe.Webhook.construct_event(b, s, secret) for b, s in self.heard]


@pytest.fixture
async def ear(aiohttp_server: Any) -> Ear:
    ear, app = Ear(), web.Application()
    app.router.add_post("/hear", ear.listen)
    ear.url = str((await aiohttp_server(app)).make_url("/hear"))
    return ear


async def endpoint(stage: Stage, ear: Ear, options: Any = None, **params: Any) -> Any:
    asked: Any = {"url": ear.url, "enabled_events": DONE, **params}
    return await stage.client.v1.webhook_endpoints.create_async(asked, options or {})


async def pay(stage: Stage, options: Any = None) -> str:
    session = await stage.create(options)
    stage.sandbox.pay(session.id)
    await stage.sandbox.postman.settle()
    return str(session.id)


class TestHearing:
    async def test_is_of_what_was_asked_for(self, stage: Stage, ear: Ear) -> None:
        made = await endpoint(stage, ear)

        session_id = await pay(stage)

        (event,) = ear.events(made.secret)
        assert event.data.object["id"] == session_id
        assert made.secret.startswith("whsec_")
        assert made.secret != SECRET

    async def test_may_be_of_everything(self, stage: Stage, ear: Ear) -> None:
        made = await endpoint(stage, ear, enabled_events=["*"])

        await pay(stage)

        assert len(ear.events(made.secret)) == 3

    async def test_of_an_account_is_by_its_own_key(
        self, stage: Stage, ear: Ear
    ) -> None:
        stage.sandbox.add_key("sk_test_east", "acct_east")
        made = await endpoint(stage, ear, EAST)

        mine = await pay(stage, EAST)
        await pay(stage)

        (event,) = ear.events(made.secret)
        assert event.data.object["id"] == mine
        assert "account" not in event

    async def test_of_connected_accounts_is_by_connect(
        self, stage: Stage, ear: Ear
    ) -> None:
        made = await endpoint(stage, ear, connect=True)

        norths = await pay(stage, NORTH)
        await pay(stage)

        (event,) = ear.events(made.secret)
        assert (event.data.object["id"], event.account) == (norths, "acct_north")

    async def test_ends_with_the_endpoint(self, stage: Stage, ear: Ear) -> None:
        made = await endpoint(stage, ear)
        endpoints = stage.client.v1.webhook_endpoints

        gone = await endpoints.delete_async(made.id)
        await pay(stage)

        assert gone.deleted is True
        assert ear.heard == []
        assert (await endpoints.list_async()).data == []
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await endpoints.retrieve_async(made.id)
        assert refusal.value.code == "resource_missing"

    async def test_can_be_switched_off_and_on(self, stage: Stage, ear: Ear) -> None:
        made = await endpoint(stage, ear)
        endpoints = stage.client.v1.webhook_endpoints

        off = await endpoints.update_async(made.id, {"disabled": True})
        await pay(stage)
        on = await endpoints.update_async(
            made.id, {"disabled": False, "enabled_events": ["charge.succeeded"]}
        )
        await pay(stage)

        assert (off.status, on.status) == ("disabled", "enabled")
        assert [event.type for event in ear.events(made.secret)] == ["charge.succeeded"]

    async def test_of_what_was_under_way_ends_too(self, stage: Stage, ear: Ear) -> None:
        made = await endpoint(stage, ear)
        stage.sandbox.postman.usual = Treatment(Fate.HELD)
        await pay(stage)
        await stage.client.v1.webhook_endpoints.delete_async(made.id)

        await stage.sandbox.postman.release()
        await stage.sandbox.postman.settle()

        lost = [
            each
            for each in stage.sandbox.account().all("delivery")
            if each["endpoint"] == made.id
        ]
        assert [each["state"] for each in lost] == ["given_up"]
        assert ear.heard == []

    async def test_is_retried_for_each_alone(self, stage: Stage, ear: Ear) -> None:
        made = await endpoint(stage, ear)
        ear.refuses = 1

        await pay(stage)

        assert len(ear.events(made.secret)) == 1
        assert stage.receiver.types.count("checkout.session.completed") == 1

    async def test_is_counted(self, stripe_stages: SetStage, ear: Ear) -> None:
        stage = await stripe_stages(policy=DeliveryPolicy(retries=()))
        await endpoint(stage, ear)
        ear.refuses = 1

        await pay(stage)
        missed = await stage.client.v1.events.list_async({"delivery_success": False})

        (event,) = missed.data
        assert (event.type, event.pending_webhooks) == (DONE[0], 1)

    async def test_happens_again_by_hand(self, stage: Stage, ear: Ear) -> None:
        made = await endpoint(stage, ear)
        await pay(stage)
        (event,) = ear.events(made.secret)

        stage.sandbox.postman.send_again(stage.sandbox.account(), event.id)
        await stage.sandbox.postman.settle()

        assert len(ear.events(made.secret)) == 2

    async def test_goes_on_after_a_restart(
        self, stripe_stages: SetStage, ear: Ear, tmp_path: Any
    ) -> None:
        file = tmp_path / "stripe.db"
        before = await stripe_stages(state_path=file, seed=1)
        made = await endpoint(before, ear)

        after = await stripe_stages(state_path=file, seed=2)
        await pay(after)

        assert len(ear.events(made.secret)) == 1


class TestEndpoints:
    async def test_tell_their_secret_once(self, stage: Stage, ear: Ear) -> None:
        made = await endpoint(stage, ear, description="outletbot", metadata={"a": "b"})

        again = await stage.client.v1.webhook_endpoints.retrieve_async(made.id)
        listed = await stage.client.v1.webhook_endpoints.list_async()

        assert "secret" not in again
        assert "secret" not in listed.data[0]
        assert (again.url, again.description) == (ear.url, "outletbot")
        assert again.metadata["a"] == "b"
        assert again.status == "enabled"

    @pytest.mark.parametrize(
        ("changes", "param"),
        [
            ({"url": "nowhere"}, "url"),
            ({"enabled_events": ["checkout.session.complete"]}, "enabled_events[0]"),
            ({"api_version": "2020-08-27"}, "api_version"),
        ],
    )
    async def test_refuse_what_stripe_refuses(
        self, stage: Stage, ear: Ear, changes: Any, param: str
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await endpoint(stage, ear, **changes)

        assert refusal.value.param == param

    async def test_are_sixteen_at_most(self, stage: Stage, ear: Ear) -> None:
        for _ in range(16):
            await endpoint(stage, ear)

        with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
            await endpoint(stage, ear)


class TestEvents:
    async def test_are_kept_for_thirty_days(self, stage: Stage) -> None:
        await pay(stage)
        old = (await stage.client.v1.events.list_async()).data[0]
        stage.clock.move(days=30)
        await pay(stage)

        listed = await stage.client.v1.events.list_async()

        assert len(listed.data) == 3
        assert old.id not in {each.id for each in listed.data}
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.client.v1.events.retrieve_async(old.id)
        assert refusal.value.code == "resource_missing"

    async def test_are_asked_for_by_twenty_types_at_most(self, stage: Stage) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            await stage.client.v1.events.list_async({"types": ["ping"] * 21})

    async def test_are_asked_for_in_one_way(self, stage: Stage) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            await stage.client.v1.events.list_async({"types": DONE, "type": DONE[0]})

    async def test_can_be_walked_from_a_cursor_in_their_order(
        self, stage: Stage
    ) -> None:
        await pay(stage)
        cursor = (await stage.client.v1.events.list_async({"limit": 1})).data[0]
        expected = [await pay(stage) for _ in range(3)]

        newer = await stage.client.v1.events.list_async(
            {"ending_before": cursor.id, "limit": 2, "types": DONE}
        )

        found = [event async for event in newer.auto_paging_iter()]
        assert [event.data.object["id"] for event in found] == expected

    async def test_are_each_accounts_own(self, stage: Stage) -> None:
        await pay(stage, NORTH)

        mine = await stage.client.v1.events.list_async()
        norths = await stage.client.v1.events.list_async({}, NORTH)

        assert (len(mine.data), len(norths.data)) == (0, 3)
