"""Your shop: who tells us your stock, what of it counts, and what nobody knows.

A secret that is made here is shown once: in the answer to the form that made it.
"""

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

import structlog
from aiohttp import web
from sqlmodel import Session

from offers.errors import InvalidField
from offers.ids import new_id
from offers.scope import get_own
from offers.sentences import Sentence
from offers.shop_items import learn_skus
from offers.shop_keeping import (
    MOST_SHOPS,
    change_shop,
    connect_shop,
    disconnect_shop,
    keep_back,
    let_count,
    name_places,
    pause_shop,
    renew_secret,
)
from offers.shops import ShopConnection, ShopKind, shops
from outletbot.keys import CLOCK, DATABASE, RETAILER, SEAL, SETTINGS
from outletbot.web.desk.addresses import read_address
from outletbot.web.desk.shops_view import OURS, TELLABLE, read_shop, read_shops
from outletbot.web.forms import Form, read_int, read_text
from outletbot.web.rendering import page
from webhooks.refitting import refit
from webhooks.signing import new_secret
from webhooks.stocking import take_known

OLD_SECRET = timedelta(days=7)
"""So long a secret is good after there is a newer one."""

LONGEST_SECRET = 300
MOST_KEPT_BACK = 1_000_000
MOST_PAIRS = 20_000
DETAILS = ("name", "address", "notification_url", "sealed_token", "tells_back")

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.get("/shops")
async def show_shops(request: web.Request) -> web.Response:
    return await shops_page(request)


@routes.post("/shops")
async def connect(request: web.Request) -> web.Response:
    """Make a shop's own address; its secret may be made here, too, and shown once."""
    form, secret = await request.post(), ""
    try:
        shop = await _read_new(request, form)
    except InvalidField as problem:
        return await shops_page(request, typed=form, problem=problem)
    if shop.kind in OURS:
        secret = new_secret()
        shop.sealed_secret = request.app[SEAL].close(secret)
    await request.app[DATABASE].transact(connect_shop, shop)
    log.info("shop_connected", shop=shop.id, kind=shop.kind)
    if secret:
        return await shop_page(request, shop.id, secret=secret)
    raise web.HTTPSeeOther(_page_of(shop.id))


@routes.post("/shops/places")
async def choose_places(request: web.Request) -> web.Response:
    """Let some places count and others not, and call them by their names."""
    form, now = await request.post(), request.app[CLOCK]()
    seen = [str(each) for each in form.getall("place", [])]
    counting = [str(each) for each in form.getall("counts", [])]
    retailer_id = request[RETAILER].id
    try:
        names = [(one, read_text(form, f"name-{one}", longest=100)) for one in seen]
    except InvalidField as problem:
        return await shops_page(request, typed=form, problem=problem)

    def choose(session: Session) -> None:
        changed = let_count(session, retailer_id, seen, counting, now=now)
        name_places(session, retailer_id, names)
        refit(session, changed, now=now)

    await request.app[DATABASE].transact(choose)
    raise web.HTTPSeeOther("/shops#places")


@routes.post("/shops/buffer")
async def choose_buffer(request: web.Request) -> web.Response:
    """Keep some units of each offer out of deals."""
    form, now = await request.post(), request.app[CLOCK]()
    try:
        units = read_int(form, "buffer", minimum=0, maximum=MOST_KEPT_BACK)
    except InvalidField as problem:
        return await shops_page(request, typed=form, problem=problem)
    retailer_id = request[RETAILER].id

    def choose(session: Session) -> None:
        refit(session, keep_back(session, retailer_id, units), now=now)

    await request.app[DATABASE].transact(choose)
    raise web.HTTPSeeOther("/shops#kept-back")


@routes.get("/shops/{shop_id}")
async def show_shop(request: web.Request) -> web.Response:
    return await shop_page(request, request.match_info["shop_id"])


@routes.post("/shops/{shop_id}")
async def save_shop(request: web.Request) -> web.Response:
    """Keep where the shop is, and whether it is told what is sold here."""
    shop, form = await _find(request), await request.post()
    try:
        _read_details(request, form, shop)
    except InvalidField as problem:
        return await shop_page(request, shop.id, typed=form, problem=problem)
    changes = {name: getattr(shop, name) for name in DETAILS}
    await request.app[DATABASE].transact(
        change_shop, shop.retailer_id, shop.id, changes
    )
    raise web.HTTPSeeOther(_page_of(shop.id))


@routes.post("/shops/{shop_id}/secret")
async def change_secret(request: web.Request) -> web.Response:
    """Believe a new secret from now on, and the one before for a week."""
    shop, form = await _find(request), await request.post()
    made = ""
    try:
        told = read_text(
            form, "secret", longest=LONGEST_SECRET, needed=shop.kind not in OURS
        )
    except InvalidField as problem:
        return await shop_page(request, shop.id, typed=form, problem=problem)
    if not told:
        told = made = new_secret()
    until = request.app[CLOCK]() + OLD_SECRET
    sealed = request.app[SEAL].close(told)
    await request.app[DATABASE].transact(
        renew_secret, shop.retailer_id, shop.id, sealed, until=until
    )
    log.info("shop_secret_changed", shop=shop.id)
    if made:
        return await shop_page(request, shop.id, secret=made)
    raise web.HTTPSeeOther(_page_of(shop.id))


@routes.post("/shops/{shop_id}/pause")
async def pause(request: web.Request) -> web.Response:
    """Take nothing over for now, or go on."""
    paused = (await request.post()).get("paused") == "yes"
    shop_id, now = request.match_info["shop_id"], request.app[CLOCK]()
    retailer_id = request[RETAILER].id

    def settle(session: Session) -> None:
        pause_shop(session, retailer_id, shop_id, paused=paused)
        if not paused:
            take_known(session, now=now)

    await request.app[DATABASE].transact(settle)
    raise web.HTTPSeeOther(_page_of(shop_id))


@routes.post("/shops/{shop_id}/items")
async def teach(request: web.Request) -> web.Response:
    """Learn what the shop's own keys stand for, and take over what waited for that."""
    shop, form = await _find(request), await request.post()
    now, retailer_id = request.app[CLOCK](), request[RETAILER].id
    try:
        pairs = list(read_pairs(form))
    except InvalidField as problem:
        return await shop_page(request, shop.id, typed=form, problem=problem)

    def learn(session: Session) -> None:
        learn_skus(session, retailer_id, shop.id, pairs, now=now)
        take_known(session, now=now)

    await request.app[DATABASE].transact(learn)
    raise web.HTTPSeeOther(_page_of(shop.id) + "#unknown")


@routes.post("/shops/{shop_id}/disconnect")
async def disconnect(request: web.Request) -> web.Response:
    """Forget the shop: what it sends is refused from now on."""
    shop_id, now = request.match_info["shop_id"], request.app[CLOCK]()
    retailer_id = request[RETAILER].id

    def forget(session: Session) -> None:
        changed = disconnect_shop(session, retailer_id, shop_id, now=now)
        refit(session, changed, now=now)

    await request.app[DATABASE].transact(forget)
    log.info("shop_disconnected", shop=shop_id)
    raise web.HTTPSeeOther("/shops")


async def shops_page(
    request: web.Request,
    *,
    typed: Form | None = None,
    problem: InvalidField | None = None,
) -> web.Response:
    view = await request.app[DATABASE].read(read_shops, request[RETAILER].id)
    blank = {"kind": ShopKind.SHOPIFY.value, "name": "", "address": ""}
    blank["buffer"] = str(view.retailer.stock_buffer)
    return page(
        request,
        "desk/shops.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        view=view,
        values={**blank, **_texts(typed or {})},
        problems={problem.field: problem.sentence} if problem else {},
    )


async def shop_page(
    request: web.Request,
    shop_id: str,
    *,
    typed: Form | None = None,
    problem: InvalidField | None = None,
    secret: str = "",
) -> web.Response:
    """Answer with a shop's page; *secret* is told this once."""
    view = await request.app[DATABASE].read(
        read_shop, request[RETAILER].id, shop_id, now=request.app[CLOCK]()
    )
    told = {"name": view.shop.name, "address": view.shop.address}
    told["notification_url"] = view.shop.notification_url
    response = page(
        request,
        "desk/shop.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        view=view,
        shop=view.shop,
        kind=view.shop.kind.value,
        values={**told, **_texts(typed or {})},
        problems={problem.field: problem.sentence} if problem else {},
        tellable=view.shop.kind in TELLABLE,
        here=_address_of(request, view.shop),
        secret=secret,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def read_pairs(form: Form) -> Iterator[tuple[str, str]]:
    """Yield what lines say: a key of the shop's and our SKU, with a comma between.

    Lines without a SKU are passed over: they are still to be filled in.

    Raises:
        InvalidField: If a line has no two columns, or they are too many or too long.
    """
    text = str(form.get("items", "")).replace("\0", "")
    lines = [line.strip(" ") for line in text.splitlines()]
    if len(lines) > MOST_PAIRS:
        problem = Sentence("Enter {most} lines at most.", most=MOST_PAIRS)
        raise InvalidField("items", problem)
    for number, line in enumerate(lines, start=1):
        mark = next((mark for mark in "\t;," if mark in line), "")
        key, _, sku = line.partition(mark) if mark else (line, "", "")
        if line and (not mark or len(line) > 2 * LONGEST_SECRET):
            problem = Sentence(
                "Line {number}: write the shop's key, a comma and your SKU.",
                number=number,
            )
            raise InvalidField("items", problem, line)
        if key.strip() and sku.strip():
            yield key.strip(), sku.strip()


async def _read_new(request: web.Request, form: Form) -> ShopConnection:
    kind = read_text(form, "kind", longest=20)
    if kind not in set(ShopKind):
        raise InvalidField("kind", Sentence("Choose from the list."), kind)
    known = await request.app[DATABASE].read(shops, request[RETAILER].id)
    if len(known) >= MOST_SHOPS:
        most = Sentence("Connect {most} shops at most.", most=MOST_SHOPS)
        raise InvalidField("kind", most, kind)
    now = request.app[CLOCK]()
    shop = ShopConnection(
        id=new_id("shop", now),
        retailer_id=request[RETAILER].id,
        kind=ShopKind(kind),
        name=read_text(form, "name", longest=100, needed=True),
        address=read_address(form, "address", request.app[SETTINGS]),
        created_at=now,
    )
    if shop.kind is ShopKind.SQUARE:
        shop.notification_url = _address_of(request, shop)
    return shop


def _read_details(request: web.Request, form: Form, shop: ShopConnection) -> None:
    settings = request.app[SETTINGS]
    shop.name = read_text(form, "name", longest=100, needed=True)
    shop.address = read_address(form, "address", settings).rstrip("/")
    if shop.kind is ShopKind.SQUARE:
        shop.notification_url = read_text(
            form, "notification_url", longest=500, needed=True
        )
    token = read_text(form, "token", longest=LONGEST_SECRET)
    if token:
        shop.sealed_token = request.app[SEAL].close(token)
    shop.tells_back = shop.kind in TELLABLE and form.get("tells_back") == "yes"
    if shop.tells_back and not shop.address:
        raise InvalidField("address", Sentence("Enter where the shop is."))
    if shop.tells_back and not shop.sealed_token:
        raise InvalidField("token", Sentence("Enter the key that lets us in there."))


async def _find(request: web.Request) -> ShopConnection:
    shop_id, retailer_id = request.match_info["shop_id"], request[RETAILER].id
    return await request.app[DATABASE].read(
        get_own, ShopConnection, retailer_id, shop_id
    )


def _page_of(shop_id: str) -> str:
    return f"/shops/{shop_id}"


def _address_of(request: web.Request, shop: ShopConnection) -> str:
    return f"{request.app[SETTINGS].public_url}/webhooks/shops/{shop.id}"


def _texts(form: Form) -> dict[str, str]:
    return {name: text for name, text in form.items() if isinstance(text, str)}
