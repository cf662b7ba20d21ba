"""
The Instagram channel against Instagram, for who has a professional account to lend.

    OUTLETBOT_REAL_INSTAGRAM_TOKEN=…    a token of the account's page (instagram_basic,
                                        instagram_content_publish,
                                        instagram_manage_comments,
                                        instagram_manage_contents,
                                        pages_read_engagement)
    OUTLETBOT_REAL_INSTAGRAM_IMAGE=…    the public address of a JPEG, 4:5 to 1.91:1
    OUTLETBOT_REAL_INSTAGRAM_SECRET=…   the app's secret, if it wants proofs
    OUTLETBOT_REAL_INSTAGRAM_BASE=…     another Graph API, such as the sandbox

What is posted there is deleted again, and that shows whether it can be.
"""

import os
import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from outletbot.channels.credentials import Credentials
from outletbot.channels.graph import GRAPH_URL
from outletbot.channels.instagram import Instagram
from outletbot.clock import utc_now
from outletbot.outside import guarded_session
from tests.outletbot.channels.contract import make_draft, make_image

pytestmark = pytest.mark.real


async def test_a_post_lives_and_dies() -> None:
    token = os.getenv("OUTLETBOT_REAL_INSTAGRAM_TOKEN", "")
    address = os.getenv("OUTLETBOT_REAL_INSTAGRAM_IMAGE", "")
    if not (token and address):
        pytest.skip("OUTLETBOT_REAL_INSTAGRAM_… are not set: see the docstring")
    base_url = os.getenv("OUTLETBOT_REAL_INSTAGRAM_BASE", GRAPH_URL)
    link = f"https://example.com/d/{secrets.token_urlsafe(9)}"
    since = utc_now() - timedelta(minutes=1)
    images = (make_image(address=address),)
    draft = make_draft("A test", link=link, since=since, images=images)
    async with guarded_session(allow_private=True) as http:
        channel = Instagram(
            http,
            base_url,
            Credentials(token),
            clock=utc_now,
            app_secret=os.getenv("OUTLETBOT_REAL_INSTAGRAM_SECRET", ""),
        )
        assert await channel.check()
        published = await channel.publish(draft, key=link)
        try:
            assert await channel.find(draft) == published
            answer = replace(draft, answers=published.remote_id, images=())
            answered = await channel.publish(answer, key=f"{link}-answer")
            assert await channel.find(answer) == answered
            assert published.remote_id in await channel.measure([published.remote_id])
        finally:
            await channel.delete(published.remote_id)
        await channel.delete(published.remote_id)
