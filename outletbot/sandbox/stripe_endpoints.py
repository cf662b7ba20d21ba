"""Webhook endpoints: who hears which account's events, and with whose secret.

The sandbox is begun with one endpoint, which hears the platform and its connected
accounts. Others are made by the API: each hears its own account, or, as a Connect
endpoint, those that the account acts for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

import stripe

from outletbot.sandbox.stripe_books import OWN, Account, Json
from outletbot.sandbox.stripe_errors import StripeRefusal, no_such
from outletbot.sandbox.stripe_items import refuse_unspoken
from outletbot.sandbox.stripe_objects import new
from outletbot.sandbox.stripe_rules import check_address, check_metadata

FIRST = "we_sandbox"
MOST = 16


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go, and the secret that only the two ends know."""

    url: str | None
    secret: str = field(repr=False)
    id: str = FIRST

    def __post_init__(self) -> None:
        if self.url and not self.secret.strip():
            message = "an empty webhook secret would sign what anybody can sign"
            raise ValueError(message)


def create_endpoint(account: Account, asked: Json, *, now: datetime) -> Json:
    """Make an endpoint. Return it with its secret, which is never told again.

    Raises:
        Invalid: If its address is none, or another version of the API is asked for.
        StripeRefusal: If there are too many.
    """
    _check(asked)
    if len(_endpoints(account)) >= MOST:
        message = f"You have reached the maximum of {MOST} test webhook endpoints."
        raise StripeRefusal(message)
    endpoint = new(
        account,
        stripe.WebhookEndpoint,
        "we",
        now,
        object="webhook_endpoint",
        api_version=asked.get("api_version"),
        description=asked.get("description") or None,
        enabled_events=asked["enabled_events"],
        metadata=asked.get("metadata") or {},
        status="enabled",
        url=asked["url"],
    )
    for name in ("deleted", "secret"):
        endpoint.pop(name, None)
    secret = account.new_id("whsec", length=32)
    connect = asked.get("connect", False)
    account.keep(
        {
            "id": endpoint["id"],
            "object": "endpoint_secret",
            "secret": secret,
            "connect": connect,
        }
    )
    return {**account.keep(endpoint), "secret": secret}


def update_endpoint(account: Account, endpoint_id: str, asked: Json) -> Json:
    """Change an endpoint.

    Raises:
        StripeRefusal: If there is no such endpoint.
        Invalid: If its new address is none.
    """
    endpoint = get_endpoint(account, endpoint_id)
    _check({"url": endpoint["url"], **asked})
    for name in ("description", "enabled_events", "metadata", "url"):
        endpoint[name] = asked.get(name, endpoint[name])
    if "disabled" in asked:
        endpoint["status"] = "disabled" if asked["disabled"] else "enabled"
    return account.keep(endpoint)


def delete_endpoint(account: Account, endpoint_id: str) -> Json:
    """Let an endpoint hear no more.

    Raises:
        StripeRefusal: If there is no such endpoint.
    """
    account.keep(get_endpoint(account, endpoint_id) | {"status": "deleted"})
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def get_endpoint(account: Account, endpoint_id: str) -> Json:
    """Return an endpoint, without its secret.

    Raises:
        StripeRefusal: If there is no such endpoint, or none any more.
    """
    found = account.find("webhook_endpoint", endpoint_id)
    if found is not None and found["status"] == "deleted":
        raise no_such("webhook_endpoint", endpoint_id)
    return account.get("webhook_endpoint", endpoint_id)


def hearers(first: Endpoint, account: Account, event_type: str) -> list[Endpoint]:
    """Return the endpoints that hear this kind of event of *account*."""
    platform = account.platform
    heard = [*_listening(account, event_type, connect=False)]
    if platform is not None:
        heard += _listening(platform, event_type, connect=True)
    knows_first = account.id == OWN or platform is not None
    return [first, *heard] if first.url and knows_first else heard


def find_endpoint(
    first: Endpoint, account: Account, endpoint_id: str
) -> Endpoint | None:
    """Return the endpoint of a delivery of *account*'s; None if there is none now."""
    if endpoint_id == FIRST:
        return first
    for owner in (account, account.books.account(OWN)):
        kept = owner.find("webhook_endpoint", endpoint_id)
        if kept is not None and kept["status"] == "enabled":
            return _endpoint(owner, kept)
    return None


def _listening(
    account: Account, event_type: str, *, connect: bool
) -> Iterator[Endpoint]:
    for endpoint in _endpoints(account):
        kept = account.get("endpoint_secret", endpoint["id"])
        wanted = any(fnmatchcase(event_type, one) for one in endpoint["enabled_events"])
        if wanted and kept["connect"] is connect and endpoint["status"] == "enabled":
            yield _endpoint(account, endpoint)


def _endpoint(account: Account, endpoint: Json) -> Endpoint:
    secret = account.get("endpoint_secret", endpoint["id"])["secret"]
    return Endpoint(endpoint["url"], secret, endpoint["id"])


def _endpoints(account: Account) -> list[Json]:
    kept = account.rows("webhook_endpoint")
    return [each for each in kept if each["status"] != "deleted"]


def _check(asked: Json) -> None:
    check_address(asked["url"], "url")
    check_metadata(asked.get("metadata") or {}, "metadata")
    if asked.get("api_version", stripe.api_version) != stripe.api_version:
        refuse_unspoken("api_version", asked["api_version"])
