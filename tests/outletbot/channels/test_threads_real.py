"""
The Threads channel against Threads itself, for who has a profile to lend.

    OUTLETBOT_REAL_THREADS_TOKEN=…      a long-lived access token, with the permissions
                                        of ``outletbot.channels.threads_oauth.SCOPES``
    OUTLETBOT_REAL_THREADS_IMAGE=…      the public address of a JPEG, if there is one

What is posted there is answered and deleted again; it takes a minute or two.
"""

import os
from dataclasses import replace

import aiohttp
import pytest

from outletbot.channels.credentials import Credentials
from outletbot.channels.threads import Threads
from outletbot.clock import utc_now
from tests.outletbot.channels.contract import make_draft, make_image

pytestmark = pytest.mark.real


def lent(name: str) -> str:
    value = os.getenv(name, "")
    if not value:
        pytest.skip(f"{name} is not set: see this module's docstring")
    return value


async def test_a_post_from_beginning_to_end() -> None:
    token = lent("OUTLETBOT_REAL_THREADS_TOKEN")
    address = os.getenv("OUTLETBOT_REAL_THREADS_IMAGE", "")
    now = utc_now()
    link = f"https://outlet.example.com/d/{int(now.timestamp())}"
    images = (make_image(address=address),) if address else ()
    draft = make_draft("A test", link=link, since=now, images=images)
    async with aiohttp.ClientSession() as http:
        channel = Threads(
            http, "https://graph.threads.net", Credentials(token), clock=utc_now
        )
        assert await channel.check()
        published = await channel.publish(draft, key="post_1")
        try:
            assert await channel.find(draft) == published
            answer = replace(draft, text=link, images=(), answers=published.remote_id)
            answered = await channel.publish(answer, key="post_2")
            assert await channel.find(answer) == answered
            assert published.remote_id in await channel.measure([published.remote_id])
        finally:
            await channel.delete(published.remote_id)
