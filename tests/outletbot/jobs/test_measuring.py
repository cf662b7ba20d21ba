"""
What readers made of a post is read back, at growing intervals, and never dearer than
the merchant allows.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from offers.accounts import ChannelAccount
from offers.posts import Post
from outletbot.channels import Ability, Capabilities, Fees, Numbers, Rejected
from outletbot.channels.credentials import Credentials
from outletbot.db import Database
from outletbot.jobs.measuring import AT_ONCE, cost_of_reading, measure_posts
from outletbot.networks import Networks
from outletbot.sealing import Seal
from outletbot.tokens import Keeper
from tests.factories import DAY, HOUR, MINUTE, NOON, make_account, make_deal, make_post
from tests.fakes import FakeChannel

FEES = Fees(post=Decimal("0.01"), post_with_link=Decimal("0.2"), read=Decimal("0.001"))


class OneNetwork(Networks):
    """Every account is on the same network."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self.fake = FakeChannel()

    def connect(
        self, kind: str, base_url: str, credentials: Credentials
    ) -> FakeChannel:
        return self.fake

    def capabilities(self, kind: str) -> Capabilities:
        return self.fake.capabilities


@dataclass
class World:
    database: Database
    session: Session
    seal: Seal
    moments: list[Any] = field(default_factory=lambda: [NOON])

    def __post_init__(self) -> None:
        self.networks = OneNetwork(self.seal)
        self.account = make_account(
            self.session, sealed_token=self.seal.close("token"), budget_cents=None
        )

    def clock(self) -> Any:
        return self.moments[-1]

    def post(
        self, number: str, age: Any, account: ChannelAccount | None = None
    ) -> Post:
        post = make_post(
            self.session,
            make_deal(self.session),
            account or self.account,
            published_at=NOON - age,
            remote_id=number,
        )
        self.networks.fake.texts[number] = "posted"
        return post

    def charge(self) -> None:
        fake = self.networks.fake
        fake.capabilities = replace(fake.capabilities, fees=FEES)

    async def measure(self) -> int:
        self.session.rollback()
        keeper = Keeper(self.database, self.networks, self.seal, self.clock)
        return await measure_posts(self.database, self.networks, keeper, self.clock)

    def now(self, post: Post) -> Post:
        self.session.rollback()
        self.session.refresh(post)
        return post


@pytest.fixture
def world(database: Database, session: Session, seal: Seal) -> World:
    return World(database, session, seal)


async def test_keeps_what_the_network_tells(world: World) -> None:
    post = world.post("1", HOUR)
    world.networks.fake.numbers["1"] = Numbers(likes=7, reposts=2, views=300)

    assert await world.measure() == 1

    kept = world.now(post)
    assert (kept.likes, kept.reposts, kept.replies, kept.views) == (7, 2, None, 300)
    assert (kept.measured_at, kept.cost_micros) == (NOON, 0)


async def test_asks_again_when_the_post_is_older(world: World) -> None:
    world.post("1", 5 * MINUTE)

    asked = []
    for later in (0, 1, 24, 25, 26, 115, 116):
        world.moments.append(NOON + later * MINUTE)
        asked.append(await world.measure())

    assert asked == [1, 0, 0, 1, 0, 1, 0]


async def test_does_not_ask_for_ever_about_one_that_is_gone(world: World) -> None:
    post = world.post("1", HOUR)
    world.networks.fake.texts.clear()

    await world.measure()
    assert await world.measure() == 0

    assert world.now(post).likes is None


async def test_asks_for_many_in_chunks(world: World) -> None:
    for number in range(AT_ONCE + 1):
        world.post(str(number), HOUR)

    assert await world.measure() == AT_ONCE + 1

    assert world.networks.fake.calls["measure"] == 2


async def test_one_networks_trouble_is_nobody_elses(
    world: World, session: Session
) -> None:
    sealed = make_account(session, handle="other", sealed_token="sealed elsewhere")
    world.post("1", HOUR, sealed)
    post = world.post("2", HOUR)

    assert await world.measure() == 1

    assert world.now(post).measured_at == NOON


@pytest.mark.parametrize("trouble", [Rejected("Forbidden."), KeyError("a bug")])
async def test_what_fails_is_asked_for_again(world: World, trouble: Exception) -> None:
    post = world.post("1", HOUR)
    world.networks.fake.trouble = trouble
    assert await world.measure() == 0

    world.networks.fake.trouble = None
    world.moments.append(NOON + MINUTE)

    assert await world.measure() == 1
    assert world.now(post).measured_at == NOON + MINUTE


async def test_asks_nobody_who_cannot_tell(world: World) -> None:
    fake = world.networks.fake
    world.post("1", HOUR)
    able = fake.capabilities.abilities - {Ability.MEASURE}
    fake.capabilities = replace(fake.capabilities, abilities=able)

    assert await world.measure() == 0

    assert fake.calls["measure"] == 0


class TestWhereReadingCosts:
    async def test_asks_once_a_day_and_counts_it(self, world: World) -> None:
        world.charge()
        young, old = world.post("1", 2 * HOUR), world.post("2", DAY)

        assert await world.measure() == 1

        assert world.now(young).measured_at is None
        assert world.now(old).cost_micros == 1_000

    async def test_stops_at_the_budget(self, world: World) -> None:
        world.charge()
        world.account.budget_cents = 1
        spent = world.post("1", 2 * HOUR)
        spent.cost_micros, spent.begun_at = 8_500, NOON - 2 * HOUR
        world.session.add_all([spent, world.account])
        world.session.commit()
        for number in ("2", "3"):
            world.post(number, DAY)

        assert await world.measure() == 1


def test_what_reading_costs() -> None:
    free = FakeChannel().capabilities

    assert cost_of_reading(free) == 0
    assert cost_of_reading(replace(free, fees=FEES)) == 1_000
