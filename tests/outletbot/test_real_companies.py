"""
Our clients against the companies themselves, for who has credentials to lend.

    OUTLETBOT_REAL_STRIPE_KEY=sk_test_…           a test key; nothing is charged
    OUTLETBOT_REAL_STRIPE_BASE=…                  another Stripe, such as the sandbox
    OUTLETBOT_REAL_MASTODON_URL=https://…         and OUTLETBOT_REAL_MASTODON_TOKEN=…

What is made there is expired or deleted again.
"""

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session

from offers.checkouts import CheckoutState, Paid
from offers.holds import Hold
from outletbot.channels.credentials import Credentials
from outletbot.channels.mastodon import Mastodon
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.outside import guarded_session
from outletbot.payments import PaymentGateway
from outletbot.stripe_client import stripe_gateways
from tests.factories import make_hold
from tests.outletbot.mastodon_server import make_draft

pytestmark = pytest.mark.real


def lent(name: str) -> str:
    value = os.getenv(name, "")
    if not value:
        pytest.skip(f"{name} is not set: see this module's docstring")
    return value


async def test_stripe_opens_a_page_once_and_closes_it(session: Session) -> None:
    key = lent("OUTLETBOT_REAL_STRIPE_KEY")
    assert key.startswith(("sk_test_", "rk_test_")), "lend a test key, never a live one"
    settings = Settings(
        stripe_api_key=key,
        stripe_api_base=os.getenv(
            "OUTLETBOT_REAL_STRIPE_BASE", "https://api.stripe.com"
        ),
        public_url="https://outlet.example",
    )
    now = utc_now()
    hold = make_hold(session, expires_at=now + timedelta(minutes=10))

    async with stripe_gateways(settings) as gateways:
        stripe = gateways.house
        hold.request = stripe.describe(hold)
        await _open_and_close(stripe, hold)


async def _open_and_close(stripe: PaymentGateway, hold: Hold) -> None:
    first = await stripe.create(hold)
    again = await stripe.create(hold)
    seen = await stripe.retrieve(first.id)
    closed = await stripe.expire(first.id)
    closed_again = await stripe.expire(first.id)

    assert again.id == first.id
    assert seen == first
    assert (first.hold_id, first.total, first.livemode) == (hold.id, hold.total, False)
    assert (first.state, first.paid) == (CheckoutState.OPEN, Paid.UNPAID)
    assert closed.state is closed_again.state is CheckoutState.EXPIRED


async def test_mastodon_publishes_finds_edits_and_deletes() -> None:
    url = lent("OUTLETBOT_REAL_MASTODON_URL")
    token = lent("OUTLETBOT_REAL_MASTODON_TOKEN")
    link = f"https://outlet.example/d/{utc_now():%Y%m%d%H%M%S}"
    since = utc_now() - timedelta(minutes=1)
    draft = make_draft(f"A rehearsal of outletbot\n{link}", link=link, since=since)

    async with guarded_session(allow_private=True) as http:
        channel = Mastodon(http, url, Credentials(token), clock=utc_now)
        handle = await channel.check()
        published = await channel.publish(draft, key=link)
        again = await channel.publish(draft, key=link)
        found = await channel.find(draft)
        await channel.edit(published.remote_id, replace(draft, text=f"SOLD OUT {link}"))
        await channel.delete(published.remote_id)
        gone = await channel.find(draft)

    assert handle
    assert again == found == published
    assert gone is None
