"""Answers to shoppers: one look, one policy for browsers, and bytes made once.

The pages carry their style inside and are allowed no other, by its hash; scripts come
from our own address only. So a page has no nonce in it and may be kept by any cache.
"""

import base64
import gzip
import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

from aiohttp import ETag, hdrs, web
from markupsafe import Markup

from outletbot.keys import LANGUAGE, SETTINGS
from outletbot.languages import LANGUAGES, choose_language
from outletbot.web.rendering import render
from outletbot.web.shop.deal_view import Seller
from outletbot.web.shop.recent import Recent

NO_STORE = "no-store"
# A cache before us asks once a second; it serves what it has while we are slow, and
# for ten minutes while we are down.
A_MOMENT = "public, max-age=0, s-maxage=1, stale-while-revalidate=5, stale-if-error=600"
KEEP_PAGES = 500

V = TypeVar("V", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page as bytes; *digest* tells it from every other."""

    body: bytes
    gzipped: bytes
    digest: str
    language: str
    content_type: str = "text/html"


class Pages(Generic[V]):
    """What *paint* makes of a view in a language, made when first asked for."""

    def __init__(self, paint: Callable[[V, str], str]) -> None:
        self._paint = paint
        self._made: Recent[tuple[V, str], Rendered] = Recent(KEEP_PAGES)
        self._last: Recent[tuple[int, str], tuple[V, Rendered]] = Recent(KEEP_PAGES)

    def get(self, view: V, language: str) -> Rendered:
        """Return the page; to the very object asked for last it costs no comparison."""
        last = self._last.find((id(view), language))
        if last is not None and last[0] is view:
            return last[1]
        rendered = self._equal(view, language)
        self._last.keep((id(view), language), (view, rendered))
        return rendered

    def _equal(self, view: V, language: str) -> Rendered:
        made = self._made.find((view, language))
        if made is not None:
            return made
        rendered = make_rendered(self._paint(view, language), language)
        return self._made.keep((view, language), rendered)


@cache
def style() -> Markup:
    """Return the style of every shopper's page, our own and so safe to include."""
    text = files("outletbot.web").joinpath("templates/shop/shop.css").read_text()
    lines = (line.strip() for line in text.splitlines())
    return Markup("\n".join(line for line in lines if line))  # noqa: S704  (see above)


@cache
def policy(sandbox_origin: str) -> str:
    """Return the Content-Security-Policy of shoppers' pages.

    A form may lead to https: because "Buy" answers with the payment page's address.
    """
    digest = hashlib.sha256(style().encode()).digest()
    style_hash = base64.b64encode(digest).decode()
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'sha256-{style_hash}'; img-src 'self'; connect-src 'self'; "
        f"form-action 'self' https: {sandbox_origin}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def shopper_language(request: web.Request, default: str) -> str:
    """Return the reader's language by what a cache can see, or the seller's own."""
    asked = request.query.get("lang", "")
    if asked in LANGUAGES:
        return asked
    accepted = request.headers.get(hdrs.ACCEPT_LANGUAGE, "")
    return choose_language(accepted, default=default)


def paint(
    template: str,
    language: str,
    *,
    public_url: str,
    seller: Seller | None = None,
    **context: Any,
) -> str:
    """Return a page of the shop as text."""
    return render(
        f"shop/{template}",
        language,
        style=style(),
        public_url=public_url,
        seller=seller,
        zone=seller and seller.zone,
        **context,
    )


def make_rendered(
    text: str, language: str, content_type: str = "text/html"
) -> Rendered:
    body = text.encode()
    digest = hashlib.sha256(body).hexdigest()[:20]
    squeezed = gzip.compress(body, 9, mtime=0)
    return Rendered(body, squeezed, digest, language, content_type)


def send(request: web.Request, rendered: Rendered, caching: str) -> web.Response:
    """Answer with bytes that were made before, or with "you have them already"."""
    zipped = takes_gzip(request)
    tag = rendered.digest + ("-gz" if zipped else "")
    headers = {
        hdrs.ETAG: f'"{tag}"',
        hdrs.CACHE_CONTROL: caching,
        hdrs.VARY: "Accept-Language, Accept-Encoding",
        hdrs.CONTENT_LANGUAGE: rendered.language,
        "Content-Security-Policy": policy(request.app[SETTINGS].sandbox_origin),
    }
    if _has(request.if_none_match, tag):
        return web.Response(status=304, headers=headers)
    if zipped:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(
        body=rendered.gzipped if zipped else rendered.body,
        headers=headers,
        content_type=rendered.content_type,
        charset="utf-8",
    )


def takes_gzip(request: web.BaseRequest) -> bool:
    return "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")


def _has(known: tuple[ETag, ...] | None, tag: str) -> bool:
    return any(etag.value in {tag, "*"} for etag in known or ())


def private_page(
    request: web.Request,
    template: str,
    *,
    seller: Seller,
    status: int = 200,
    **context: Any,
) -> web.Response:
    """Answer with a page that is this shopper's alone: kept nowhere, found nowhere."""
    language = shopper_language(request, seller.language)
    request[LANGUAGE] = language
    settings = request.app[SETTINGS]
    text = paint(
        template, language, public_url=settings.public_url, seller=seller, **context
    )
    headers = _for_one(request, language)
    return web.Response(
        text=text, content_type="text/html", status=status, headers=headers
    )


def send_to_one(
    request: web.Request, rendered: Rendered, status: int = 200
) -> web.Response:
    """Answer with bytes that were made before, with this shopper's alone to see."""
    headers = _for_one(request, rendered.language)
    zipped = takes_gzip(request)
    if zipped:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(
        body=rendered.gzipped if zipped else rendered.body,
        headers=headers,
        status=status,
        content_type=rendered.content_type,
        charset="utf-8",
    )


def _for_one(request: web.Request, language: str) -> dict[str, str]:
    return {
        hdrs.CACHE_CONTROL: NO_STORE,
        hdrs.CONTENT_LANGUAGE: language,
        "X-Robots-Tag": "noindex",
        # The address of such a page is the key to it: it is told to nobody.
        "Referrer-Policy": "same-origin",
        "Content-Security-Policy": policy(request.app[SETTINGS].sandbox_origin),
    }
