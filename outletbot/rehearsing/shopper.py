"""A shopper: from the link in a post to a hold, with all that comes between."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus

from offers.deals import Phase
from outletbot.rehearsing.browser import Browser, Lost, Page, rest
from outletbot.rehearsing.diary import Diary, Kind
from outletbot.rehearsing.nature import Nature

TRIES = 12  # of one tap, with one key
WISHES = 20  # times a shopper taps anew, because a unit came back
ASK_AFTER = 5.0  # seconds between two looks of who is not told, up to twice as many
OVER = {Phase.SOLD_OUT, Phase.ENDED}
HOLD = re.compile(r"/h/([0-9a-z]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What all shoppers share.

    *opened* tells how many seconds ago the deal opened. *bank* is told of a payment
    that is on its way, by its page's id, and whether it shall come.
    """

    shop: str
    codes: Sequence[str]
    country: str
    opened: Callable[[], float]
    bank: Callable[[str, bool], None]


class Shopper:
    def __init__(
        self, nature: Nature, browser: Browser, diary: Diary, show: Show
    ) -> None:
        self.waited = False
        self._nature = nature
        self._browser = browser
        self._diary = diary
        self._show = show
        self._code = show.codes[nature.number % len(show.codes)]

    async def visit(self) -> str:
        """Come and try to get a unit. Return the hold's token; empty if there is none.

        Raises:
            Lost: If the shop is not to be reached.
        """
        await rest(self._nature.comes_at - self._show.opened())
        await self._look()
        if self._show.opened() < 0 and not await self._wait_for_opening():
            return ""
        await rest(self._nature.thinks)
        for wish in range(WISHES):
            token = await self._buy(f"rehearsal-{self._nature.number:06}-{wish:03}")
            if token or not await self._is_worth_another():
                return token
        return ""

    async def _look(self) -> None:
        page = await self._browser.get(f"/d/{self._code}", Kind.PAGE)
        if page.status != HTTPStatus.OK:
            raise Lost(str(page.status))

    async def _wait_for_opening(self) -> bool:
        """The page counts down to the opening and then loads itself again."""
        if self._nature.listens:
            return await self._listen()
        await rest(self._nature.luck * 0.4 - self._show.opened())
        await self._look()
        return True

    async def _buy(self, key: str) -> str:
        """Tap; where there was no answer, or no time, tap again with the same key."""
        taps = 2 if self._nature.double_taps else 1
        for _ in range(TRIES):
            try:
                pages = await self._tap(key, taps)
            except Lost:
                await rest(0.5 + self._nature.luck)
                continue
            busy = [page.retry_after for page in pages if page.busy]
            token = self._read(key, pages)
            if token or not busy:
                return token
            self._diary.counts["busy"] += len(busy)
            await rest(max(busy))
        return ""

    async def _tap(self, key: str, taps: int) -> list[Page]:
        form = {"key": key, "quantity": "1"}
        path = f"/d/{self._code}/buy"
        answers = await asyncio.gather(
            *(self._browser.post(path, form, Kind.CLAIM) for _ in range(taps)),
            return_exceptions=True,
        )
        pages = [answer for answer in answers if isinstance(answer, Page)]
        if not pages:
            msg = "nobody answered"
            raise Lost(msg)
        self._diary.counts["double_taps"] += len(pages) == 2
        return pages

    def _read(self, key: str, pages: Sequence[Page]) -> str:
        token = ""
        for page in pages:
            if found := HOLD.search(page.location):
                token = found[1]
                self._diary.promise(key, token)
            elif not page.busy:
                self._diary.counts["refused"] += 1
        return token

    async def _is_worth_another(self) -> bool:
        """Wait for a unit to come back, where that is possible and it is their way."""
        phase = await self._ask()
        if phase is not Phase.ALL_HELD:
            await rest(0.2 + self._nature.luck)
            return phase not in OVER
        if not self._nature.stays:
            return False
        self.waited = True
        if self._nature.listens:
            return await self._listen()
        while phase is Phase.ALL_HELD:
            await rest(ASK_AFTER * (1 + self._nature.luck))
            phase = await self._ask()
        return await self._come_again(phase)

    async def _listen(self) -> bool:
        """Be told how the deal stands, until something can be bought or it is over."""
        async with aclosing(self._browser.events(f"/d/{self._code}/live")) as events:
            async for data in events:
                phase = Phase(json.loads(data)["phase"])
                if phase is Phase.OPEN or phase in OVER:
                    return await self._come_again(phase)
        return True  # the server sent us away: ask another one

    async def _come_again(self, phase: Phase) -> bool:
        """The page loads itself again, everybody's a little later than another's."""
        if phase in OVER:
            return False
        await rest(self._nature.luck * 0.4)
        await self._look()
        return True

    async def _ask(self) -> Phase:
        page = await self._browser.get(f"/d/{self._code}/state")
        if page.status != HTTPStatus.OK:
            raise Lost(str(page.status))
        return Phase(json.loads(page.text)["phase"])
