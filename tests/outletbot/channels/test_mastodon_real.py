"""
The Mastodon channel against a real server: snac, which speaks the API its own way.

It ignores Idempotency-Key, has no /api/v2/instance, hangs up after every answer without
a word, and gives an attached picture another id. The server is fetched from Debian once
and kept in ``var/``; ``make test-real`` knows how.

    OUTLETBOT_REAL_MASTODON_URL=https://…     and OUTLETBOT_REAL_MASTODON_TOKEN=…

lend an account on a Mastodon server (a token with read and write); what is posted there
is deleted again.
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import parse_qs, urlsplit

import aiohttp
import mastodon
import pytest

from outletbot.channels import Poll, Rejected
from outletbot.channels.credentials import Credentials
from outletbot.channels.mastodon import Mastodon
from outletbot.channels.mastodon_limits import DEFAULTS
from outletbot.channels.mastodon_oauth import MastodonDoor, MastodonEntrance
from outletbot.channels.oauth import challenge_of
from outletbot.clock import utc_now
from tests.outletbot.mastodon_server import LINK, make_draft, make_image
from tests.outletbot.mastodon_spec import SHARED

T = TypeVar("T")

SCRIPT = SHARED / "servers/snac-up.sh"
CACHE = Path(__file__).parents[3] / "var/snac"
REQUIRED = "OUTLETBOT_REQUIRE_REAL" in os.environ  # noqa: TID251 - tests have no settings
# Above 32768 the kernel's own outgoing ports may be in the way. Each worker begins
# elsewhere, or two that look at once would take the same port.
PORTS = range(10_000 + os.getpid() * 16 % 9_000, 32_000)

pytestmark = pytest.mark.real


BACK = "https://outlet.example.com/channels/return/mastodon"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-of-43-characters"


@dataclass(frozen=True, slots=True)
class Snac:
    url: str
    token: str = field(repr=False)
    password: str = field(repr=False)


@pytest.fixture(scope="module")
def snac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snac]:
    folder, port = tmp_path_factory.mktemp("snac"), free_port()
    try:
        start(folder, port)
        yield Snac(
            f"http://127.0.0.1:{port}",
            (folder / "tok.outlet").read_text(),
            (folder / "pw.outlet").read_text().strip(),
        )
    finally:
        stop(folder / "pid", port)


@pytest.fixture
async def channel(snac: Snac) -> AsyncIterator[Mastodon]:
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield Mastodon(http, snac.url, Credentials(snac.token), clock=utc_now)


@pytest.fixture
def reader(snac: Snac) -> Iterator[mastodon.Mastodon]:
    """Another client, which did not write what it reads."""
    client = mastodon.Mastodon(
        access_token=snac.token, api_base_url=snac.url, mastodon_version="4.0.0"
    )
    client.session.headers["Connection"] = "close"  # snac hangs up unannounced
    yield client
    client.session.close()


async def test_a_post_with_a_picture_lives_and_dies(
    channel: Mastodon, reader: mastodon.Mastodon
) -> None:
    link, since = f"{LINK}_lives", utc_now() - timedelta(minutes=1)
    images = (make_image("A red parka"),)
    draft = make_draft(f"Parka, now\n\n{link}", link=link, since=since, images=images)

    published = await channel.publish(draft, key="post_1")
    seen = await ask(reader.status, published.remote_id)
    assert seen.url == published.url
    assert f'href="{link}"' in seen.content
    assert [media.description for media in seen.media_attachments] == ["A red parka"]
    assert await channel.find(draft) == published

    await channel.edit(published.remote_id, make_draft(f"SOLD OUT {link}"))
    seen = await ask(reader.status, published.remote_id)
    assert "SOLD OUT" in seen.content
    assert seen.edited_at is not None
    assert [media.description for media in seen.media_attachments] == ["A red parka"]
    assert await channel.find(draft) == published

    await channel.delete(published.remote_id)
    await channel.delete(published.remote_id)
    with pytest.raises(mastodon.MastodonNotFoundError):
        await ask(reader.status, published.remote_id)
    assert await channel.find(draft) is None


async def test_finds_one_of_many_by_its_whole_link(channel: Mastodon) -> None:
    since = utc_now() - timedelta(minutes=1)
    links = [f"{LINK}_{number}" for number in range(45)]
    published = [
        await channel.publish(make_draft(link, link=link), key=link) for link in links
    ]

    # The fifth is a page back, and its link begins like those of five others.
    wanted = make_draft(link=links[4], since=since)
    assert await channel.find(wanted) == published[4]
    assert await channel.find(make_draft(link=f"{LINK}_", since=since)) is None


async def test_a_reply_stands_below_the_post(
    channel: Mastodon, reader: mastodon.Mastodon
) -> None:
    published = await channel.publish(make_draft("Boots"), key="post_2")

    reply = await channel.publish(
        make_draft("Sold out!", answers=published.remote_id), key="reply_2"
    )

    below = await ask(reader.status_context, published.remote_id)
    assert [one.id for one in below.descendants] == [reply.remote_id]


async def test_who_it_is_and_what_it_does_not_tell(channel: Mastodon) -> None:
    assert await channel.check() == "@outlet"
    assert channel.capabilities == DEFAULTS


async def test_refuses_a_bad_token(snac: Snac) -> None:
    async with aiohttp.ClientSession() as http:
        channel = Mastodon(http, snac.url, Credentials("revoked"), clock=utc_now)

        with pytest.raises(Rejected):
            await channel.check()
        with pytest.raises(Rejected, match="Connect the account again"):
            await channel.publish(make_draft(), key="post_3")


async def test_lets_us_in_by_its_own_page(snac: Snac) -> None:
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        entrance = MastodonEntrance(http, snac.url, clock=utc_now)
        door = entrance.through(await entrance.register(BACK))
        code = await sign_in(http, snac, door)

        (candidate,) = await door.exchange(code, redirect_uri=BACK, verifier=VERIFIER)
        channel = Mastodon(http, snac.url, candidate.credentials, clock=utc_now)
        published = await channel.publish(make_draft("Let in"), key="post_4")
        await channel.delete(published.remote_id)
    assert candidate.handle == "@outlet"


async def test_a_poll_is_posted_though_snac_may_not_show_it(channel: Mastodon) -> None:
    poll = Poll("Which one?", ("rust", "green"), timedelta(hours=1))
    link = f"{LINK}_poll"

    published = await channel.publish(
        make_draft(f"Which one? {link}", link=link, poll=poll), key="post_5"
    )
    await channel.edit(published.remote_id, make_draft(f"Over {link}", link=link))

    await channel.delete(published.remote_id)


async def test_lives_on_a_server_that_somebody_lends() -> None:
    url, token = lent("URL"), lent("TOKEN")
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        channel = Mastodon(http, url, Credentials(token), clock=utc_now)
        handle = await channel.check()
        since, link = utc_now() - timedelta(minutes=1), f"{LINK}_{os.getpid()}"
        draft = make_draft(
            f"A test\n{link}", link=link, since=since, images=(make_image(),)
        )

        published = await channel.publish(draft, key=link)
        try:
            assert await channel.publish(draft, key=link) == published
            assert await channel.find(draft) == published
            await channel.edit(published.remote_id, replace(draft, text=link))
            assert published.remote_id in await channel.measure([published.remote_id])
        finally:
            await channel.delete(published.remote_id)

        assert handle.startswith("@")
        assert await channel.find(draft) is None


def lent(what: str) -> str:
    name = f"OUTLETBOT_REAL_MASTODON_{what}"
    value = os.environ.get(name, "")  # noqa: TID251 - tests have no settings
    if not value:
        pytest.skip(f"{name} is not set: see this module's docstring")
    return value


async def sign_in(http: aiohttp.ClientSession, snac: Snac, door: MastodonDoor) -> str:
    """Do what a person does on snac's page. Return the code that it leads to."""
    url = door.authorization_url(
        redirect_uri=BACK, state="a-state", challenge=challenge_of(VERIFIER)
    )
    async with http.get(url) as page:
        text = await page.text()
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', text)
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)
    form = {**dict(hidden), "login": "outlet", "passwd": snac.password}
    async with http.post(action, data=form, allow_redirects=False) as sent:
        query = parse_qs(urlsplit(sent.headers["Location"]).query)
    assert query["state"] == ["a-state"]
    return query["code"][0]


async def ask(call: Callable[..., T], *args: object) -> T:
    """Call Mastodon.py in a thread; it knows no other way."""
    return await asyncio.to_thread(call, *args)


def start(folder: Path, port: int) -> None:
    """Start snac in *folder*; skip, or fail where it is required, if it cannot be."""
    if not SCRIPT.exists():
        give_up(f"snac's script is not at {SCRIPT}")
    if shutil.which("apt-get") is None or shutil.which("curl") is None:
        give_up("snac is fetched by apt-get and asked by curl, and they are not here")
    if (CACHE / "root").exists():
        (folder / "root").symlink_to(CACHE / "root")
    started = subprocess.run(  # noqa: S603 - a script of ours, and nothing of others
        ["/bin/sh", SCRIPT, folder, str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=240,
        check=False,
    )
    if started.returncode:
        give_up(f"snac does not start: {started.stderr.strip()[-300:]}")
    keep(folder / "root")


def keep(root: Path) -> None:
    """Keep what was fetched for the next time; whoever comes second lets it be."""
    if root.is_symlink():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    draft = CACHE / f"root.{os.getpid()}"
    shutil.copytree(root, draft, symlinks=True)
    try:
        draft.rename(CACHE / "root")
    except OSError:
        shutil.rmtree(draft)


def stop(pid_file: Path, port: int) -> None:
    """End the server by its process id and wait until its port is free again."""
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
        for _ in range(100):
            if is_free(port):
                return
            time.sleep(0.1)


def free_port() -> int:
    return next(port for port in PORTS if is_free(port))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def give_up(why: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(why)
    pytest.skip(why)
