"""A payer: from a hold to an order, or to whatever its shopper is like."""

from http import HTTPStatus

from yarl import URL

from outletbot.rehearsing.browser import Browser, Lost, Page, rest
from outletbot.rehearsing.diary import Diary
from outletbot.rehearsing.nature import Nature, Paying
from outletbot.rehearsing.shopper import Show

HOLD = 60.0  # seconds that the copy holds a unit for
WAITS_FOR_PAGE = 240.0  # seconds: who has no payment page by then goes away
WAITS_FOR_ORDER = 60.0
MOST_LEADS = 5  # redirects in a row
CONFIRMED = 0.8  # of the bank debits; the others fail
CARD = {
    "do": "pay",
    "name": "Sam Shopper",
    "card": "4242 4242 4242 4242",
    "phone": "+33612345678",
    "line1": "12 quai des Brumes",
    "postal_code": "29200",
    "city": "Brest",
}


class Payer:
    def __init__(
        self, nature: Nature, browser: Browser, diary: Diary, show: Show
    ) -> None:
        self._nature = nature
        self._browser = browser
        self._diary = diary
        self._show = show

    async def use(self, token: str, paying: Paying) -> None:
        """Do with a hold what its shopper is like."""
        if paying is Paying.GIVEN_UP:
            await self._browser.get(f"/h/{token}")
            await rest(self._nature.thinks * 3)
            await self._browser.post(f"/h/{token}/release", {})
            return
        began = self._show.opened()
        checkout = await self._to_payment(token)
        if not checkout:
            self._diary.counts["no_payment_page"] += 1
            return
        self._diary.waits.append(self._show.opened() - began)
        if paying is not Paying.ABANDONED:
            await rest(self._types_for(paying))
            await self._pay(checkout, by_debit=paying is Paying.BY_DEBIT)

    def _types_for(self, paying: Paying) -> float:
        """Return after how many seconds the shopper presses Pay."""
        luck = self._nature.luck
        match paying:
            case Paying.LATE:
                return HOLD * (0.3 + 0.5 * luck)
            case Paying.TOO_LATE:
                return HOLD * (0.95 + 0.3 * luck)
            case _:
                return 1.0 + 4.0 * luck

    async def _to_payment(self, token: str) -> str:
        """Follow the shop to Stripe's page; empty if the hold ended before."""
        ends = self._show.opened() + WAITS_FOR_PAGE
        path = f"/h/{token}/pay"
        while self._show.opened() < ends:
            page = await self._get(path)
            if page.location:
                path = self._ours(page.location)
                if path.startswith("http"):
                    return path
            elif page.refresh and page.status == HTTPStatus.OK:
                seconds, path = page.refresh
                await rest(seconds)
            else:
                return ""
        return ""

    async def _pay(self, checkout: str, *, by_debit: bool) -> None:
        """Press the button on Stripe's page, and go back to the shop."""
        await self._get(checkout)
        page = await self._post(checkout, "later" if by_debit else "pay")
        if by_debit and page.location:
            session = URL(checkout).name
            self._show.bank(session, self._nature.luck < CONFIRMED)
        if not page.location:
            self._diary.counts["too_late"] += 1
            return
        self._diary.counts["paid"] += 1
        if self._nature.returns:
            await self._return(self._ours(page.location))

    async def _return(self, path: str) -> None:
        """Look at the shop's page until it says what became of the payment."""
        ends = self._show.opened() + WAITS_FOR_ORDER
        while self._show.opened() < ends:
            page = await self._get(path)
            if path.startswith("/orders/"):
                self._diary.counts["orders_seen"] += 1
                return
            if page.location:
                path = self._ours(page.location)
            elif page.refresh:
                seconds, path = page.refresh
                await rest(seconds)
            else:
                return

    async def _get(self, address: str) -> Page:
        """Load a page, and once more where the connection broke off or it is busy."""
        for _ in range(MOST_LEADS):
            try:
                page = await self._browser.get(address)
            except Lost:
                await rest(1 + self._nature.luck)
                continue
            if not page.busy:
                return page
            await rest(page.retry_after)
        raise Lost(address)

    async def _post(self, checkout: str, how: str) -> Page:
        number = self._nature.number
        form = {**CARD, "do": how, "country": self._show.country}
        form["email"] = f"shopper-{number}@example.com"
        return await self._browser.post(checkout, form)

    def _ours(self, address: str) -> str:
        """Return the path of an address of the shop; others as they are."""
        return address.removeprefix(self._show.shop)
