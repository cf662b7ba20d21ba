"""Signatures: Standard Webhooks (https://www.standardwebhooks.com), and shops' own.

In the former a secret is ``whsec_`` and base64, and a message is refused when it is
more than five minutes from now.
"""

import base64
import hmac
import secrets as random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook

TOLERANCE = timedelta(minutes=5)


class InvalidSignature(Exception):
    """The message is not from whom it claims, or not from now."""


def new_secret() -> str:
    return f"whsec_{base64.b64encode(random.token_bytes(32)).decode()}"


def sign(message_id: str, body: str, *, secret: str, now: datetime) -> dict[str, str]:
    """Return the headers that let a receiver check *body*."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }


def verify(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime
) -> str:
    """Return the message's id; any of *secrets* will do, so that they can be rotated.

    Raises:
        InvalidSignature: If a header is missing, stale or does not match.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    message_id = lowered.get("webhook-id", "")
    if not message_id:
        msg = "webhook-id is missing"
        raise InvalidSignature(msg)
    _check_time(lowered.get("webhook-timestamp", ""), now)
    if not any(_matches(secret, lowered, body) for secret in secrets if secret):
        msg = "no signature matches"
        raise InvalidSignature(msg)
    return message_id


def check_digest(given: str, signed: bytes, *, secrets: Sequence[str]) -> None:
    """Check a signature in the way of most shops: HMAC-SHA256 in base64.

    Any of *secrets* will do, so that they can be rotated; an empty one never does.

    Raises:
        InvalidSignature: If it is missing or does not match.
    """
    sent = given.encode(errors="surrogateescape")
    digests = [
        base64.b64encode(hmac.digest(secret.encode(), signed, "sha256"))
        for secret in secrets
        if secret
    ]
    if not any(hmac.compare_digest(digest, sent) for digest in digests):
        msg = "no signature matches"
        raise InvalidSignature(msg)


def _check_time(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        msg = "webhook-timestamp is missing or is no number of seconds"
        raise InvalidSignature(msg)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        msg = "webhook-timestamp is more than five minutes from now"
        raise InvalidSignature(msg)


def _matches(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """The library's own verify looks at the clock, so only its sign is used."""
    sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    given = headers.get("webhook-signature", "")
    try:
        signed = Webhook(secret).sign(headers["webhook-id"], sent_at, body.decode())
        signatures = [one.encode() for one in given.split()]
    except UnicodeError:  # a header may hold bytes that are no text, too
        return False
    return any(hmac.compare_digest(signed.encode(), one) for one in signatures)
