"""A deal's page in the fast lane: what the normal way answered, said again.

What was answered is kept for as long as the reading of the deal that it was made of is
fresh, by what it varies by: language, compression, and what the browser has already.
"""

from typing import NamedTuple

from aiohttp import hdrs, web

from outletbot.languages import choose_language
from outletbot.web.ready import Ready, Way, head_of
from outletbot.web.shop.answers import takes_gzip
from outletbot.web.shop.deal_view import DealView
from outletbot.web.shop.keys import CLICKS, DEALS
from outletbot.web.shop.recent import Recent
from outletbot.web.shop.visitors import visitor_of

KEEP = 2_000

Variant = tuple[str, str, bool, str]


class _Kept(NamedTuple):
    view: DealView
    status: int
    head: bytes
    body: bytes


class FastPage:
    """One for each process."""

    def __init__(self, app: web.Application, normal: Way) -> None:
        self._normal = normal
        self._deals = app[DEALS]
        self._clicks = app[CLICKS]
        self._kept: Recent[Variant, _Kept] = Recent(KEEP)

    async def answer(self, request: web.BaseRequest, code: str) -> web.StreamResponse:
        """Return a ``Ready`` answer, or the normal one."""
        view = self._deals.peek(code)
        if view is None or _asks_for_language(request):
            return await self._normal(request)
        variant = _variant(request, view)
        kept = self._kept.find(variant)
        if kept is None or kept.view is not view:
            return self._keep(variant, view, await self._normal(request))
        self._clicks.count(view, visitor_of(request))
        return Ready(kept.status, kept.head, kept.body)

    def _keep(
        self, variant: Variant, view: DealView, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Keep *answer*; if the deal was read meanwhile, nobody asks for this one."""
        if isinstance(answer, web.Response) and _is_for_all(answer):
            self._kept.keep(variant, _kept(view, answer))
        return answer


def _asks_for_language(request: web.BaseRequest) -> bool:
    """Networks add words of their own to a link's query; those change nothing."""
    query = request.rel_url.raw_query_string
    return bool(query) and ("lang" in query or "%" in query)


def _variant(request: web.BaseRequest, view: DealView) -> Variant:
    headers = request.headers
    accepted = headers.get(hdrs.ACCEPT_LANGUAGE, "")
    language = choose_language(accepted, default=view.seller.language)
    known = headers.get(hdrs.IF_NONE_MATCH, "")
    return view.card.code, language, takes_gzip(request), known


def _is_for_all(answer: web.Response) -> bool:
    public = "public" in answer.headers.get(hdrs.CACHE_CONTROL, "")
    return public and not answer.cookies


def _kept(view: DealView, answer: web.Response) -> _Kept:
    body = answer.body or b""
    assert isinstance(body, bytes)
    length = [(hdrs.CONTENT_LENGTH, str(len(body)))] if body else []
    headers = [*answer.headers.items(), *length]
    return _Kept(
        view, answer.status, head_of(answer.status, answer.reason, headers), body
    )
