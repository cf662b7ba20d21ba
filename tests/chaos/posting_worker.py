"""A worker that posts and does nothing else, as long as it is let live."""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from offers.accounts import ChannelAccount
from outletbot.channels import Channel, Draft
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.jobs.publishing import Publisher
from outletbot.logs import set_up_logs
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.sealing import Seal
from outletbot.tokens import Keeper
from tests.factories import KEY

BREATH = 0.02


@dataclass(frozen=True, slots=True)
class Job:
    """*blind*: a saboteur, whose channels never find what is out already."""

    database_url: str
    public_url: str
    clock: Clock
    log: Path
    blind: bool = False


def fork(work: Callable[[], None]) -> int:
    """Do *work* in a child. Return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException as error:  # noqa: BLE001  (nothing of it is the parent's)
        print(repr(error), file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)
    os._exit(0)


def speak_to(log: Path) -> None:
    """Let what is said go to a file."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def post(job: Job, *, until_done: bool) -> None:
    """Post what is due, for ever or until there is nothing left that is due."""
    speak_to(job.log)
    set_up_logs("json")
    asyncio.run(_post(job, os.getppid(), until_done=until_done))


async def _post(job: Job, parent: int, *, until_done: bool) -> None:
    database = Database.connect(job.database_url)
    async with guarded_session(allow_private=True) as http:
        make = Blind if job.blind else Networks
        url, clock = job.public_url, job.clock
        networks = make(http, Seal(KEY), public_url=url, clock=clock)
        keeper = Keeper(database, networks, Seal(KEY), clock)
        publisher = Publisher(database, keeper, clock, public_url=url)
        while os.getppid() == parent:
            taken = await publisher.publish_due()
            if until_done:
                await publisher.finish()
            if until_done and not taken:
                break
            await asyncio.sleep(0 if taken else BREATH)
    database.close()


class Blind(Networks):
    """Networks on which nobody ever finds anything, and so posts it once more."""

    def channel(self, account: ChannelAccount) -> Channel:
        channel = super().channel(account)
        vars(channel)["find"] = _find_nothing
        return channel


async def _find_nothing(_draft: Draft) -> None:
    return None
