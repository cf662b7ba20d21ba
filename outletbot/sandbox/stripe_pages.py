"""The checkout page that a session's address leads to: pay, promise, decline, leave.

It works without scripts and cookies, at phone size, and says that no money moves.
Pressing Pay twice pays once: the second press leads where the first one led.
"""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_payments import (
    GOOD_CARD,
    SessionOver,
    Shopper,
    decline_of,
    pay_later,
    pay_now,
)
from outletbot.sandbox.stripe_rules import spoken
from outletbot.sandbox.stripe_sessions import DELAYED, get_session
from outletbot.sandbox.stripe_state import SANDBOX

TEMPLATES = web.AppKey("stripe_templates", Environment)

# No form-action: browsers apply it to the redirect after a form, too, and the way back
# to the shop would be barred.
CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"

_DECLINED = "Your card has been declined."
_TYPED = (
    *("email", "phone", "name", "card"),
    *("line1", "line2", "postal_code", "city", "country"),
)

routes = web.RouteTableDef()


def load_templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def render(
    request: web.Request, name: str, *, status: int = 200, **facts: object
) -> web.Response:
    page = request.app[TEMPLATES].get_template(name).render(**facts)
    headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-store"}
    return web.Response(
        text=page, content_type="text/html", status=status, headers=headers
    )


@routes.get("/c/pay/{id}")
async def show_checkout(request: web.Request) -> web.Response:
    account, session = _find(request)
    request.app[SANDBOX].commit()
    if session["status"] != "open":
        return _say_over(request, session)
    return _show(request, account, session, typed=dict.fromkeys(_TYPED, ""))


@routes.post("/c/pay/{id}")
async def take_payment(request: web.Request) -> web.Response:
    account, session = _find(request)
    form = await request.post()
    typed = {name: str(form.get(name, "")).strip() for name in _TYPED}
    problem = _problem(session, typed, str(form.get("do", "pay")))
    if session["status"] == "open" and problem:
        return _show(request, account, session, typed=typed, problem=problem)
    sandbox, now = request.app[SANDBOX], request.app[SANDBOX].clock()
    try:
        if form.get("do") == "later":
            pay_later(account, session["id"], _shopper(session, typed), now=now)
        else:
            pay_now(
                account, session["id"], _shopper(session, typed), sandbox.fees, now=now
            )
    except SessionOver as over:
        if over.session["status"] != "complete":
            return _say_over(request, over.session)
    finally:
        sandbox.commit()
    raise web.HTTPSeeOther(success_address(session))


def success_address(session: Json) -> str:
    """Return where the shopper goes after paying, as Stripe fills it in."""
    address: str = session["success_url"]
    return address.replace("{CHECKOUT_SESSION_ID}", quote(session["id"]))


def when(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M} UTC"


def _find(request: web.Request) -> tuple[Account, Json]:
    sandbox, session_id = request.app[SANDBOX], request.match_info["id"]
    account = sandbox.account_of_session(session_id)
    if account is None:
        raise web.HTTPNotFound(text="There is no such checkout page.")
    return account, get_session(account, session_id, now=sandbox.clock())


def _problem(session: Json, typed: dict[str, str], do: str) -> str | None:
    if do == "decline":
        return _DECLINED
    if session["phone_number_collection"]["enabled"] and not typed["phone"]:
        return "Please give a phone number."
    if session["shipping_address_collection"]:
        asked = ("name", "line1", "postal_code", "city")
        if not all(typed[name] for name in asked):
            return "Please give the whole address."
        if typed["country"] not in _countries(session):
            return "We do not ship to this country."
    if do == "later":
        return None if _offers_debit(session) else "Bank debit is not offered."
    return decline_of(typed["card"])


def _countries(session: Json) -> list[str]:
    collection = session["shipping_address_collection"] or {}
    countries: list[str] = collection.get("allowed_countries", [])
    return countries


def _offers_debit(session: Json) -> bool:
    return DELAYED.get(session["currency"]) in session["payment_method_types"]


def _shopper(session: Json, typed: dict[str, str]) -> Shopper:
    address = None
    if session["shipping_address_collection"]:
        names = ("line1", "line2", "postal_code", "city", "country")
        address = {name: typed[name] or None for name in names} | {"state": None}
    return Shopper(
        email=session["customer_email"] or typed["email"] or None,
        name=typed["name"] or None,
        phone=typed["phone"] or None,
        address=address,
        card="".join(typed["card"].split()) or GOOD_CARD,
    )


def _show(
    request: web.Request,
    account: Account,
    session: Json,
    *,
    typed: dict[str, str],
    problem: str | None = None,
) -> web.Response:
    currency = session["currency"]
    lines = account.get("line_items", session["id"])["data"]
    return render(
        request,
        "stripe_pay.html",
        session=session,
        amount=spoken(session["amount_total"], currency),
        items=[
            {**line, "total": spoken(line["amount_total"], currency)} for line in lines
        ],
        ends=when(session["expires_at"]),
        countries=_countries(session),
        delayed=_offers_debit(session),
        typed=typed,
        problem=problem,
    )


def _say_over(request: web.Request, session: Json) -> web.Response:
    if session["status"] == "complete":
        return render(
            request,
            "stripe_over.html",
            heading="This is paid for already",
            text="There is nothing left to do on this page.",
            link=success_address(session),
            link_text="To your order",
        )
    return render(
        request,
        "stripe_over.html",
        status=410,
        heading="This page has expired",
        text="It can no longer be paid. No money was taken.",
        link=session["cancel_url"],
        link_text="Back to the shop",
    )
