"""
A retailer's shop tells us its stock: only with the retailer's secret, only once, never
older than what we know, and never below what shoppers hold.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.losing import lost_holds
from offers.prices import price_log
from offers.retailers import Retailer, renew_stock_secret
from outletbot.db import Database
from outletbot.jobs.handling import handle_arrivals
from outletbot.sealing import Seal
from tests.factories import (
    MINUTE,
    NOON,
    SECOND,
    make_deal,
    make_hold,
    make_offer,
    make_retailer,
    north,
)
from tests.fakes import FakePayments
from webhooks.inbox import Arrival
from webhooks.signing import new_secret, sign

SECRET = new_secret()
ITEM = {"sku": "PARKA-M", "quantity": 3}

Tell = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture(autouse=True)
def retailer(session: Session, seal: Seal) -> Retailer:
    retailer = north(session)
    retailer.sealed_stock_secret = seal.close(SECRET)
    session.add(retailer)
    session.commit()
    return retailer


@pytest.fixture
def tell(service) -> Tell:
    """The shop's machine sends a message. Return the status and words of the answer."""

    async def send(
        *items: Any,
        at: datetime = NOON,
        to: str = "north",
        message_id: str = "msg_1",
        body: bytes | None = None,
        **headers: str,
    ) -> tuple[int, str]:
        message = {
            "type": "stock.updated",
            "timestamp": at.isoformat(),
            "data": {"items": list(items)},
        }
        content = json.dumps(message).encode() if body is None else body
        signed = sign(
            message_id, content.decode(errors="replace"), secret=SECRET, now=NOON
        )
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        async with service.post(
            f"/webhooks/stock/{to}", data=content, headers={**signed, **changed}
        ) as answer:
            return answer.status, await answer.text()

    return send


async def work(database: Database, session: Session) -> None:
    session.rollback()
    await handle_arrivals(database, FakePayments(), lambda: NOON)


def kept(session: Session) -> list[Arrival]:
    session.rollback()
    found = list(session.exec(select(Arrival)))
    session.rollback()
    return found


def quantity(session: Session, offer: Offer) -> int | None:
    session.rollback()
    return session.get_one(Offer, offer.id, populate_existing=True).quantity


def now(session: Session, deal: Deal) -> Deal:
    session.rollback()
    return session.get_one(Deal, deal.id, populate_existing=True)


class TestSender:
    async def test_is_believed_with_the_retailers_secret(
        self, tell, session, database, retailer
    ) -> None:
        offer = make_offer(session, sku="PARKA-M", quantity=10)

        status, _ = await tell(ITEM)
        await work(database, session)

        assert status == 204
        (arrival,) = kept(session)
        assert (arrival.retailer_id, arrival.message_id) == (retailer.id, "msg_1")
        assert quantity(session, offer) == 3

    @pytest.mark.parametrize(
        "headers",
        [
            {"webhook_signature": ""},
            {"webhook_signature": "v1,AAAA"},
            {"webhook_signature": "v1,\udcff\udcfe"},
            {"webhook_id": ""},
            {"webhook_id": "msg_2"},
            {"webhook_id": "\udcff"},
            {"webhook_timestamp": ""},
            {"webhook_timestamp": "noon"},
            {"webhook_timestamp": str(int(NOON.timestamp()) + 1)},
            {"webhook_timestamp": str(int(NOON.timestamp()) - 301)},
        ],
    )
    async def test_is_not_believed_without_a_signature_that_fits(
        self, tell, session, headers
    ) -> None:
        status, _ = await tell(ITEM, **headers)

        assert status == 401
        assert kept(session) == []

    async def test_is_not_believed_with_another_secret(self, tell, session) -> None:
        body = json.dumps({"type": "stock.updated", "data": {"items": []}})

        status, _ = await tell(
            body=body.encode(),
            **{
                name.replace("-", "_"): value
                for name, value in sign(
                    "msg_1", body, secret=new_secret(), now=NOON
                ).items()
            },
        )

        assert status == 401
        assert kept(session) == []

    @pytest.mark.parametrize("minutes", [-6, 6])
    async def test_is_not_believed_with_a_message_of_another_time(
        self, tell, session, minutes
    ) -> None:
        body = json.dumps({"type": "stock.updated", "data": {"items": []}})
        then = NOON + minutes * MINUTE
        signed = sign("msg_1", body, secret=SECRET, now=then)

        status, _ = await tell(
            body=body.encode(),
            **{name.replace("-", "_"): value for name, value in signed.items()},
        )

        assert status == 401
        assert kept(session) == []

    async def test_cannot_speak_for_another_retailer(self, tell, session, seal) -> None:
        make_retailer(session, "south", sealed_stock_secret=seal.close(new_secret()))

        status, _ = await tell(ITEM, to="south")

        assert status == 401

    async def test_cannot_speak_for_a_retailer_without_a_secret(
        self, service, tell, session
    ) -> None:
        """Not even signed with the empty secret that this retailer has."""
        make_retailer(session, "south")
        unsigned = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(NOON.timestamp())),
            "webhook-signature": "v1,",
        }

        status, _ = await tell(ITEM, to="south")
        async with service.post(
            "/webhooks/stock/south", data=b"{}", headers=unsigned
        ) as answer:
            assert answer.status == 401

        assert status == 401
        assert kept(session) == []

    async def test_is_told_that_there_is_no_such_retailer(self, tell) -> None:
        status, words = await tell(ITEM, to="nowhere")

        assert status == 404
        assert json.loads(words)["error"] == "not_found"

    async def test_may_repeat_itself(self, tell, session) -> None:
        statuses = [(await tell(ITEM))[0] for _ in range(3)]

        assert statuses == [204] * 3
        assert len(kept(session)) == 1


class TestRotation:
    async def test_takes_the_secret_before_until_its_time(
        self, tell, session, retailer, seal
    ) -> None:
        renew_stock_secret(session, retailer.id, seal.close(new_secret()), until=NOON)
        session.commit()
        assert (await tell(ITEM))[0] == 401

        retailer.old_stock_secret_until = NOON + SECOND
        session.add(retailer)
        session.commit()

        assert (await tell(ITEM))[0] == 204


class TestMessage:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            (b"", "body"),
            (b"no json", "body"),
            (b"[" * 30_000, "body"),
            (b"[]", "body"),
            (b"{}", "data"),
            (b'{"type": "stock.updated"}', "data"),
            (b'{"type": "stock.updated", "data": {"items": {}}}', "data"),
            (b'{"type": 7, "data": {"items": []}}', "data"),
        ],
    )
    async def test_must_be_one(self, tell, session, body, field) -> None:
        status, words = await tell(body=body)

        assert status == 422
        refusal = json.loads(words)
        assert (refusal["error"], refusal["field"]) == ("invalid_field", field)
        assert refusal["message"]
        assert kept(session) == []

    @pytest.mark.parametrize(
        "item",
        [
            {},
            {"sku": "A"},
            {"sku": 1, "quantity": 1},
            {"sku": "A", "quantity": -1},
            {"sku": "A", "quantity": 1.5},
            {"sku": "A", "quantity": "1"},
            {"sku": "A", "quantity": True},
            {"sku": "A", "quantity": None},
            {"sku": "A", "quantity": 10**30},
            {"sku": "A\x00", "quantity": 1},
            {"sku": "\ud800", "quantity": 1},
            "A",
        ],
        ids=str,
    )
    async def test_names_the_item_that_is_wrong(self, tell, session, item) -> None:
        status, words = await tell(ITEM, item)

        assert status == 422
        assert json.loads(words)["field"] == "data.items[1]"
        assert kept(session) == []

    async def test_has_a_thousand_items_at_most(self, tell, session) -> None:
        enough, _ = await tell(*[ITEM] * 1_000)
        too_many, words = await tell(*[ITEM] * 1_001, message_id="msg_2")

        assert (enough, too_many) == (204, 422)
        assert "1000" in words
        assert len(kept(session)) == 1

    async def test_that_is_no_text_is_not_believed(self, tell, session) -> None:
        status, _ = await tell(body=b'{"type": "\xff\xfe"}')

        assert status == 401
        assert kept(session) == []

    @pytest.mark.parametrize(
        "timestamp",
        ["", "yesterday", "0001-01-01T00:00:00+14:00", "2026-03-02T13:00:00Z", 12],
    )
    async def test_that_gives_no_good_time_is_of_now(
        self, tell, session, timestamp
    ) -> None:
        body = {"type": "stock.updated", "timestamp": timestamp}
        body |= {"data": {"items": [ITEM]}}

        status, _ = await tell(body=json.dumps(body).encode())

        assert status == 204
        assert kept(session)[0].sent_at == NOON


class TestStock:
    async def test_older_than_we_know_is_dropped(self, tell, session, database) -> None:
        offer = make_offer(session, sku="PARKA-M", quantity=10)
        await tell({**ITEM, "quantity": 5}, at=NOON - SECOND)
        await work(database, session)

        await tell({**ITEM, "quantity": 9}, at=NOON - MINUTE, message_id="msg_2")
        await work(database, session)

        assert quantity(session, offer) == 5
        outcomes = {one.message_id: one.outcome for one in kept(session)}
        assert outcomes["msg_2"] == "0 of 1 were news"

    async def test_lowers_what_a_running_deal_may_sell(
        self, tell, session, database
    ) -> None:
        offer = make_offer(session, sku="PARKA-M", quantity=10)
        deal = make_deal(session, offer, allotment=10)

        await tell(ITEM)
        await work(database, session)

        assert (now(session, deal).left, now(session, deal).withheld) == (3, 7)

    async def test_below_what_is_held_lets_the_newest_go(
        self, tell, session, database
    ) -> None:
        offer = make_offer(session, sku="PARKA-M", quantity=10)
        deal = make_deal(session, offer, allotment=10)
        holds = [make_hold(session, deal, held_at=NOON - n * MINUTE) for n in range(5)]

        await tell(ITEM)
        await work(database, session)

        assert (now(session, deal).held, now(session, deal).left) == (3, 0)
        assert now(session, deal).sold_out_at is None
        lost = [hold.id for hold in lost_holds(session, offer.retailer_id)]
        assert sorted(lost) == sorted(hold.id for hold in holds[:2])

    async def test_takes_a_price_and_a_location(self, tell, session, database) -> None:
        offer = make_offer(session, sku="PARKA-M", quantity=10, price_amount=9_900)

        await tell({**ITEM, "location": "main", "price": "89.50"})
        await tell({**ITEM, "location": "attic"}, message_id="msg_2")
        await work(database, session)

        assert quantity(session, offer) == 6
        offer = session.get_one(Offer, offer.id, populate_existing=True)
        log = price_log(session, offer.retailer_id, offer.id)
        assert (offer.price_amount, [p.price_amount for p in log]) == (8_950, [8_950])

    async def test_of_nothing_ends_the_deal(self, tell, session, database) -> None:
        offer = make_offer(session, sku="PARKA-M", quantity=10)
        deal = make_deal(session, offer, allotment=10)

        await tell({**ITEM, "quantity": 0})
        await work(database, session)

        assert now(session, deal).sold_out_at == NOON

    async def test_of_another_retailers_offer_stays(
        self, tell, session, database
    ) -> None:
        south = make_retailer(session, "south")
        offer = make_offer(session, sku="PARKA-M", quantity=10, retailer_id=south.id)

        await tell(ITEM)
        await work(database, session)

        assert quantity(session, offer) == 10
