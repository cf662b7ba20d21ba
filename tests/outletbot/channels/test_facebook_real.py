"""
The Facebook channel against Facebook, for who has a page to lend.

    OUTLETBOT_REAL_FACEBOOK_TOKEN=…     a page access token (pages_manage_posts,
                                        pages_read_engagement, pages_manage_engagement,
                                        pages_read_user_content)
    OUTLETBOT_REAL_FACEBOOK_SECRET=…    the app's secret, if it wants proofs
    OUTLETBOT_REAL_FACEBOOK_BASE=…      another Graph API, such as the sandbox

What is posted there is deleted again.
"""

import os
import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from outletbot.channels.credentials import Credentials
from outletbot.channels.facebook import Facebook
from outletbot.channels.graph import GRAPH_URL
from outletbot.clock import utc_now
from outletbot.outside import guarded_session
from tests.outletbot.channels.contract import make_draft, make_image

pytestmark = pytest.mark.real


async def test_a_post_with_a_picture_lives_and_dies() -> None:
    token = os.getenv("OUTLETBOT_REAL_FACEBOOK_TOKEN", "")
    if not token:
        pytest.skip("OUTLETBOT_REAL_FACEBOOK_TOKEN is not set: see the docstring")
    base_url = os.getenv("OUTLETBOT_REAL_FACEBOOK_BASE", GRAPH_URL)
    link = f"https://example.com/d/{secrets.token_urlsafe(9)}"
    since = utc_now() - timedelta(minutes=1)
    draft = make_draft("A test", link=link, since=since, images=(make_image(),))
    async with guarded_session(allow_private=True) as http:
        channel = Facebook(
            http,
            base_url,
            Credentials(token),
            clock=utc_now,
            app_secret=os.getenv("OUTLETBOT_REAL_FACEBOOK_SECRET", ""),
        )
        assert await channel.check()
        published = await channel.publish(draft, key=link)
        try:
            assert await channel.find(draft) == published
            over = replace(draft, text=f"Over\n{link}")
            await channel.edit(published.remote_id, over)
            answer = replace(over, answers=published.remote_id, images=())
            answered = await channel.publish(answer, key=f"{link}-answer")
            assert await channel.find(answer) == answered
            assert published.remote_id in await channel.measure([published.remote_id])
        finally:
            await channel.delete(published.remote_id)
        await channel.delete(published.remote_id)
