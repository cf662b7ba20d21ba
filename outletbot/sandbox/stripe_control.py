"""The control page: what the sandbox knows, and buttons for what it shall do next.

``GET /sandbox`` is for people; the same addresses take and give JSON, for tests and
rehearsals that run in another process.
"""

from datetime import timedelta
from typing import Any

from aiohttp import web

from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe_books import Json
from outletbot.sandbox.stripe_errors import StripeRefusal
from outletbot.sandbox.stripe_operations import OPERATIONS
from outletbot.sandbox.stripe_pages import render, when
from outletbot.sandbox.stripe_payments import is_pending
from outletbot.sandbox.stripe_rules import spoken
from outletbot.sandbox.stripe_sessions import expire_session
from outletbot.sandbox.stripe_state import SANDBOX, StripeSandbox
from outletbot.sandbox.stripe_webhooks import Fate, Order, Treatment

SHOWN = 50

routes = web.RouteTableDef()


@routes.get("/sandbox")
async def show_control(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    sandbox.sweep(now=sandbox.clock())
    return render(
        request,
        "stripe_control.html",
        webhook_url=sandbox.postman.url,
        sessions=_rows(sandbox, "checkout.session"),
        refunds=_rows(sandbox, "refund"),
        events=_rows(sandbox, "event"),
        waiting=sandbox.faults.waiting,
        calls=[" ".join(call) for call in OPERATIONS],
        faults=list(Fault),
        fates=list(Fate),
        orders=list(Order),
    )


@routes.get("/sandbox/faults")
async def show_faults(request: web.Request) -> web.Response:
    return web.json_response({"waiting": request.app[SANDBOX].faults.waiting})


@routes.post("/sandbox/faults")
async def arrange_faults(request: web.Request) -> web.Response:
    """Take ``{"call": "POST /v1/refunds", "faults": ["timeout_after", …]}``."""
    sandbox, said = request.app[SANDBOX], await _read(request)
    kinds, call = said.get("faults", []), str(said.get("call"))
    if tuple(call.split(" ", 1)) not in OPERATIONS:
        raise web.HTTPUnprocessableEntity(text=f"No such call: {call}")
    try:
        faults = [
            Fault(kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
        ]
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
    sandbox.faults.next(call, *faults)
    return _done(request, {"waiting": sandbox.faults.waiting})


@routes.post("/sandbox/deliveries")
async def arrange_deliveries(request: web.Request) -> web.Response:
    """Take ``{"fate": "sent", "copies": 2, "delay": 1.5, "times": 3, "type": …}``."""
    said = await _read(request)
    try:
        treatment = Treatment(
            fate=Fate(said.get("fate", "sent")),
            copies=int(said.get("copies", 1)),
            delay=timedelta(seconds=float(said.get("delay", 0))),
        )
        times = int(said.get("times", 1))
    except (TypeError, ValueError) as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
    postman = request.app[SANDBOX].postman
    postman.treat_next(treatment, times=times, event_type=said.get("type"))
    return _done(request, {"arranged": times})


@routes.post("/sandbox/deliveries/release")
async def release_deliveries(request: web.Request) -> web.Response:
    """Take ``{"order": "shuffled"}`` and send what was held back."""
    try:
        order = Order((await _read(request)).get("order", Order.AS_HAPPENED))
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
    released = await request.app[SANDBOX].postman.release(order)
    return _done(request, {"released": released})


@routes.post("/sandbox/events/{id}/resend")
async def resend_event(request: web.Request) -> web.Response:
    sandbox, said = request.app[SANDBOX], await _read(request)
    account = sandbox.account(str(said.get("account", "")))
    return _try(request, lambda i: sandbox.postman.send_again(account, i))


@routes.post("/sandbox/sessions/{id}/{verb:expire|conclude|disappoint}")
async def move_session(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]

    def expire(session_id: str) -> None:
        account = sandbox.account_of_session(session_id) or sandbox.account()
        expire_session(account, session_id, now=sandbox.clock())
        sandbox.commit()

    verbs = {
        "expire": expire,
        "conclude": sandbox.conclude,
        "disappoint": sandbox.disappoint,
    }
    return _try(request, verbs[request.match_info["verb"]])


@routes.post("/sandbox/refunds/{id}/{verb:conclude|fail}")
async def move_refund(request: web.Request) -> web.Response:
    sandbox, said = request.app[SANDBOX], await _read(request)
    verbs = {"conclude": sandbox.conclude_refund, "fail": sandbox.fail_refund}
    move, account_id = verbs[request.match_info["verb"]], str(said.get("account", ""))
    return _try(request, lambda refund_id: move(refund_id, account_id))


async def _read(request: web.Request) -> dict[str, Any]:
    """Return what was sent, by a form of the control page or as JSON."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        message = "Another site's page may not work the sandbox."
        raise web.HTTPForbidden(text=message)
    if request.content_type != "application/json":
        return dict(await request.post())
    try:
        said = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="This is no JSON.") from error
    if not isinstance(said, dict):
        raise web.HTTPBadRequest(text="Please send an object.")
    return said


def _try(request: web.Request, work: Any) -> web.Response:
    try:
        work(request.match_info["id"])
    except LookupError as error:
        raise web.HTTPNotFound(text=str(error)) from error
    except StripeRefusal as refusal:
        raise web.HTTPConflict(text=str(refusal)) from refusal
    return _done(request, {"done": True})


def _done(request: web.Request, answer: Json) -> web.Response:
    if request.content_type == "application/json":
        return web.json_response(answer)
    page = "/sandbox"
    raise web.HTTPSeeOther(page)


def _rows(sandbox: StripeSandbox, kind: str) -> list[Json]:
    rows = [
        {**thing, "account": account.id, **_shown(account, thing)}
        for account in sandbox.books.accounts.values()
        for thing in account.all(kind)[-SHOWN:]
    ]
    return sorted(rows, key=lambda row: row["created"])[: -SHOWN - 1 : -1]


def _shown(account: Any, thing: Json) -> Json:
    match thing["object"]:
        case "checkout.session":
            return {
                "amount": spoken(thing["amount_total"], thing["currency"]),
                "ends": when(thing["expires_at"]),
                "pending": is_pending(account, thing),
            }
        case "refund":
            return {"amount": spoken(thing["amount"], thing["currency"])}
        case _:
            delivery = account.find("delivery", thing["id"]) or {}
            return {
                "state": delivery.get("state", "told to nobody"),
                "attempts": delivery.get("attempts", []),
            }
