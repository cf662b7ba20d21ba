"""
Polls on Mastodon: taken by its rules, and kept with their votes through an edit.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from outletbot.channels import Poll, Rejected
from outletbot.channels.mastodon_entities import kept
from outletbot.channels.mastodon_limits import DEFAULT_POLL, read_limits
from tests.outletbot.mastodon_server import (
    LINK,
    NOON,
    Server,
    make_draft,
    make_image,
    mastodon_server,
)
from tests.outletbot.mastodon_spec import SPEC

OPTIONS = ("The rust one", "The green one")
DAY = timedelta(days=1)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with mastodon_server() as server:
        yield server


def ask(options: tuple[str, ...] = OPTIONS, lasts: timedelta = DAY) -> Poll:
    return Poll("Which one next?", options, lasts)


async def test_is_posted_without_pictures(server: Server) -> None:
    draft = make_draft(f"Which one? {LINK}", poll=ask(), images=(make_image(),))

    published = await server.channel().publish(draft, key="post_1")

    poll = server.sandbox.statuses[published.remote_id].now.poll
    assert poll is not None
    assert (poll.options, poll.expires_at) == (OPTIONS, NOON + DAY)
    assert server.sandbox.media == {}
    violations = server.recorder.violations() if SPEC.exists() else []
    assert violations == []


@pytest.mark.parametrize(
    ("poll", "words"),
    [
        (ask(("one",)), "more than one item"),
        (ask(("1", "2", "3", "4", "5")), "more than 4"),
        (ask(("x" * 51, "y")), "longer than 50"),
        (ask(("same", "same")), "duplicate"),
        (ask(lasts=timedelta(minutes=4)), "too soon"),
        (ask(lasts=timedelta(days=40)), "too far"),
    ],
)
async def test_one_against_the_rules_is_refused_in_words(
    server: Server, poll: Poll, words: str
) -> None:
    with pytest.raises(Rejected, match=words):
        await server.channel().publish(make_draft(poll=poll), key="post_1")

    assert server.texts == []


async def test_votes_stay_when_the_text_is_edited(server: Server) -> None:
    channel = server.channel()
    published = await channel.publish(make_draft(poll=ask()), key="post_1")
    server.sandbox.vote(published.remote_id, 5, 2)
    server.clock.advance(timedelta(hours=6))

    await channel.edit(published.remote_id, make_draft(f"SOLD OUT {LINK}"))

    poll = server.sandbox.statuses[published.remote_id].now.poll
    assert poll is not None
    assert (poll.votes, poll.expires_at) == ((5, 2), NOON + DAY)


async def test_one_that_has_ended_stays_through_an_edit(server: Server) -> None:
    channel = server.channel()
    published = await channel.publish(make_draft(poll=ask()), key="post_1")
    server.sandbox.vote(published.remote_id, 5, 2)
    server.clock.advance(timedelta(days=2))

    await channel.edit(published.remote_id, make_draft(f"SOLD OUT {LINK}"))

    poll = server.sandbox.statuses[published.remote_id].now.poll
    assert poll is not None
    assert poll.votes == (5, 2)


@pytest.mark.parametrize(
    "poll",
    [
        {"options": [{"title": "a"}, {}], "expires_at": "2026-03-02T12:00:00Z"},
        {"options": [{"title": "a"}], "expires_at": "tomorrow"},
    ],
)
def test_one_that_makes_no_sense_is_not_lost_by_an_edit(poll: dict[str, Any]) -> None:
    assert kept({"media_attachments": [], "poll": poll}, now=NOON) is None


def test_a_moment_without_a_zone_is_taken_for_utc() -> None:
    poll = {"options": [{"title": "a"}], "expires_at": "2026-03-03T12:00:00"}

    keeps = kept({"media_attachments": [], "poll": poll}, now=NOON)

    assert keeps is not None
    assert keeps["poll"] == {
        "options": ["a"],
        "expires_in": 86_400,
        "multiple": False,
    }


def test_the_rules_are_the_server_s_own_where_it_tells_them() -> None:
    told = {"max_options": 8, "max_characters_per_option": 200, "min_expiration": 60}

    rules = read_limits({"configuration": {"polls": told}}).capabilities.poll

    assert rules is not None
    assert (rules.max_options, rules.max_option_length) == (8, 200)
    assert rules.min_duration == timedelta(minutes=1)
    assert rules.max_duration == DEFAULT_POLL.max_duration
    assert read_limits(None).capabilities.poll == DEFAULT_POLL
