"""Playing: a rehearsal from the copy to the report. Whatever was begun is ended."""

import asyncio
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import uvloop
from sqlmodel import Session

from offers.deals import Deal
from offers.errors import Missing
from offers.posts import posts_of_deal
from offers.rehearsals import Progress, Stage
from offers.reports import Report
from offers.stages import raise_curtain
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.rehearsing.bank import Bank
from outletbot.rehearsing.copies import copied
from outletbot.rehearsing.counting import Setting, Witnesses, count, read_records
from outletbot.rehearsing.crowd import Crowd
from outletbot.rehearsing.diary import Diary
from outletbot.rehearsing.house import House, Site, open_house
from outletbot.rehearsing.mishaps import Mishaps
from outletbot.rehearsing.shopper import Show
from outletbot.rehearsing.watching import Watch
from outletbot.sandbox import mastodon

LEAD = timedelta(seconds=6)  # from when all is ready to the opening

Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be rehearsed, by how many, and with how many web processes.

    The processes' logs are kept in the folder *logs*, if one is given.
    """

    deal_id: str
    shoppers: int
    faults: bool = False
    web: int = 1
    seed: int = 2009
    logs: Path | None = None


def play(settings: Settings, plan: Plan, tell: Tell) -> Report:
    """Rehearse a deal of this installation. Its own database is read, never written.

    Raises:
        Missing: If there is no such deal.
        WrongState: If it has nothing to sell.
        Broken: If it could not be played to its end.
    """
    _allow_many_connections()
    tell(Progress(stage=Stage.COPYING, shoppers=plan.shoppers))
    with closing(Database.connect(settings.database_url)) as original:
        deal = original.read_here(_get_deal, plan.deal_id)
        with (
            copied(original, deal.retailer_id, now=utc_now()) as url,
            _folder(plan.logs) as folder,
            closing(Database.connect(url)) as copy,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            site = Site(
                settings=settings,
                copy=copy,
                url=url,
                deal=deal,
                folder=folder,
                web=plan.web,
            )
            return runner.run(_play(site, plan, tell))


async def _play(site: Site, plan: Plan, tell: Tell) -> Report:
    async with open_house(site) as house:
        opens_at = utc_now() + LEAD
        await site.copy.transact(raise_curtain, site.deal.id, opens_at=opens_at)
        performance = _Performance(site, plan, house, opens_at, tell)
        await performance.run()
        tell(Progress(stage=Stage.AUDITING, shoppers=plan.shoppers))
        return await performance.count()


class _Performance:
    def __init__(
        self, site: Site, plan: Plan, house: House, opens_at: datetime, tell: Tell
    ) -> None:
        self._site, self._plan, self._house = site, plan, house
        self._opens_at = opens_at
        self._diary = Diary()
        self._bank = Bank(house.stripe)
        self._mishaps = Mishaps(
            plan.seed, house.stripe, house.network[mastodon.FAULTS], house.troupe.worker
        )
        self._watch = Watch(
            database=site.copy,
            retailer_id=site.deal.retailer_id,
            deal_id=site.deal.id,
            clock=utc_now,
            opened=self._opened,
            tell=tell,
            stripe=house.stripe,
        )

    async def run(self) -> None:
        """Let the crowd come, and watch until everything is settled.

        Raises:
            Broken: If one of the processes has ended by itself.
        """
        crowd = await self._crowd()
        try:
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(crowd.come())]
                if self._plan.faults:
                    self._mishaps.prepare()
                    happening = self._mishaps.happen(self._opened)
                    beside.append(group.create_task(happening))
                await self._watch.until_settled(crowd, self._house.troupe)
                for task in beside:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        finally:
            await self._bank.close()

    async def count(self) -> Report:
        """Return what came of it."""
        deal = self._site.deal
        copy = self._site.copy
        setting = Setting(
            shoppers=self._plan.shoppers,
            web=self._plan.web,
            faults=self._plan.faults,
            seed=self._plan.seed,
            database=copy.engine.dialect.name,
        )
        seen = Witnesses(
            diary=self._diary,
            watch=self._watch,
            stripe=self._house.stripe,
            mastodon=self._house.network[mastodon.SANDBOX],
            errors_logged=self._house.troupe.errors,
            mishaps=self._mishaps.happened,
        )
        records = await copy.read(read_records, deal.retailer_id, deal.id)
        return count(setting, records, seen)

    async def _crowd(self) -> Crowd:
        deal = self._site.deal
        posts = await self._site.copy.read(posts_of_deal, deal.retailer_id, deal.id)
        show = Show(
            shop=self._house.shop,
            codes=[post.code for post in posts],
            country=next(iter(self._site.settings.ship_to), "FR"),
            opened=self._opened,
            bank=self._bank.expect,
        )
        addresses = self._house.troupe.addresses
        return Crowd(self._plan.shoppers, self._plan.seed, addresses, show, self._diary)

    def _opened(self) -> float:
        return (utc_now() - self._opens_at).total_seconds()


@contextmanager
def _folder(logs: Path | None) -> Iterator[Path]:
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
        yield logs.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="outletbot-logs-") as name:
        yield Path(name)


def _get_deal(session: Session, deal_id: str) -> Deal:
    deal = session.get(Deal, deal_id)
    if deal is None:
        raise Missing(deal_id, "deal")
    return deal


def _allow_many_connections() -> None:
    """Every shopper may have a connection open; processes begun later may, too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
