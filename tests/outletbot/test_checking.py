"""
``outletbot check`` says in plain words what is right and what is wrong with an
installation, and changes nothing.
"""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from sqlmodel import Session

from outletbot.app import build_app
from outletbot.checking import Finding, Verdict, check
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.outside import guarded_session
from outletbot.sealing import Seal
from tests.factories import NOON, make_account, north
from tests.fakes import FakePayments
from tests.outletbot.cli.conftest import outletbot
from tests.outletbot.mastodon_server import TOKEN, Server, mastodon_server
from tests.outletbot.till import Till, open_till


@pytest.fixture
async def till(
    database: Database, session: Session, settings: Settings
) -> AsyncIterator[Till]:
    async with open_till(database, session, settings) as till:
        yield till


@pytest.fixture
async def mastodon() -> AsyncIterator[Server]:
    async with mastodon_server() as server:
        yield server


@pytest.fixture
async def right(
    till: Till, settings: Settings, database: Database, session: Session
) -> AsyncIterator[Settings]:
    """An installation of which everything is right, but that it has no https."""
    app = build_app(settings, database, FakePayments(), clock=lambda: NOON)
    north(session)
    session.rollback()
    async with TestServer(app, host="127.0.0.1") as server:
        yield settings.model_copy(
            update={
                "database_url": str(database.engine.url),
                "stripe_api_base": till.stripe_url,
                "public_url": str(server.make_url("")).rstrip("/"),
                "allow_private_addresses": True,
            }
        )


async def find(settings: Settings, **changes: object) -> dict[str, Finding]:
    changed = settings.model_copy(update=changes)
    return {finding.what: finding async for finding in check(changed)}


async def test_finds_nothing_wrong_where_nothing_is(right: Settings) -> None:
    found = await find(right)

    assert {what: str(one.verdict) for what, one in found.items()} == {
        "settings": "fine",
        "database": "fine",
        "Stripe": "fine",
        "public address": "look",
    }
    assert found["database"].words == "sqlite, at the newest schema"
    assert found["Stripe"].words == "account acct_sandbox, test mode: no real money"
    assert "need https" in found["public address"].words


@pytest.mark.parametrize("name", ["stripe_api_key", "stripe_webhook_secret"])
async def test_finds_what_is_missing(right: Settings, name: str) -> None:
    found = await find(right, **{name: SecretStr("")})

    assert found["settings"].verdict is Verdict.WRONG
    assert name.upper() in found["settings"].words


@pytest.mark.parametrize("key", ["", "swordfish", ","])
async def test_finds_a_key_that_is_none(right: Settings, key: str) -> None:
    found = await find(right, secret_key=SecretStr(key))

    assert found["settings"].verdict is Verdict.WRONG
    assert "new-key" in found["settings"].words
    assert found["database"].verdict is Verdict.FINE
    assert found["Stripe"].verdict is Verdict.FINE


async def test_finds_a_database_that_is_not_migrated(right, tmp_path) -> None:
    found = await find(right, database_url=f"sqlite:///{tmp_path}/new.db")

    assert found["database"].verdict is Verdict.WRONG
    assert "outletbot migrate" in found["database"].words


async def test_finds_a_database_that_does_not_answer(right: Settings) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"

    found = await find(right, database_url=url)

    assert found["database"].verdict is Verdict.WRONG
    assert "does not answer" in found["database"].words


async def test_finds_that_nobody_sells(right, session) -> None:
    session.delete(north(session))
    session.commit()

    found = await find(right)

    assert found["retailers"].verdict is Verdict.LOOK
    assert "outletbot add-retailer" in found["retailers"].words


async def test_finds_a_stripe_key_that_does_not_work(right: Settings) -> None:
    found = await find(right, stripe_api_key=SecretStr("sk_test_another"))

    assert found["Stripe"].verdict is Verdict.WRONG
    assert "the key does not work: Invalid API Key" in found["Stripe"].words
    assert "\n" not in found["Stripe"].words


async def test_finds_a_key_with_a_line_break_in_it(right: Settings) -> None:
    found = await find(right, stripe_api_key=SecretStr("sk_test_51north\n"))

    assert found["Stripe"].verdict is Verdict.WRONG


async def test_finds_that_stripe_cannot_be_reached(right: Settings) -> None:
    found = await find(right, stripe_api_base="http://127.0.0.1:1")

    assert found["Stripe"].verdict is Verdict.WRONG


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://127.0.0.1:99999", "http://nowhere.invalid"]
)
async def test_finds_an_address_where_nobody_answers(right: Settings, url) -> None:
    found = await find(right, public_url=url)

    assert found["public address"].verdict is Verdict.LOOK
    assert f"{url} does not answer" in found["public address"].words


class TestChannel:
    async def test_that_works_is_named(
        self, right, session, seal: Seal, mastodon: Server
    ) -> None:
        make_account(session, base_url=mastodon.url, sealed_token=seal.close(TOKEN))
        session.rollback()

        found = await find(right)

        channel = found["mastodon of north"]
        assert (channel.verdict, channel.words) == (
            Verdict.FINE,
            "signed in as @outlet",
        )

    @pytest.mark.parametrize(
        ("token", "words"),
        [("wrong", "access token"), (None, "another SECRET_KEY")],
    )
    async def test_that_does_not_is_to_be_reconnected(
        self, right, session, seal: Seal, mastodon: Server, token, words
    ) -> None:
        sealed = "sealed elsewhere" if token is None else seal.close(token)
        make_account(session, base_url=mastodon.url, sealed_token=sealed)
        session.rollback()

        found = await find(right)

        channel = found["mastodon of north"]
        assert channel.verdict is Verdict.WRONG
        assert words in channel.words
        assert "Reconnect" in channel.words
        assert ".." not in channel.words

    async def test_in_our_own_network_is_not_asked(
        self, right, session, seal: Seal, mastodon: Server
    ) -> None:
        make_account(session, base_url=mastodon.url, sealed_token=seal.close(TOKEN))
        session.rollback()

        found = await find(right, allow_private_addresses=False)

        assert found["mastodon of north"].verdict is Verdict.WRONG
        async with guarded_session(allow_private=True) as http:
            await (await http.get(mastodon.url + "/@outlet")).read()


class TestCommand:
    def test_fails_if_something_is_wrong(self, tmp_path) -> None:
        done = outletbot("check", env={}, folder=tmp_path)

        lines = done.stdout.splitlines()
        assert done.returncode == 1
        assert (
            "✗ settings: SECRET_KEY is not set: make one with: outletbot new-key"
            in (lines)
        )
        assert [line[0] for line in lines] == ["✗"] * 5 + ["!"]
        assert "Traceback" not in done.stderr
