"""Events as Stripe sends them, signed, for a load to send."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import stripe
from servers import SECRET

from outletbot.clock import utc_now
from outletbot.sandbox.stripe_objects import nullable

numbers = count(1)


def write_events(folder: Path, number: int) -> None:
    """Write *number* new events for ``load.lua``; they are fresh for five minutes."""
    (folder / "events-1.txt").write_text("".join(_lines(number)))


def _lines(number: int) -> Iterator[str]:
    now = int(utc_now().timestamp())
    for _ in range(number):
        body = json.dumps(_event(next(numbers), now), separators=(",", ":"))
        signed = hmac.digest(SECRET.encode(), f"{now}.{body}".encode(), hashlib.sha256)
        yield f"t={now},v1={signed.hex()}\t{body}\n"


def _event(number: int, now: int) -> dict[str, Any]:
    session = {
        **nullable(stripe.checkout.Session),
        "id": f"cs_test_{number:058}",
        "object": "checkout.session",
        "amount_total": 4_990,
        "client_reference_id": f"hold_{number:026}",
        "created": now,
        "currency": "eur",
        "customer_details": {"email": "ana@example.com", "name": "Ana Moreau"},
        "livemode": False,
        "mode": "payment",
        "payment_intent": f"pi_{number:024}",
        "payment_status": "paid",
        "status": "complete",
    }
    return {
        "id": f"evt_{number:024}",
        "object": "event",
        "api_version": stripe.api_version,
        "created": now,
        "data": {"object": session},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }
