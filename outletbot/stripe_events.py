"""Stripe's events: who sent them, and what they say."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

from outletbot.payments import Declined, ProviderEvent

# So old a message may be, as Stripe's own libraries have it.
FRESH = timedelta(minutes=5)


def read_event(
    body: bytes, signature: str, secrets: Sequence[str], *, now: datetime
) -> ProviderEvent:
    """Return the event that *body* is, signed with one of *secrets* a moment ago.

    Raises:
        Declined: If it is none, or nothing proves that Stripe sent it now.
    """
    if not secrets:
        msg = "there is no webhook secret, so nothing proves who sent this"
        raise Declined(msg)
    try:
        text = body.decode()
    except ValueError as error:
        msg = "the body is no text"
        raise Declined(msg) from error
    if not any(_is_signed(text, signature, secret) for secret in secrets):
        msg = "the signature is not Stripe's"
        raise Declined(msg)
    age = now - _signed_at(signature)
    if age > FRESH:
        seconds = round(age.total_seconds())
        msg = f"it was signed {seconds} s ago: it is no news, or a clock is off"
        raise Declined(msg)
    return _event(text)


def _is_signed(text: str, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(text, signature, secret))
    except (ValueError, stripe.SignatureVerificationError):
        return False


def _signed_at(signature: str) -> datetime:
    """Return when a good *signature* was made."""
    named = dict(part.partition("=")[::2] for part in reversed(signature.split(",")))
    return datetime.fromtimestamp(int(named["t"]), UTC)


def _event(text: str) -> ProviderEvent:
    match said := _json(text):
        case {
            "id": str(event_id),
            "type": str(kind),
            "created": int(created),
            "data": {"object": dict(payload)},
        }:
            return ProviderEvent(
                event_id,
                kind,
                created,
                payload,
                account=str(said.get("account") or ""),
                livemode=said.get("livemode") is True,
            )
    msg = "the body is no event"
    raise Declined(msg)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
