"""
The Telegram channel against Telegram itself, for who has a bot to lend.

    OUTLETBOT_REAL_TELEGRAM_TOKEN=4711:AA…      of a bot, from @BotFather
    OUTLETBOT_REAL_TELEGRAM_CHANNEL=@name       where it may post, edit and delete

What is posted there is deleted again.
"""

import os
from dataclasses import replace

import pytest

from outletbot.channels.credentials import Credentials
from outletbot.channels.telegram import BASE_URL, Telegram
from outletbot.clock import utc_now
from outletbot.outside import guarded_session
from tests.outletbot.channels.contract import make_draft, make_image

pytestmark = pytest.mark.real


async def test_publishes_edits_answers_and_deletes() -> None:
    token = os.getenv("OUTLETBOT_REAL_TELEGRAM_TOKEN", "")
    chat = os.getenv("OUTLETBOT_REAL_TELEGRAM_CHANNEL", "")
    if not (token and chat):
        pytest.skip("no bot is lent: see this module's docstring")
    link = f"https://outlet.example/d/{utc_now():%Y%m%d%H%M%S}"
    bare = make_draft("A rehearsal of outletbot", link=link, since=utc_now())
    pictures = [make_image(), make_image(colour="blue")]
    drafts = [bare, *(replace(bare, images=pictures[:most]) for most in (1, 2))]

    async with guarded_session(allow_private=False) as http:
        credentials = Credentials(token, account_id=chat)
        channel = Telegram(http, BASE_URL, credentials, clock=utc_now)
        assert await channel.check()
        for draft in drafts:
            published = await channel.publish(draft, key=link)
            try:
                over = replace(draft, text=f"SOLD OUT {link}")
                await channel.edit(published.remote_id, over)
                await channel.edit(published.remote_id, over)
                answer = replace(bare, answers=published.remote_id)
                answered = await channel.publish(answer, key=link)
                await channel.delete(answered.remote_id)
            finally:
                await channel.delete(published.remote_id)
            await channel.delete(published.remote_id)
