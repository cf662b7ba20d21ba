"""
Real processes, asked to stop in the middle of their work: what was begun is answered,
what was counted is written, and nobody is kept waiting by somebody else's silence.
"""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from sqlmodel import Session, func, select

from offers.clicks import Click
from offers.holds import Hold
from offers.ids import new_code
from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.schema import migrate
from tests.factories import HOUR, make_deal, make_hold, post_of
from tests.outletbot.test_processes import (
    await_answer,
    await_words,
    installation,
    started,
)

OURS = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Shop:
    """An installation with one deal open; *page* is the address of its page."""

    folder: Path
    port: int
    database: Database
    page: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        return installation(self.folder, self.port)

    def count(self, column: object) -> int:
        with Session(self.database.engine) as session:
            return session.exec(select(func.count(column))).one()  # type: ignore[call-overload]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    database = Database.connect(f"sqlite:///{tmp_path / 'outletbot.db'}")
    migrate(database.engine)
    with Session(database.engine, expire_on_commit=False) as session:
        now = utc_now()
        deal = make_deal(
            session,
            allotment=10_000,
            opens_at=now - HOUR,
            closes_at=now + HOUR,
            opened_at=now - HOUR,
            created_at=now - 2 * HOUR,
        )
        path = f"/d/{post_of(session, deal).code}"
    yield Shop(tmp_path, unused_port(), database, path)
    database.close()


async def buy(http: aiohttp.ClientSession, shop: Shop) -> str | None:
    """Return where a claim led to; none if it was not answered."""
    try:
        async with http.post(
            f"{shop.url}{shop.page}/buy",
            data={"key": new_code()},
            headers=OURS,
            allow_redirects=False,
        ) as answer:
            return answer.headers["Location"] if answer.status == 303 else None
    except aiohttp.ClientError:
        return None


async def buy_until_closed(shop: Shop, begun: asyncio.Event) -> list[str]:
    """Claim on one connection, one after the other, as long as there are answers."""
    led = []
    async with aiohttp.ClientSession() as http:
        while (location := await buy(http, shop)) is not None:
            led.append(location)
            if len(led) == 5:
                begun.set()
    return led


async def test_whoever_was_promised_a_unit_has_it(shop: Shop) -> None:
    with started("serve", folder=shop.folder, **shop.env) as (process, written):
        await asyncio.to_thread(await_answer, f"{shop.url}/readyz", process, written)
        begun = asyncio.Event()
        shoppers = [
            asyncio.create_task(buy_until_closed(shop, begun)) for _ in range(8)
        ]
        await asyncio.wait_for(begun.wait(), 30)

        process.send_signal(signal.SIGTERM)
        led = [location for one in await asyncio.gather(*shoppers) for location in one]
        code = await asyncio.to_thread(process.wait, 20)

    assert code == 0
    assert "Traceback" not in written.read_text()
    with Session(shop.database.engine) as session:
        tokens = set(session.exec(select(Hold.token)))
    assert {location.split("/")[2] for location in led} <= tokens
    # What was begun was also answered: nobody holds a unit and does not know it.
    assert len(tokens) == len(led)


async def test_says_that_it_is_leaving_and_serves_until_that_is_known(
    shop: Shop,
) -> None:
    env = {**shop.env, "DRAIN_SECONDS": "2"}
    with started("web", folder=shop.folder, **env) as (process, written):
        await asyncio.to_thread(await_answer, f"{shop.url}/readyz", process, written)
        async with aiohttp.ClientSession() as http:
            process.send_signal(signal.SIGTERM)
            while (status := await ready(http, shop)) == 200:
                pass
            led = await buy(http, shop)
        code = await asyncio.to_thread(process.wait, 20)

    assert status == 503
    assert led is not None
    assert code == 0


async def ready(http: aiohttp.ClientSession, shop: Shop) -> int:
    async with http.get(f"{shop.url}/readyz") as answer:
        return answer.status


async def test_writes_its_clicks_and_sends_listeners_to_another(shop: Shop) -> None:
    with started("web", folder=shop.folder, **shop.env) as (process, written):
        await asyncio.to_thread(await_answer, f"{shop.url}/readyz", process, written)
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{shop.url}{shop.page}/live") as stream,
        ):
            await stream.content.readuntil(b"\n\n")
            async with http.get(f"{shop.url}{shop.page}"):
                process.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            await stream.content.read()
            heard_out = time.monotonic() - begun
        code = await asyncio.to_thread(process.wait, 20)

    assert code == 0
    assert heard_out < 10
    assert shop.count(Click.post_id) == 1


@contextmanager
def silence() -> Iterator[tuple[str, threading.Event]]:
    """Listen at an address where calls are taken and never answered."""
    called = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept = []

        def take() -> None:
            try:
                kept.append(listener.accept())
            except OSError:
                return
            called.set()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", called
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection, _ in kept:
            connection.close()


def wait_for_a_page(shop: Shop) -> None:
    """A shopper holds a unit, and a worker has to ask for the payment page."""
    with Session(shop.database.engine, expire_on_commit=False) as session:
        now = utc_now()
        make_hold(
            session,
            held_at=now - timedelta(seconds=10),
            expires_at=now + timedelta(minutes=10),
        )


@pytest.mark.parametrize(
    ("signals", "seconds"), [(1, "2"), (2, "600")], ids=["its time", "a second signal"]
)
def test_a_silent_company_keeps_it_no_longer_than(
    shop: Shop, signals: int, seconds: str
) -> None:
    wait_for_a_page(shop)
    with silence() as (address, called):
        env = {**shop.env, "STRIPE_API_BASE": address, "STOP_SECONDS": seconds}
        with started("worker", folder=shop.folder, **env) as (process, written):
            assert called.wait(60), written.read_text()

            for number in range(1, signals + 1):
                process.send_signal(signal.SIGTERM)
                await_words(written, '"stop_asked"', number)
            code = process.wait(20)

    log = written.read_text()
    assert code == 0
    assert '"stop_hurried"' in log
    assert "Traceback" not in log
