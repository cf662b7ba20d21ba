"""
Accounts: made by a platform, signed up by their owners, and taken away by them again.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
import stripe

from outletbot.sandbox.stripe_connect import LINK_LIVES
from tests.outletbot.sandbox.conftest import SetStage
from tests.outletbot.sandbox.stripe_stage import KEY, NORTH, Stage, visible

BACK = "http://shop.test/payments"
AGAIN = "http://shop.test/payments/again"


async def account_of(stage: Stage, **params: Any) -> str:
    asked: Any = {"type": "standard", "country": "DE", **params}
    return str((await stage.client.v1.accounts.create_async(asked)).id)


async def link_to(stage: Stage, account_id: str, **params: Any) -> str:
    asked: Any = {
        "account": account_id,
        "type": "account_onboarding",
        "return_url": BACK,
        "refresh_url": AGAIN,
        **params,
    }
    return (await stage.client.v1.account_links.create_async(asked)).url


async def visit(stage: Stage, url: str) -> tuple[int, str | None, str]:
    async with stage.browser.get(url, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location"), await answer.text()


async def submit(stage: Stage, url: str, do: str = "finish", **typed: str) -> Any:
    form = {"name": "South Outdoor", **typed, "do": do}
    async with stage.browser.post(url, data=form, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location")


class TestSigningUp:
    async def test_an_account_takes_no_money_before(self, stage: Stage) -> None:
        account_id = await account_of(
            stage, email="owner@south.test", metadata={"retailer": "south"}
        )
        account = await stage.client.v1.accounts.retrieve_async(account_id)

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await stage.create({"stripe_account": account_id})

        assert (account.charges_enabled, account.details_submitted) == (False, False)
        assert (account.country, account.email) == ("DE", "owner@south.test")
        assert account.metadata["retailer"] == "south"
        assert account.requirements.currently_due
        assert refusal.value.code == "account_invalid"

    async def test_is_done_on_a_page(self, stage: Stage) -> None:
        account_id = await account_of(stage, business_profile={"name": "South"})
        url = await link_to(stage, account_id)

        status, _, page = await visit(stage, url)
        place = await submit(stage, url)

        assert status == 200
        assert account_id in visible(page)
        assert 'value="South"' in page
        assert place == (303, BACK)
        account = await stage.client.v1.accounts.retrieve_async(account_id)
        assert account.charges_enabled is True
        assert account.payouts_enabled is True
        assert account.business_profile.name == "South Outdoor"
        session = await stage.create({"stripe_account": account_id})
        assert session.status == "open"

    async def test_is_told(self, stage: Stage) -> None:
        account_id = await account_of(stage)
        url = await link_to(stage, account_id)
        await visit(stage, url)

        await submit(stage, url)

        await stage.sandbox.postman.settle()
        (event,) = stage.receiver.events
        assert (event.type, event.account) == ("account.updated", account_id)
        assert event.data.object["charges_enabled"] is True

    async def test_may_be_left(self, stage: Stage) -> None:
        account_id = await account_of(stage)
        url = await link_to(stage, account_id)
        await visit(stage, url)

        place = await submit(stage, url, "leave")

        account = await stage.client.v1.accounts.retrieve_async(account_id)
        assert place == (303, BACK)
        assert account.details_submitted is False

    async def test_needs_a_new_link_each_time(self, stage: Stage) -> None:
        url = await link_to(stage, await account_of(stage))
        await visit(stage, url)

        status, place, _ = await visit(stage, url)

        assert (status, place) == (303, AGAIN)

    async def test_needs_a_fresh_link(self, stage: Stage) -> None:
        url = await link_to(stage, await account_of(stage))
        stage.clock.now += LINK_LIVES

        status, place, _ = await visit(stage, url)

        assert (status, place) == (303, AGAIN)

    async def test_cannot_be_sent_unseen(self, stage: Stage) -> None:
        account_id = await account_of(stage)
        url = await link_to(stage, account_id)

        status, place = await submit(stage, url)

        assert status == 303
        assert url.endswith(str(place))
        account = await stage.client.v1.accounts.retrieve_async(account_id)
        assert account.charges_enabled is False

    async def test_needs_a_link_that_was_made(self, stage: Stage) -> None:
        url = f"{stage.address}/setup/s/link_none"

        assert (await visit(stage, url))[0] == 404
        assert (await submit(stage, url))[0] == 404


class TestLinks:
    @pytest.mark.parametrize(
        ("changes", "param"),
        [
            ({"type": "account_update"}, "type"),
            ({"return_url": "nowhere"}, "return_url"),
            ({"refresh_url": "ftp://shop.test"}, "refresh_url"),
            ({"account": "acct_stranger"}, "account"),
        ],
    )
    async def test_refuse_what_leads_nowhere(
        self, stage: Stage, changes: Any, param: str
    ) -> None:
        account_id = await account_of(stage)

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await link_to(stage, account_id, **changes)

        assert refusal.value.param == param

    async def test_of_a_deauthorized_account_are_refused(self, stage: Stage) -> None:
        stage.sandbox.deauthorize("acct_north")

        with pytest.raises(stripe.InvalidRequestError):
            await link_to(stage, "acct_north")


class TestAccounts:
    async def test_of_other_kinds_are_not_played(self, stage: Stage) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await account_of(stage, type="express")

        assert refusal.value.code == "sandbox_unsupported"

    async def test_are_made_by_platforms_only(self, stage: Stage) -> None:
        stage.sandbox.add_key("sk_test_east", "acct_east")

        with pytest.raises(stripe.InvalidRequestError, match="signed up for Connect"):
            await stage.client.v1.accounts.create_async(
                {"type": "standard"}, {"api_key": "sk_test_east"}
            )

    async def test_of_others_cannot_be_looked_at(self, stage: Stage) -> None:
        stage.sandbox.add_key("sk_test_east", "acct_east")
        accounts = stage.client.v1.accounts

        for account_id in ("acct_east", "acct_none"):
            with pytest.raises(stripe.PermissionError):
                await accounts.retrieve_async(account_id)
        with pytest.raises(stripe.PermissionError):
            await accounts.retrieve_async("acct_north", {}, {"api_key": "sk_test_east"})

    async def test_may_look_at_themselves(self, stage: Stage) -> None:
        own = await stage.client.v1.accounts.retrieve_async("acct_sandbox")

        assert own.charges_enabled is True

    async def test_can_be_stopped_by_stripe(self, stage: Stage) -> None:
        stage.sandbox.allow_charges("acct_north", enabled=False)

        account = await stage.client.v1.accounts.retrieve_async("acct_north")
        with pytest.raises(stripe.InvalidRequestError):
            await stage.create(NORTH)

        assert (account.charges_enabled, account.details_submitted) == (False, True)
        assert account.requirements.disabled_reason is not None


class TestDeauthorizing:
    async def test_is_told_and_then_true(self, stage: Stage) -> None:
        session = await stage.create(NORTH)

        stage.sandbox.deauthorize("acct_north")
        await stage.sandbox.postman.settle()

        (event,) = stage.receiver.events
        assert event.type == "account.application.deauthorized"
        assert event.account == "acct_north"
        assert event.data.object["object"] == "application"
        with pytest.raises(stripe.PermissionError) as refusal:
            await stage.retrieve(session.id, NORTH)
        assert refusal.value.error is not None
        assert refusal.value.error.code == "account_invalid"

    async def test_ends_what_the_platform_hears(self, stage: Stage) -> None:
        session = await stage.create(NORTH)
        stage.sandbox.deauthorize("acct_north")

        stage.sandbox.pay(session.id)
        await stage.sandbox.postman.settle()

        assert stage.receiver.types == ["account.application.deauthorized"]

    async def test_of_a_stranger_is_refused(self, stage: Stage) -> None:
        _, _, told = await _send(stage, "/sandbox/accounts/acct_none/deauthorize", {})

        assert "acct_none" in told


class TestKeys:
    async def test_of_another_account_sees_that_account(self, stage: Stage) -> None:
        stage.sandbox.add_key("sk_test_east", "acct_east")
        east: Any = {"api_key": "sk_test_east"}

        session = await stage.create(east)
        stage.sandbox.pay(session.id)
        await stage.sandbox.postman.settle()

        assert (await stage.retrieve(session.id, east)).payment_status == "paid"
        with pytest.raises(stripe.InvalidRequestError):
            await stage.retrieve(session.id)
        assert stage.receiver.events == []

    async def test_cannot_act_for_strangers(self, stage: Stage) -> None:
        stage.sandbox.add_key("sk_test_east", "acct_east")

        with pytest.raises(stripe.PermissionError):
            await stage.create(
                {"api_key": "sk_test_east", "stripe_account": "acct_north"}
            )

    async def test_may_be_restricted(self, stage: Stage) -> None:
        stage.sandbox.add_key("rk_test_north_refunds", "", "rak_charge_write")
        restricted: Any = {"api_key": "rk_test_north_refunds"}
        session = await stage.create(restricted)
        stage.sandbox.pay(session.id)
        payment = (await stage.retrieve(session.id)).payment_intent

        with pytest.raises(stripe.PermissionError) as refusal:
            await stage.client.v1.refunds.create_async(
                {"payment_intent": payment}, restricted
            )

        assert refusal.value.http_status == 403
        assert "'rak_charge_write' permission" in str(refusal.value)
        assert (await stage.client.v1.refunds.list_async({}, restricted)).data == []

    async def test_may_be_rolled(self, stage: Stage) -> None:
        stage.sandbox.expire_key(KEY)

        with pytest.raises(stripe.AuthenticationError) as refusal:
            await stage.create()

        assert refusal.value.error is not None
        assert refusal.value.error.code == "api_key_expired"

    async def test_and_accounts_survive_a_restart(
        self, stripe_stages: SetStage, tmp_path: Any
    ) -> None:
        file = tmp_path / "stripe.db"
        before = await stripe_stages(state_path=file, seed=1)
        account_id = await account_of(before)
        before.sandbox.add_key("sk_test_east", "acct_east")
        before.sandbox.deauthorize("acct_south")

        after = await stripe_stages(state_path=file, seed=2)
        after.sandbox.deauthorize("acct_south")

        account = await after.client.v1.accounts.retrieve_async(account_id)
        east = await after.create({"api_key": "sk_test_east"})
        assert account.charges_enabled is False
        assert east.status == "open"


class TestMode:
    async def test_can_be_live_on_demand(self, stage: Stage) -> None:
        before = await stage.create()

        await _send(stage, "/sandbox/settings", {"livemode": True})
        after = await stage.create()
        stage.sandbox.pay(after.id)
        await stage.sandbox.postman.settle()

        assert (before.livemode, after.livemode) == (False, True)
        assert {event.livemode for event in stage.receiver.events} == {True}


class TestControl:
    async def test_moves_accounts(self, stage: Stage) -> None:
        for verb in ("disable", "enable", "deauthorize"):
            await _send(stage, f"/sandbox/accounts/acct_north/{verb}", {})
        await _send(stage, "/sandbox/accounts/acct_west/connect", {})

        page = visible((await stage.look("/sandbox"))[1])

        await stage.sandbox.postman.settle()
        assert stage.receiver.types.count("account.updated") == 2
        assert re.search(r"acct_north \S+ disconnected", page)
        assert "acct_west Sandbox takes money Let Stripe stop it" in page

    async def test_makes_and_ends_keys(self, stage: Stage) -> None:
        said = {"key": "rk_test_west", "account": "acct_west", "lacks": ["rak_x_read"]}
        await _send(stage, "/sandbox/keys", said)
        west: Any = {"api_key": "rk_test_west"}
        made = await stage.create(west)

        await _send(stage, "/sandbox/keys", {"key": "rk_test_west", "expired": True})

        assert made.status == "open"
        with pytest.raises(stripe.AuthenticationError):
            await stage.create(west)

    async def test_sets_pace_and_patience(self, stage: Stage) -> None:
        said = {"rate_limit": 100, "latency": 0.01}
        await _send(stage, "/sandbox/settings", said)
        first = (stage.sandbox.rate_limit, stage.sandbox.latency)

        await _send(stage, "/sandbox/settings", {"rate_limit": None})
        status, _, _ = await _send(stage, "/sandbox/settings", {"rate_limit": "fast"})

        assert first == (100, timedelta(milliseconds=10))
        assert stage.sandbox.rate_limit is None
        assert status == 422


async def _send(stage: Stage, path: str, said: Any) -> tuple[int, Any, str]:
    async with stage.browser.post(f"{stage.address}{path}", json=said) as answer:
        told = await answer.text()
        return answer.status, await answer.json() if answer.ok else None, told
