"""
A retailer hears of a post that does not go out: by webhook, and by mail if there is
any, in its own language and time, once.
"""

import asyncio
import json
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.letters import Letter
from offers.posts import Post, PostState
from offers.retailers import Retailer
from offers.sentences import Sentence, dump_sentence
from offers.sources import Halt
from outletbot.db import Database
from outletbot.jobs.alarming import sound_alarms
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_account,
    make_deal,
    make_import,
    make_offer,
    make_post,
    make_retailer,
    make_source,
    north,
    post_of,
)
from webhooks.outbox import Delivery

BOTH_DATABASES = True
PUBLIC_URL = "http://outlet.example"


@pytest.fixture
def retailer(session: Session) -> Retailer:
    """Hears of everything in every way."""
    found = north(session)
    found.webhook_url = "https://north.example/hooks"
    found.alarm_email = "ana@north.example"
    session.add(found)
    session.commit()
    return found


@pytest.fixture
def post(session: Session, retailer: Retailer) -> Post:
    assert retailer.alarm_email
    return make_due(session)


def make_due(session: Session, **facts: Any) -> Post:
    """Make a post on Mastodon that was due five minutes ago."""
    deal = make_deal(session, title="Parka", opens_at=NOON - 5 * MINUTE, opened_at=None)
    post_of(session, deal).state = PostState.SKIPPED
    account = make_account(session, handle=facts.pop("handle", "north@s.example"))
    return make_post(session, deal, account, **facts)


async def sound(database: Database, session: Session, *, mails: bool = True) -> int:
    session.commit()
    return await sound_alarms(
        database, lambda: NOON, public_url=PUBLIC_URL, mails=mails
    )


def messages(session: Session) -> list[dict[str, Any]]:
    session.rollback()
    return [json.loads(one.body) for one in session.exec(select(Delivery))]


def letters(session: Session) -> list[Letter]:
    session.rollback()
    return list(session.exec(select(Letter)))


async def test_a_late_post_is_told_once(database, session, post):
    first = await sound(database, session)
    second = await sound(database, session)

    assert (first, second) == (1, 0)
    [message] = messages(session)
    assert message["type"] == "post.late"
    assert message["data"] == {
        "post": post.id,
        "deal": post.deal_id,
        "title": "Parka",
        "kind": "announcement",
        "channel": "mastodon",
        "handle": "north@s.example",
        "state": "scheduled",
        "reason": "",
        "due_at": "2026-03-02T11:55:00+00:00",
        "at": "2026-03-02T12:00:00+00:00",
    }
    assert len(letters(session)) == 1


@pytest.mark.usefixtures("post")
async def test_a_late_post_is_told_by_one_worker(connect, session):
    session.rollback()
    workers = [connect() for _ in range(4)]

    done = await asyncio.gather(*(sound(worker, session) for worker in workers))

    assert sum(done) == 1
    assert len(messages(session)) == len(letters(session)) == 1


@pytest.mark.parametrize("state", [PostState.FAILED, PostState.UNCONFIRMED])
@pytest.mark.usefixtures("retailer")
async def test_a_failed_post_is_told_with_its_reason(database, session, state):
    make_due(session, state=state, failure="Mastodon refused the token.")

    await sound(database, session)

    [message] = messages(session)
    assert message["type"] == "post.failed"
    assert message["data"]["state"] == state
    assert message["data"]["reason"] == "Mastodon refused the token."
    assert "Mastodon refused the token." in letters(session)[0].body


@pytest.mark.usefixtures("retailer")
async def test_a_failed_post_is_told_by_one_worker(connect, session):
    make_due(session, state=PostState.FAILED)
    session.rollback()
    workers = [connect() for _ in range(4)]

    done = await asyncio.gather(*(sound(worker, session) for worker in workers))

    assert sum(done) == 1
    assert len(messages(session)) == len(letters(session)) == 1


@pytest.mark.usefixtures("retailer")
async def test_a_channel_in_trouble_is_told(database, session):
    account = make_account(session, trouble="The token was revoked.")

    await sound(database, session)

    [message], [letter] = messages(session), letters(session)
    assert message["type"] == "channel.trouble"
    assert message["data"]["account"] == account.id
    assert message["data"]["reason"] == "The token was revoked."
    assert letter.subject == "North & Sons: a channel needs a look"
    assert "The token was revoked.\nhttp://outlet.example/channels" in letter.body


@pytest.mark.usefixtures("retailer")
async def test_a_feed_that_is_paused_is_told_and_what_to_look_at(database, session):
    entry = make_import(session)
    reason = Sentence(
        "It has {rows} rows, and the file before had {before}.", rows=1, before=9
    )
    source = make_source(
        session,
        halt=Halt.DOUBT,
        halt_reason=dump_sentence(reason),
        import_id=entry.id,
    )

    for _ in range(2):
        await sound(database, session)

    (message,), (letter,) = messages(session), letters(session)
    assert message["type"] == "feed.paused"
    assert message["data"] == {
        "source": source.id,
        "name": "Shop",
        "kind": "address",
        "feed": entry.id,
        "reason": "It has 1 rows, and the file before had 9.",
        "at": NOON.isoformat(),
    }
    assert letter.subject == (
        "North & Sons: The feed “Shop” is paused: a file has come that needs a look."
    )
    assert "It has 1 rows" in letter.body
    assert f"{PUBLIC_URL}/feeds/{entry.id}" in letter.body


@pytest.mark.usefixtures("retailer")
async def test_a_feed_that_fails_for_a_day_is_told(database, session):
    failed = dump_sentence(Sentence("The server answered {status}.", status=500))
    make_source(session, failing_since=NOON - 24 * HOUR, result=failed)

    await sound(database, session)

    (message,), (letter,) = messages(session), letters(session)
    assert (message["type"], message["data"]["feed"]) == ("feed.failing", None)
    assert "The server answered 500." in letter.body
    assert f"{PUBLIC_URL}/feeds/sources" in letter.body


async def test_a_letter_says_which_post_and_where(database, session, post):
    await sound(database, session)

    [letter] = letters(session)
    assert letter.recipient == "ana@north.example"
    assert letter.subject == (
        "North & Sons: The post about “Parka” on Mastodon north@s.example is late."
    )
    assert letter.body == (
        "The post about “Parka” on Mastodon north@s.example is late."
        " It was due Mon 2 Mar, 11:55.\n"
        f"http://outlet.example/deals/{post.deal_id}\n\n"
        "Settings say who is told: http://outlet.example/settings#alarms\n"
    )


@pytest.mark.usefixtures("post")
async def test_many_alarms_are_one_letter(database, session):
    make_due(session, handle="other", state=PostState.FAILED)
    make_account(session, handle="third", trouble="x")

    await sound(database, session)

    [letter] = letters(session)
    assert letter.subject == "North & Sons: 3 things to look at"
    assert len(messages(session)) == 3


@pytest.mark.usefixtures("post")
async def test_each_retailer_hears_of_its_own(database, session):
    south = make_retailer(session, alarm_email="sam@south.example")
    make_account(session, retailer_id=south.id, trouble="x")

    assert await sound(database, session) == 2

    by_recipient = {one.recipient: one for one in letters(session)}
    assert set(by_recipient) == {"ana@north.example", "sam@south.example"}
    assert "Parka" not in by_recipient["sam@south.example"].body


@pytest.mark.parametrize(("mails", "email"), [(False, "ana@x.example"), (True, "")])
@pytest.mark.usefixtures("post")
async def test_no_letter_is_written_that_nobody_gets(
    database, session, retailer, mails, email
):
    retailer.alarm_email = email

    await sound(database, session, mails=mails)

    assert letters(session) == []
    assert len(messages(session)) == 1


@pytest.mark.usefixtures("retailer")
async def test_what_is_on_time_is_no_alarm(database, session):
    make_deal(session, opens_at=NOON - MINUTE, opened_at=None)
    make_deal(session, opens_at=NOON + HOUR, opened_at=None)
    make_deal(session, opens_at=NOON - SECOND)

    assert await sound(database, session) == 0


@pytest.mark.usefixtures("post")
async def test_a_retailer_hears_in_its_language(database, session, retailer):
    retailer.language = "fr"

    await sound(database, session)

    [letter] = letters(session)
    assert "est en retard" in letter.subject
    assert "lun." in letter.body
    assert " is " not in letter.body


async def test_a_post_that_could_not_be_changed_is_told_by_mail_alone(
    database: Database, session: Session, post: Post
) -> None:
    post = session.get_one(Post, post.id)
    post.state, post.retired_at, post.failure = PostState.PUBLISHED, NOON, "It is gone."
    session.commit()

    await sound_alarms(database, lambda: NOON, public_url=PUBLIC_URL, mails=True)

    (letter,) = session.exec(select(Letter))
    assert "is over, but its post on Mastodon" in letter.subject
    assert "It is gone." in letter.body
    assert session.exec(select(Delivery)).all() == []


async def test_one_retailers_bug_keeps_nobody_else_from_hearing(
    database: Database, session: Session, post: Post
) -> None:
    other = make_retailer(session)
    other.alarm_email, other.time_zone = "ben@south.example", "Nowhere/Land"
    account = make_account(session, retailer_id=other.id, trouble="Connect it again.")
    offer = make_offer(session, retailer_id=other.id)
    deal = make_deal(session, offer, opens_at=NOON - 5 * MINUTE, opened_at=None)
    make_post(session, deal, account)
    session.commit()

    await sound_alarms(database, lambda: NOON, public_url=PUBLIC_URL, mails=True)

    (letter,) = session.exec(select(Letter))
    assert letter.retailer_id == post.retailer_id
