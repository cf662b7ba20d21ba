"""
The control page shows what happened, and arranges what shall happen.
"""

from typing import Any

import pytest

from outletbot.sandbox.faults import Fault
from tests.outletbot.sandbox.stripe_stage import NORTH, Stage, visible


async def post(stage: Stage, path: str, said: Any = None, **options: Any) -> Any:
    address = f"{stage.address}/sandbox{path}"
    async with stage.browser.post(
        address, json=said if said is not None else {}, **options
    ) as answer:
        text = await answer.text()
        return answer.status, await answer.json() if answer.status == 200 else text


async def test_shows_sessions_refunds_and_events(stage: Stage) -> None:
    session = await stage.create(NORTH)
    await stage.press(session.id)
    intent = (await stage.retrieve(session.id, NORTH)).payment_intent
    await stage.client.v1.refunds.create_async({"payment_intent": intent}, NORTH)
    await stage.sandbox.postman.settle()

    status, page = await stage.look("/sandbox")

    said = visible(page)
    assert status == 200
    assert session.id in said
    assert "€25.00 complete, paid" in said
    assert "acct_north" in said
    assert "checkout.session.completed taken" in said
    assert "refund.created taken" in said
    assert "Let it fail" in said


async def test_shows_an_empty_sandbox(stage: Stage) -> None:
    status, page = await stage.look("/sandbox")

    assert status == 200
    assert visible(page).count("None yet.") == 4


async def test_arranges_faults(stage: Stage) -> None:
    call = "POST /v1/refunds"

    status, answer = await post(
        stage, "/faults", {"call": call, "faults": ["timeout_after", "locked"]}
    )

    assert status == 200
    assert answer == {"waiting": {call: ["timeout_after", "locked"]}}
    assert stage.sandbox.faults.take(call) is Fault.TIMEOUT_AFTER
    assert (await stage.look("/sandbox/faults"))[1] == (
        '{"waiting": {"POST /v1/refunds": ["locked"]}}'
    )


async def test_arranges_faults_by_its_form(stage: Stage) -> None:
    form = {"call": "POST /v1/refunds", "faults": "slow"}

    async with stage.browser.post(
        f"{stage.address}/sandbox/faults", data=form
    ) as answer:
        page = await answer.text()

    assert "Waiting: POST /v1/refunds: slow" in visible(page)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/faults", {"call": "POST /v1/refund", "faults": ["slow"]}),
        ("/faults", {"call": "POST /v1/refunds", "faults": ["sloow"]}),
        ("/deliveries", {"fate": "lost"}),
        ("/deliveries", {"copies": "many"}),
        ("/deliveries/release", {"order": "random"}),
    ],
)
async def test_refuses_what_it_does_not_know(stage: Stage, path: str, said) -> None:
    status, _ = await post(stage, path, said)

    assert status == 422
    assert not stage.sandbox.faults.waiting


async def test_arranges_deliveries(stage: Stage) -> None:
    status, answer = await post(stage, "/deliveries", {"fate": "held", "times": 3})
    assert (status, answer) == (200, {"arranged": 3})
    stage.sandbox.pay((await stage.create()).id)
    await stage.sandbox.postman.settle()
    assert stage.receiver.types == []

    status, answer = await post(stage, "/deliveries/release", {"order": "backwards"})

    assert (status, answer) == (200, {"released": 3})
    assert stage.receiver.types[0] == "checkout.session.completed"


async def test_sends_an_event_again(stage: Stage) -> None:
    stage.sandbox.pay((await stage.create()).id)
    await stage.sandbox.postman.settle()
    event = stage.receiver.events[0]

    status, _ = await post(stage, f"/events/{event.id}/resend")

    await stage.sandbox.postman.settle()
    assert status == 200
    assert [each.id for each in stage.receiver.events].count(event.id) == 2
    assert (await post(stage, "/events/evt_none/resend"))[0] == 409


async def test_moves_what_is_pending(stage: Stage) -> None:
    session = await stage.create()
    await stage.press(session.id, "later")

    assert (await post(stage, f"/sessions/{session.id}/conclude"))[0] == 200
    assert (await post(stage, f"/sessions/{session.id}/conclude"))[0] == 409
    assert (await post(stage, "/sessions/cs_test_none/conclude"))[0] == 404

    paid = await stage.retrieve(session.id)
    assert paid.payment_status == "paid"
    refund = await stage.client.v1.refunds.create_async(
        {"payment_intent": paid.payment_intent}
    )
    assert (await post(stage, f"/refunds/{refund.id}/conclude"))[0] == 200
    assert (await post(stage, f"/refunds/{refund.id}/fail"))[0] == 200
    assert (await post(stage, f"/refunds/{refund.id}/fail"))[0] == 409


async def test_expires_a_session_of_any_account(stage: Stage) -> None:
    session = await stage.create(NORTH)

    assert (await post(stage, f"/sessions/{session.id}/expire"))[0] == 200
    assert (await post(stage, f"/sessions/{session.id}/expire"))[0] == 409

    assert (await stage.retrieve(session.id, NORTH)).status == "expired"


async def test_takes_nothing_from_another_site(stage: Stage) -> None:
    said = {"call": "POST /v1/refunds", "faults": ["slow"]}

    status, _ = await post(
        stage, "/faults", said, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert status == 403
    assert not stage.sandbox.faults.waiting


@pytest.mark.parametrize("body", ["{", "[]"])
async def test_takes_objects_only(stage: Stage, body: str) -> None:
    headers = {"Content-Type": "application/json"}

    async with stage.browser.post(
        f"{stage.address}/sandbox/faults", data=body, headers=headers
    ) as answer:
        assert answer.status == 400


async def test_its_pages_need_no_key_but_the_api_does(stage: Stage) -> None:
    assert (await stage.look("/sandbox"))[0] == 200
    assert (await stage.look("/v1/account"))[0] == 401
