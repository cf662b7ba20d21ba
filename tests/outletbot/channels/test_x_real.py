"""
The X channel against X itself, for who has credentials to lend.

    OUTLETBOT_REAL_X_TOKEN=…                      an access token (two hours), scopes
                                                  tweet.read tweet.write users.read
                                                  media.write
    OUTLETBOT_REAL_X_API=https://…                another X, such as the sandbox

It posts once with a link and a picture, which X charges some 0.25 dollars for, and
takes the post back.
"""

import asyncio
import os
import secrets
from datetime import timedelta

import aiohttp
import pytest

from outletbot.channels import Published
from outletbot.channels.credentials import Credentials
from outletbot.channels.x import X
from outletbot.clock import utc_now
from tests.outletbot.channels.contract import make_draft, make_image

pytestmark = pytest.mark.real


def lent(name: str) -> str:
    value = os.getenv(name, "")
    if not value:
        pytest.skip(f"{name} is not set: see this module's docstring")
    return value


async def test_a_post_with_a_picture_lives_and_dies() -> None:
    token = lent("OUTLETBOT_REAL_X_TOKEN")
    base_url = os.getenv("OUTLETBOT_REAL_X_API", "https://api.x.com")
    link = f"https://example.com/d/{secrets.token_urlsafe(9)}"
    since = utc_now() - timedelta(minutes=1)
    draft = make_draft("A test", link=link, since=since, images=[make_image()])
    async with aiohttp.ClientSession() as http:
        channel = X(http, base_url, Credentials(token), clock=utc_now)
        assert (await channel.check()).startswith("@")

        published = await channel.publish(draft, key=link)
        try:
            assert await find_soon(channel, draft) == published
            assert published.remote_id in await channel.measure([published.remote_id])
        finally:
            await channel.delete(published.remote_id)
        await channel.delete(published.remote_id)


async def find_soon(channel: X, draft) -> Published | None:
    """X's timelines come a moment after its posts."""
    for _ in range(5):
        found = await channel.find(draft)
        if found is not None:
            return found
        await asyncio.sleep(2)
    return None
