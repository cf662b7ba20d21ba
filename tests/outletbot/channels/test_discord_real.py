"""
The Discord channel against Discord itself, for who has a webhook to lend.

    OUTLETBOT_REAL_DISCORD_WEBHOOK=https://discord.com/api/webhooks/…

What is posted there is deleted again.
"""

import os
from dataclasses import replace

import pytest

from outletbot.channels import Card
from outletbot.channels.discord import BASE_URL, Discord
from outletbot.channels.discord_webhook import read_webhook_url
from outletbot.clock import utc_now
from outletbot.outside import guarded_session
from tests.outletbot.channels.contract import make_draft, make_image

pytestmark = pytest.mark.real


async def test_publishes_edits_measures_and_deletes() -> None:
    url = os.getenv("OUTLETBOT_REAL_DISCORD_WEBHOOK", "")
    if not url:
        pytest.skip("no webhook is lent: see this module's docstring")
    link = f"https://outlet.example/d/{utc_now():%Y%m%d%H%M%S}"
    bare = make_draft("A rehearsal of outletbot", link=link, since=utc_now())
    card = Card("A parka", "Half price", make_image())
    drafts = [replace(bare, images=[make_image()]), replace(bare, card=card)]

    async with guarded_session(allow_private=False) as http:
        channel = Discord(http, BASE_URL, read_webhook_url(url), clock=utc_now)
        assert await channel.check()
        for draft in drafts:
            published = await channel.publish(draft, key=link)
            try:
                over = replace(draft, text=f"SOLD OUT {link}")
                await channel.edit(published.remote_id, over)
                assert published.remote_id in await channel.measure(
                    [published.remote_id]
                )
            finally:
                await channel.delete(published.remote_id)
            await channel.delete(published.remote_id)
            assert await channel.measure([published.remote_id]) == {}
