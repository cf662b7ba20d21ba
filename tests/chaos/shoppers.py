"""
Shoppers: they claim, tap twice, give up, walk away, pay, reserve and redeem, ask again
with the same key when no answer came, and write down what they were told.
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from offers.ids import new_code
from tests.chaos.journal import Entry, Journal
from tests.chaos.line import Answer, Line, Lost, path_of
from tests.chaos.scenery import Offered, Scenery

INSISTS = 90.0  # seconds: then nobody has promised them anything
WAITS_FOR_PAGE = 50.0
CODE = re.compile(r'<code aria-label="[^"]*">([^<]+)</code>')
CARD = urlencode(
    {
        "do": "pay",
        "name": "Sam Shopper",
        "email": "sam@example.com",
        "card": "4242 4242 4242 4242",
    }
)
REFUSALS = (
    HTTPStatus.CONFLICT,
    HTTPStatus.GONE,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
)


class Refused(Exception):
    """The shop said no, for good."""


@dataclass
class Crowd:
    """*doors* are the ports of the web processes; *goes_on* says whether it is over.

    *payers* is the share of those who buy an open deal, and of those who come to an
    opening: each of them takes a hundred times as long as who taps and gives up.
    """

    scenery: Scenery
    doors: Sequence[int]
    journal: Journal
    goes_on: Callable[[], bool]
    payers: float = 0.06

    async def shop(self, number: int, seed: object) -> None:
        """Be one shopper after the other until the history is over."""
        dice = random.Random(f"shopper/{seed}/{number}")  # noqa: S311  (no secret)
        shares = {
            self._give_up: 0.91 - 2 * self.payers,
            self._double_tap: 0.05,
            self._walk_away: 0.01,
            self._redeem: 0.03,
            self._pay: self.payers,
            self._come_to_an_opening: self.payers,
        }
        while self.goes_on():
            visit = _Visit(self, dice)
            (what,) = dice.choices(list(shares), list(shares.values()))
            try:
                await what(visit)
            except (Lost, Refused):
                continue
            finally:
                visit.line.close()

    async def _give_up(self, visit: "_Visit") -> None:
        token = await visit.claim(visit.any_of(self.scenery.wide + self.scenery.tight))
        await visit.release(token)

    async def _walk_away(self, visit: "_Visit") -> None:
        await visit.claim(visit.any_of(self.scenery.wide + self.scenery.tight))

    async def _double_tap(self, visit: "_Visit") -> None:
        """Two fingers, two connections, perhaps two processes; one key, one hold."""
        other, key = _Visit(self, visit.dice), new_code()
        deal = visit.any_of(self.scenery.wide + self.scenery.tight)
        try:
            token, _ = await asyncio.gather(
                visit.claim(deal, key), other.claim(deal, key)
            )
        finally:
            other.line.close()
        await visit.release(token)

    async def _come_to_an_opening(self, visit: "_Visit") -> None:
        await visit.buy(await visit.claim(visit.any_of(self.scenery.opening)))

    async def _pay(self, visit: "_Visit") -> None:
        await visit.buy(await visit.claim(visit.any_of(self.scenery.wide)))

    async def _redeem(self, visit: "_Visit") -> None:
        token = await visit.claim(visit.any_of(self.scenery.store), path="reserve")
        if visit.dice.random() < 0.3:
            await visit.release(token)
        else:
            await visit.redeem(token, self.scenery.cookie)


class _Visit:
    """One shopper, from the link to whatever they do with their unit."""

    def __init__(self, crowd: Crowd, dice: random.Random) -> None:
        self._journal, self._doors = crowd.journal, crowd.doors
        self.dice = dice
        self._door = dice.choice(crowd.doors)
        self.line = Line(f"10.{dice.randrange(256)}.{dice.randrange(256)}.7")

    def any_of(self, deals: Sequence[Offered]) -> Offered:
        return self.dice.choice(deals)

    async def claim(self, deal: Offered, key: str = "", path: str = "buy") -> str:
        """Return the token of the hold.

        Raises:
            Refused: If there is none for them.
            Lost: If nobody could be asked.
        """
        key = key or new_code()
        self._journal.write(Entry.ASKED, key, deal.deal_id)
        address, form = f"/d/{deal.code}/{path}", f"key={key}"
        answer = await self._insist(lambda: self.line.post(self._door, address, form))
        if answer.status != HTTPStatus.SEE_OTHER:
            self._journal.write(Entry.REFUSED, key, answer.status)
            raise Refused(answer.status)
        token = answer.location.split("/")[2]
        self._journal.write(Entry.GRANTED, key, token)
        return token

    async def release(self, token: str) -> None:
        address = f"/h/{token}/release"
        await self._insist(lambda: self.line.post(self._door, address))

    async def buy(self, token: str) -> None:
        """Go to the payment page, and pay there, or not, or late."""
        checkout = await self._to_payment(token)
        chance = self.dice.random()
        if chance < 0.1:
            return
        await asyncio.sleep(self.dice.uniform(30, 70) if chance < 0.15 else 0)
        port = int(checkout.split("/")[2].rpartition(":")[2])
        page = path_of(checkout)
        answer = await self._insist(lambda: self.line.post(port, page, CARD))
        if answer.status != HTTPStatus.SEE_OTHER:
            raise Refused(answer.status)
        self._journal.write(Entry.PAID, page.rsplit("/", 1)[1])
        if self.dice.random() < 0.5:
            address = path_of(answer.location)
            await self._insist(lambda: self.line.get(self._door, address))

    async def redeem(self, token: str, cookie: str) -> None:
        """Show the code in the store; the merchant types it in."""
        address = f"/h/{token}"
        page = await self._insist(lambda: self.line.get(self._door, address))
        found = CODE.search(page.body.decode())
        if found is None:
            raise Refused(page.status)
        code = "".join(found[1].split()).lower()
        done = await self._insist(
            lambda: self.line.post(self._door, f"/redeem/{code}", "", cookie)
        )
        if done.status == HTTPStatus.SEE_OTHER:
            self._journal.write(Entry.REDEEMED, code)

    async def _to_payment(self, token: str) -> str:
        address, until = f"/h/{token}/pay", time.monotonic() + WAITS_FOR_PAGE
        while time.monotonic() < until:
            answer = await self._insist(lambda: self.line.get(self._door, address))
            if answer.location.startswith("http"):
                return answer.location
            await asyncio.sleep(1)
        raise Refused(token)

    async def _insist(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask until there is an answer that is one, at another door if need be.

        Raises:
            Lost: If there is none for a long time.
        """
        until = time.monotonic() + INSISTS
        while True:
            try:
                answer = await ask()
            except Lost:
                self._door = self.dice.choice(self._doors)
                wait = self.dice.uniform(0.02, 0.3)
            else:
                if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return self._expected(answer)
                wait = self._note(answer)
            if time.monotonic() > until:
                raise Lost(ask)
            await asyncio.sleep(wait)

    def _expected(self, answer: Answer) -> Answer:
        fine = answer.status in {HTTPStatus.OK, HTTPStatus.SEE_OTHER, *REFUSALS}
        if not fine:
            self._journal.write(Entry.FAILED, answer.status)
        return answer

    def _note(self, answer: Answer) -> float:
        """Return how long to wait; a shop that is busy says so."""
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return min(answer.retry_after, 2.0) * self.dice.uniform(0.5, 1)
        self._journal.write(Entry.FAILED, answer.status)
        return self.dice.uniform(0.1, 0.5)
