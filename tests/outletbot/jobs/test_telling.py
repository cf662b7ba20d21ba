"""
What is sold here is told to the retailer's shop once, and its echo is no sale.

Against Shopify and WooCommerce to practise on, whose own messages are checked and acted
on as the service does.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlmodel import Session, col, select
from structlog.testing import capture_logs

from offers.catalog import Offer
from offers.deals import Deal
from offers.echoes import Echo, EchoState
from offers.holds import HoldState
from offers.ids import new_id
from offers.money import Money
from offers.orders import Order, find_order_of_hold
from offers.returns import RefundReason, RefundWish
from offers.shop_troubles import settle_by_hand, tell_again, troubled
from offers.shops import ShopConnection, ShopItem, ShopKind
from offers.stock import StockMovement
from offers.tellings import begin, give_up, lease_due_echoes, put_off, release
from outletbot.db import Database
from outletbot.jobs.telling import Teller
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.shop_hooks import Order as Release
from outletbot.sandbox.shop_hooks import Treatment
from outletbot.sealing import Seal
from outletbot.shops.opening import Shops
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_checkout,
    make_deal,
    make_hold,
    make_offer,
)
from tests.outletbot.shop_worlds import (
    PATIENT,
    PLACE,
    SECRET,
    SKU,
    ShopWorld,
    shop_world,
)
from webhooks.handlers import handle
from webhooks.inbox import receive
from webhooks.refunding import refund_order
from webhooks.settling import settle_checkout
from webhooks.shop_messages import read_message

BOTH_DATABASES = True
KINDS = (ShopKind.SHOPIFY, ShopKind.WOOCOMMERCE)
LEASE_OVER = 3 * MINUTE


@dataclass
class Till:
    """A retailer with ten of one thing, who has a shop elsewhere as well."""

    database: Database
    session: Session
    world: ShopWorld
    shop: ShopConnection
    offer: Offer
    deal: Deal
    seal: Seal = field(repr=False)
    heard: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    @property
    def clock(self) -> Any:
        return self.world.clock

    def teller(self) -> Teller:
        shops = Shops(self.world.http, self.seal, self.clock, PATIENT)
        return Teller(self.database, shops, self.clock)

    def sell(self, units: int = 1, deal: Deal | None = None) -> Order:
        hold = make_hold(
            self.session, deal or self.deal, state=HoldState.OPEN, quantity=units
        )
        settle_checkout(
            self.session, make_checkout(hold), livemode=False, now=self.clock()
        )
        self.session.commit()
        order = find_order_of_hold(self.session, hold.id)
        assert order is not None
        return order

    def give_back(self, order: Order, units: int) -> None:
        wish = RefundWish(
            key=new_id("form", self.clock()),
            money=Money(100, order.currency),
            units=units,
            reason=RefundReason.REQUESTED,
            note="",
            asked_by="",
        )
        refund_order(self.session, order.retailer_id, order.id, wish, now=self.clock())
        self.session.commit()

    async def tell(self) -> int:
        self.session.commit()
        return await self.teller().tell_due()

    async def tell_later(self, by: timedelta = LEASE_OVER) -> int:
        self.clock.advance(by)
        return await self.tell()

    async def listen(self, *, backwards: bool = False) -> None:
        """Hear what the shop has said meanwhile, and act on it."""
        await self.world.hooks.settled()
        heard, self.heard = self.heard, []
        for headers, body in heard[::-1] if backwards else heard:
            self.hear(headers, body)

    def hear(self, headers: Mapping[str, str], body: bytes) -> None:
        now = self.clock()
        arrival = read_message(self.shop, headers, body, secrets=[SECRET], now=now)
        if receive(self.session, arrival):
            handle(self.session, arrival, None, livemode=False, now=now)
        self.session.commit()

    def quantity(self) -> int | None:
        with Session(self.database.engine) as fresh:
            return fresh.get_one(Offer, self.offer.id).quantity

    def echoes(self) -> list[Echo]:
        with Session(self.database.engine) as fresh:
            return list(fresh.exec(select(Echo).order_by(col(Echo.id))))

    def states(self) -> list[EchoState]:
        return [echo.state for echo in self.echoes()]

    def troubles(self) -> list[str]:
        with Session(self.database.engine) as fresh:
            rows = troubled(fresh, self.offer.retailer_id, now=self.clock())
            return [echo.failure for echo in rows]


@pytest.fixture(autouse=True)
def _logged() -> Iterator[None]:
    with capture_logs():
        yield


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[ShopWorld]:
    levels = getattr(request.module, "LEVELS", {PLACE: 10})
    async with shop_world(request.param, levels) as world:
        yield world


@pytest.fixture
async def till(
    database: Database, session: Session, world: ShopWorld, seal: Seal
) -> AsyncIterator[Till]:
    offer = make_offer(session, sku=SKU, quantity=10)
    deal = make_deal(session, offer, allotment=10, closes_at=NOON + 30 * DAY)
    shop = ShopConnection(
        id=new_id("shop", NOON),
        retailer_id=offer.retailer_id,
        kind=world.kind,
        name="Our shop",
        address=world.url,
        sealed_token=seal.close(world.token),
        sealed_secret=seal.close(SECRET),
        tells_back=True,
        created_at=NOON,
    )
    session.add(shop)
    item = ShopItem(
        id=new_id("item", NOON),
        retailer_id=offer.retailer_id,
        shop_id=shop.id,
        item_key=world.item_key,
        sku=SKU,
        learned_at=NOON,
    )
    session.add(item)
    session.commit()
    till = Till(database, session, world, shop, offer, deal, seal)

    async def hear(request: web.Request) -> web.Response:
        till.heard.append((dict(request.headers), await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hear)
    async with TestServer(app, host="127.0.0.1") as server:
        world.hooks.url, world.hooks.secret = str(server.make_url("/")), SECRET
        yield till
        await world.hooks.settled()


class TestToldOnce:
    async def test_a_sale_goes_to_the_shop(self, till: Till) -> None:
        till.sell(2)

        await till.tell()
        await till.tell_later()

        assert (till.world.units(), till.world.told()) == (8, 1)
        assert till.states() == [EchoState.TOLD]
        assert till.quantity() == 8

    async def test_what_comes_back_goes_back(self, till: Till) -> None:
        order = till.sell(2)
        await till.tell()

        till.give_back(order, 1)
        await till.tell_later()

        assert till.world.units() == 9
        assert till.quantity() == 9

    async def test_what_came_back_meanwhile_is_no_news(self, till: Till) -> None:
        till.give_back(till.sell(2), 2)

        await till.tell()

        assert (till.world.units(), till.world.told()) == (10, 0)
        assert till.states() == [EchoState.TOLD] * 2

    async def test_several_sales_are_one_call(self, till: Till) -> None:
        for _ in range(3):
            till.sell()

        await till.tell()
        await till.tell_later()

        assert (till.world.units(), till.world.told()) == (7, 1)
        assert till.states() == [EchoState.TOLD] * 3

    async def test_a_shop_that_is_not_told_back(self, till: Till) -> None:
        till.shop.tells_back = False
        till.session.add(till.shop)

        till.sell()
        await till.tell()

        assert (till.world.units(), till.echoes()) == (10, [])

    async def test_a_paused_shop_is_told_later(self, till: Till) -> None:
        till.shop.paused = True
        till.session.add(till.shop)
        till.sell()
        await till.tell()
        assert till.world.units() == 10

        till.shop.paused = False
        till.session.add(till.shop)
        await till.tell()

        assert till.world.units() == 9

    async def test_settled_twice_is_told_once(self, till: Till) -> None:
        hold = make_hold(till.session, till.deal, state=HoldState.OPEN)
        for _ in range(2):
            settle_checkout(till.session, make_checkout(hold), livemode=False, now=NOON)
        till.session.commit()

        await till.tell()

        assert till.world.units() == 9

    @pytest.mark.parametrize("fault", list(Fault))
    async def test_in_spite_of_what_goes_wrong(self, till: Till, fault: Fault) -> None:
        till.world.faults.next(till.world.change_call, fault)
        till.sell()

        await till.tell()
        till.sell()  # while nobody knows
        for _ in range(3):
            await till.tell_later(20 * MINUTE)

        assert till.states() == [EchoState.TOLD] * 2
        assert till.world.units() == 8
        assert till.quantity() == 8

    @pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.TOO_MANY])
    async def test_in_spite_of_a_look_that_fails(
        self, till: Till, fault: Fault
    ) -> None:
        till.world.faults.next(till.world.find_call, fault)
        till.sell()

        await till.tell()
        await till.tell_later()

        assert till.world.units() == 9

    async def test_several_workers_at_once(self, till: Till) -> None:
        for _ in range(3):
            till.sell()

        await asyncio.gather(*(till.teller().tell_due() for _ in range(3)))
        for _ in range(3):
            await till.tell_later()

        assert (till.world.units(), till.states()) == (7, [EchoState.TOLD] * 3)

    async def test_killed_before_the_call(self, till: Till) -> None:
        till.sell()
        [telling] = await till.database.transact(lease_due_echoes, now=till.clock())
        found = await till.world.client().find(SKU, telling.place_key)
        place = (found.key, found.place_key)
        await till.database.transact(begin, telling, *place, now=till.clock())

        await till.tell_later()

        assert (till.world.units(), till.world.told()) == (9, 1)

    async def test_killed_between_the_call_and_its_note(self, till: Till) -> None:
        till.sell()
        [telling] = await till.database.transact(lease_due_echoes, now=till.clock())
        client = till.world.client()
        found = await client.find(SKU, telling.place_key)
        place = (found.key, found.place_key)
        begun = await till.database.transact(begin, telling, *place, now=till.clock())
        assert begun is not None
        await client.change(found, begun.change, key=begun.key)

        till.sell()
        await till.tell_later()
        await till.tell_later()

        assert till.world.units() == 8
        assert till.states() == [EchoState.TOLD] * 2

    async def test_whose_lease_is_over_tells_nothing(self, till: Till) -> None:
        till.sell()
        [late] = await till.database.transact(lease_due_echoes, now=till.clock())
        await till.tell_later()

        found = await till.world.client().find(SKU, late.place_key)
        place = (found.key, found.place_key)
        begun = await till.database.transact(begin, late, *place, now=till.clock())

        assert begun is None
        assert till.world.units() == 9

    async def test_whose_lease_is_over_undoes_nothing(self, till: Till) -> None:
        """A worker that slept learns that its look failed, after the next one began."""
        till.sell()
        till.sell()
        late, *_ = await till.database.transact(lease_due_echoes, now=till.clock())
        till.clock.advance(LEASE_OVER)
        again, *_ = await till.database.transact(lease_due_echoes, now=till.clock())
        found = await till.world.client().find(SKU, again.place_key)
        place = (found.key, found.place_key)
        begun = await till.database.transact(begin, again, *place, now=till.clock())
        assert begun is not None

        for undo in (put_off, release):
            await till.database.transact(
                undo, late, until=till.clock(), reason="late", now=till.clock()
            )
        await till.database.transact(give_up, late, reason="late", now=till.clock())

        assert [each.lead_id for each in till.echoes()] == [begun.id] * 2
        assert [each.state for each in till.echoes()] == [EchoState.DUE] * 2


class TestEchoes:
    async def test_an_echo_is_no_sale(self, till: Till) -> None:
        till.sell(2)
        await till.tell()

        await till.listen()

        assert till.quantity() == 8
        assert till.world.units() == 8

    async def test_a_sale_of_the_shop_is_one(self, till: Till) -> None:
        till.world.sell(3)

        await till.listen()

        assert till.quantity() == 7

    async def test_a_count_before_the_shop_was_told(self, till: Till) -> None:
        till.sell()
        till.clock.advance(MINUTE)
        till.world.sell()  # its count, 9, still has the one that we sold

        await till.listen()
        assert till.quantity() == 8

        await till.tell()
        await till.listen()
        assert (till.quantity(), till.world.units()) == (8, 8)

    async def test_a_late_count_from_before_it_was_told(self, till: Till) -> None:
        till.sell()
        till.world.hooks.treat_next(Treatment(held=True))
        till.clock.advance(MINUTE)
        till.world.sell()
        till.clock.advance(MINUTE)
        await till.tell()

        await till.world.hooks.release()
        await till.listen(backwards=True)

        assert (till.quantity(), till.world.units()) == (8, 8)

    @pytest.mark.parametrize("order", list(Release))
    async def test_in_any_order_and_twice(self, till: Till, order: Release) -> None:
        till.world.hooks.treat_next(*[Treatment(copies=2, held=True)] * 5)
        for _ in range(2):
            till.sell()
            await till.tell_later(MINUTE)
            till.clock.advance(MINUTE)
            till.world.sell()
        till.sell()
        await till.tell_later(MINUTE)

        await till.world.hooks.release(order)
        await till.listen()

        assert till.world.units() == 5
        assert till.quantity() == 5

    async def test_in_one_second_a_higher_count_is_from_before(
        self, till: Till
    ) -> None:
        till.world.hooks.treat_next(Treatment(held=True))
        till.world.sell()
        till.sell()
        await till.tell()  # the shop's clock shows the same second

        await till.listen()
        await till.world.hooks.release()
        await till.listen()

        assert till.world.units() == 8
        assert till.quantity() == 8

    async def test_the_echo_comes_before_the_answer(self, till: Till) -> None:
        till.world.faults.next(till.world.change_call, Fault.TIMEOUT_AFTER)
        till.sell(2)
        await till.tell()

        await till.listen()
        assert till.quantity() == 6  # nobody knows: rather too few

        await till.tell_later()
        assert (till.quantity(), till.world.units()) == (8, 8)
        assert [echo.taken_off_at for echo in till.echoes()] == [None]

    async def test_the_last_one_is_not_sold_twice(self, till: Till) -> None:
        till.world.sell(9)
        await till.listen()
        till.world.faults.next(till.world.change_call, Fault.TIMEOUT_AFTER)
        till.clock.advance(MINUTE)
        till.sell()
        await till.tell()

        await till.listen()
        await till.tell_later()
        await till.listen()

        assert (till.quantity(), till.world.units()) == (0, 0)

    async def test_a_return_is_no_delivery(self, till: Till) -> None:
        order = till.sell(2)
        await till.tell()
        await till.listen()

        till.clock.advance(MINUTE)
        till.give_back(order, 2)
        await till.tell()
        await till.listen()

        assert (till.quantity(), till.world.units()) == (10, 10)

    async def test_everything_is_told_apart(self, till: Till) -> None:
        """A long day, a count after each step: we believe what there is."""
        believed, there = [], []
        for hour in range(12):
            till.clock.advance(HOUR / 4)
            order = till.sell()
            if hour % 3 == 0:
                till.world.sell()
            if hour % 4 == 1:
                till.give_back(order, 1)
            await till.tell_later(MINUTE)
            await till.listen(backwards=hour % 2 == 0)
            believed.append(till.quantity())
            there.append(till.world.units())
            if till.world.units() < 3:
                break

        assert believed == there

    async def test_what_moved_is_in_the_ledger_once(self, till: Till) -> None:
        till.sell(2)
        await till.tell()
        await till.listen()

        moved = till.session.exec(select(StockMovement.change)).all()

        assert list(moved) == [-2]


class TestTroubles:
    async def test_a_token_that_is_no_good(self, till: Till) -> None:
        till.shop.sealed_token = till.seal.close("ck_wrong:cs_wrong")
        till.session.add(till.shop)
        till.sell()

        await till.tell()
        assert till.troubles() == []
        till.clock.advance(16 * MINUTE)
        [trouble] = till.troubles()
        assert "401" in trouble

        till.shop.sealed_token = till.seal.close(till.world.token)
        till.session.add(till.shop)
        await till.tell_later(HOUR)
        assert (till.world.units(), till.troubles()) == (9, [])

    async def test_a_sku_that_the_shop_does_not_know(self, till: Till) -> None:
        till.world.forget()
        till.sell()

        await till.tell()
        till.clock.advance(16 * MINUTE)

        [trouble] = till.troubles()
        assert SKU in trouble

    async def test_is_given_up_after_a_week(self, till: Till) -> None:
        till.world.forget()
        till.sell()

        await till.tell()
        await till.tell_later(8 * DAY)
        assert till.states() == [EchoState.GIVEN_UP]
        await till.tell_later(DAY)

        assert len(till.troubles()) == 1

    async def test_somebody_tells_it_again(self, till: Till) -> None:
        till.world.forget()
        till.sell()
        await till.tell()
        await till.tell_later(8 * DAY)
        [echo] = till.echoes()

        row = till.world
        _remember(row)
        await till.database.transact(
            tell_again, echo.retailer_id, echo.id, now=till.clock()
        )
        await till.tell()

        assert (till.world.units(), till.troubles()) == (9, [])

    async def test_somebody_did_it_by_hand(self, till: Till) -> None:
        till.shop.sealed_token = ""
        till.session.add(till.shop)
        till.sell()
        await till.tell()
        till.clock.advance(HOUR)
        [echo] = till.echoes()
        till.world.sell()  # by hand

        await till.database.transact(
            settle_by_hand, echo.retailer_id, echo.id, now=till.clock()
        )
        await till.listen()

        assert till.troubles() == []
        assert till.quantity() == 9

    async def test_a_shop_that_is_gone(self, till: Till) -> None:
        till.sell()
        till.session.delete(till.session.get_one(ShopConnection, till.shop.id))
        till.session.commit()

        assert await till.tell() == 0

    async def test_one_offer_keeps_no_other_waiting(self, till: Till) -> None:
        other = make_offer(till.session, sku="NOT-THERE", quantity=3)
        deal = make_deal(till.session, other, allotment=3)
        till.sell(1, deal)
        till.sell()

        await till.tell()

        assert till.world.units() == 9


def _remember(world: ShopWorld) -> None:
    if world.kind is ShopKind.SHOPIFY:
        world.shop.edit(int(world.item_key), sku=SKU)
    else:
        row = world.shop.product(int(world.item_key))
        world.shop.save(row, sku=SKU)
