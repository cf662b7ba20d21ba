"""
The LinkedIn channel against LinkedIn itself, for who has a page to lend.

    OUTLETBOT_REAL_LINKEDIN_TOKEN=…        an access token of one of its administrators
    OUTLETBOT_REAL_LINKEDIN_PAGE=…         the page: urn:li:organization:2414183
    OUTLETBOT_REAL_LINKEDIN_VERSION=…      another version of the API, YYYYMM

What is posted there is answered, edited and deleted again.
"""

import os
from dataclasses import replace

import aiohttp
import pytest

from outletbot.channels.credentials import Credentials
from outletbot.channels.linkedin import LinkedIn
from outletbot.channels.linkedin_api import VERSION
from outletbot.clock import utc_now
from tests.outletbot.channels.contract import make_draft, make_image

pytestmark = pytest.mark.real


def lent(name: str) -> str:
    value = os.getenv(name, "")
    if not value:
        pytest.skip(f"{name} is not set: see this module's docstring")
    return value


async def test_a_post_from_beginning_to_end() -> None:
    token = lent("OUTLETBOT_REAL_LINKEDIN_TOKEN")
    page = lent("OUTLETBOT_REAL_LINKEDIN_PAGE")
    version = os.getenv("OUTLETBOT_REAL_LINKEDIN_VERSION", VERSION)
    now = utc_now()
    link = f"https://outlet.example.com/d/{int(now.timestamp())}"
    draft = make_draft("A test (1)", link=link, since=now, images=(make_image(),))
    async with aiohttp.ClientSession() as http:
        channel = LinkedIn(
            http,
            "https://api.linkedin.com",
            Credentials(token, account_id=page),
            clock=utc_now,
            version=version,
        )
        assert await channel.check()
        published = await channel.publish(draft, key="")
        try:
            assert await channel.find(draft) == published
            answer = replace(draft, text=link, images=(), answers=published.remote_id)
            answered = await channel.publish(answer, key="")
            assert await channel.find(answer) == answered
            await channel.edit(published.remote_id, replace(draft, text=f"Over {link}"))
            assert published.remote_id in await channel.measure([published.remote_id])
        finally:
            await channel.delete(published.remote_id)
