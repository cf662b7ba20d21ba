"""
A sandbox with a file goes on where it was, however it ended.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from outletbot.clock import utc_now
from outletbot.sandbox.mastodon_rules import Refusal
from outletbot.sandbox.mastodon_state import MastodonSandbox, Wish
from tests.outletbot.mastodon_server import (
    FAN,
    OUTLET,
    TOKEN,
    Server,
    StandingClock,
    make_draft,
    make_image,
    mastodon_server,
)

ROOT = Path(__file__).parents[3]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

Start = Callable[[], AbstractAsyncContextManager[Server]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start the same server, on the same port and with the same file, each time."""
    port = unused_port()
    return lambda: mastodon_server(port=port, state_path=tmp_path / "mastodon.db")


@pytest.fixture
def reopen(tmp_path: Path) -> Callable[..., MastodonSandbox]:
    def make(*accounts: Any, clock: Any = None) -> MastodonSandbox:
        return MastodonSandbox(
            clock=clock or StandingClock(),
            public_url="http://127.0.0.1",
            accounts=accounts or [OUTLET],
            state_path=tmp_path / "mastodon.db",
        )

    return make


async def look(server: Server, *paths: str) -> list[Any]:
    """Return what the server answers to each of *paths*: JSON, a page or a picture."""
    answers = []
    for path in paths:
        async with server.http.get(server.url + path, headers=HEADERS) as answer:
            content = await answer.read()
            answers.append((answer.status, answer.content_type, content))
    return answers


def files_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def upload(server: Server) -> Any:
    form = aiohttp.FormData({"description": "A red parka"})
    form.add_field("file", make_image().content, filename="parka.jpg")
    url = f"{server.url}/api/v2/media"
    async with server.http.post(url, headers=HEADERS, data=form) as answer:
        return answer.status, (await answer.json())["id"]


class TestARestart:
    async def test_shows_the_same_as_before(self, start: Start) -> None:
        async with start() as server:
            channel = server.channel()
            draft = make_draft(images=(make_image(), make_image("Its back")))
            post = await channel.publish(draft, key="post_1")
            server.clock.advance(timedelta(minutes=3))
            await channel.edit(post.remote_id, make_draft("SOLD OUT"))
            reply = await channel.publish(
                make_draft("Next at noon", language="fr", answers=post.remote_id),
                key="post_2",
            )
            (media, back) = server.sandbox.statuses[post.remote_id].now.media
            paths = (
                "/api/v1/accounts/1/statuses",
                f"/api/v1/statuses/{post.remote_id}",
                f"/api/v1/statuses/{post.remote_id}/history",
                f"/api/v1/statuses/{post.remote_id}/source",
                f"/api/v1/statuses/{post.remote_id}/context",
                f"/api/v1/statuses/{reply.remote_id}",
                f"/api/v1/statuses/{reply.remote_id}/context",
                f"/media/{media.id}",
                f"/media/{back.id}",
                "/@outlet",
            )
            before = await look(server, *paths)

        async with start() as server:
            assert await look(server, *paths) == before
            assert server.sandbox.media[media.id].content == media.content

        assert {status for status, _, _ in before} == {200}

    async def test_shows_pictures_that_came_with_an_edit(self, start: Start) -> None:
        async with start() as server:
            server.sandbox.looks_until_ready = 0
            post = await server.channel().publish(make_draft(), key="post_1")
            _, media_id = await upload(server)
            wish = Wish("Now with a picture", media_ids=[media_id])
            server.sandbox.edit_status(
                server.sandbox.accounts["outlet"], post.remote_id, wish
            )

        async with start() as server:
            status = server.sandbox.statuses[post.remote_id]
            assert [len(version.media) for version in status.versions] == [0, 1]

    async def test_keeps_what_was_deleted_away(self, start: Start) -> None:
        async with start() as server:
            draft = make_draft(images=(make_image(),))
            post = await server.channel().publish(draft, key="post_1")
            await server.channel().delete(post.remote_id)

        async with start() as server:
            assert server.sandbox.statuses == {}
            assert server.sandbox.media == {}

    async def test_finds_one_whole_file(self, start: Start, tmp_path: Path) -> None:
        async with start() as server:
            await server.channel().publish(make_draft(), key="post_1")

        assert files_in(tmp_path) == ["mastodon.db"]

    async def test_knows_keys_for_their_hour(self, start: Start) -> None:
        async with start() as server:
            first = await server.channel().publish(make_draft(), key="post_1")

        async with start() as server:
            server.clock.advance(timedelta(minutes=59))
            again = await server.channel().publish(make_draft(), key="post_1")
            server.clock.advance(timedelta(minutes=1))
            later = await server.channel().publish(make_draft(), key="post_1")

        assert first == again != later

    async def test_gives_no_id_twice(self, start: Start) -> None:
        ids = []
        for _ in range(3):
            async with start() as server:
                post = await server.channel().publish(make_draft(), key="")
                # What is deleted leaves its id behind too.
                await server.channel().delete(post.remote_id)
                ids.append(int(post.remote_id))

        assert ids == sorted(set(ids))

    async def test_lists_new_posts_before_old_ones(self, start: Start) -> None:
        for text in ("one", "two", "three"):
            async with start() as server:
                await server.channel().publish(make_draft(text), key=text)
                # An edit is no reason to move up.
                for status in server.sandbox.statuses_of("1"):
                    changed = make_draft(f"{status.now.text}!")
                    await server.channel().edit(status.id, changed)

        async with start() as server:
            texts = [status.now.text for status in server.sandbox.statuses_of("1")]

        assert texts == ["three!", "two!!", "one!!!"]

    async def test_goes_on_with_a_picture_that_is_not_ready(self, start: Start) -> None:
        async with start() as server:
            server.sandbox.looks_until_ready = 2
            uploaded, media_id = await upload(server)
            ((first, _, _),) = await look(server, f"/api/v1/media/{media_id}")

        async with start() as server:
            ((second, _, _),) = await look(server, f"/api/v1/media/{media_id}")
            ((third, _, _),) = await look(server, f"/api/v1/media/{media_id}")

        assert [uploaded, first, second, third] == [202, 206, 206, 200]

    def test_takes_no_word_for_unwritable(self, reopen) -> None:
        # Headers that are no UTF-8 reach us as lone surrogates, JSON may hold them too.
        before = reopen()
        outlet = before.accounts["outlet"]
        odd = before.create_status(outlet, Wish("\ud800\0"), key="\udcff")
        before.close()

        after = reopen()

        assert after.statuses == {odd.id: odd}
        assert after.create_status(outlet, Wish("again"), key="\udcff") == odd
        after.close()

    def test_leaves_nothing_of_what_was_refused(self, reopen) -> None:
        before = reopen()
        with pytest.raises(Refusal):
            before.create_status(before.accounts["outlet"], Wish("x" * 501), key="k")
        before.close()

        after = reopen()

        assert after.statuses == {}
        after.close()

    def test_needs_the_accounts_that_posted(self, reopen) -> None:
        before = reopen(OUTLET, FAN)
        before.create_status(before.accounts["fan"], Wish("Hello"), key="")
        before.close()

        with pytest.raises(ValueError, match="by account 2, not given"):
            reopen(OUTLET)

        reopen(OUTLET, FAN).close()


def changes(sandbox: MastodonSandbox) -> Iterator[str]:
    """Do all that changes something, one after the other, and say what it was."""
    outlet = sandbox.accounts["outlet"]
    sandbox.looks_until_ready = 1
    media = sandbox.upload(outlet, make_image().content, "A red parka")
    yield "upload"
    sandbox.look_at_media(outlet, media.id)
    yield "look"
    wish = Wish("Parka", "Red", sensitive=True, language="fr", visibility="private")
    status = sandbox.create_status(outlet, wish, key="k")
    yield "post"
    again = replace(wish, text="Sold out", media_ids=[media.id])
    sandbox.edit_status(outlet, status.id, again)
    yield "edit"
    answer = Wish("Next at noon", in_reply_to_id=status.id)
    sandbox.create_status(outlet, answer, key="")
    yield "reply"
    sandbox.delete_status(outlet, status.id)
    yield "delete"


def test_each_change_is_kept_before_the_next(reopen) -> None:
    sandbox, done = reopen(), []

    for change in changes(sandbox):
        kept = reopen()
        assert (kept.statuses, kept.media) == (sandbox.statuses, sandbox.media), change
        if change == "post":
            (status,) = sandbox.statuses.values()
            again = kept.create_status(kept.accounts["outlet"], Wish("x"), key="k")
            assert again == status
        kept.close()
        done.append(change)

    assert done[-1] == "delete"
    sandbox.close()


class TestPictures:
    @pytest.mark.parametrize(("looks", "answered"), [(0, 200), (1, 202)])
    async def test_are_ready_after_as_many_looks_as_asked(self, looks, answered):
        async with mastodon_server(looks_until_ready=looks) as server:
            status, _ = await upload(server)

        assert status == answered


@dataclass
class Gossip:
    """What a server that may die at any moment has answered so far.

    A post with a change under way is in none of these: it may be changed or not.
    """

    texts: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    answers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))


async def chatter(http: aiohttp.ClientSession, who: str, gossip: Gossip) -> None:
    """Upload, post, edit and delete, until the server is no more."""
    with suppress(aiohttp.ClientError):
        for number in range(1_000_000):
            key = f"{who}-{number}"
            status_id = await publish(http, key, gossip)
            if number % 3:
                await edit(http, status_id, f"{key}, sold out", gossip)
            if number % 3 == 2:
                await delete(http, status_id, gossip)


async def publish(http: aiohttp.ClientSession, key: str, gossip: Gossip) -> str:
    form = aiohttp.FormData()
    form.add_field("file", make_image().content, filename="parka.jpg")
    media = await ask(http, "POST", "/api/v2/media", gossip, data=form)
    wish = {"status": key, "media_ids": [media["id"]]}
    status = await ask(
        http,
        "POST",
        "/api/v1/statuses",
        gossip,
        json=wish,
        headers={"Idempotency-Key": key},
    )
    gossip.texts[status["id"]] = key
    gossip.keys[status["id"]] = key
    return status["id"]


async def edit(
    http: aiohttp.ClientSession, status_id: str, text: str, gossip: Gossip
) -> None:
    del gossip.texts[status_id]
    path = f"/api/v1/statuses/{status_id}"
    await ask(http, "PUT", path, gossip, json={"status": text})
    gossip.texts[status_id] = text


async def delete(http: aiohttp.ClientSession, status_id: str, gossip: Gossip) -> None:
    del gossip.texts[status_id]
    await ask(http, "DELETE", f"/api/v1/statuses/{status_id}", gossip)
    gossip.gone.add(status_id)


async def ask(
    http: aiohttp.ClientSession, method: str, path: str, gossip: Gossip, **more: Any
) -> Any:
    async with http.request(method, path, **more) as answer:
        content = await answer.json()
        assert answer.status == 200, content
    gossip.answers.release()
    return content


@asynccontextmanager
async def alone(state_path: Path) -> AsyncIterator[tuple[str, Any]]:
    """Run a sandbox in a process of its own. Yield its address and the process."""
    port = unused_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.outletbot.sandbox.mastodon_alone",
        state_path,
        str(port),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline()
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_kill_loses_nothing_that_was_answered(tmp_path, reopen) -> None:
    gossip = Gossip()
    for life in range(3):
        async with (
            alone(tmp_path / "mastodon.db") as (address, process),
            aiohttp.ClientSession(address, headers=HEADERS) as http,
            asyncio.TaskGroup() as group,
        ):
            for who in range(4):
                group.create_task(chatter(http, f"{life}-{who}", gossip))
            for _ in range(40 + 7 * life):
                await gossip.answers.acquire()
            process.kill()

    after = reopen(clock=utc_now)
    texts = {one.id: one.now.text for one in after.statuses.values()}
    assert gossip.texts
    assert gossip.gone
    assert gossip.texts.items() <= texts.items()
    assert not gossip.gone & texts.keys()
    outlet = after.accounts["outlet"]
    for status_id in gossip.texts:
        again = after.create_status(outlet, Wish("x"), key=gossip.keys[status_id])
        assert again.id == status_id
    after.close()
