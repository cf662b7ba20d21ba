"""
Stripe's messages are kept once each, if Stripe signed them just now.

Stripe's own library signs and verifies them here, and looks at the machine's clock.
"""

import json
import time
from datetime import timedelta

import pytest
import stripe
from aiohttp.test_utils import TestServer
from sqlmodel import Session, select

from outletbot.app import build_app
from outletbot.stripe_client import StripeGateways
from outletbot.stripe_gateway import StripeGateway
from tests.factories import NOON
from webhooks.inbox import Arrival

SECRET = "whsec_north"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "created": int(NOON.timestamp()) - 60,
    "data": {"object": {"id": "cs_1", "payment_status": "paid"}},
}
BODY = json.dumps(EVENT).encode()


@pytest.fixture
async def hook(aiohttp_client, settings, database):
    gateway = StripeGateway(
        stripe.StripeClient("sk_test_1"),
        public_url=settings.public_url,
        webhook_secret=SECRET,
        livemode=False,
    )
    app = build_app(settings, database, StripeGateways(gateway), clock=lambda: NOON)
    client = await aiohttp_client(TestServer(app, host="127.0.0.1"))

    async def send(
        body: bytes = BODY, signature: str | None = None, **more: str
    ) -> int:
        signed = sign(body) if signature is None else signature
        headers = {"Stripe-Signature": signed, **more}
        async with client.post(
            "/webhooks/stripe", data=body, headers=headers
        ) as answer:
            return answer.status

    return send


def sign(body: bytes, *, secret: str = SECRET, ago: timedelta = timedelta()) -> str:
    now = int(time.time() - ago.total_seconds())  # noqa: TID251  (so does the library)
    made = stripe.WebhookSignature.generate_signature_header
    header: str = made(body.decode(errors="replace"), secret, now)
    return header


def kept(session: Session) -> list[Arrival]:
    session.rollback()
    return list(session.exec(select(Arrival)))


async def test_keeps_a_message_and_says_so(hook, session) -> None:
    status = await hook()

    (arrival,) = kept(session)
    assert status == 204
    assert (arrival.source, arrival.message_id) == ("stripe", "evt_1")
    assert arrival.type == "checkout.session.completed"
    assert arrival.payload == {"id": "cs_1", "payment_status": "paid"}
    assert arrival.sent_at == NOON - timedelta(minutes=1)
    assert (arrival.received_at, arrival.handled_at) == (NOON, None)


async def test_keeps_a_repeated_message_once(hook, session) -> None:
    statuses = [await hook() for _ in range(3)]

    assert statuses == [204] * 3
    assert len(kept(session)) == 1


async def test_needs_no_page_of_ours_to_come_from(hook) -> None:
    assert await hook(**{"Sec-Fetch-Site": "cross-site"}) == 204


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        "t=1,v1=0",
        "t=,v1=",
        "t=noon,v1=" + "0" * 64,
        "v1=" + "0" * 64,
        "t=99999999999999999999999,v1=" + "0" * 64,
        "\udcff",
    ],
)
async def test_refuses_what_is_not_signed(hook, session, signature) -> None:
    assert await hook(signature=signature) == 400
    assert kept(session) == []


async def test_refuses_another_secret(hook, session) -> None:
    assert await hook(signature=sign(BODY, secret="whsec_south")) == 400
    assert kept(session) == []


async def test_refuses_another_body(hook, session) -> None:
    assert await hook(BODY.replace(b"cs_1", b"cs_2"), sign(BODY)) == 400
    assert kept(session) == []


async def test_refuses_an_old_message(hook, session) -> None:
    fresh = await hook(signature=sign(BODY, ago=timedelta(minutes=4)))
    stale = await hook(signature=sign(BODY, ago=timedelta(minutes=6)))

    assert (fresh, stale) == (204, 400)
    assert len(kept(session)) == 1


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"[" * 30_000, b"{}", b"[]", b"null", b'{"id": "\xff"}']
)
async def test_refuses_what_is_no_event(hook, session, body) -> None:
    assert await hook(body) == 400
    assert kept(session) == []


@pytest.mark.parametrize(
    "wrong", [{"id": 1}, {"type": None}, {"created": "now"}, {"data": {"object": []}}]
)
async def test_refuses_an_event_of_another_shape(hook, session, wrong) -> None:
    assert await hook(json.dumps({**EVENT, **wrong}).encode()) == 400
    assert kept(session) == []
