"""The story of the demo's deals, told through the same steps that real ones take.

Shoppers of the past click, hold, pay in the sandbox and are settled, only on a clock
that stands in the past.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import aiohttp
import structlog
from sqlmodel import Session

from offers.catalog import Offer, find_offer_by_sku
from offers.claim_rows import Granted
from offers.claims import Claim, place_holds
from offers.clicks import Arrived, Visitor, record_clicks
from offers.deals import Deal, Phase, deals, deals_of_offer, find_overstock
from offers.errors import Missing
from offers.ids import new_code
from offers.money import Money
from offers.planning import DealPlan, plan_deal
from offers.posts import Post, PostState, posts_of_deal, schedule_posts
from outletbot.db import Database
from outletbot.demo.channels import usable_accounts
from outletbot.demo.stage import Stage
from outletbot.jobs.opening import open_and_close
from outletbot.jobs.publishing import Publisher
from outletbot.jobs.retiring import retire_due_posts
from outletbot.networks import Opener
from outletbot.paying import Paying
from outletbot.payments import Gateways

log = structlog.get_logger(__name__)

MINUTE = timedelta(minutes=1)
SHOPPER = {
    "do": "pay",
    "email": "sam@example.com",
    "name": "Sam Shopper",
    "card": "4242 4242 4242 4242",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A deal to come: which offer, how many, at what part of the shop's price."""

    sku: str
    units: int
    discount: int
    pitch: str
    runs: timedelta
    limit: int = 1


SOLD_OUT = Scene(
    "FJ-KET-CRE", 3, 20, "Three left, then never again.", timedelta(hours=2)
)
OPEN = Scene(
    "FJ-BPK-FJO",
    24,
    25,
    "The old buckle. It works. It has to go today.",
    timedelta(hours=3),
    limit=2,
)
NEXT = Scene(
    "FJ-BPK-RUS",
    40,
    22,
    "We ordered too many in rust. Your luck.",
    timedelta(hours=4),
    limit=2,
)


class Story:
    def __init__(
        self,
        database: Database,
        gateways: Gateways,
        opener: Opener,
        *,
        public_url: str,
    ) -> None:
        self._database = database
        self._gateways = gateways
        self._opener = opener
        self._public_url = public_url
        self._dice = random.Random(2009)  # noqa: S311  (a story, not a secret)

    async def tell(self, retailer_id: str) -> None:
        """Play what happened before the visitor came."""
        stage = Stage(42 * MINUTE)
        sold_out = await self._open(retailer_id, SOLD_OUT, stage)
        await self._sell(sold_out, 3, timedelta(minutes=7, seconds=12), stage)
        await retire_due_posts(
            self._database, self._opener, stage, public_url=self._public_url
        )
        stage.later(8 * MINUTE)
        running = await self._open(retailer_id, OPEN, stage)
        await self._sell(running, 9, 24 * MINUTE, stage)

    async def go_on(self, retailer_id: str, *, now: datetime) -> None:
        """See to it that one deal is open and one opens in two minutes."""
        planned = await self._database.read(deals, retailer_id)
        phases = [deal.phase(now) for deal in planned]
        if Phase.OPEN not in phases:
            await self._database.transact(plan_scene, retailer_id, OPEN, now, now)
        opens_at = now + 2 * MINUTE
        if Phase.SCHEDULED not in phases:
            await self._database.transact(plan_scene, retailer_id, NEXT, opens_at, now)

    async def _open(self, retailer_id: str, scene: Scene, stage: Stage) -> Deal:
        deal = await self._database.transact(
            plan_scene, retailer_id, scene, stage.now, stage.now
        )
        await open_and_close(self._database, stage)
        publisher = Publisher(
            self._database, self._opener, stage, public_url=self._public_url
        )
        await publisher.publish_due()
        await publisher.finish()
        return deal

    async def _sell(
        self, deal: Deal, orders: int, within: timedelta, stage: Stage
    ) -> None:
        planned = await self._database.read(posts_of_deal, deal.retailer_id, deal.id)
        posts = [post for post in planned if post.state is PostState.PUBLISHED]
        for number in range(orders):
            stage.later(within / orders)
            post = posts[number % len(posts)]
            await self._look_around(post, self._dice.randint(4, 19), stage.now)
            await self._buy(deal, post, stage)

    async def _look_around(self, post: Post, clicks: int, now: datetime) -> None:
        minute = now.replace(second=0, microsecond=0)
        counts = {
            Arrived(post.retailer_id, post.deal_id, post.id, minute, visitor): count
            for visitor, count in ((Visitor.PERSON, clicks), (Visitor.ROBOT, 2))
        }
        await self._database.transact(record_clicks, counts)

    async def _buy(self, deal: Deal, post: Post, stage: Stage) -> None:
        claim = Claim(deal.id, post.id, key=new_code(), shopper=new_code())
        (hold,) = await self._database.claim(place_holds, [claim], now=stage.now)
        if not isinstance(hold, Granted):
            log.warning("demo_claim_refused", reason=str(hold))
            return
        paying = Paying(self._database, self._gateways, stage)
        opened = await paying.open(hold.id)
        await _pay(opened.checkout_url)
        await paying.settle(opened)


async def _pay(checkout_url: str) -> None:
    """Press the button on the sandbox's payment page."""
    async with (
        aiohttp.ClientSession(raise_for_status=True) as http,
        http.post(checkout_url, data=SHOPPER, allow_redirects=False) as response,
    ):
        if response.status != HTTPStatus.SEE_OTHER:
            msg = f"the sandbox did not take the payment at {checkout_url}"
            raise RuntimeError(msg)


def plan_scene(
    session: Session, retailer_id: str, scene: Scene, opens_at: datetime, now: datetime
) -> Deal:
    """Plan a deal and its posts, on the offer of the scene or the next that has stock.

    Raises:
        InvalidFields: If it cannot be.
    """
    offer = _offer(session, retailer_id, scene)
    units = min(scene.units, offer.quantity or 0)
    price = offer.price_amount * (100 - scene.discount) // 100
    plan = DealPlan(
        offer_id=offer.id,
        price=Money(price - price % 10, offer.currency),
        units=units,
        limit_per_shopper=min(scene.limit, units),
        opens_at=opens_at,
        closes_at=opens_at + scene.runs,
        pitch=scene.pitch,
    )
    deal = plan_deal(session, retailer_id, plan, now=now)
    usable = usable_accounts(session, retailer_id, now=now)
    schedule_posts(session, deal, usable, now=now)
    return deal


def _offer(session: Session, retailer_id: str, scene: Scene) -> Offer:
    """A later day's visitor gets another of the sixty products."""
    wanted = find_offer_by_sku(session, retailer_id, scene.sku)
    if wanted is not None and not deals_of_offer(session, retailer_id, wanted.id):
        return wanted
    offer = find_overstock(session, retailer_id, least=10)
    if offer is None:
        raise Missing(scene.sku, "offer")
    return offer
