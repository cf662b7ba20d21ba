"""
The Mastodon channel, against a server that keeps Mastodon's rules and breaks at will.
"""

import json
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from PIL import Image as Pillow

from outletbot.channels import (
    Channel,
    ChannelError,
    Image,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.credentials import Credentials
from outletbot.channels.mastodon import SKEW, Mastodon
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.windows import Budget
from tests.outletbot.mastodon_server import (
    IMPATIENT,
    LINK,
    NOON,
    READER,
    TOKEN,
    Server,
    StandingClock,
    make_draft,
    make_image,
    mastodon_server,
)
from tests.outletbot.mastodon_spec import SPEC

POST = "POST /api/v1/statuses"
PUT = "PUT /api/v1/statuses/{id}"
DELETE = "DELETE /api/v1/statuses/{id}"
GET = "GET /api/v1/statuses/{id}"
LIST = "GET /api/v1/accounts/{id}/statuses"
UPLOAD = "POST /api/v2/media"
INSTANCE = "GET /api/v2/instance"
HASTY = replace(IMPATIENT, answer=timedelta(milliseconds=400))
LOST = [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.CUT_BODY]
BROKEN = [Fault.ERROR_BEFORE, Fault.ERROR_AFTER]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with mastodon_server() as server:
        yield server
        violations = server.recorder.violations() if SPEC.exists() else []
        assert not violations, violations


class TestPublish:
    async def test_returns_where_the_post_is(self, server: Server) -> None:
        published = await server.channel().publish(make_draft(), key="post_1")

        (status,) = server.sandbox.statuses.values()
        url = f"{server.url}/@outlet/{status.id}"
        assert published == Published(status.id, url)
        assert status.now.text == f"Parka, half price {LINK}"
        assert status.visibility == "public"

    async def test_brings_the_pictures_and_what_they_show(self, server: Server) -> None:
        images = (make_image("A red parka"), make_image("Its lining"))

        await server.channel().publish(make_draft(images=images), key="post_1")

        (status,) = server.sandbox.statuses.values()
        assert [media.description for media in status.now.media] == [
            "A red parka",
            "Its lining",
        ]
        assert server.recorder.names.count("GET /api/v1/media/{id}") >= 2

    async def test_brings_a_picture_of_some_megabytes(self, server: Server) -> None:
        noise = random.Random(1).randbytes(1000 * 1000 * 3)  # noqa: S311 - no secret
        buffer = BytesIO()
        Pillow.frombytes("RGB", (1000, 1000), noise).save(buffer, "PNG")
        image = Image(buffer.getvalue(), "image/png", "Noise")

        published = await server.channel().publish(
            make_draft(images=(image,)), key="post_1"
        )

        (media,) = server.sandbox.statuses[published.remote_id].now.media
        assert len(media.content) > 2_000_000

    async def test_gives_up_on_a_picture_that_is_never_ready(
        self, server: Server
    ) -> None:
        server.sandbox.looks_until_ready = 1_000_000

        with pytest.raises(TryLater, match="still working on the picture"):
            await server.channel().publish(
                make_draft(images=(make_image(),)), key="post_1"
            )

        assert server.texts == []

    async def test_says_which_language_it_is_in(self, server: Server) -> None:
        await server.channel().publish(make_draft(language="fr-CA"), key="post_1")

        (status,) = server.sandbox.statuses.values()
        assert status.language == "fr"

    async def test_posts_once_for_the_same_key(self, server: Server) -> None:
        channel = server.channel()

        once = await channel.publish(make_draft(), key="post_1")
        again = await channel.publish(make_draft(), key="post_1")

        assert once == again
        assert len(server.texts) == 1

    @pytest.mark.parametrize("fault", [*LOST, *BROKEN])
    async def test_does_not_claim_to_know_what_it_cannot(
        self, server: Server, fault: Fault
    ) -> None:
        server.faults.next(POST, fault)

        with pytest.raises(Unconfirmed):
            await server.channel().publish(make_draft(), key="post_1")

        done = fault in {Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.CUT_BODY}
        assert len(server.texts) == int(done)

    async def test_a_client_that_gives_up_does_not_know_either(
        self, server: Server
    ) -> None:
        server.faults.hold_for = timedelta(minutes=1)
        server.faults.next(POST, Fault.TIMEOUT_AFTER)
        channel = server.channel(patience=HASTY)

        with pytest.raises(Unconfirmed):
            await channel.publish(make_draft(), key="post_1")

        assert len(server.texts) == 1

    @pytest.mark.parametrize(
        ("call", "fault"),
        [
            *((INSTANCE, fault) for fault in (*BROKEN, Fault.CUT_BODY)),
            *((UPLOAD, fault) for fault in (*LOST, *BROKEN)),
            *(("GET /api/v1/media/{id}", fault) for fault in BROKEN),
        ],
    )
    async def test_what_nobody_sees_may_be_repeated(
        self, server: Server, call: str, fault: Fault
    ) -> None:
        server.faults.next(call, fault)
        channel, draft = server.channel(), make_draft(images=(make_image(),))

        with pytest.raises(TryLater):
            await channel.publish(draft, key="post_1")
        await channel.publish(draft, key="post_1")

        assert len(server.texts) == 1

    async def test_a_slow_answer_is_an_answer(self, server: Server) -> None:
        server.faults.slow_by = timedelta(milliseconds=100)
        server.faults.next(POST, Fault.SLOW)

        published = await server.channel().publish(make_draft(), key="post_1")

        assert published.remote_id in server.sandbox.statuses

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("x" * 501, "Text character limit of 500 exceeded"),
            ("", "Text can't be blank"),
        ],
    )
    async def test_passes_on_why_it_is_refused(
        self, server: Server, text: str, why: str
    ) -> None:
        with pytest.raises(Rejected, match=why):
            await server.channel().publish(make_draft(text), key="post_1")

    async def test_what_fits_by_its_own_count_is_taken(self, server: Server) -> None:
        channel = server.channel()
        text = f"{'⚡️' * 200} {LINK} @outlet@social.example.com "
        text += "x" * (500 - channel.length(text))

        await channel.publish(make_draft(text), key="post_1")

        assert channel.length(text) == 500
        assert len(text) > 500

    async def test_refuses_what_is_no_picture(self, server: Server) -> None:
        broken = replace(make_image(), content=b"not a picture")

        with pytest.raises(Rejected, match="cannot be read"):
            await server.channel().publish(make_draft(images=(broken,)), key="post_1")

        assert POST not in server.recorder.names


class TestRefusals:
    async def test_a_token_that_is_no_good_asks_to_connect_again(
        self, server: Server
    ) -> None:
        with pytest.raises(Rejected) as refusal:
            await server.channel("revoked").publish(make_draft(), key="post_1")

        assert "The access token is invalid (401)" in str(refusal.value)
        assert "Connect the account again" in str(refusal.value)

    async def test_a_token_that_may_not_post_says_what_to_allow(
        self, server: Server
    ) -> None:
        with pytest.raises(Rejected, match="outside the authorized scopes") as refusal:
            await server.channel(READER.token).publish(make_draft(), key="post_1")

        assert "allow" in str(refusal.value)

    async def test_a_full_budget_waits_until_it_is_renewed(
        self, server: Server
    ) -> None:
        server.rate_limits.budgets["api"] = Budget(2, timedelta(minutes=5))
        server.clock.advance(timedelta(minutes=3))
        channel = server.channel()
        await channel.check()

        with pytest.raises(TryLater, match="Too many requests") as refusal:
            await channel.publish(make_draft(), key="post_1")

        assert refusal.value.after == timedelta(minutes=2)

    async def test_a_full_budget_of_pictures_waits_as_well(
        self, server: Server
    ) -> None:
        server.faults.next(UPLOAD, Fault.TOO_MANY)

        with pytest.raises(TryLater) as refusal:
            await server.channel().publish(
                make_draft(images=(make_image(),)), key="post_1"
            )

        assert refusal.value.after == timedelta(minutes=30)

    @pytest.mark.parametrize(
        ("call", "method"),
        [(POST, "publish"), (LIST, "find"), (PUT, "edit"), (DELETE, "delete")],
    )
    async def test_too_many_means_nothing_was_done(
        self, server: Server, call: str, method: str
    ) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_0")
        server.faults.next(call, Fault.TOO_MANY)
        calls = {
            "publish": lambda: channel.publish(make_draft("new"), key="post_1"),
            "find": lambda: channel.find(make_draft()),
            "edit": lambda: channel.edit(published.remote_id, make_draft("changed")),
            "delete": lambda: channel.delete(published.remote_id),
        }

        with pytest.raises(TryLater) as refusal:
            await calls[method]()

        assert refusal.value.after is not None
        assert server.texts == [make_draft().text]


class TestCheck:
    async def test_returns_the_handle(self, server: Server) -> None:
        assert await server.channel().check() == "@outlet"

    async def test_refuses_a_bad_token(self, server: Server) -> None:
        with pytest.raises(Rejected, match="access token is invalid"):
            await server.channel("").check()

    async def test_learns_what_the_server_takes_once(self, server: Server) -> None:
        channel = server.channel()

        await channel.check()
        await channel.publish(make_draft(), key="post_1")

        assert server.recorder.names.count(INSTANCE) == 1
        assert channel.capabilities.max_length == 500

    def test_is_a_channel(self, server: Server) -> None:
        channel: Channel = server.channel()

        assert channel.name == "mastodon"


class TestFind:
    async def test_finds_the_post_with_the_link(self, server: Server) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")
        await channel.publish(make_draft("Something else"), key="post_2")

        assert await channel.find(make_draft()) == published

    async def test_answers_to_others_are_not_our_posts(self, server: Server) -> None:
        channel, fan = server.channel(), server.channel("token-of-a-fan")
        asked = await fan.publish(make_draft("How much?"), key="post_1")
        answer = make_draft(f"See {LINK}", answers=asked.remote_id)
        await channel.publish(answer, key="r")

        assert await channel.find(make_draft()) is None

    async def test_finds_what_was_unconfirmed(self, server: Server) -> None:
        server.faults.next(POST, Fault.TIMEOUT_AFTER)
        channel = server.channel()
        with pytest.raises(Unconfirmed):
            await channel.publish(make_draft(), key="post_1")

        found = await channel.find(make_draft())

        assert found is not None
        assert found.remote_id in server.sandbox.statuses

    async def test_finds_nothing_where_nothing_came_of_it(self, server: Server) -> None:
        server.faults.next(POST, Fault.TIMEOUT_BEFORE)
        channel = server.channel()
        with pytest.raises(Unconfirmed):
            await channel.publish(make_draft(), key="post_1")

        assert await channel.find(make_draft()) is None

    async def test_does_not_take_a_longer_link_for_it(self, server: Server) -> None:
        channel = server.channel()
        await channel.publish(make_draft(f"{LINK}2 and {LINK}/3"), key="post_1")

        assert await channel.find(make_draft()) is None

    async def test_finds_it_though_it_was_edited(self, server: Server) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")
        await channel.edit(published.remote_id, make_draft(f"SOLD OUT\n\n{LINK}."))

        assert await channel.find(make_draft()) == published

    async def test_turns_the_pages_back_to_when_it_was_due(
        self, server: Server
    ) -> None:
        server.rate_limits.budgets["api"] = Budget(1000, timedelta(minutes=5))
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")
        for number in range(90):
            server.clock.advance(timedelta(seconds=1))
            await channel.publish(make_draft(f"No. {number}"), key=f"more_{number}")

        assert await channel.find(make_draft()) == published
        assert server.recorder.names.count(LIST) == 3

    async def test_does_not_look_further_back_than_it_was_due(
        self, server: Server
    ) -> None:
        channel = server.channel()
        await channel.publish(make_draft(), key="post_1")
        server.clock.advance(timedelta(days=1))
        later = make_draft(since=server.clock.now)

        assert await channel.find(later) is None

    async def test_bears_a_clock_that_is_a_little_behind(self, server: Server) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")

        found = await channel.find(make_draft(since=NOON + SKEW))

        assert found == published

    async def test_only_looks_at_our_own_posts(self, server: Server) -> None:
        await server.channel("token-of-a-fan").publish(make_draft(), key="post_1")

        assert await server.channel().find(make_draft()) is None

    @pytest.mark.parametrize("fault", [*BROKEN, Fault.CUT_BODY])
    async def test_says_so_if_it_could_not_look(
        self, server: Server, fault: Fault
    ) -> None:
        server.faults.next(LIST, fault)

        with pytest.raises(TryLater):
            await server.channel().find(make_draft())


class TestEdit:
    async def test_replaces_the_text_and_keeps_the_rest(self, server: Server) -> None:
        channel = server.channel()
        draft = make_draft(language="fr", images=(make_image(),))
        published = await channel.publish(draft, key="post_1")
        server.clock.advance(timedelta(minutes=5))

        await channel.edit(published.remote_id, make_draft("SOLD OUT"))

        status = server.sandbox.statuses[published.remote_id]
        assert status.now.text == "SOLD OUT"
        assert [media.description for media in status.now.media] == ["A red parka"]
        assert status.language == "fr"
        assert status.edited_at == NOON + timedelta(minutes=5)
        # Other servers than Mastodon may not remember it.
        assert server.recorder.named(PUT)[0].body["language"] == "fr"

    async def test_says_so_if_the_post_is_gone(self, server: Server) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")
        await channel.delete(published.remote_id)

        with pytest.raises(Rejected, match="gone"):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))

    @pytest.mark.parametrize("fault", LOST)
    async def test_a_lost_answer_is_unconfirmed(
        self, server: Server, fault: Fault
    ) -> None:
        channel = server.channel(patience=HASTY)
        published = await channel.publish(make_draft(), key="post_1")
        server.faults.hold_for = timedelta(minutes=1)
        server.faults.next(PUT, fault)

        with pytest.raises(Unconfirmed):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))
        await channel.edit(published.remote_id, make_draft("SOLD OUT"))

        assert server.texts == ["SOLD OUT"]

    @pytest.mark.parametrize("fault", BROKEN)
    async def test_a_failing_server_is_asked_again(
        self, server: Server, fault: Fault
    ) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")
        server.faults.next(PUT, fault)

        with pytest.raises(TryLater):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))

    async def test_bears_a_server_that_hangs_up_once(self, server: Server) -> None:
        """What may be repeated is, by aiohttp itself."""
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")
        server.faults.next(PUT, Fault.TIMEOUT_BEFORE)

        await channel.edit(published.remote_id, make_draft("SOLD OUT"))

        assert server.texts == ["SOLD OUT"]


class TestReply:
    async def test_answers_below_the_post_once(self, server: Server) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")

        for _ in range(2):
            answer = make_draft("Sold out!", answers=published.remote_id)
            await channel.publish(answer, key="reply_1")

        status = server.sandbox.statuses[published.remote_id]
        replies = server.sandbox.replies_to(status)
        assert [reply.now.text for reply in replies] == ["Sold out!"]


class TestDelete:
    async def test_takes_the_post_back(self, server: Server) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")

        await channel.delete(published.remote_id)

        assert server.texts == []

    async def test_one_that_is_gone_already_is_fine(self, server: Server) -> None:
        channel = server.channel()
        published = await channel.publish(make_draft(), key="post_1")

        for _ in range(2):
            await channel.delete(published.remote_id)

        assert server.recorder.named(DELETE)[1].status == 404

    @pytest.mark.parametrize("fault", LOST)
    async def test_a_lost_answer_is_unconfirmed(
        self, server: Server, fault: Fault
    ) -> None:
        channel = server.channel(patience=HASTY)
        published = await channel.publish(make_draft(), key="post_1")
        server.faults.hold_for = timedelta(minutes=1)
        server.faults.next(DELETE, fault)

        with pytest.raises(Unconfirmed):
            await channel.delete(published.remote_id)
        await channel.delete(published.remote_id)

        assert server.texts == []


class TestServersThatAreNotThere:
    @pytest.mark.parametrize(
        "method", ["check", "publish", "find", "edit", "answer", "delete"]
    )
    @pytest.mark.parametrize(
        "address",
        [f"http://127.0.0.1:{unused_port()}", "https://no-such-host.invalid"],
        ids=["nobody-listens", "no-such-name"],
    )
    async def test_nothing_was_sent(self, method: str, address: str) -> None:
        async with aiohttp.ClientSession() as http:
            channel = Mastodon(
                http,
                address,
                Credentials(TOKEN),
                clock=StandingClock(),
                patience=IMPATIENT,
            )
            calls = {
                "check": channel.check,
                "publish": lambda: channel.publish(make_draft(), key="post_1"),
                "find": lambda: channel.find(make_draft()),
                "edit": lambda: channel.edit("1", make_draft("SOLD OUT")),
                "answer": lambda: channel.publish(make_draft(answers="1"), key="r"),
                "delete": lambda: channel.delete("1"),
            }

            with pytest.raises(TryLater, match="cannot be reached"):
                await calls[method]()

    async def test_nothing_was_sent_to_a_server_that_does_not_pick_up(self) -> None:
        """A queue of one, and somebody is in it."""
        with (
            socket.create_server(("127.0.0.1", 0), backlog=0) as full,
            socket.create_connection(full.getsockname()),
        ):
            address = f"http://127.0.0.1:{full.getsockname()[1]}"
            hasty = replace(IMPATIENT, connection=timedelta(milliseconds=200))
            async with aiohttp.ClientSession() as http:
                channel = Mastodon(
                    http,
                    address,
                    Credentials(TOKEN),
                    clock=StandingClock(),
                    patience=hasty,
                )

                with pytest.raises(TryLater, match="cannot be reached"):
                    await channel.delete("1")

    @pytest.mark.parametrize("address", ["", "social.example", "http://"])
    async def test_what_is_no_address_is_refused(self, address: str) -> None:
        async with aiohttp.ClientSession() as http:
            channel = Mastodon(http, address, Credentials(TOKEN), clock=StandingClock())

            with pytest.raises(Rejected, match="not the address of a server"):
                await channel.check()


class TestOddServers:
    """Answers that no Mastodon gives, but proxies and small servers do."""

    @pytest.mark.parametrize(
        ("answer", "outcome", "words"),
        [
            ({"status": 200}, Unconfirmed, "something else"),
            ({"text": "[]"}, Unconfirmed, "something else"),
            ({"text": '{"id": 7, "url": 7}'}, Unconfirmed, "something else"),
            ({"text": "<h1>Welcome</h1>"}, Unconfirmed, "lost"),
            ({"body": b'{"id": "\xff'}, Unconfirmed, "lost"),
            ({"text": "[" * 200_000}, Unconfirmed, "lost"),
            (
                {"text": '{"id": "1", "url": "u"' + " " * 9_000_000 + "}"},
                Unconfirmed,
                "lost",
            ),
            ({"status": 502, "text": "<h1>Bad gateway"}, Unconfirmed, "502 Bad"),
            ({"status": 504}, Unconfirmed, "504"),
            ({"status": 422}, Rejected, "422 Unprocessable"),
            ({"status": 413}, Rejected, "smaller picture"),
            ({"status": 410}, Rejected, "gone"),
            ({"status": 400}, Rejected, "400 Bad Request"),
            ({"status": 403, "text": '{"error": ["x"]}'}, Rejected, "403"),
            (
                {"status": 301, "headers": {"Location": "https://b.example"}},
                Rejected,
                "has moved to https://b.example",
            ),
            (
                {"status": 429, "headers": {"Retry-After": "90"}},
                TryLater,
                "429",
            ),
        ],
    )
    async def test_is_understood_as_far_as_it_can_be(
        self, answer: dict[str, Any], outcome: type[ChannelError], words: str
    ) -> None:
        async with odd_server(answer) as channel:
            with pytest.raises(ChannelError, match=words) as refusal:
                await channel.publish(make_draft(), key="post_1")

        assert isinstance(refusal.value, outcome)

    @pytest.mark.parametrize(
        ("headers", "after"),
        [
            ({"Retry-After": "90"}, timedelta(seconds=90)),
            ({"Retry-After": "0"}, timedelta(seconds=1)),
            ({"X-RateLimit-Reset": "2026-03-02T12:05:00.5Z"}, timedelta(seconds=300.5)),
            ({"X-RateLimit-Reset": "2026-03-02T12:05:00"}, timedelta(minutes=5)),
            ({"X-RateLimit-Reset": "2026-03-02T11:05:00Z"}, timedelta(seconds=1)),
            ({"Retry-After": "soon"}, None),
            ({"Retry-After": "9" * 30}, None),
            ({"X-RateLimit-Reset": "1772452800"}, None),
            ({}, None),
        ],
    )
    async def test_waits_as_long_as_it_is_told(
        self, headers: dict[str, str], after: timedelta | None
    ) -> None:
        async with odd_server({"status": 429, "headers": headers}) as channel:
            with pytest.raises(TryLater) as refusal:
                await channel.publish(make_draft(), key="post_1")

        assert refusal.value.after == after

    @pytest.mark.parametrize(
        "answer", ["{}", "[1]", '[{"created_at": "yesterday"}]', '{"error": "x"}', "3"]
    )
    async def test_a_list_that_makes_no_sense_is_not_an_empty_one(
        self, answer: str
    ) -> None:
        async with odd_server({"text": answer}) as channel:
            with pytest.raises(TryLater, match="no sense"):
                await channel.find(make_draft())

    async def test_what_we_passed_on_of_others_is_not_our_post(self) -> None:
        theirs = {"id": "1", "url": "u", "content": LINK, "reblog": {"id": "0"}}
        listed = json.dumps([theirs | {"created_at": NOON.isoformat()}])
        async with odd_server({"text": listed}) as channel:
            assert await channel.find(make_draft()) is None

    async def test_a_post_that_makes_no_sense_is_not_stripped_of_its_images(
        self,
    ) -> None:
        async with odd_server({"text": '{"id": "1"}'}) as channel:
            with pytest.raises(TryLater, match="no sense"):
                await channel.edit("1", make_draft("SOLD OUT"))


async def test_every_call_is_one_that_mastodon_documents(server: Server) -> None:
    """The whole story; what each test above called is checked likewise."""
    if not SPEC.exists():
        pytest.skip(f"Mastodon's description is not at {SPEC}")
    channel = server.channel()

    await channel.check()
    published = await channel.publish(make_draft(images=(make_image(),)), key="post_1")
    await channel.find(make_draft())
    await channel.edit(published.remote_id, make_draft(f"Nearly gone {LINK}"))
    answer = make_draft("Sold out", answers=published.remote_id)
    await channel.publish(answer, key="reply_1")
    await channel.delete(published.remote_id)

    assert server.recorder.violations() == []
    assert len(set(server.recorder.names)) == 9


async def test_every_call_has_a_connection_of_its_own(server: Server) -> None:
    channel = server.channel()
    await channel.publish(make_draft(images=(make_image(),)), key="post_1")
    await channel.find(make_draft())

    connections = {call.headers["Connection"] for call in server.recorder.calls}

    assert connections == {"close"}


async def test_bears_a_token_with_a_line_end(server: Server) -> None:
    assert await server.channel(f" {TOKEN}\n").check() == "@outlet"


async def test_the_token_is_never_told(server: Server) -> None:
    channel = server.channel()

    said = [repr(channel), str(vars(channel))]
    for fault in (Fault.ERROR_BEFORE, Fault.TIMEOUT_BEFORE, Fault.TOO_MANY):
        server.faults.next(POST, fault)
        with pytest.raises(ChannelError) as refusal:
            await channel.publish(make_draft(), key="post_1")
        said += [str(refusal.value), repr(refusal.value), repr(refusal.value.__cause__)]

    assert not [words for words in said if TOKEN in words]


@asynccontextmanager
async def odd_server(answer: dict[str, Any]) -> AsyncIterator[Mastodon]:
    """Serve *answer* to everything but the first questions."""

    async def respond(request: web.Request) -> web.Response:
        if request.path.endswith("/instance"):
            return web.Response(status=404, text="<h1>404 Not Found</h1>")
        if request.path.endswith("/verify_credentials"):
            return web.json_response({"id": "1", "acct": "outlet"})
        return web.Response(**answer)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    async with (
        TestServer(app, host="127.0.0.1") as server,
        aiohttp.ClientSession() as http,
    ):
        url = str(server.make_url(""))
        yield Mastodon(
            http, url, Credentials(TOKEN), clock=StandingClock(), patience=IMPATIENT
        )
