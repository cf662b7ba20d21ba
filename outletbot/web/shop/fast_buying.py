"""A unit of a deal in the fast lane: the form as our own page sends it, and the hold.

What is refused, and what fails, is said the normal way; the claim is not made again.
"""

import re

from aiohttp import hdrs, web
from multidict import istr

from offers.claims import Claim
from outletbot.keys import CLAIMS, SETTINGS
from outletbot.web.guard import FROM_US, protections
from outletbot.web.ready import Ready, Way, head_of
from outletbot.web.shop.buying import KEY, LEAD, REFUSAL, claim_of
from outletbot.web.shop.deal_page import MAX_QUANTITY
from outletbot.web.shop.keys import DEALS, SHOPPERS

SITE = istr("Sec-Fetch-Site")
FORM_TYPE = "application/x-www-form-urlencoded"
FORM = re.compile(rb"key=(%b)(?:&quantity=([0-9]{1,2}))?" % KEY.pattern.encode())


class FastBuying:
    """One for each process."""

    def __init__(self, app: web.Application, normal: Way) -> None:
        self._normal = normal
        self._deals = app[DEALS]
        self._claims = app[CLAIMS]
        self._shoppers = app[SHOPPERS]
        headers = LEAD | protections(app[SETTINGS]) | {hdrs.CONTENT_LENGTH: "0"}
        self._head = head_of(303, "See Other", headers.items())

    async def answer(self, request: web.BaseRequest, code: str) -> web.StreamResponse:
        """Return a ``Ready`` way to the hold, or the normal answer."""
        view = self._deals.peek(code)
        if view is None or not _is_our_form(request):
            return await self._normal(request)
        wish = _read_wish(await request.read())
        if wish is None:
            return await self._normal(request)
        return await self._claim(
            request, claim_of(request, self._shoppers, view, *wish)
        )

    async def _claim(
        self, request: web.BaseRequest, claim: Claim
    ) -> web.StreamResponse:
        try:
            hold = await self._claims.claim(claim)
        except Exception as reason:  # noqa: BLE001  (it is raised again there)
            request[REFUSAL] = reason
            return await self._normal(request)
        cookie = self._shoppers.cookie(hold.shopper)
        more = f"Location: /h/{hold.token}/pay\r\nSet-Cookie: {cookie}\r\n"
        return Ready(303, self._head + more.encode())


def _is_our_form(request: web.BaseRequest) -> bool:
    headers = request.headers
    length = headers.get(hdrs.CONTENT_LENGTH, "")
    return (
        headers.get(SITE) in FROM_US
        and headers.get(hdrs.CONTENT_TYPE) == FORM_TYPE
        and len(length) <= 2
        and length.isdigit()
    )


def _read_wish(body: bytes) -> tuple[str, int] | None:
    """Return the key and how many; nothing if it is not quite what our page sends."""
    form = FORM.fullmatch(body)
    if form is None:
        return None
    quantity = int(form[2] or 1)
    return (form[1].decode(), quantity) if 1 <= quantity <= MAX_QUANTITY else None
