"""
The Bluesky channel against a real server, read back by a client that others wrote.

    OUTLETBOT_REAL_BLUESKY_HANDLE=…               and OUTLETBOT_REAL_BLUESKY_PASSWORD=…
    OUTLETBOT_REAL_BLUESKY_URL=https://…          if not bsky.social

lend an account at Bluesky itself (its handle and an app password; what is posted there
is deleted again). The others run against a server that is installed here once.
"""

import hashlib
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from atproto import AsyncClient, Client
from atproto.exceptions import BadRequestError

from outletbot.channels import (
    Card,
    Disowned,
    Numbers,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.bluesky import Bluesky
from outletbot.channels.bluesky_entrance import BlueskyEntrance
from outletbot.channels.bluesky_keys import record_key
from outletbot.channels.bluesky_text import text_length
from outletbot.channels.credentials import Credentials
from outletbot.clock import utc_now
from outletbot.outside import guarded_session
from outletbot.sandbox.bluesky_rules import count_clusters
from outletbot.sandbox.faults import Fault, Faults, inject
from tests.outletbot.bluesky_pds import Pds, running_pds
from tests.outletbot.bluesky_server import CALM, LONGER
from tests.outletbot.bluesky_spec import CALLS
from tests.outletbot.channels.contract import (
    LINK,
    NOON,
    OTHER,
    ChannelContract,
    StandingClock,
    make_draft,
    make_image,
)

POST = "app.bsky.feed.post"
PASSWORD = "the account's own"
SOON = timedelta(minutes=1)
UNITS = [
    "é",
    "e\u0301",
    "日",
    "👗",
    "👨‍👩‍👧‍👦",
    "👍🏽",
    "🇫🇷",
    "1️⃣",
    "नि",
    "각",
    "❤️‍🔥",
    "क्ष",
    "\r\n",
]

pytestmark = [pytest.mark.real, pytest.mark.timeout(1500)]


@dataclass
class RealWorld:
    """An account on the real server, behind a door that breaks at will."""

    pds: Pds
    url: str
    http: aiohttp.ClientSession = field(repr=False)
    faults: Faults
    handle: str
    app_password: str
    credentials: Credentials
    clock: StandingClock = field(default_factory=StandingClock)
    check_call: str = "GET /xrpc/com.atproto.server.getSession"
    publish_call: str = "POST /xrpc/com.atproto.repo.putRecord"
    delete_call: str = "POST /xrpc/com.atproto.repo.deleteRecord"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.credentials.access_token, self.credentials.refresh_token)

    @property
    def did(self) -> str:
        return self.credentials.account_id

    @property
    def entrance(self) -> BlueskyEntrance:
        return BlueskyEntrance(self.http, self.url, clock=utc_now)

    def channel(self, *, base_url: str = "", good: bool = True) -> Bluesky:
        nobody = Credentials("nobody's", account_id=self.did)
        return Bluesky(
            self.http,
            base_url or self.url,
            self.credentials if good else nobody,
            clock=self.clock,
            patience=CALM,
        )

    def texts(self) -> list[str]:
        reader = Client(f"{self.pds.url}/xrpc")
        params = {"repo": self.did, "collection": POST, "reverse": True}
        page = reader.com.atproto.repo.list_records(params)
        reader.request.close()
        return [one.value.text for one in page.records]


@pytest.fixture(scope="module")
def pds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pds]:
    with running_pds(tmp_path_factory.mktemp("pds")) as pds:
        yield pds


@pytest.fixture
async def world(pds: Pds, request: pytest.FixtureRequest) -> AsyncIterator[RealWorld]:
    faults = Faults(hold_for=LONGER)
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        TestServer(door_to(pds, faults, http)) as door,
    ):
        name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
        handle = f"o{name}.test"
        account = await call(
            http,
            f"{pds.url}/xrpc/com.atproto.server.createAccount",
            {"handle": handle, "email": f"{handle}@example.com", "password": PASSWORD},
        )
        made = await call(
            http,
            f"{pds.url}/xrpc/com.atproto.server.createAppPassword",
            {"name": "outletbot"},
            account["accessJwt"],
        )
        url, app_password = str(door.make_url("/")).rstrip("/"), made["password"]
        entrance = BlueskyEntrance(http, pds.url, clock=utc_now)
        candidate = await entrance.sign_in(handle, app_password)
        yield RealWorld(
            pds, url, http, faults, handle, app_password, candidate.credentials
        )
        assert not faults.waiting, faults.waiting


@pytest.fixture
async def reader(world: RealWorld) -> AsyncIterator[AsyncClient]:
    """Another client, which did not write what it reads."""
    client = AsyncClient(f"{world.pds.url}/xrpc")
    yield client
    await client.request.close()


class TestContract(ChannelContract):
    async def test_measures_what_is_there(self, world: RealWorld) -> None:
        async with appview(world.pds, likes=3):
            await super().test_measures_what_is_there(world)


async def test_who_it_is(world: RealWorld) -> None:
    assert await world.channel().check() == f"@{world.handle}"


async def test_a_post_with_pictures_is_what_was_meant(
    world: RealWorld, reader: AsyncClient
) -> None:
    images = [make_image("A red parka"), make_image("Its lining", (300, 900))]
    draft = make_draft("Été 👗👨‍👩‍👧‍👦 #déstockage:", images=images, language="fr-CA")

    published = await world.channel().publish(draft, key="post_1")
    seen = await read(reader, published)

    text = draft.text.encode()
    facets = {
        text[facet.index.byte_start : facet.index.byte_end].decode()
        for facet in seen.value.facets
    }
    shown = seen.value.embed.images
    blobs = [
        await reader.com.atproto.sync.get_blob(
            {"did": world.did, "cid": image.image.ref.link}
        )
        for image in shown
    ]
    assert seen.uri == published.remote_id
    assert seen.value.text == draft.text
    assert seen.value.langs == ["fr-CA"]
    assert seen.value.created_at == "2026-03-02T12:00:00.000Z"
    assert facets == {"#déstockage", LINK}
    assert [image.alt for image in shown] == ["A red parka", "Its lining"]
    assert [image.aspect_ratio.height for image in shown] == [480, 900]
    assert [len(blob) for blob in blobs] == [image.image.size for image in shown]
    assert await world.channel().find(draft) == published


async def test_the_same_again_is_no_change(
    world: RealWorld, reader: AsyncClient
) -> None:
    draft = make_draft(images=[make_image()], card=Card("Parka"))
    once = await world.channel().publish(draft, key="post_1")
    before = await reader.com.atproto.sync.get_latest_commit({"did": world.did})

    for _ in range(3):
        assert await world.channel().publish(draft, key="post_1") == once

    after = await reader.com.atproto.sync.get_latest_commit({"did": world.did})
    assert after.rev == before.rev
    assert len(world.texts()) == 1


async def test_a_lost_post_is_published_once(
    world: RealWorld, reader: AsyncClient
) -> None:
    draft = make_draft(images=[make_image()])
    world.faults.next(world.publish_call, Fault.TIMEOUT_AFTER)
    with pytest.raises(Unconfirmed):
        await world.channel().publish(draft, key="post_1")
    before = await reader.com.atproto.sync.get_latest_commit({"did": world.did})

    found = await world.channel().find(draft)
    again = await world.channel().publish(draft, key="post_1")

    after = await reader.com.atproto.sync.get_latest_commit({"did": world.did})
    assert found == again
    assert after.rev == before.rev


async def test_a_card_is_a_box(world: RealWorld, reader: AsyncClient) -> None:
    card = Card("Parka", "Half price", make_image(size=(2600, 1300)))

    published = await world.channel().publish(make_draft(card=card), key="post_1")
    box = (await read(reader, published)).value.embed.external

    assert (box.uri, box.title, box.description) == (LINK, "Parka", "Half price")
    assert box.thumb.mime_type == "image/jpeg"


async def test_answers_know_their_thread(world: RealWorld, reader: AsyncClient) -> None:
    channel = world.channel()
    first = await channel.publish(make_draft(), key="post_1")
    draft = make_draft("Few left", answers=first.remote_id)
    second = await channel.publish(draft, key="post_2")
    draft = make_draft("Sold out", answers=second.remote_id)
    third = await channel.publish(draft, key="post_3")

    seen = [await read(reader, one) for one in (first, second, third)]

    assert seen[0].value.reply is None
    assert seen[1].value.reply.root.cid == seen[0].cid
    assert seen[2].value.reply.root.cid == seen[0].cid
    assert seen[2].value.reply.parent.cid == seen[1].cid
    assert await channel.find(draft) == third


async def test_finds_a_page_back(world: RealWorld) -> None:
    channel = world.channel()
    wanted = await channel.publish(make_draft(link=OTHER), key="wanted")
    create = "com.atproto.repo.applyWrites#create"
    writes = [
        {
            "$type": create,
            "collection": POST,
            "rkey": record_key(NOON + timedelta(seconds=number), "another"),
            "value": {"$type": POST, "text": "", "createdAt": "2026-03-02T12:00:00Z"},
        }
        for number in range(120)
    ]
    await call(
        world.http,
        f"{world.pds.url}/xrpc/com.atproto.repo.applyWrites",
        {"repo": world.did, "writes": writes},
        world.credentials.access_token,
    )

    assert await channel.find(make_draft(link=OTHER)) == wanted
    assert await channel.find(make_draft(link=f"{OTHER}_")) is None


async def test_a_deleted_post_is_gone(world: RealWorld, reader: AsyncClient) -> None:
    channel = world.channel()
    published = await channel.publish(make_draft(), key="post_1")

    await channel.delete(published.remote_id)
    await channel.delete(published.remote_id)

    with pytest.raises(BadRequestError):
        await read(reader, published)
    with pytest.raises(Rejected, match="The post is gone"):
        await channel.publish(
            make_draft("Sold out", answers=published.remote_id), key="post_2"
        )


async def test_measures_by_the_readers_server(world: RealWorld) -> None:
    uris = [f"at://{world.did}/{POST}/{number}" for number in range(30)]

    async with appview(world.pds, likes=3) as asked:
        numbers = await world.channel().measure(uris)

    assert numbers == {uri: Numbers(likes=3, reposts=0, replies=0) for uri in uris}
    assert [len(one) for one in asked] == [25, 5]


async def test_without_the_readers_server_it_measures_later(world: RealWorld) -> None:
    with pytest.raises(TryLater, match="502"):
        await world.channel().measure([f"at://{world.did}/{POST}/1"])


@pytest.mark.parametrize("unit", UNITS)
async def test_what_we_count_as_fitting_fits(world: RealWorld, unit: str) -> None:
    """Our count is never below theirs, and the sandbox's is theirs."""
    fitting = max(n for n in range(1, 301) if text_length(unit * n) <= 300)
    channel, draft, too_long = world.channel(), make_draft(), "x" * 300 + unit

    await channel.publish(replace(draft, text=unit * fitting), key="post_1")
    with pytest.raises(Rejected) as caught:
        await channel.publish(replace(draft, text=too_long), key="post_2")

    (theirs,) = re.findall(r"got (\d+)", str(caught.value))
    assert int(theirs) == count_clusters(too_long)
    assert int(theirs) <= text_length(too_long)


async def test_lets_us_in_and_keeps_us_in(world: RealWorld) -> None:
    candidate = await world.entrance.sign_in(
        f"\u202a@{world.handle}\u202c", world.app_password
    )
    first = candidate.credentials
    second = first.renewed(await world.entrance.refresh(first))
    again = first.renewed(await world.entrance.refresh(first))
    third = second.renewed(await world.entrance.refresh(second))

    assert candidate.handle == f"@{world.handle}"
    for credentials in (first, second, again, third):
        assert credentials.account_id == world.did
        assert credentials.expires_at is not None
        assert credentials.refresh_expires_at is not None
        left = credentials.expires_at - utc_now()
        assert timedelta(hours=2) - SOON < left <= timedelta(hours=2)
        left = credentials.refresh_expires_at - utc_now()
        assert timedelta(days=90) - SOON < left <= timedelta(days=90)
        channel = Bluesky(world.http, world.url, credentials, clock=utc_now)
        assert await channel.check() == f"@{world.handle}"


async def test_lets_nobody_else_in(world: RealWorld) -> None:
    with pytest.raises(Rejected, match="use an app password") as caught:
        await world.entrance.sign_in(world.handle, "wrong")
    assert not isinstance(caught.value, Disowned)
    with pytest.raises(Rejected, match="the account's own password"):
        await world.entrance.sign_in(world.handle, PASSWORD)
    with pytest.raises(Disowned, match="Connect the account again"):
        await world.entrance.refresh(Credentials("a", "b"))


async def test_an_account_that_is_not_active(world: RealWorld) -> None:
    server = f"{world.pds.url}/xrpc/com.atproto.server"
    wish = {"identifier": world.handle, "password": PASSWORD}
    owner = await call(world.http, f"{server}.createSession", wish)
    await call(world.http, f"{server}.deactivateAccount", {}, owner["accessJwt"])

    with pytest.raises(Disowned, match="Activate the account on Bluesky"):
        await world.channel().check()
    with pytest.raises(Disowned, match="Activate the account on Bluesky"):
        await world.channel().publish(make_draft(), key="post_1")
    with pytest.raises(Rejected, match="Activate the account on Bluesky"):
        await world.entrance.sign_in(world.handle, world.app_password)


async def test_bluesky_itself() -> None:
    handle = lent("OUTLETBOT_REAL_BLUESKY_HANDLE")
    password = lent("OUTLETBOT_REAL_BLUESKY_PASSWORD")
    url = os.getenv("OUTLETBOT_REAL_BLUESKY_URL", "https://bsky.social")
    now = utc_now()
    link = f"https://outlet.example/d/{now:%Y%m%d%H%M%S}"
    draft = make_draft("A rehearsal of outletbot", link=link, since=now)

    async with guarded_session(allow_private=True) as http:
        entrance = BlueskyEntrance(http, url, clock=utc_now)
        candidate = await entrance.sign_in(handle, password)
        fresh = await entrance.refresh(candidate.credentials)
        channel = Bluesky(http, url, fresh, clock=utc_now)
        published = await channel.publish(draft, key=link)
        try:
            again = await channel.publish(draft, key=link)
            found = await channel.find(draft)
            await channel.measure([published.remote_id])
        finally:
            await channel.delete(published.remote_id)
        gone = await channel.find(draft)

    assert again == found == published
    assert gone is None


def door_to(pds: Pds, faults: Faults, http: aiohttp.ClientSession) -> web.Application:
    """Pass calls on to the real server; what goes wrong there goes wrong here first."""

    async def pass_on(request: web.Request) -> web.Response:
        kept = ("Authorization", "Content-Type", "Content-Length")
        async with http.request(
            request.method,
            pds.url + request.path_qs,
            headers={
                name: value for name, value in request.headers.items() if name in kept
            },
            data=await request.read() or None,
        ) as answer:
            return web.Response(
                body=await answer.read(),
                status=answer.status,
                headers={"Content-Type": answer.headers["Content-Type"]},
            )

    def too_many(_request: web.Request) -> web.Response:
        refusal = {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
        return web.json_response(refusal, status=429, headers={"Retry-After": "290"})

    def broken(_request: web.Request) -> web.Response:
        return web.json_response({"error": "InternalServerError"}, status=500)

    spoil = inject(faults, too_many=too_many, error=broken)
    app = web.Application(middlewares=[spoil], client_max_size=8 * 1024 * 1024)
    for name in CALLS:
        app.router.add_route("*", f"/xrpc/{name}", pass_on)
    return app


@asynccontextmanager
async def appview(pds: Pds, *, likes: int) -> AsyncIterator[list[list[str]]]:
    """Run a readers' server where the real one looks for it."""
    asked = []

    async def get_posts(request: web.Request) -> web.Response:
        uris = request.query.getall("uris")
        asked.append(uris)
        counts = {"likeCount": likes, "repostCount": 0, "replyCount": 0}
        return web.json_response({"posts": [{"uri": uri, **counts} for uri in uris]})

    app = web.Application()
    app.router.add_get("/xrpc/app.bsky.feed.getPosts", get_posts)
    async with TestServer(app, host="127.0.0.1", port=pds.appview_port):
        yield asked


async def read(reader: AsyncClient, published: Published) -> Any:
    _, _, did, collection, rkey = published.remote_id.split("/")
    params = {"repo": did, "collection": collection, "rkey": rkey}
    return await reader.com.atproto.repo.get_record(params)


async def call(
    http: aiohttp.ClientSession, address: str, wish: dict[str, Any], token: str = ""
) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.post(address, json=wish, headers=headers) as answer:
        text = await answer.text()
        assert answer.status == 200, text
        return json.loads(text or "null")


def lent(name: str) -> str:
    value = os.getenv(name, "")
    if not value:
        pytest.skip(f"{name} is not set: see this module's docstring")
    return value
