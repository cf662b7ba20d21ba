"""
All networks to practise on at one address: each is reached as the real one is.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from outletbot.channels import Channel, Draft, Rejected
from outletbot.channels.credentials import Credentials
from outletbot.channels.oauth import challenge_of
from outletbot.clock import utc_now
from outletbot.known_networks import App
from outletbot.networks import Networks
from outletbot.sandbox.networks import (
    APPS,
    BLUESKY_HANDLE,
    KEYS_FILE,
    NAMES,
    SHOP,
    build_networks_sandbox,
    credentials,
    read_keys,
)
from outletbot.sealing import Seal, new_key
from tests.outletbot.channels.contract import LINK, make_draft, make_image

BACK = "https://outlet.example.com/channels/return"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-of-43-characters"
KINDS = sorted(NAMES)
BY_PAGE = ("facebook", "instagram", "linkedin", "threads", "x")


@dataclass
class Place:
    url: str
    folder: Path
    http: aiohttp.ClientSession
    networks: Networks
    shop: str

    async def channel(self, kind: str) -> Channel:
        if kind == "bluesky":
            entrance = self.networks.entrance(kind)
            password = read_keys(self.folder)[kind]
            known = (await entrance.sign_in(BLUESKY_HANDLE, password)).credentials
        else:
            known = credentials(self.folder)[kind]
        return self.networks.connect(kind, "", known)

    async def read(self, address: str) -> str:
        async with self.http.get(address) as answer:
            assert answer.status == 200, address
            return await answer.text()

    async def read_picture(self, address: str) -> bytes:
        async with self.http.get(address) as answer:
            assert answer.status == 200, address
            return await answer.read()

    def draft(self) -> Draft:
        image = make_image(address=f"{self.shop}/parka.jpg")
        since = utc_now() - timedelta(minutes=1)
        return make_draft(images=[image], since=since)


async def send_picture(_request: web.Request) -> web.Response:
    return web.Response(body=make_image().content, content_type="image/jpeg")


@asynccontextmanager
async def open_place(folder: Path) -> AsyncIterator[Place]:
    port, shop = unused_port(), web.Application()
    url = f"http://127.0.0.1:{port}"
    shop.router.add_get("/parka.jpg", send_picture)
    app = build_networks_sandbox(clock=utc_now, public_url=url, state_folder=folder)
    apps = {
        **{kind: App(*APPS[kind]) for kind in ("x", "threads", "linkedin")},
        **{kind: App(*APPS["meta"]) for kind in ("facebook", "instagram")},
    }
    async with (
        TestServer(app, host="127.0.0.1", port=port),
        TestServer(shop, host="127.0.0.1") as window,
        aiohttp.ClientSession() as http,
    ):
        networks = Networks(
            http,
            Seal(new_key()),
            public_url="https://outlet.example.com",
            clock=utc_now,
            sandbox=url,
            apps=apps,
        )
        yield Place(url, folder, http, networks, str(window.make_url("")))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_place(tmp_path) as place:
        yield place


@pytest.mark.parametrize("kind", KINDS)
async def test_what_the_shop_posts_is_seen_by_people(place: Place, kind: str) -> None:
    channel = await place.channel(kind)

    assert await channel.check()
    published = await channel.publish(place.draft(), key="post_1")

    name, handle = NAMES[kind]
    index = await place.read(place.url)
    (address,) = re.findall(rf'href="([^"]+)">{name}</a>', index)
    assert address == f"{place.url}/{kind}/@{handle}"
    page = await place.read(address)
    assert "Parka, half price" in page
    pictures = [unescape(one) for one in re.findall(r'<img src="([^"]+)"', page)]
    assert len(pictures) == 1
    assert pictures[0].startswith(f"{place.url}/{kind}/")
    assert (await place.read_picture(pictures[0])).startswith(b"\xff\xd8")
    assert published.remote_id


@pytest.mark.parametrize("kind", KINDS)
async def test_a_post_is_where_its_address_says(place: Place, kind: str) -> None:
    """It leads to the sandbox, not to somebody else's post at the real network."""
    channel = await place.channel(kind)
    published = await channel.publish(place.draft(), key="post_1")

    assert published.url.startswith(f"{place.url}/{kind}/")
    assert "Parka, half price" in await place.read(published.url)


@pytest.mark.parametrize("kind", ["discord", "telegram"])
async def test_no_other_post_is_there(place: Place, kind: str) -> None:
    channel = await place.channel(kind)
    first = await channel.publish(place.draft(), key="post_1")
    second = await channel.publish(make_draft(text=f"Another one {LINK}"), key="post_2")

    assert "Parka" not in await place.read(second.url)
    assert "Another one" not in await place.read(first.url)
    async with place.http.get(f"{first.url}99") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("kind", KINDS)
async def test_posts_go_on_after_a_restart(tmp_path: Path, kind: str) -> None:
    async with open_place(tmp_path) as place:
        await (await place.channel(kind)).publish(place.draft(), key="post_1")

    async with open_place(tmp_path) as again:
        page = await again.read(f"{again.url}/{kind}/@{NAMES[kind][1]}")
        assert await (await again.channel(kind)).check()

    assert LINK in page or "Parka, half price" in page


@pytest.mark.parametrize("kind", BY_PAGE)
async def test_an_account_is_connected_by_hand_on_its_page(
    place: Place, kind: str
) -> None:
    entrance, back = place.networks.oauth(kind), f"{BACK}/{kind}"
    address = entrance.authorization_url(
        redirect_uri=back, state="a-state", challenge=challenge_of(VERIFIER)
    )
    assert address.startswith(f"{place.url}/{kind}/")

    code = await press_allow(place, address)
    found = await entrance.exchange(code, redirect_uri=back, verifier=VERIFIER)

    assert len(found) == 1
    channel = place.networks.connect(kind, "", found[0].credentials)
    assert await channel.check() == found[0].handle


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"bluesky"}))
async def test_a_key_that_was_taken_back_opens_nothing(place: Place, kind: str) -> None:
    account_id = credentials(place.folder)[kind].account_id
    token = "1177000000000000099/gone" if kind == "discord" else "4242:AAgone"
    known = Credentials(token, account_id=account_id)

    with pytest.raises(Rejected):
        await place.networks.connect(kind, "", known).check()


def test_keys_are_made_once_and_are_nobody_else_s(tmp_path: Path) -> None:
    first = read_keys(tmp_path / "networks")

    assert read_keys(tmp_path / "networks") == first
    assert set(first) == set(NAMES)
    path = tmp_path / "networks" / KEYS_FILE
    assert path.stat().st_mode & 0o077 == 0
    assert read_keys(tmp_path / "elsewhere") != first


def test_keys_that_were_never_written_are_made_anew(tmp_path: Path) -> None:
    """Whoever was killed between making the file and writing it."""
    (tmp_path / KEYS_FILE).touch()

    assert set(read_keys(tmp_path)) == set(NAMES)


async def test_the_index_says_how_to_connect_by_hand(place: Place) -> None:
    index, keys = unescape(await place.read(place.url)), read_keys(place.folder)

    assert f"@{SHOP}" in index
    assert all(keys[kind] in index for kind in ("bluesky", "discord", "telegram"))


async def press_allow(place: Place, address: str) -> str:
    """Press the button on the page at *address* and return the code it gives."""
    page = await place.read(address)
    form = dict(re.findall(r'name="(\w+)"\s+value="([^"]*)"', page))
    form = {name: unescape(value) for name, value in form.items()}
    if "code" in form:  # the page's form leads back itself
        assert form["state"] == "a-state"
        return form["code"]
    account = re.findall(r'<option value="([^"]+)"', page)
    form |= {"answer": "allow", **({"account": account[0]} if account else {})}
    async with place.http.post(address, data=form, allow_redirects=False) as sent:
        query = parse_qs(urlsplit(sent.headers["Location"]).query)
    assert query["state"] == ["a-state"]
    return query["code"][0]
