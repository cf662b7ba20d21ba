"""The guard: who may see and do what, and what browsers are told to refuse.

Every page needs a sign-in unless its handler says ``@public``. A request that changes
something must come from our own pages, told by ``Sec-Fetch-Site`` or ``Origin``
(https://cheatsheetseries.owasp.org, Cross-Site Request Forgery Prevention), unless its
handler says ``@machine``: those are signed.
"""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from offers.merchants import Merchant, find_signed_in, touch_sign_in
from outletbot.config import Settings
from outletbot.keys import (
    CLOCK,
    DATABASE,
    LANGUAGE,
    MERCHANT,
    NONCE,
    RETAILER,
    SETTINGS,
)
from outletbot.languages import LANGUAGES, choose_language

POLICY = "Content-Security-Policy"
SAFE = {"GET", "HEAD", "OPTIONS"}
FROM_US = {"same-origin", "none"}  # what Sec-Fetch-Site says of our own pages
H = TypeVar("H", bound=Callable[..., object])

PUBLIC: set[Callable[..., object]] = set()
MACHINES: set[Callable[..., object]] = set()


def public(handler: H) -> H:
    """Whoever knows the address may come in."""
    PUBLIC.add(handler)
    return handler


def machine(handler: H) -> H:
    """Other companies' machines come in; the handler checks who they are."""
    MACHINES.add(handler)
    return public(handler)


def cookie_name(request: web.Request, name: str) -> str:
    return pinned(request.app[SETTINGS], name)


def pinned(settings: Settings, name: str) -> str:
    """Return *name* with the prefix that pins a cookie to this host, under https."""
    return f"__Host-{name}" if settings.secure else name


def set_cookie(
    request: web.Request, response: web.StreamResponse, name: str, value: str, age: int
) -> None:
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=age,
        path="/",
        secure=request.app[SETTINGS].secure,
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(request: web.Request, response: web.StreamResponse, name: str) -> None:
    """Make the browser forget a cookie, which it does only if told as it was set."""
    set_cookie(request, response, name, "", 0)


@web.middleware
async def choose(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Settle the reader's language."""
    asked = request.query.get("lang", "")
    accepted = request.headers.get("Accept-Language", "")
    request[LANGUAGE] = asked if asked in LANGUAGES else choose_language(accepted)
    return await handler(request)


@web.middleware
async def add_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the browser to run nothing but our own."""
    try:
        response = await handler(request)
    except web.HTTPException as raised:
        _protect(request, raised)
        raise
    _protect(request, response)
    return response


def _protect(request: web.Request, response: web.StreamResponse) -> None:
    if response.prepared:
        return
    headers = response.headers
    for name, value in protections(request.app[SETTINGS], request.get(NONCE)).items():
        headers.setdefault(name, value)
    if MERCHANT in request:
        headers.setdefault("Cache-Control", "no-store")


def protections(settings: Settings, nonce: str | None = None) -> dict[str, str]:
    """Return the headers of every answer that does not say otherwise itself."""
    headers = {
        POLICY: _policy(settings, nonce),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if settings.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def _policy(settings: Settings, nonce: str | None) -> str:
    """Allow what is our own: a page's script by its nonce, if the page has one."""
    ours = f"'nonce-{nonce}'" if nonce else "'self'"
    return (
        f"default-src 'none'; script-src {ours}; style-src 'self' {ours}; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
        f"form-action 'self' https: {settings.sandbox_origins}; "
        "frame-ancestors 'none'; manifest-src 'self'"
    )


@web.middleware
async def refuse_forgeries(
    request: web.Request, handler: Handler
) -> web.StreamResponse:
    """Let only our own pages change something."""
    changes = request.method not in SAFE
    if changes and _handler(request) not in MACHINES and not _from_us(request):
        raise web.HTTPForbidden(text="This form was not sent from our own page.")
    return await handler(request)


def _from_us(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in FROM_US
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    public = urlsplit(request.app[SETTINGS].public_url)
    ours = {(public.scheme, public.netloc), (request.scheme, request.host)}
    try:
        from_there = urlsplit(origin)
    except ValueError:
        return False
    return (from_there.scheme, from_there.netloc) in ours


@web.middleware
async def require_sign_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Know who asks; turn away who may not."""
    token = request.cookies.get(cookie_name(request, "sign_in"), "")
    if token:
        await _recognise(request, token)
    handler_of_route = _handler(request)
    if handler_of_route is None or handler_of_route in PUBLIC or MERCHANT in request:
        return await handler(request)
    if request.method in SAFE:
        sign_in = URL("/sign-in").with_query(next=request.path)
        raise web.HTTPSeeOther(sign_in)
    raise web.HTTPForbidden(text="Sign in first.")


async def _recognise(request: web.Request, token: str) -> None:
    database, now = request.app[DATABASE], request.app[CLOCK]()
    found = await database.read(find_signed_in, token, now=now)
    if found is None:
        return
    request[MERCHANT], request[RETAILER] = found.merchant, found.retailer
    if "lang" not in request.query:
        request[LANGUAGE] = found.merchant.language
    if found.stale:
        await database.transact(touch_sign_in, token, now=now)


def address_of(request: web.Request) -> str:
    return address_behind(request, request.app[SETTINGS].trusted_proxies)


def address_behind(request: web.BaseRequest, proxies: int) -> str:
    """Return the address that asks, as told by the *proxies* that we trust, if any."""
    if proxies:
        hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        if proxies <= len(hops) and hops[-proxies].strip():
            return hops[-proxies].strip()
    return request.remote or ""


def signed_in(request: web.Request) -> Merchant:
    """Return the merchant who asks; pages that are not public have one."""
    return request[MERCHANT]


def _handler(request: web.Request) -> object:
    """The function behind the route; ``None`` if there is no such route."""
    match_info = request.match_info
    return None if match_info.http_exception else match_info.handler
