"""
The API lets in who may come in, repeats itself for the same key, and fails on demand.
"""

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import stripe

from outletbot.sandbox.faults import Fault
from tests.outletbot.sandbox.stripe_stage import (
    KEY,
    NORTH,
    Stage,
    session_params,
    stamp,
)

CREATE = "POST /v1/checkout/sessions"
UNKNOWN = (stripe.StripeError, aiohttp.ClientError, TimeoutError)


async def call(stage: Stage, method: str, path: str, **headers: str) -> Any:
    headers = {"Authorization": f"Bearer {KEY}", **headers}
    async with stage.browser.request(
        method, f"{stage.address}{path}", headers=headers
    ) as answer:
        return answer.status, answer.headers, await answer.json()


async def sessions_of(stage: Stage) -> list[str]:
    listed = await stage.client.v1.checkout.sessions.list_async({"limit": 100})
    return [session.id for session in listed.data]


def retrying(stage: Stage) -> stripe.StripeClient:
    """Return a client that repeats itself as the library sees fit."""
    return stripe.StripeClient(
        KEY,
        http_client=stage.client._requestor._client,  # noqa: SLF001 - to be closed once
        base_addresses={"api": stage.address},
        max_network_retries=2,
    )


class TestEntry:
    async def test_needs_a_key(self, stage: Stage) -> None:
        status, _, answer = await call(stage, "GET", "/v1/account", Authorization="")

        assert status == 401
        assert answer["error"]["type"] == "invalid_request_error"
        assert answer["error"]["message"].startswith("You did not provide an API key.")

    async def test_needs_the_right_key(self, stage: Stage) -> None:
        wrong = {"api_key": "sk_test_somebody_else_1234"}

        with pytest.raises(stripe.AuthenticationError) as refusal:
            await stage.client.v1.accounts.retrieve_current_async({}, wrong)

        assert refusal.value.http_status == 401
        message = str(refusal.value.user_message)
        assert message.startswith("Invalid API Key provided: sk_test_***")
        assert "somebody" not in message

    async def test_a_second_key_is_another_account(self, stage: Stage) -> None:
        stage.sandbox.add_key("sk_test_south", "acct_south")
        session = await stage.create({"api_key": "sk_test_south"})

        mine = await stage.retrieve(session.id, {"stripe_account": "acct_south"})

        assert mine.id == session.id
        assert await sessions_of(stage) == []

    async def test_its_own_account_may_be_named(self, stage: Stage) -> None:
        session = await stage.create({"stripe_account": "acct_sandbox"})

        assert await sessions_of(stage) == [session.id]

    @pytest.mark.parametrize("account", ["acct_gone", "north"])
    async def test_needs_access_to_the_account(
        self, stage: Stage, account: str
    ) -> None:
        stage.sandbox.connect("acct_gone")
        stage.sandbox.deauthorize("acct_gone")

        with pytest.raises(stripe.PermissionError) as refusal:
            await stage.create({"stripe_account": account})

        assert refusal.value.http_status == 403
        assert refusal.value.error is not None
        assert refusal.value.error.code == "account_invalid"

    async def test_says_whose_account_it_is(self, stage: Stage) -> None:
        own = await stage.client.v1.accounts.retrieve_current_async()
        north = await stage.client.v1.accounts.retrieve_current_async({}, NORTH)

        assert (own.id, north.id) == ("acct_sandbox", "acct_north")
        assert own.charges_enabled is True

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/v1/customers"), ("DELETE", "/v1/account"), ("POST", "/v1/events")],
    )
    async def test_refuses_what_it_does_not_speak(
        self, stage: Stage, method: str, path: str
    ) -> None:
        status, _, answer = await call(stage, method, path)

        assert status == 404
        assert answer["error"]["message"].startswith(
            f"Unrecognized request URL ({method}: {path})."
        )

    async def test_names_request_and_version(self, stage: Stage) -> None:
        _, headers, _ = await call(stage, "GET", "/v1/account")
        _, asked, _ = await call(
            stage, "GET", "/v1/account", **{"Stripe-Version": "2025-01-01"}
        )
        _, refused, _ = await call(stage, "GET", "/v1/events/evt_none")

        assert headers["Request-Id"].startswith("req_")
        assert headers["Stripe-Version"] == stripe.api_version
        assert asked["Stripe-Version"] == "2025-01-01"
        assert refused["Request-Id"] != headers["Request-Id"]

    async def test_errors_carry_code_and_documentation(self, stage: Stage) -> None:
        status, _, answer = await call(stage, "GET", "/v1/refunds/re_none")

        assert status == 404
        assert answer == {
            "error": {
                "code": "resource_missing",
                "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
                "message": "No such refund: 're_none'",
                "param": "id",
                "type": "invalid_request_error",
            }
        }

    async def test_counts_the_calls_of_a_second(self, stage: Stage) -> None:
        stage.sandbox.rate_limit = 2
        await stage.create()
        await stage.create()

        with pytest.raises(stripe.RateLimitError) as refusal:
            await stage.create()
        await stage.create(NORTH)
        await sessions_of(stage)
        stage.clock.move(seconds=1)
        await stage.create()

        assert refusal.value.http_status == 429
        assert refusal.value.error is not None
        assert refusal.value.error.code == "rate_limit"
        assert len(await sessions_of(stage)) == 3


class TestIdempotency:
    async def test_the_same_key_makes_one_session(self, stage: Stage) -> None:
        first = await stage.create({"idempotency_key": "hold-1"})
        second = await stage.create({"idempotency_key": "hold-1"})

        assert first.id == second.id
        assert len(await sessions_of(stage)) == 1
        headers = second.last_response.headers
        assert headers["Idempotent-Replayed"] == "true"
        first_headers = first.last_response.headers
        assert headers["Original-Request"] == first_headers["Request-Id"]
        assert "Idempotent-Replayed" not in first_headers

    async def test_a_replay_is_the_first_answer_whatever_came_later(
        self, stage: Stage
    ) -> None:
        first = await stage.create({"idempotency_key": "hold-1"})
        stage.sandbox.pay(first.id)

        second = await stage.create({"idempotency_key": "hold-1"})

        assert (second.status, second.url) == ("open", first.url)

    async def test_other_parameters_are_refused(self, stage: Stage) -> None:
        await stage.create({"idempotency_key": "hold-1"})

        with pytest.raises(stripe.IdempotencyError) as refusal:
            await stage.create({"idempotency_key": "hold-1"}, expires_at=stamp(hours=1))

        assert refusal.value.http_status == 400
        assert refusal.value.user_message == (
            "Keys for idempotent requests can only be used with the same parameters "
            "they were first used with. Try using a key other than 'hold-1' if you "
            "meant to execute a different request."
        )

    async def test_another_endpoint_is_refused(self, stage: Stage) -> None:
        session = await stage.create({"idempotency_key": "hold-1"})

        with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
            await stage.client.v1.checkout.sessions.expire_async(
                session.id, {}, {"idempotency_key": "hold-1"}
            )

        assert (await stage.retrieve(session.id)).status == "open"

    async def test_is_forgotten_after_a_day(self, stage: Stage) -> None:
        first = await stage.create({"idempotency_key": "hold-1"})

        stage.clock.move(hours=23, minutes=59)
        same = await stage.create({"idempotency_key": "hold-1"})
        stage.clock.move(minutes=1)
        other = await stage.create({"idempotency_key": "hold-1"})

        assert first.id == same.id != other.id

    async def test_a_wrong_request_does_not_use_its_key_up(self, stage: Stage) -> None:
        options = {"idempotency_key": "hold-1"}
        with pytest.raises(stripe.InvalidRequestError):
            await stage.create(options, sucess_url="x")
        with pytest.raises(stripe.InvalidRequestError):
            await stage.create(options, expires_at=stamp(minutes=1))

        assert (await stage.create(options)).status == "open"

    async def test_a_refusal_of_the_matter_is_kept(self, stage: Stage) -> None:
        session = await stage.create()
        expire = stage.client.v1.checkout.sessions.expire_async
        await expire(session.id)
        messages = []

        for _ in range(2):
            with pytest.raises(stripe.InvalidRequestError) as refusal:
                await expire(session.id, {}, {"idempotency_key": "expire-1"})
            messages.append(dict(refusal.value.headers or {}))

        assert "Idempotent-Replayed" not in messages[0]
        assert messages[1]["Idempotent-Replayed"] == "true"

    async def test_two_at_once_conflict(self, stage: Stage) -> None:
        stage.sandbox.latency = timedelta(milliseconds=100)
        options = {"idempotency_key": "hold-1"}

        outcomes = await asyncio.gather(
            stage.create(options), stage.create(options), return_exceptions=True
        )

        (error,) = [each for each in outcomes if isinstance(each, stripe.APIError)]
        assert error.http_status == 409
        assert len(await sessions_of(stage)) == 1
        assert (await stage.create(options)).id in await sessions_of(stage)

    async def test_two_at_once_end_well_if_repeated(self, stage: Stage) -> None:
        stage.sandbox.latency = timedelta(milliseconds=100)
        client = retrying(stage)

        first, second = await asyncio.gather(
            *(
                client.v1.checkout.sessions.create_async(
                    session_params(), {"idempotency_key": "hold-1"}
                )
                for _ in range(2)
            )
        )

        assert first.id == second.id

    async def test_a_key_too_long_is_refused(self, stage: Stage) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="255"):
            await stage.create({"idempotency_key": "k" * 256})


class TestFaults:
    @pytest.fixture(autouse=True)
    def hurry(self, stage: Stage) -> None:
        stage.sandbox.faults.hold_for = timedelta(milliseconds=50)
        stage.sandbox.faults.slow_by = timedelta(milliseconds=50)

    @pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.ERROR_BEFORE])
    async def test_before_means_that_nothing_happened(
        self, stage: Stage, fault: Fault
    ) -> None:
        stage.sandbox.faults.next(CREATE, fault)

        with pytest.raises(UNKNOWN):
            await stage.create({"idempotency_key": "hold-1"})

        assert await sessions_of(stage) == []
        session = await stage.create({"idempotency_key": "hold-1"})
        assert await sessions_of(stage) == [session.id]

    @pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.CUT_BODY])
    async def test_after_means_that_only_the_answer_is_lost(
        self, stage: Stage, fault: Fault
    ) -> None:
        stage.sandbox.faults.next(CREATE, fault)

        with pytest.raises(UNKNOWN):
            await stage.create({"idempotency_key": "hold-1"})

        (made,) = await sessions_of(stage)
        assert (await stage.create({"idempotency_key": "hold-1"})).id == made
        assert await sessions_of(stage) == [made]

    async def test_an_error_halfway_is_repeated_to_its_key(self, stage: Stage) -> None:
        stage.sandbox.faults.next(CREATE, Fault.ERROR_AFTER)

        for _ in range(2):
            with pytest.raises(stripe.APIError) as refusal:
                await stage.create({"idempotency_key": "hold-1"})
            assert refusal.value.http_status == 500

        assert len(await sessions_of(stage)) == 1
        assert (await stage.create({"idempotency_key": "hold-2"})).status == "open"

    async def test_too_many_is_not_repeated_by_the_library(self, stage: Stage) -> None:
        stage.sandbox.faults.next(CREATE, Fault.TOO_MANY)

        with pytest.raises(stripe.RateLimitError):
            await retrying(stage).v1.checkout.sessions.create_async(session_params())

        assert await sessions_of(stage) == []

    async def test_a_lock_is_repeated_by_the_library(self, stage: Stage) -> None:
        stage.sandbox.faults.next(CREATE, Fault.LOCKED)

        session = await retrying(stage).v1.checkout.sessions.create_async(
            session_params()
        )

        assert session.status == "open"
        assert not stage.sandbox.faults.waiting

    async def test_a_lock_says_so(self, stage: Stage) -> None:
        stage.sandbox.faults.next("GET /v1/account", Fault.LOCKED)

        status, headers, answer = await call(stage, "GET", "/v1/account")

        assert status == 429
        assert headers["Stripe-Should-Retry"] == "true"
        assert headers["Request-Id"].startswith("req_")
        assert answer["error"]["code"] == "lock_timeout"

    async def test_slow_is_late_but_right(self, stage: Stage) -> None:
        stage.sandbox.faults.next(CREATE, Fault.SLOW)
        began = asyncio.get_running_loop().time()

        session = await stage.create()

        assert session.status == "open"
        assert asyncio.get_running_loop().time() - began >= 0.05

    async def test_happen_in_their_order_to_their_call(self, stage: Stage) -> None:
        expire = "POST /v1/checkout/sessions/{id}/expire"
        stage.sandbox.faults.next(expire, Fault.TOO_MANY, Fault.ERROR_BEFORE)
        session = await stage.create()
        statuses = []

        for _ in range(2):
            with pytest.raises(stripe.StripeError) as refusal:
                await stage.client.v1.checkout.sessions.expire_async(session.id)
            statuses.append(refusal.value.http_status)
        await stage.client.v1.checkout.sessions.expire_async(session.id)

        assert statuses == [429, 500]
