"""A reservation's page: the code and its QR to show in the store, and until when."""

import io

import segno
from aiohttp import web
from markupsafe import Markup

from outletbot.keys import CLOCK, DATABASE, SETTINGS
from outletbot.web.guard import public
from outletbot.web.shop.answers import private_page
from outletbot.web.shop.calendar_file import Event, write_event
from outletbot.web.shop.hold_view import HoldView, read_hold

routes = web.RouteTableDef()


def reserved_page(request: web.Request, view: HoldView) -> web.Response:
    """Answer with the page that a shopper shows in the store."""
    return private_page(
        request,
        "reserved.html",
        seller=view.seller,
        view=view,
        hold=view.hold,
        over=view.now >= view.hold.expires_at,
        code=spoken(view.hold.pickup_code or ""),
        qr=qr_code(redeem_url(request, view)),
    )


@routes.get("/h/{token}/pickup.ics")
@public
async def send_reminder(request: web.Request) -> web.Response:
    """Send the last moment to fetch it as something for the shopper's calendar."""
    token, now = request.match_info["token"], request.app[CLOCK]()
    view = await request.app[DATABASE].read(read_hold, token, now=now)
    url = f"{request.app[SETTINGS].public_url}/h/{token}"
    text = write_event(_reminder(view, url), now=now)
    return web.Response(text=text, content_type="text/calendar", charset="utf-8")


def redeem_url(request: web.Request, view: HoldView) -> str:
    """Return where the merchant's phone is led by the QR."""
    return f"{request.app[SETTINGS].public_url}/redeem/{view.hold.pickup_code}"


def qr_code(text: str) -> Markup:
    """Return *text* as a QR drawing, dark on light whatever the page's colours are."""
    drawing = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawing,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        border=4,
        dark="#000",
        light="#fff",
        svgclass=None,
        lineclass=None,
    )
    return Markup(drawing.getvalue().decode())  # noqa: S704  (drawn here)


def spoken(code: str) -> str:
    """Return a code in two groups, as people read it out: ``7H2K 0M1Q``."""
    return f"{code[:4]} {code[4:]}".upper().strip()


def _reminder(view: HoldView, url: str) -> Event:
    return Event(
        id=view.hold.id,
        title=f"{view.hold.title} · {view.seller.name}",
        starts_at=view.hold.expires_at,
        ends_at=view.hold.expires_at,
        url=url,
        minutes_before=120,
    )
