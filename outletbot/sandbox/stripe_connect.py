"""Accounts: the platform's own, those connected to it, and those of others.

A connected account is made by the platform, cannot take money until its owner has been
through the onboarding page, and is out of the platform's reach once the owner says so.
"""

from datetime import datetime, timedelta

import stripe

from outletbot.sandbox.stripe_books import OWN, OWN_NAME, Account, Books, Json
from outletbot.sandbox.stripe_errors import Invalid, StripeRefusal, no_access
from outletbot.sandbox.stripe_fees import APPLICATION
from outletbot.sandbox.stripe_items import refuse_unspoken
from outletbot.sandbox.stripe_objects import nullable
from outletbot.sandbox.stripe_rules import check_address, check_metadata

LINK_LIVES = timedelta(minutes=5)

_DUE = ("business_profile.url", "external_account", "tos_acceptance.date")


def create_account(account: Account, asked: Json, *, now: datetime) -> Json:
    """Make an account that is connected to *account*'s platform; it has to sign up.

    Raises:
        StripeRefusal: If *account* is no platform.
        Invalid: If more than an ordinary account is asked for.
    """
    if account.id != OWN:
        message = (
            "You can only create new accounts if you've signed up for Connect, which "
            "you can do at https://dashboard.stripe.com/connect."
        )
        raise StripeRefusal(message)
    if asked.get("type", "standard") != "standard":
        refuse_unspoken("type", asked["type"])
    check_metadata(asked.get("metadata") or {}, "metadata")
    name = account.new_id("acct", length=16)
    connect(account, name)
    made = _new_account(name, now) | {
        "country": asked.get("country", "FR"),
        "email": asked.get("email"),
        "metadata": asked.get("metadata") or {},
        "business_profile": _profile(**asked.get("business_profile", {})),
    }
    return account.books.account(name).keep(_allow(made, enabled=False))


def connect(platform: Account, account_id: str) -> None:
    """Let *platform* act for an account."""
    connection = {"id": account_id, "object": "connection", "revoked": False}
    platform.keep(connection)


def disconnect(platform: Account, account_id: str) -> None:
    """Let *platform* act for an account no more."""
    platform.keep(platform.get("connection", account_id) | {"revoked": True})


def account_object(account: Account, *, now: datetime) -> Json:
    """Return an account as Stripe shows it; what nobody made has long signed up."""
    name = account.id or OWN_NAME
    kept = account.find("account", name)
    return kept or account.keep(_allow(_new_account(name, now), enabled=True))


def get_account(caller: Account, key: str, account_id: str, *, now: datetime) -> Json:
    """Return the account of this name, if *caller* may look at it.

    Raises:
        StripeRefusal: If it may not, or there is none.
    """
    if account_id == (caller.id or OWN_NAME):
        return account_object(caller, now=now)
    account = caller.books.accounts.get(account_id)
    if account is None or account.platform is not caller:
        raise no_access(key, account_id)
    return account_object(account, now=now)


def allow_charges(account: Account, *, enabled: bool, now: datetime) -> Json:
    """Let an account take money, or not; its platform is told."""
    changed = _allow(account_object(account, now=now), enabled=enabled)
    account.tell("account.updated", account.keep(changed), now=now)
    return changed


def check_charges(account: Account, *, now: datetime) -> None:
    """Check that an account may take money.

    Raises:
        StripeRefusal: If it may not, or not yet.
    """
    if not account_object(account, now=now)["charges_enabled"]:
        message = "Your account cannot currently make charges."
        raise Invalid(message, code="account_invalid")


def tell_deauthorized(account: Account, *, now: datetime) -> None:
    application = {"id": APPLICATION, "object": "application", "name": "Sandbox"}
    account.tell("account.application.deauthorized", application, now=now)


def create_link(
    platform: Account, asked: Json, *, public_url: str, now: datetime
) -> Json:
    """Make an address at which an account's owner signs up, once and soon.

    Raises:
        StripeRefusal: If there is no such account.
        Invalid: If it says not where to return, or is for something else.
    """
    if asked["type"] != "account_onboarding":
        refuse_unspoken("type", asked["type"])
    for name in ("refresh_url", "return_url"):
        check_address(asked.get(name), name)
    connection = platform.find("connection", asked["account"])
    if connection is None or connection["revoked"]:
        message = (
            f"No such account: '{asked['account']}', or it is not connected to your "
            "platform."
        )
        raise Invalid(message, param="account")
    link = {
        "id": platform.new_id("link"),
        "object": "account_link",
        "created": int(now.timestamp()),
        "expires_at": int((now + LINK_LIVES).timestamp()),
        "account": asked["account"],
        "refresh_url": asked["refresh_url"],
        "return_url": asked["return_url"],
        "visited": False,
    }
    link["url"] = f"{public_url}/setup/s/{platform.keep(link)['id']}"
    return {name: link[name] for name in ("object", "created", "expires_at", "url")}


def visit_link(books: Books, link_id: str, *, now: datetime) -> tuple[Json, bool]:
    """Return a link, and whether this was its one visit in time.

    Raises:
        LookupError: If there is no such link.
    """
    platform = books.account(OWN)
    link = find_link(books, link_id)
    in_time = not link["visited"] and now.timestamp() < link["expires_at"]
    platform.keep(link | {"visited": True})
    return link, in_time


def find_link(books: Books, link_id: str) -> Json:
    """Return a link.

    Raises:
        LookupError: If there is no such link.
    """
    link = books.account(OWN).find("account_link", link_id)
    if link is None:
        message = f"no such link: {link_id}"
        raise LookupError(message)
    return link


def sign_up(account: Account, name: str, *, now: datetime) -> Json:
    """Let an account be complete: its owner has said what Stripe wants to know."""
    known = account_object(account, now=now)
    known["business_profile"] = _profile(name=name)
    return allow_charges(account, enabled=True, now=now)


def _new_account(name: str, now: datetime) -> Json:
    return {
        **nullable(stripe.Account),
        "id": name,
        "object": "account",
        "business_profile": _profile(name="Sandbox"),
        "business_type": "company",
        "country": "FR",
        "created": int(now.timestamp()),
        "default_currency": "eur",
        "metadata": {},
        "settings": {"dashboard": {"display_name": "Sandbox"}},
        "type": "standard",
    }


def _allow(known: Json, *, enabled: bool) -> Json:
    state = "active" if enabled else "inactive"
    due = [] if enabled else list(_DUE)
    known["capabilities"] = {"card_payments": state, "transfers": state}
    known["details_submitted"] = enabled or known["details_submitted"] or False
    known.update(charges_enabled=enabled, payouts_enabled=enabled)
    known["requirements"] = {
        **nullable(stripe.Account.Requirements),
        "alternatives": [],
        "currently_due": due,
        "disabled_reason": None if enabled else "requirements.past_due",
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    }
    return known


def _profile(**said: object) -> Json:
    return {**nullable(stripe.Account.BusinessProfile), **said}
