"""
A merchant sees in words how each channel is, settles what its network can do, and
learns days before a post that somebody has to sign in again.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest
from aiohttp import web
from sqlmodel import Session

from offers.accounts import Afterwards, ChannelAccount, Show
from offers.merchants import Role
from offers.posts import PostState
from outletbot.channels import Ability, Capabilities, Disowned, Fees, Rate, Rejected
from outletbot.channels.credentials import Credentials
from outletbot.keys import NETWORKS
from outletbot.networks import Networks
from outletbot.sealing import Seal
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_merchant,
    make_post,
    make_retailer,
    outlet_account,
)
from tests.fakes import FakeChannel
from tests.outletbot.desk.conftest import sign_in

TOKEN = "token-of-north"
SERVER = "https://social.example"
VERBS = ["test", "pause", "resume", "settings", "disconnect"]


class FakeNetwork(Networks):
    """One network, which keeps what it was asked with."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._apps = {}
        self.fake = FakeChannel()
        self.asked: list[tuple[str, str]] = []

    def connect(
        self, kind: str, base_url: str, credentials: Credentials
    ) -> FakeChannel:
        self.asked.append((base_url, credentials.access_token))
        return self.fake

    def capabilities(self, kind: str) -> Capabilities:
        return self.fake.capabilities


@pytest.fixture(autouse=True)
def network(app: web.Application, seal: Seal) -> FakeNetwork:
    """A network in the place of the real ones, which the application makes itself."""
    network = FakeNetwork(seal)

    async def stand_in(app: web.Application) -> AsyncIterator[None]:
        app[NETWORKS] = network
        yield

    app.cleanup_ctx.append(stand_in)
    return network


@pytest.fixture
def account(session: Session, seal: Seal) -> ChannelAccount:
    return make_account(session, sealed_token=seal.close(TOKEN), base_url=SERVER)


def refreshed(session: Session, account: ChannelAccount) -> ChannelAccount:
    session.rollback()
    session.refresh(account)
    return account


class TestTrying:
    async def test_notes_the_proof(self, desk, session, account, network):
        account.trouble = "Token expired."
        session.add(account)
        session.commit()

        await desk.post(f"/channels/{account.id}/test")

        assert network.asked == [(SERVER, TOKEN)]
        now = refreshed(session, account)
        assert (now.trouble, now.proved_at) == ("", NOON)
        assert now.handle == "north@social.example"

    async def test_notes_that_we_are_disowned(self, desk, session, account, network):
        network.fake.trouble = Disowned("Token expired.")

        answer = await desk.post(f"/channels/{account.id}/test")

        html = await answer.text()
        now = refreshed(session, account)
        assert now.trouble == "Token expired."
        assert now.proved_at < NOON
        assert "Needs a look" in html
        assert "Token expired." in html

    async def test_marks_nothing_broken_for_less(self, desk, session, account, network):
        network.fake.trouble = Rejected("The bot may not post.")

        answer = await desk.post(f"/channels/{account.id}/test")

        html = await answer.text()
        assert answer.status == 200
        assert "The test proved nothing: The bot may not post." in html
        assert "Healthy" in html
        assert refreshed(session, account).trouble == ""

    async def test_says_so_if_the_token_cannot_be_opened(self, desk, session):
        account = make_account(session, sealed_token="sealed elsewhere")

        await desk.post(f"/channels/{account.id}/test")

        assert "Connect again" in refreshed(session, account).trouble


class TestChanging:
    async def test_pauses_and_resumes(self, desk, session, account):
        for verb, paused in (("pause", True), ("resume", False)):
            await desk.post(f"/channels/{account.id}/{verb}")
            assert refreshed(session, account).paused is paused

    @pytest.mark.parametrize("verb", ["pause", "disconnect"])
    async def test_leaves_the_outlet_page(self, desk, session, verb):
        account = outlet_account(session)

        assert (await desk.post(f"/channels/{account.id}/{verb}")).status == 422

        now = refreshed(session, account)
        assert (now.paused, now.disconnected_at) == (False, None)

    async def test_disconnects_and_keeps_what_was_posted(self, desk, session, account):
        post = make_post(session, make_deal(session), account)

        html = await (await desk.post(f"/channels/{account.id}/disconnect")).text()

        now = refreshed(session, account)
        assert (now.sealed_token, now.disconnected_at) == ("", NOON)
        assert "Connect again" in html
        assert f"/channels/{account.id}/settings" not in html
        session.refresh(post)
        assert post.account_id == account.id

    async def test_asks_before_it_disconnects(self, desk, account):
        html = await (await desk.get("/channels")).text()

        form = html.partition(f'action="/channels/{account.id}/disconnect"')[2]
        assert 'data-confirm="Disconnect this channel?' in form[:60]

    async def test_is_for_every_merchant(self, browser, database, session, account):
        ben = make_merchant(session, "ben@north.example", role=Role.MERCHANT)
        await sign_in(browser, database, ben)

        await browser.post(f"/channels/{account.id}/pause")

        assert refreshed(session, account).paused

    @pytest.mark.parametrize("verb", VERBS)
    async def test_is_not_for_another_retailers(self, desk, session, verb):
        south = make_retailer(session)
        account = make_account(session, retailer_id=south.id, handle="@south")

        form = {"afterwards": "delete", "show": "card"}
        answer = await desk.post(f"/channels/{account.id}/{verb}", data=form)

        now = refreshed(session, account)
        assert answer.status == 404
        assert (now.paused, now.afterwards) == (False, Afterwards.EDIT)
        assert now.disconnected_at is None
        assert "@south" not in await (await desk.get("/channels")).text()


class TestSettings:
    async def settle(self, desk, account, **form: str | list[str]):
        form = {"afterwards": "delete", "show": "card", **form}
        return await desk.post(f"/channels/{account.id}/settings", data=form)

    async def test_are_kept_and_shown(self, desk, session, account):
        answer = await self.settle(desk, account, follow_ups=["ending", "half_gone"])

        html = await answer.text()
        now = refreshed(session, account)
        assert (now.afterwards, now.show) == (Afterwards.DELETE, Show.CARD)
        assert now.follows_up == {"ending", "half_gone"}
        assert 'value="ending" checked' in html
        assert 'value="last_units" checked' not in html
        assert '<option value="card" selected>' in html

    async def test_of_the_outlet_page_are_fewer(self, desk, session):
        wall = outlet_account(session)

        form = {"afterwards": "leave"}
        await desk.post(f"/channels/{wall.id}/settings", data=form)

        now = refreshed(session, wall)
        assert (now.afterwards, now.show) == (Afterwards.LEAVE, Show.PICTURE)

    @pytest.mark.parametrize(
        "form",
        [{"afterwards": "burn"}, {"afterwards": ""}, {"show": "dance"}],
    )
    async def test_are_from_the_list(self, desk, session, account, form):
        assert (await self.settle(desk, account, **form)).status == 422

        assert refreshed(session, account).afterwards is Afterwards.EDIT

    async def test_are_what_the_network_can_do(self, desk, session, account, network):
        able = frozenset({Ability.ANSWER})
        network.fake.capabilities = replace(network.fake.capabilities, abilities=able)

        answer = await self.settle(desk, account)

        html = await answer.text()
        assert answer.status == 422
        assert '<option value="delete"' not in html
        assert '<option value="answer"' in html
        assert html.count("not possible there") == 2

    async def test_show_the_picture_where_the_network_wants_one(
        self, desk, session, account, network
    ):
        can = network.fake.capabilities
        images = replace(can.images, least=1)
        network.fake.capabilities = replace(can, images=images, links_work=False)
        account.show = Show.CARD
        session.add(account)
        session.commit()

        html = await (await self.settle(desk, account, show="nothing")).text()

        assert refreshed(session, account).show is Show.PICTURE
        assert 'name="show"' not in html
        assert "a post needs one" in html
        assert "cannot be tapped" in html

    async def test_show_no_picture_where_there_is_none(self, desk, account, network):
        can = network.fake.capabilities
        images = replace(can.images, most=0)
        network.fake.capabilities = replace(can, images=images)

        answer = await self.settle(desk, account, show="picture")

        assert answer.status == 422


class TestBudget:
    @pytest.fixture(autouse=True)
    def _charge(self, network) -> None:
        fees = Fees(
            post=Decimal("0.015"),
            post_with_link=Decimal("0.20"),
            delete=Decimal("0.01"),
            read=Decimal("0.001"),
        )
        network.fake.capabilities = replace(
            network.fake.capabilities, fees=fees, deletes=(Rate(50, 15 * MINUTE),)
        )

    async def settle(self, desk, account, budget):
        form = {"afterwards": "edit", "show": "picture", "budget": budget}
        return await desk.post(f"/channels/{account.id}/settings", data=form)

    @pytest.mark.parametrize(
        ("budget", "cents"), [("25", 2_500), ("0.5", 50), ("0", 0), ("", None)]
    )
    async def test_is_kept(self, desk, session, account, budget, cents):
        await self.settle(desk, account, budget)

        assert refreshed(session, account).budget_cents == cents

    @pytest.mark.parametrize("budget", ["much", "-5", "0.001", "999999"])
    async def test_is_an_amount(self, desk, session, account, budget):
        answer = await self.settle(desk, account, budget)

        assert answer.status == 422
        assert 'class="error"' in await answer.text()
        assert refreshed(session, account).budget_cents is None

    async def test_is_shown_with_what_was_spent(self, desk, session, account):
        account.budget_cents = 2_500
        session.add(account)
        make_post(
            session,
            make_deal(session),
            account,
            cost_micros=4_200_000,
            begun_at=NOON - DAY,
        )

        html = await (await desk.get("/channels")).text()

        assert "US$4.20" in html
        assert "of 25 US dollars" in html
        assert "0.2 US dollars for a post with a link, 0.015 without" in html
        assert "50 in 15 min" in html

    async def test_is_not_asked_for_where_posts_are_free(
        self, desk, session, account, network
    ):
        network.fake.capabilities = FakeChannel().capabilities

        await self.settle(desk, account, "5")

        assert refreshed(session, account).budget_cents is None
        assert 'name="budget"' not in await (await desk.get("/channels")).text()


class TestLooking:
    async def test_names_every_network_there_is(self, desk):
        html = await (await desk.get("/channels")).text()

        for kind in ("mastodon", "bluesky", "telegram", "discord", "x", "facebook"):
            assert f'href="/channels/connect/{kind}"' in html

    async def test_the_outlet_page_is_there_from_the_beginning(self, desk, session):
        outlet_account(session)

        html = await (await desk.get("/channels")).text()

        assert "Your outlet page" in html
        assert "http://outlet.example/o/north" in html

    async def test_says_what_the_network_allows(self, desk, account, network):
        html = await (await desk.get("/channels")).text()

        assert "What Mastodon allows" in html
        assert "500 characters" in html
        assert "up to 4, of 5 MB each" in html

    async def test_knows_channels_of_networks_that_are_no_more(self, desk, session):
        make_account(session, "orkut", handle="@north")

        html = await (await desk.get("/channels")).text()

        assert "Orkut @north" in html
        assert "What Orkut allows" not in html

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({}, "until it is revoked"),
            ({"expires_at": NOON + 30 * DAY}, "Wed 1 Apr, 13:00"),
            (
                {"expires_at": NOON + HOUR, "refresh_at": NOON + MINUTE},
                "renewed by itself for as long",
            ),
            (
                {
                    "expires_at": NOON + HOUR,
                    "refresh_expires_at": NOON + 90 * DAY,
                    "refresh_at": NOON + MINUTE,
                    "refresh_attempts": 3,
                },
                "tried 3 times so far",
            ),
        ],
    )
    async def test_says_how_long_the_token_is_good(self, desk, session, facts, words):
        make_account(session, **facts)

        assert words in await (await desk.get("/channels")).text()

    @pytest.mark.parametrize(
        ("facts", "sign", "word"),
        [
            ({}, "✓", "Healthy"),
            ({"expires_at": NOON + DAY}, "!", "Sign in again soon"),
            ({"trouble": "Revoked."}, "✕", "Needs a look"),
            ({"paused": True}, "‖", "Paused"),
            ({"paused": True, "disconnected_at": NOON}, "○", "Disconnected"),
        ],
    )
    async def test_says_how_it_is_in_words_and_by_a_sign(
        self, desk, session, facts, sign, word
    ):
        make_account(session, **facts)

        html = await (await desk.get("/channels")).text()

        assert f'<span aria-hidden="true">{sign}</span> {word}' in html


class TestReminding:
    def plan(self, session, account, due_at):
        deal = make_deal(session, opens_at=due_at, opened_at=None)
        make_post(session, deal, account, state=PostState.SCHEDULED)

    async def test_is_dated_by_the_post_that_would_not_go_out(self, desk, session):
        account = make_account(session, "linkedin", expires_at=NOON + 20 * DAY)
        self.plan(session, account, NOON + 21 * DAY)

        html = await (await desk.get("/channels")).text()

        assert (
            "LinkedIn needs you to sign in again by Sun 22 Mar, 12:00, before the post"
            " of Mon 23 Mar, 12:00." in html
        )

    async def test_is_dated_by_the_end_if_nothing_is_planned(self, desk, session):
        make_account(session, "linkedin", expires_at=NOON + 2 * DAY)

        html = await (await desk.get("/channels")).text()

        assert "LinkedIn needs you to sign in again by Wed 4 Mar, 12:00." in html

    async def test_is_for_now_if_it_does_not_work(self, desk, session):
        account = make_account(session, "x", trouble="Revoked.")

        html = await (await desk.get("/channels")).text()
        assert "X needs you to sign in again now." in html

        self.plan(session, account, NOON + DAY)
        html = await (await desk.get("/channels")).text()
        assert "X needs you to sign in again now, before the post of Tue 3 Mar" in html


async def test_reads_in_french_as_well(desk, session):
    make_account(session, "linkedin", expires_at=NOON + 2 * DAY)

    html = await (await desk.get("/channels?lang=fr")).text()

    assert "À reconnecter bientôt" in html
    assert "LinkedIn vous demande de vous reconnecter avant mer." in html
    for left in ("Healthy", "Sign in again", "Token good", "Disconnect this"):
        assert left not in html


async def test_never_shows_a_token(desk, account):
    html = await (await desk.get("/channels")).text()

    assert TOKEN not in html
    assert account.sealed_token not in html
