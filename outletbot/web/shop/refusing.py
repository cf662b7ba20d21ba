"""Refusals: why a shopper got no unit, said on the deal's page as it is now.

In a rush most are refused, so a page is made once for all who are told the same.
"""

from http import HTTPStatus

from aiohttp import hdrs, web

from offers.errors import OfferError
from offers.sentences import Sentence
from outletbot.claim_lines import Busy
from outletbot.keys import LANGUAGE
from outletbot.printing import say
from outletbot.web.errors import busy_sentence, explain, status_of, wants_json
from outletbot.web.shop.answers import send_to_one, shopper_language
from outletbot.web.shop.deal_view import DealView, Refused
from outletbot.web.shop.keys import DEALS, REFUSED_PAGES


async def refuse(request: web.Request, refusal: OfferError) -> web.Response:
    """Say why, next to what is still to be had."""
    view = await request.app[DEALS].get_now(request.match_info["code"])
    status = status_of(refusal)
    return tell(request, view, refusal.sentence, status, refusal.code)


def ask_back(request: web.Request, view: DealView, busy: Busy) -> web.Response:
    """Say when to come back."""
    unavailable = HTTPStatus.SERVICE_UNAVAILABLE
    response = tell(request, view, busy_sentence(busy), unavailable, "busy")
    response.headers[hdrs.RETRY_AFTER] = str(busy.seconds)
    return response


def tell(
    request: web.Request,
    view: DealView,
    sentence: Sentence,
    status: HTTPStatus,
    code: str,
) -> web.Response:
    """Say *sentence* on the page of *view*, or as JSON to who asks for that alone."""
    language = request[LANGUAGE] = shopper_language(request, view.seller.language)
    if wants_json(request):
        return explain(request, sentence, status, code)
    refused = Refused(view, say(sentence, language))
    rendered = request.app[REFUSED_PAGES].get(refused, language)
    return send_to_one(request, rendered, status)
