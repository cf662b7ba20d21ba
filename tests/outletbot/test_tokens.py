"""
A token is renewed before it ends, by one at a time; silence is never taken for a
refusal, and nothing that a network gave is lost or overwritten.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session
from structlog.testing import capture_logs

from offers.accounts import ChannelAccount
from offers.keeping import LEASE, lease_account, lease_checking, renew
from outletbot.channels import (
    Disowned,
    Limited,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.credentials import Credentials
from outletbot.db import Database
from outletbot.networks import Networks
from outletbot.renewing import refresh_when, seal_key
from outletbot.sealing import CannotOpen, Seal
from outletbot.tokens import SEALED_OTHERWISE, Keeper, Wait
from tests.factories import DAY, HOUR, MINUTE, NOON, SECOND, make_account
from tests.fakes import FakeChannel

BOTH_DATABASES = True

OLD = Credentials("old", "refresh-1", "42", NOON, NOON + 90 * DAY)
NEW = Credentials("new", "refresh-2", "", NOON + 2 * HOUR)
QUICK = Wait(times=20, glance=timedelta(milliseconds=10))


@dataclass
class Door:
    """Gives what it was told to give, one after the other, the last for ever.

    A refresh token is good once, unless it was never given out. While *closed* it makes
    everybody wait.
    """

    gives: list[Credentials | Exception] = field(default_factory=lambda: [NEW])
    asked: list[str] = field(default_factory=list)
    closed: asyncio.Event | None = None

    async def refresh(self, credentials: Credentials) -> Credentials:
        self.asked.append(credentials.refresh_token)
        if self.closed is not None:
            await self.closed.wait()
        answer = self.gives.pop(0) if len(self.gives) > 1 else self.gives[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class OneNetwork(Networks):
    """A network in which every channel remembers what it was opened with."""

    def __init__(self, seal: Seal, door: Door | None) -> None:
        self._seal = seal
        self.door = door
        self.fake = FakeChannel(name="x")
        self.opened: list[str] = []

    def connect(
        self, kind: str, base_url: str, credentials: Credentials
    ) -> FakeChannel:
        self.opened.append(credentials.access_token)
        return self.fake

    def refresher(self, kind: str, base_url: str = "") -> Door | None:
        return self.door


class Forgetful(FakeChannel):
    """Disowns us once."""

    async def check(self) -> str:
        self.calls["check"] += 1
        if self.calls["check"] == 1:
            msg = "Who are you?"
            raise Disowned(msg)
        return "north@social.example"


@dataclass
class World:
    database: Database
    session: Session
    seal: Seal
    door: Door
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.networks = OneNetwork(self.seal, self.door)

    def clock(self) -> datetime:
        return self.now

    def keeper(self, wait: Wait = QUICK) -> Keeper:
        return Keeper(self.database, self.networks, self.seal, self.clock, wait=wait)

    def account(self, old: Credentials = OLD, **facts: Any) -> ChannelAccount:
        facts = {
            "sealed_token": self.seal.close(old.dump()),
            "expires_at": old.expires_at,
            "refresh_expires_at": old.refresh_expires_at,
            "refresh_at": NOON,
            "handle": "north@social.example",
            **facts,
        }
        return make_account(self.session, "x", **facts)

    def refreshed(self, account: ChannelAccount) -> ChannelAccount:
        self.session.rollback()
        self.session.refresh(account)
        return account

    def credentials(self, account: ChannelAccount) -> Credentials:
        return Credentials.load(self.seal.open(self.refreshed(account).sealed_token))


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    with capture_logs() as logged:
        yield logged


@pytest.fixture
def world(database: Database, session: Session, seal: Seal) -> World:
    return World(database, session, seal, Door())


class TestChannel:
    async def test_has_a_token_that_is_good_now(self, world: World) -> None:
        account = world.account()

        channel = await world.keeper().channel(account)

        assert channel is world.networks.fake
        assert world.networks.opened == ["new"]
        kept = world.credentials(account)
        assert (kept.access_token, kept.refresh_token) == ("new", "refresh-2")
        assert kept.account_id == "42"
        assert account.expires_at == NOON + 2 * HOUR
        assert account.refresh_at == NOON + 100 * MINUTE
        assert (account.refresh_attempts, account.kept_until) == (0, None)

    async def test_asks_nobody_while_the_token_lasts(self, world: World) -> None:
        lasts = Credentials("old", "refresh-1", expires_at=NOON + MINUTE + SECOND)

        await world.keeper().channel(world.account(lasts))
        await world.keeper().channel(world.account(Credentials("t"), handle="ever"))

        assert world.door.asked == []
        assert world.networks.opened == ["old", "t"]

    async def test_takes_what_somebody_else_renewed_before(self, world: World) -> None:
        account = world.account()
        stale = ChannelAccount(**account.model_dump())
        await world.keeper().channel(account)

        await world.keeper().channel(stale)

        assert world.door.asked == ["refresh-1"]
        assert world.networks.opened == ["new", "new"]

    async def test_leaves_alone_what_only_its_owner_can_renew(
        self, world: World
    ) -> None:
        account = world.account(refresh_at=None)

        await world.keeper().channel(account)

        assert world.door.asked == []
        assert world.networks.opened == ["old"]

    async def test_renews_once_for_all_who_ask(self, world: World) -> None:
        account = world.account()
        world.door.closed = asyncio.Event()
        keeper = world.keeper()
        asking = [asyncio.create_task(keeper.channel(account)) for _ in range(5)]
        await _until(lambda: bool(world.door.asked))

        asking[0].cancel()
        world.door.closed.set()
        results = await asyncio.gather(*asking, return_exceptions=True)

        assert world.door.asked == ["refresh-1"]
        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == [world.networks.fake] * 4

    async def test_renews_once_for_several_processes(self, world: World) -> None:
        account = world.account()
        world.door.closed = asyncio.Event()
        patient = Wait(times=500, glance=timedelta(milliseconds=10))
        asking = [
            asyncio.create_task(world.keeper(patient).channel(account))
            for _ in range(3)
        ]
        await _until(lambda: bool(world.door.asked))
        world.door.closed.set()

        await asyncio.gather(*asking)

        assert world.door.asked == ["refresh-1"]
        assert world.networks.opened == ["new"] * 3

    async def test_does_not_renew_what_was_renewed_while_it_waited(
        self, world: World
    ) -> None:
        account = world.account()
        await world.keeper().channel(account)
        stale = ChannelAccount(**account.model_dump())
        key = seal_key(world.seal, "x", NEW, now=NOON)
        renew(world.session, world.refreshed(account), key, now=NOON)
        world.session.commit()
        world.now = NOON + 2 * HOUR

        late = world.keeper()
        await late._renewed(stale)  # noqa: SLF001  (between its look and its lease)

        assert world.door.asked == ["refresh-1"]
        assert world.refreshed(account).kept_until is None

    async def test_is_waited_for_when_the_process_ends(self, world: World) -> None:
        account = world.account()
        world.door.closed = asyncio.Event()
        keeper = world.keeper()
        asking = asyncio.create_task(keeper.channel(account))
        await _until(lambda: bool(world.door.asked))
        asking.cancel()

        world.door.closed.set()
        await keeper.finish()

        assert world.credentials(account).refresh_token == "refresh-2"

    async def test_a_failure_that_nobody_waits_for_is_no_noise(
        self, world: World
    ) -> None:
        world.door.gives = [TryLater("down")]
        world.door.closed = asyncio.Event()
        account = world.account()
        keeper = world.keeper()
        asking = asyncio.create_task(keeper.channel(account))
        await _until(lambda: bool(world.door.asked))
        asking.cancel()

        world.door.closed.set()
        await keeper.finish()

        assert world.refreshed(account).refresh_attempts == 1

    async def test_does_not_wait_for_ever_for_somebody_else(self, world: World) -> None:
        account = world.account()
        lease_account(world.session, account.id, now=NOON)
        world.session.commit()

        with pytest.raises(TryLater, match="is being renewed"):
            await world.keeper(Wait(2, timedelta())).channel(account)

        assert world.door.asked == []

    async def test_goes_on_where_somebody_died(self, world: World) -> None:
        account = world.account()
        lease_account(world.session, account.id, now=NOON - LEASE)
        world.session.commit()

        await world.keeper().channel(account)

        assert world.networks.opened == ["new"]

    async def test_uses_a_token_to_its_end_if_there_is_no_other(
        self, world: World
    ) -> None:
        world.door.gives = [TryLater("X is down.")]
        lasts = Credentials("old", "refresh-1", expires_at=NOON + SECOND)
        account = world.account(lasts)

        await world.keeper().channel(account)
        world.now = NOON + SECOND
        with pytest.raises(TryLater, match="X is down"):
            await world.keeper().channel(account)

        assert world.networks.opened == ["old"]

    async def test_says_so_if_the_token_cannot_be_opened(self, world: World) -> None:
        account = world.account(sealed_token="sealed elsewhere")

        with pytest.raises(CannotOpen):
            await world.keeper().channel(account)

        assert world.refreshed(account).trouble == str(SEALED_OTHERWISE)


class TestRefresh:
    async def test_never_replaces_a_token_by_nothing(self, world: World) -> None:
        world.door.gives = [Credentials("new", expires_at=NOON + 2 * HOUR)]
        account = world.account()

        await world.keeper().refresh(account)

        kept = world.credentials(account)
        assert (kept.access_token, kept.refresh_token) == ("new", "refresh-1")

    async def test_takes_an_empty_answer_for_none(self, world: World) -> None:
        world.door.gives = [Credentials("")]
        account = world.account()

        await world.keeper().refresh(account)

        assert world.credentials(account) == OLD
        assert account.refresh_at == NOON + MINUTE
        assert account.refresh_attempts == 1

    async def test_asks_again_with_the_old_token_if_the_answer_is_lost(
        self, world: World
    ) -> None:
        world.door.gives = [Unconfirmed("lost"), NEW]
        account = world.account()

        await world.keeper().refresh(account)

        assert world.door.asked == ["refresh-1", "refresh-1"]
        assert world.credentials(account).refresh_token == "refresh-2"

    async def test_tells_of_a_token_that_was_lost_with_its_answer(
        self, world: World, logs: list[Any]
    ) -> None:
        world.door.gives = [Unconfirmed("lost"), Disowned("Connect it again.")]
        account = world.account()

        await world.keeper().refresh(account)

        assert world.refreshed(account).trouble == "Connect it again."
        assert account.refresh_at is None
        (alarm,) = [one for one in logs if one["log_level"] == "error"]
        assert (alarm["event"], alarm["account"]) == ("owner_needed", account.id)

    @pytest.mark.parametrize(
        ("error", "attempts", "wait"),
        [
            (TryLater("down"), 0, MINUTE),
            (TryLater("down"), 3, 8 * MINUTE),
            (TryLater("down"), 40, HOUR),
            (Limited("slowly", after=5 * HOUR), 0, 5 * HOUR),
            (Unconfirmed("lost twice"), 0, MINUTE),
            (Rejected("X does not know this app."), 0, HOUR),
        ],
    )
    async def test_is_put_off(self, world: World, error, attempts, wait) -> None:
        world.door.gives = [error]
        account = world.account(refresh_attempts=attempts)

        await world.keeper().refresh(account)

        assert world.refreshed(account).refresh_at == NOON + wait
        assert account.refresh_attempts == attempts + 1
        assert (account.trouble, account.kept_until) == ("", None)

    async def test_lets_a_refused_token_be_used_to_its_end(self, world: World) -> None:
        world.door.gives = [Disowned("LinkedIn lets nobody renew this.")]
        lasts = Credentials("old", "", expires_at=NOON + 10 * DAY)
        account = world.account(lasts)

        await world.keeper().refresh(account)

        assert world.refreshed(account).trouble == ""
        assert account.refresh_at is None
        assert account.ends_at == NOON + 10 * DAY

    async def test_stops_where_nobody_renews(self, world: World) -> None:
        world.networks.door = None
        account = world.account()

        await world.keeper().refresh(account)

        assert world.refreshed(account).refresh_at is None
        assert account.trouble == ""

    async def test_does_not_overwrite_what_the_merchant_connected_meanwhile(
        self, world: World
    ) -> None:
        account = world.account()
        world.door.closed = asyncio.Event()
        leased = ChannelAccount(**account.model_dump())
        renewing = asyncio.create_task(world.keeper().refresh(leased))
        await _until(lambda: bool(world.door.asked))
        account.sealed_token = world.seal.close("from the merchant")
        world.session.add(account)
        world.session.commit()

        world.door.closed.set()
        await renewing

        assert world.credentials(account).access_token == "from the merchant"

    async def test_says_nothing_of_tokens(self, world: World, logs: list[Any]) -> None:
        await world.keeper().refresh(world.account())
        world.door.gives = [Unconfirmed("lost")]
        await world.keeper().refresh(world.account(handle="other"))

        said = str(logs)
        assert "token_renewed" in said
        for secret in ("'old'", "'new'", "refresh-1", "refresh-2"):
            assert secret not in said


class TestCheck:
    async def test_notes_the_proof(self, world: World) -> None:
        account = world.account(trouble="Revoked.", expires_at=NOON + HOUR)

        assert await world.keeper().check(account) is None

        assert (world.refreshed(account).trouble, account.proved_at) == ("", NOON)

    async def test_renews_first_what_has_ended(self, world: World) -> None:
        account = world.account()

        assert await world.keeper().check(account) is None

        assert world.networks.opened == ["new"]
        assert world.refreshed(account).proved_at == NOON

    async def test_renews_though_it_was_leased_to_be_looked_at(
        self, world: World
    ) -> None:
        world.account(check_at=NOON)
        (leased,) = lease_checking(world.session, now=NOON)
        world.session.commit()

        assert await world.keeper().check(leased) is None

        assert world.networks.opened == ["new"]

    async def test_renews_a_token_that_was_ended_before_its_time(
        self, world: World
    ) -> None:
        world.networks.fake = Forgetful()
        account = world.account(expires_at=NOON + HOUR, refresh_at=NOON + MINUTE)

        assert await world.keeper().check(account) is None

        assert world.networks.opened == ["old", "new"]
        assert world.refreshed(account).trouble == ""

    async def test_does_not_renew_a_token_over_and_over(self, world: World) -> None:
        world.networks.fake.trouble = Disowned("Revoked.")
        account = world.account(expires_at=NOON + HOUR, refresh_at=NOON + MINUTE)

        assert isinstance(await world.keeper().check(account), Disowned)

        assert world.door.asked == ["refresh-1"]
        assert world.refreshed(account).trouble == "Revoked."

    async def test_notes_that_we_are_disowned_and_alarms_once(
        self, world: World, logs: list[Any]
    ) -> None:
        world.networks.fake.trouble = Disowned("Revoked.")
        account = world.account(expires_at=NOON + HOUR, refresh_at=None)

        for _ in range(2):
            assert isinstance(await world.keeper().check(account), Disowned)

        assert world.refreshed(account).trouble == "Revoked."
        assert [one["event"] for one in logs] == ["account_disowned"]

    @pytest.mark.parametrize(
        "error", [TryLater("down"), Rejected("may not"), Limited("slowly")]
    )
    async def test_takes_nothing_else_for_a_refusal(self, world: World, error) -> None:
        world.networks.fake.trouble = error
        account = world.account(expires_at=NOON + HOUR)
        before = account.proved_at

        assert await world.keeper().check(account) is error

        assert (world.refreshed(account).trouble, account.proved_at) == ("", before)
        assert account.check_at == NOON + HOUR

    async def test_says_so_if_the_token_cannot_be_opened(self, world: World) -> None:
        account = world.account(sealed_token="sealed elsewhere", expires_at=None)

        assert isinstance(await world.keeper().check(account), Disowned)

        assert world.refreshed(account).trouble == str(SEALED_OTHERWISE)


class TestRefreshWhen:
    @pytest.mark.parametrize(
        ("kind", "lasts", "before"),
        [
            ("x", 2 * HOUR, 20 * MINUTE),
            ("bluesky", 2 * HOUR, 20 * MINUTE),
            ("linkedin", 60 * DAY, 10 * DAY),
            ("linkedin", 365 * DAY, 10 * DAY),
            ("x", 30 * MINUTE, 10 * MINUTE),
            ("x", 10 * MINUTE, 5 * MINUTE),
            ("x", -HOUR, -HOUR),
        ],
    )
    def test_is_some_time_before_the_end(self, kind, lasts, before) -> None:
        credentials = Credentials("a", "r", expires_at=NOON + lasts)

        assert refresh_when(kind, credentials, now=NOON) == NOON + lasts - before

    def test_is_by_what_renews_a_token_that_does_not_end(self) -> None:
        page = Credentials("a", "r", refresh_expires_at=NOON + 60 * DAY)

        assert refresh_when("facebook", page, now=NOON) == NOON + 50 * DAY

    @pytest.mark.parametrize(
        ("kind", "credentials"),
        [
            ("x", Credentials("a", "r")),
            ("x", Credentials("a", expires_at=NOON + HOUR)),
            ("mastodon", Credentials("a", "r", expires_at=NOON + HOUR)),
            ("myspace", Credentials("a", "r", expires_at=NOON + HOUR)),
        ],
    )
    def test_is_never_where_it_makes_no_sense(self, kind, credentials) -> None:
        assert refresh_when(kind, credentials, now=NOON) is None


def test_a_bare_token_is_kept_as_just_that(seal: Seal) -> None:
    key = seal_key(seal, "mastodon", Credentials("token"), now=NOON)

    assert seal.open(key.sealed_token) == "token"
    assert key.sealed_token not in repr(key)


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110  (what is awaited is another's doing)
            await asyncio.sleep(0.005)
