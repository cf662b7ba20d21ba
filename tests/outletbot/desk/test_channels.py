"""
A merchant connects an account whose token works, sees whether it still does, and never
sees the token again.
"""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from sqlmodel import Session, select

from offers.accounts import Afterwards, ChannelAccount
from outletbot.channels import Rejected
from outletbot.channels.credentials import Credentials
from outletbot.keys import NETWORKS
from outletbot.networks import Networks
from outletbot.sealing import Seal
from tests.factories import NOON, make_account, make_retailer, outlet_account
from tests.fakes import FakeChannel
from tests.outletbot.desk.conftest import Client

TOKEN = "token-of-north"
SERVER = "https://social.example"


class FakeNetwork(Networks):
    """One Mastodon server, which keeps what it was asked with."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self.fake = FakeChannel()
        self.asked: list[tuple[str, str]] = []

    def connect(
        self, kind: str, base_url: str, credentials: Credentials
    ) -> FakeChannel:
        self.asked.append((base_url, credentials.access_token))
        return self.fake


@pytest.fixture(autouse=True)
def network(app: web.Application, seal: Seal) -> FakeNetwork:
    """A network in the place of the real ones, which the application makes itself."""
    network = FakeNetwork(seal)

    async def stand_in(app: web.Application) -> AsyncIterator[None]:
        app[NETWORKS] = network
        yield

    app.cleanup_ctx.append(stand_in)
    return network


async def connect(desk: Client, server: str = SERVER, token: str = TOKEN) -> int:
    form = {"base_url": server, "token": token}
    return (await desk.post("/channels", data=form, allow_redirects=False)).status


def the_account(session: Session) -> ChannelAccount:
    session.rollback()
    session.expire_all()
    mastodon = ChannelAccount.kind == "mastodon"
    return session.exec(select(ChannelAccount).where(mastodon)).one()


class TestConnecting:
    async def test_keeps_an_account_that_was_proved(self, desk, session, seal, network):
        assert await connect(desk) == 303

        account = the_account(session)
        assert network.asked == [(SERVER, TOKEN)]
        assert (account.handle, account.base_url) == ("north@social.example", SERVER)
        assert account.proved_at == NOON
        assert seal.open(account.sealed_token) == TOKEN

    async def test_never_shows_the_token_again(self, desk, session):
        await connect(desk)

        html = await (await desk.get("/channels")).text()

        assert TOKEN not in html
        assert the_account(session).sealed_token not in html
        assert "north@social.example" in html

    async def test_keeps_nothing_that_the_network_refuses(self, desk, session, network):
        network.fake.trouble = Rejected("social.example says: invalid token (401).")

        answer = await desk.post("/channels", data={"base_url": SERVER, "token": TOKEN})

        html = await answer.text()
        assert answer.status == 422
        assert "invalid token (401)" in html
        assert SERVER in html
        assert TOKEN not in html
        assert session.exec(select(ChannelAccount)).all() == []

    async def test_says_so_if_the_network_is_down(self, desk, network):
        network.fake.down = True

        assert await connect(desk) == 422

    @pytest.mark.parametrize(
        "server",
        [
            "social.example",
            " https://Social.Example/ ",
            "https://social.example/@north?x=1",
        ],
    )
    async def test_makes_the_address_whole(self, desk, session, server):
        await connect(desk, server)

        assert the_account(session).base_url == SERVER

    @pytest.mark.parametrize(
        "server",
        [
            "",
            "http://social.example",
            "ftp://social.example",
            "javascript:alert(1)",
            "https://",
            "https://ana:secret@social.example",
            "https://social.example:port",
            "https://so cial.example",
            "https://[::1",
            "https://" + "x" * 600,
        ],
    )
    async def test_refuses_what_is_no_https_address(self, desk, network, server):
        assert await connect(desk, server) == 422

        assert network.asked == []

    @pytest.mark.parametrize("token", ["", "two words", "a\r\nHost: b", "clé"])
    async def test_refuses_what_is_no_token(self, desk, network, token):
        assert await connect(desk, token=token) == 422

        assert network.asked == []

    async def test_again_keeps_the_history(self, desk, session, seal):
        await connect(desk)
        first = the_account(session)
        first.trouble, first.paused = "Token expired.", True
        session.add(first)
        session.commit()

        assert await connect(desk, token="another-token") == 303

        account = the_account(session)
        assert account.id == first.id
        assert seal.open(account.sealed_token) == "another-token"
        assert (account.trouble, account.paused) == ("", False)


class TestTrying:
    async def test_notes_the_proof(self, desk, session, seal, network):
        account = make_account(
            session,
            sealed_token=seal.close(TOKEN),
            base_url=SERVER,
            trouble="Token expired.",
        )

        await desk.post(f"/channels/{account.id}/test")

        session.refresh(account)
        assert network.asked == [(SERVER, TOKEN)]
        assert (account.trouble, account.proved_at) == ("", NOON)

    async def test_notes_the_trouble(self, desk, session, network):
        account = make_account(session)
        network.fake.trouble = Rejected("Token expired.")

        answer = await desk.post(f"/channels/{account.id}/test")

        session.refresh(account)
        assert account.trouble == "Token expired."
        assert account.proved_at < NOON
        html = await answer.text()
        assert "Needs a look" in html
        assert "Token expired." in html

    async def test_says_so_if_the_token_cannot_be_opened(self, desk, session):
        account = make_account(session, sealed_token="sealed elsewhere")

        await desk.post(f"/channels/{account.id}/test")

        session.refresh(account)
        assert "Connect again" in account.trouble


class TestChanging:
    async def test_pauses_and_resumes(self, desk, session):
        path = f"/channels/{make_account(session).id}"

        for verb, paused in (("pause", True), ("resume", False)):
            await desk.post(f"{path}/{verb}")
            assert the_account(session).paused is paused

    async def test_does_not_pause_the_outlet_page(self, desk, session):
        account = outlet_account(session)

        assert (await desk.post(f"/channels/{account.id}/pause")).status == 422

        session.refresh(account)
        assert not account.paused

    async def test_settles_what_becomes_of_old_posts(self, desk, session):
        account = make_account(session)
        path = f"/channels/{account.id}/afterwards"

        await desk.post(path, data={"afterwards": "delete"})
        assert (await desk.post(path, data={"afterwards": "burn"})).status == 422

        session.refresh(account)
        assert account.afterwards is Afterwards.DELETE

    @pytest.mark.parametrize("verb", ["test", "pause", "resume", "afterwards"])
    async def test_is_not_for_another_retailers(self, desk, session, verb):
        south = make_retailer(session)
        account = make_account(session, retailer_id=south.id, handle="@south")

        form = {"afterwards": "delete"}
        answer = await desk.post(f"/channels/{account.id}/{verb}", data=form)

        session.refresh(account)
        assert answer.status == 404
        assert (account.paused, account.afterwards) == (False, Afterwards.EDIT)
        assert "@south" not in await (await desk.get("/channels")).text()


async def test_the_outlet_page_is_there_from_the_beginning(desk, session):
    outlet_account(session)

    html = await (await desk.get("/channels")).text()

    assert "Your outlet page" in html
    assert "http://outlet.example/o/north" in html
