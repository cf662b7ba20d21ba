"""The counter of a shop to practise on: what it has, and a button to sell one.

``GET /`` is for people. ``/sandbox/…`` takes JSON for tests and rehearsals that run in
another process: where and how messages are sent, and what goes wrong next.
"""

from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from jinja2 import Environment, PackageLoader

from outletbot.sandbox.faults import Fault, Faults
from outletbot.sandbox.shop_hooks import Hooks, Order, Treatment

SHOWN = 20

_PAGES = Environment(
    loader=PackageLoader("outletbot.sandbox"), autoescape=True, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class Goods:
    """What lies at one place; *units* is None if the shop does not count them."""

    key: str
    name: str
    sku: str
    place: str
    units: int | None


class Counter(Protocol):
    kind: str
    hooks: Hooks
    faults: Faults

    def greet(self) -> None:
        """Do what the shop does when it is told an address for its messages."""
        ...

    def goods(self) -> list[Goods]: ...

    def sell(self, key: str, units: int) -> None:
        """Sell some; ``KeyError`` or ``ValueError`` if there is no such thing."""
        ...


COUNTER = web.AppKey("shop_counter", Counter)


def add_counter(app: web.Application) -> None:
    app.router.add_get("/", _show)
    app.router.add_post("/sell", _sell)
    app.router.add_post("/webhook", _set_webhook)
    app.router.add_post("/sandbox/webhook", _set_hooks)
    app.router.add_post("/sandbox/next", _treat_next)
    app.router.add_post("/sandbox/release", _release)
    app.router.add_post("/sandbox/faults", _arrange_faults)


async def _show(request: web.Request) -> web.Response:
    counter = request.app[COUNTER]
    page = _PAGES.get_template("shop_counter.html").render(
        kind=counter.kind,
        goods=counter.goods(),
        hooks=counter.hooks,
        sent=counter.hooks.sent[-SHOWN:][::-1],
    )
    return web.Response(text=page, content_type="text/html")


async def _sell(request: web.Request) -> web.Response:
    form = await request.post()
    try:
        request.app[COUNTER].sell(str(form.get("key")), int(str(form.get("units", 1))))
    except (KeyError, ValueError) as error:
        raise web.HTTPNotFound(text="There is no such thing here.") from error
    await request.app[COUNTER].hooks.settled()
    raise web.HTTPSeeOther("./")


async def _set_webhook(request: web.Request) -> web.Response:
    form = await request.post()
    hooks = request.app[COUNTER].hooks
    hooks.url, hooks.secret = str(form.get("url", "")), str(form.get("secret", ""))
    request.app[COUNTER].greet()
    await hooks.settled()
    raise web.HTTPSeeOther("./")


async def _set_hooks(request: web.Request) -> web.Response:
    """Take ``{"url": "https://…", "secret": "…"}``."""
    said, hooks = await request.json(), request.app[COUNTER].hooks
    hooks.url = str(said.get("url", hooks.url))
    hooks.secret = str(said.get("secret", hooks.secret))
    request.app[COUNTER].greet()
    return web.json_response({"done": True})


async def _treat_next(request: web.Request) -> web.Response:
    """Take ``{"copies": 2, "held": true, "secret": "…", "times": 1}``."""
    said = await request.json()
    treatment = Treatment(
        copies=int(said.get("copies", 1)),
        held=bool(said.get("held", False)),
        secret=said.get("secret"),
    )
    request.app[COUNTER].hooks.treat_next(*[treatment] * int(said.get("times", 1)))
    return web.json_response({"done": True})


async def _release(request: web.Request) -> web.Response:
    """Take ``{"order": "backwards"}``."""
    order = Order((await request.json()).get("order", Order.AS_HAPPENED))
    count = await request.app[COUNTER].hooks.release(order)
    return web.json_response({"sent": count})


async def _arrange_faults(request: web.Request) -> web.Response:
    """Take ``{"call": "…", "faults": ["timeout_after", …]}``."""
    said = await request.json()
    faults = [Fault(each) for each in said.get("faults", [])]
    request.app[COUNTER].faults.next(str(said["call"]), *faults)
    return web.json_response({"waiting": request.app[COUNTER].faults.waiting})
