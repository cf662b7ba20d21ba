"""
Accounts are renewed and looked at when that is due, one account's trouble being nobody
else's.
"""

from typing import Any

import pytest
from sqlmodel import Session
from structlog.testing import capture_logs

from offers.accounts import ChannelAccount
from outletbot.channels import Disowned
from outletbot.db import Database
from outletbot.jobs.keeping import keep_accounts
from tests.factories import DAY, NOON, SECOND, make_account


class Keeping:
    """Keeps what it was asked for, and breaks over *broken*."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.asked: list[tuple[str, str]] = []

    async def refresh(self, account: ChannelAccount) -> None:
        self._ask("refresh", account)

    async def check(self, account: ChannelAccount) -> None:
        self._ask("check", account)

    def _ask(self, what: str, account: ChannelAccount) -> None:
        if account.handle == self.broken:
            raise ZeroDivisionError
        self.asked.append((what, account.handle))


async def keep(database: Database, keeper: Any) -> int:
    return await keep_accounts(database, keeper, lambda: NOON)


@pytest.fixture
def due(session: Session) -> None:
    for handle in ("one", "two"):
        make_account(session, "x", handle=handle, refresh_at=NOON, check_at=NOON + DAY)
    make_account(session, "x", handle="unseen", check_at=NOON)
    later = {"refresh_at": NOON + SECOND, "check_at": NOON + SECOND}
    make_account(session, "x", handle="later", **later)


@pytest.mark.usefixtures("due")
async def test_does_what_is_due(database: Database) -> None:
    keeper = Keeping()

    assert await keep(database, keeper) == 3

    assert sorted(keeper.asked) == [
        ("check", "unseen"),
        ("refresh", "one"),
        ("refresh", "two"),
    ]


@pytest.mark.usefixtures("due")
async def test_goes_on_when_one_breaks(database: Database) -> None:
    keeper = Keeping(broken="one")

    assert await keep(database, keeper) == 3

    assert ("refresh", "two") in keeper.asked


@pytest.mark.usefixtures("due")
async def test_being_disowned_is_an_answer_and_no_fault(database: Database) -> None:
    class Unknown(Keeping):
        async def check(self, account: ChannelAccount) -> Disowned:  # type: ignore[override]
            return Disowned(f"Who is {account.handle}?")

    with capture_logs() as logs:
        await keep(database, Unknown())

    assert logs == []


@pytest.mark.usefixtures("due")
async def test_does_not_do_what_is_being_done(database: Database) -> None:
    await keep(database, Keeping())

    assert await keep(database, Keeping()) == 0
