"""
The page of feeds that come by themselves: addresses, folders and tokens are added,
looked at, paused and forgotten there.
"""

import json

import pytest
from sqlmodel import Session, select

from offers.imports import ImportState
from offers.sentences import Sentence, dump_sentence
from offers.source_tokens import find_by_token
from offers.sources import FeedSource, Halt, SourceKind
from outletbot.app import build_app
from outletbot.keys import SEAL
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_import,
    make_retailer,
    make_source,
    north,
)
from tests.fakes import FakePayments
from tests.outletbot.desk.conftest import FROM_US, sign_in

PATH = "/feeds/sources"
ADDRESS = {
    "url": "https://shop.example/feed.csv",
    "name": "Shop",
    "every": "60",
    "at": "06:30",
    "currency": "eur",
}


def sources(session: Session) -> list[FeedSource]:
    session.rollback()
    session.expire_all()
    return list(session.exec(select(FeedSource)))


async def look(desk) -> str:
    answer = await desk.get(PATH)
    assert answer.status == 200
    return await answer.text()


@pytest.fixture
async def practice(aiohttp_client, settings, database, ana, tmp_path):
    """An installation for practice, which watches folders."""
    update = {"allow_private_addresses": True, "feed_folder": str(tmp_path)}
    app = build_app(
        settings.model_copy(update=update), database, FakePayments(), clock=lambda: NOON
    )
    browser = await aiohttp_client(app, headers=FROM_US)
    await sign_in(browser, database, ana)
    return browser


class TestAddress:
    async def test_is_added_and_asked_at_once(self, desk, session):
        answer = await desk.post(PATH, data=ADDRESS, allow_redirects=False)

        assert (answer.status, answer.headers["Location"]) == (303, PATH)
        (source,) = sources(session)
        assert (source.url, source.every, source.minute) == (ADDRESS["url"], 60, 390)
        assert source.due_at == NOON
        assert "https://shop.example/feed.csv" in await look(desk)

    @pytest.mark.parametrize(
        ("form", "headers"),
        [
            (
                {"url": "https://ana:p%40ss@shop.example/feed.csv"},
                {"Authorization": "Basic YW5hOnBAc3M="},
            ),
            (
                {"user": "ana", "password": "p@ss"},
                {"Authorization": "Basic YW5hOnBAc3M="},
            ),
            ({"header": "X-Api-Key", "value": "k"}, {"X-Api-Key": "k"}),
            ({}, None),
        ],
    )
    async def test_keeps_its_password_sealed(self, desk, app, session, form, headers):
        await desk.post(PATH, data={**ADDRESS, **form})

        (source,) = sources(session)
        opened = app[SEAL].open(source.sealed_login)
        assert source.url == ADDRESS["url"]
        assert (json.loads(opened) if opened else None) == headers
        assert "p@ss" not in await look(desk)

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("url", "", "Fill this in."),
            ("url", "http://shop.example/feed.csv", "Enter an address such as"),
            ("url", "ftp://shop.example/feed.csv", "Enter an address such as"),
            ("url", "https://", "Enter an address such as"),
            ("url", "https://shop.example:port/", "Enter an address such as"),
            ("url", "https://[x/", "Enter an address such as"),
            ("url", "https://shop.example/a b", "Enter an address such as"),
            ("every", "7", "Choose from the list."),
            ("at", "6", "Enter a time such as"),
            ("currency", "euros", "characters at most"),
            ("currency", "zzz", "no currency that we know"),
            ("header", "Host", "Enter the name of a header"),
            ("header", "X Y", "Enter the name of a header"),
            ("header", "X-Key", "Enter what the header is to say."),
        ],
    )
    async def test_is_told_what_cannot_be(self, desk, session, field, value, told):
        answer = await desk.post(PATH, data={**ADDRESS, field: value})

        html = await answer.text()
        assert answer.status == 422
        assert told in html
        assert "Nothing was changed" in html
        assert sources(session) == []

    async def test_keeps_what_was_typed(self, desk):
        html = await (await desk.post(PATH, data={**ADDRESS, "url": "no"})).text()

        assert 'value="Shop"' in html
        assert 'value="06:30"' in html

    async def test_may_be_inside_where_one_practises(self, practice, session):
        await practice.post(PATH, data={**ADDRESS, "url": "http://127.0.0.1:9/a.csv"})

        assert [source.url for source in sources(session)] == [
            "http://127.0.0.1:9/a.csv"
        ]


class TestCard:
    async def test_leads_to_the_file_that_is_doubted(self, desk, session):
        entry = make_import(session, state=ImportState.CHECKED)
        make_source(
            session,
            halt=Halt.DOUBT,
            halt_reason=dump_sentence(Sentence("It has {rows} rows.", rows=1)),
            import_id=entry.id,
        )

        html = await look(desk)

        assert "Paused: nothing has changed." in html
        assert "It has 1 rows." in html
        assert f'href="/feeds/{entry.id}">Look at the file' in html
        assert "The feed “Shop” is paused" in html  # on top of every page

    async def test_says_since_when_it_fails(self, desk, session):
        make_source(
            session,
            failing_since=NOON - DAY,
            result=dump_sentence(Sentence("The server answered {status}.", status=500)),
            result_at=NOON,
        )

        html = await look(desk)

        assert "The server answered 500." in html
        assert "Failing since" in html
        assert "has brought nothing for a day" in html

    async def test_is_not_another_retailers(self, desk, session):
        south = make_retailer(session, "south")
        make_source(session, retailer_id=south.id, name="Theirs")

        assert "Theirs" not in await look(desk)


class TestChanges:
    async def test_pause_and_resume(self, desk, session):
        source = make_source(session, due_at=NOON + HOUR)

        await desk.post(f"{PATH}/{source.id}/pause")
        assert sources(session)[0].halt is Halt.PAUSED
        await desk.post(f"{PATH}/{source.id}/resume")

        assert sources(session)[0].halt is Halt.NONE
        assert sources(session)[0].due_at == NOON

    async def test_look_now(self, desk, session):
        source = make_source(session, due_at=NOON + HOUR, etag="x")

        await desk.post(f"{PATH}/{source.id}/now")

        (after,) = sources(session)
        assert (after.due_at, after.etag) == (NOON, "")

    async def test_delete(self, desk, session):
        source = make_source(session)

        await desk.post(f"{PATH}/{source.id}/delete")

        assert sources(session) == []


class TestToken:
    async def test_is_shown_once_with_how_to_use_it(self, desk, session):
        answer = await desk.post(
            f"{PATH}/tokens", data={"name": "Till", "currency": "eur"}
        )

        html = await answer.text()
        (source,) = sources(session)
        token = html.partition("<p><code>")[2].partition("</code>")[0]
        assert find_by_token(session, source.retailer_id, token) == source
        assert f"Authorization: Bearer {token}" in html
        assert "http://outlet.example/feeds/north" in html
        assert token not in await look(desk)

    async def test_is_replaced(self, desk, session):
        await desk.post(f"{PATH}/tokens", data={"name": "Till", "currency": "eur"})
        (before,) = sources(session)
        old = before.token_hash

        answer = await desk.post(f"{PATH}/{before.id}/token")

        assert "Copy it now" in await answer.text()
        assert sources(session)[0].token_hash != old

    async def test_needs_a_name(self, desk, session):
        answer = await desk.post(f"{PATH}/tokens", data={"currency": "eur"})

        assert answer.status == 422
        assert sources(session) == []


class TestFolder:
    async def test_is_watched_where_there_is_one(self, practice, session):
        assert "north/" in await look(practice)

        await practice.post(f"{PATH}/folder", data={"currency": "eur"})

        assert [source.kind for source in sources(session)] == [SourceKind.FOLDER]
        assert "Watch it" not in await look(practice)

    async def test_is_not_offered_elsewhere(self, desk, session):
        assert "Watch a folder" not in await look(desk)

        answer = await desk.post(f"{PATH}/folder", data={"currency": "eur"})

        assert answer.status == 404
        assert sources(session) == []


async def test_the_page_of_feeds_leads_here(desk, session):
    north(session)

    assert f'href="{PATH}"' in await (await desk.get("/feeds")).text()
