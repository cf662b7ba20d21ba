"""
Pages that are open hear how their deal stands, sooner if there is a hint, and stop when
it is over.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from sqlmodel import Session

from offers.deals import Deal
from outletbot.hints import Hints
from outletbot.keys import CLOCK, DATABASE
from outletbot.web.shop.deal_view import DealView, read_deal
from outletbot.web.shop.keys import LIVE
from outletbot.web.shop.live import SOON, Full, Live
from outletbot.web.shop.snapshots import Snapshots
from tests.factories import HOUR, NOON, SECOND, make_deal, make_hold, post_of
from tests.outletbot.shop.conftest import Shop, StandingClock, Start

Event = tuple[str, dict[str, Any]]


async def events(answer: ClientResponse) -> AsyncIterator[Event]:
    """Yield the events of a stream; a comment is an event of no kind."""
    kind = ""
    async for line in answer.content:
        text = line.decode().strip()
        if text.startswith("event: "):
            kind = text.removeprefix("event: ")
        elif text.startswith("data: "):
            yield kind, json.loads(text.removeprefix("data: "))
        elif text.startswith(":"):
            yield "", {}


async def next_state(stream: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(5):
        async for kind, state in stream:
            if kind:
                return kind, state
    raise AssertionError


def change(session: Session, deal: Deal, **facts: object) -> None:
    for name, value in facts.items():
        setattr(deal, name, value)
    session.add(deal)
    session.commit()


async def test_begins_with_how_things_are_and_goes_on_with_what_changes(
    shop: Shop, session: Session
) -> None:
    deal = make_deal(session, allotment=5)

    answer = await shop.get(f"/d/{post_of(session, deal).code}/live")
    stream = events(answer)
    first = await next_state(stream)
    make_hold(session, deal)
    second = await next_state(stream)
    answer.close()

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert first == (
        "state",
        {
            "now": "2026-03-02T12:00:00.000+00:00",
            "phase": "open",
            "price": 4_999,
            "left": 5,
            "exact": True,
            "share": 100,
            "held": 0,
            "opens_at": "2026-03-02T11:00:00.000+00:00",
            "closes_at": "2026-03-02T13:00:00.000+00:00",
        },
    )
    assert (second[1]["left"], second[1]["held"]) == (4, 1)


async def test_tells_a_price_that_fell(shop: Shop, session: Session) -> None:
    deal = make_deal(session)
    code = post_of(session, deal).code
    answer = await shop.get(f"/d/{code}/live")
    stream = events(answer)
    await next_state(stream)

    change(session, deal, price_amount=4_490)
    _, state = await next_state(stream)
    answer.close()
    page = await (await shop.get(f"/d/{code}")).text()

    assert state["price"] == 4_490
    assert 'data-price="4490"' in page
    assert "44.90" in page


async def test_ends_when_the_deal_is_over(shop: Shop, session: Session) -> None:
    deal = make_deal(session, allotment=1)
    answer = await shop.get(f"/d/{post_of(session, deal).code}/live")
    stream = events(answer)
    await next_state(stream)

    change(session, deal, sold=1, sold_out_at=NOON)
    kind, state = await next_state(stream)

    assert (kind, state["phase"]) == ("over", "sold_out")
    assert (await answer.content.read()).strip() == b""


async def test_says_at_once_that_it_is_over_to_who_comes_back(
    shop: Shop, session: Session
) -> None:
    deal = make_deal(session, opens_at=NOON - 2 * HOUR, closes_at=NOON - HOUR)

    answer = await shop.get(f"/d/{post_of(session, deal).code}/live")

    assert "event: over" in await answer.text()


async def test_hears_the_opening(
    shop: Shop, session: Session, clock: StandingClock
) -> None:
    deal = make_deal(session, opens_at=NOON + SECOND, closes_at=NOON + HOUR)
    answer = await shop.get(f"/d/{post_of(session, deal).code}/live")
    stream = events(answer)
    before = await next_state(stream)

    clock.advance(SECOND)
    after = await next_state(stream)
    answer.close()

    assert (before[1]["phase"], after[1]["phase"]) == ("scheduled", "open")


async def test_says_now_and_then_that_it_is_there(shop: Shop, session: Session) -> None:
    deal = make_deal(session)
    answer = await shop.get(f"/d/{post_of(session, deal).code}/live")
    stream = events(answer)
    await anext(stream)

    async with asyncio.timeout(5):
        heartbeat = await anext(stream)
    answer.close()

    assert heartbeat == ("", {})


class Reader:
    """Reads deals when it is told to, not when time has passed; *at* is when it did."""

    def __init__(self, shop: Shop) -> None:
        self.at: list[float] = []
        self.hints = Hints()
        self.every = timedelta(milliseconds=40)
        self.live = Live(
            Snapshots(shop.app[DATABASE], shop.app[CLOCK], self._read, every=HOUR),
            shop.app[CLOCK],
            self.hints,
            every=self.every,
            heartbeat=timedelta(milliseconds=200),
        )

    def _read(self, session: Session, code: str, *, now: datetime) -> DealView:
        self.at.append(time.monotonic())
        return read_deal(session, code, now=now)

    async def first(self, messages: AsyncIterator[bytes]) -> bytes:
        message = await anext(messages)
        await asyncio.sleep(0)  # from now on hints are heard
        return message


async def test_a_hint_is_followed_when_nobody_would_look_yet(
    shop: Shop, session: Session
) -> None:
    deal = make_deal(session, allotment=5)
    reader = Reader(shop)
    messages = reader.live.messages(post_of(session, deal).code)
    first = await reader.first(messages)

    make_hold(session, deal)
    reader.hints.tell("posts", make_deal(session).id)  # nothing to do with this one
    unmoved = await anext(messages)
    reader.hints.tell(deal.id)
    told = await anext(messages)
    await messages.aclose()

    assert b'"left": 5' in first
    assert unmoved == b": still here\n\n"
    assert b'"left": 4' in told


async def test_a_hint_of_any_deal_may_be_of_this_one(
    shop: Shop, session: Session
) -> None:
    deal = make_deal(session, allotment=1)
    reader = Reader(shop)
    messages = reader.live.messages(post_of(session, deal).code)
    await reader.first(messages)

    change(session, deal, sold=1, sold_out_at=NOON)
    reader.hints.tell("deals")  # as the jobs that end deals say it

    assert (await anext(messages)).startswith(b"event: over")
    await messages.aclose()


async def test_hints_make_nobody_look_without_a_pause(
    shop: Shop, session: Session
) -> None:
    deal = make_deal(session, allotment=5)
    reader = Reader(shop)
    messages = reader.live.messages(post_of(session, deal).code)
    await reader.first(messages)

    for _ in range(2):
        make_hold(session, deal)
        for _ in range(3):
            reader.hints.tell(deal.id)
        await anext(messages)
    await messages.aclose()

    joined, after_nothing, after_a_telling = reader.at
    every = reader.every.total_seconds()
    assert after_nothing - joined >= SOON * every
    assert after_a_telling - after_nothing >= every


async def test_who_has_left_is_hinted_at_no_more(shop: Shop, session: Session) -> None:
    deal = make_deal(session)
    reader = Reader(shop)
    messages = reader.live.messages(post_of(session, deal).code)
    await reader.first(messages)
    await messages.aclose()

    reader.hints.tell(deal.id)
    await asyncio.sleep(2 * reader.every.total_seconds())

    assert len(reader.at) == 1


async def test_many_listeners_have_one_reader(shop: Shop, session: Session) -> None:
    code = post_of(session, make_deal(session)).code
    readings: list[str] = []

    def read(session: Session, code: str, *, now: datetime) -> DealView:
        readings.append(code)
        return read_deal(session, code, now=now)

    deals = Snapshots(shop.app[DATABASE], shop.app[CLOCK], read, every=HOUR)
    listening = Live(deals, shop.app[CLOCK])
    streams = [listening.messages(code) for _ in range(50)]
    await asyncio.gather(*(anext(stream) for stream in streams))
    for stream in streams:
        await stream.aclose()

    assert readings == [code]


async def test_sends_everybody_away_when_the_process_ends(
    app: web.Application, aiohttp_client: Start, session: Session
) -> None:
    shop = Shop(app, await aiohttp_client(app))
    answer = await shop.get(f"/d/{post_of(session, make_deal(session)).code}/live")
    stream = events(answer)
    await next_state(stream)

    app[LIVE].close()

    async with asyncio.timeout(5):
        assert [kind async for kind, _ in stream if kind] == []


async def test_turns_away_more_than_it_can_serve(shop: Shop, session: Session) -> None:
    code = post_of(session, make_deal(session)).code
    few = Live(
        Snapshots(shop.app[DATABASE], shop.app[CLOCK], read_deal),
        shop.app[CLOCK],
        most=1,
    )
    first = few.messages(code)
    await anext(first)

    with pytest.raises(Full):
        await anext(few.messages(code))
    await first.aclose()
    again = few.messages(code)
    assert b"event: state" in await anext(again)
    await again.aclose()


async def test_an_unknown_deal_is_not_found(shop: Shop) -> None:
    answers = [await shop.get(f"/d/nosuchcode/{path}") for path in ("live", "state")]

    assert [answer.status for answer in answers] == [404, 404]


async def test_the_state_can_be_asked_for(shop: Shop, session: Session) -> None:
    deal = make_deal(session, allotment=47)

    answer = await shop.get(f"/d/{post_of(session, deal).code}/state")

    state = await answer.json()
    assert (state["left"], state["exact"], state["phase"]) == (40, False, "open")
    assert answer.headers["Cache-Control"] == "no-store"
