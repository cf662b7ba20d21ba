"""The control page: what the sandbox knows, and buttons for what it shall do next.

``GET /sandbox`` is for people; the same addresses take and give JSON, for tests and
rehearsals that run in another process.
"""

from collections.abc import Iterator
from datetime import timedelta

from aiohttp import web

from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe_balance import balance_of
from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_connect import account_object
from outletbot.sandbox.stripe_operations import OPERATIONS
from outletbot.sandbox.stripe_pages import render, when
from outletbot.sandbox.stripe_payments import is_pending
from outletbot.sandbox.stripe_rules import spoken
from outletbot.sandbox.stripe_said import answer_done, attempt, read_said
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
        disputes=_rows(sandbox, "dispute"),
        balances=list(_balances(sandbox)),
        accounts=list(_accounts(sandbox)),
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
    sandbox, said = request.app[SANDBOX], await read_said(request)
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
    return answer_done(request, {"waiting": sandbox.faults.waiting})


@routes.post("/sandbox/deliveries")
async def arrange_deliveries(request: web.Request) -> web.Response:
    """Take ``{"fate": "sent", "copies": 2, "delay": 1.5, "times": 3, "type": …}``."""
    said = await read_said(request)
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
    return answer_done(request, {"arranged": times})


@routes.post("/sandbox/deliveries/release")
async def release_deliveries(request: web.Request) -> web.Response:
    """Take ``{"order": "shuffled"}`` and send what was held back."""
    try:
        order = Order((await read_said(request)).get("order", Order.AS_HAPPENED))
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
    released = await request.app[SANDBOX].postman.release(order)
    return answer_done(request, {"released": released})


@routes.post("/sandbox/events/{id}/resend")
async def resend_event(request: web.Request) -> web.Response:
    sandbox, said = request.app[SANDBOX], await read_said(request)
    account = sandbox.account(str(said.get("account", "")))
    event_id = request.match_info["id"]
    return attempt(request, lambda: sandbox.postman.send_again(account, event_id))


def _accounts(sandbox: StripeSandbox) -> Iterator[Json]:
    for connection in sandbox.account().rows("connection"):
        account = sandbox.account(connection["id"])
        shown = account_object(account, now=sandbox.clock())
        yield {
            "id": account.id,
            "name": (shown["business_profile"] or {}).get("name"),
            "enabled": shown["charges_enabled"],
            "revoked": connection["revoked"],
        }


def _balances(sandbox: StripeSandbox) -> Iterator[Json]:
    for account in sandbox.books.accounts.values():
        told = balance_of(account, now=sandbox.clock())
        for available, pending in zip(told["available"], told["pending"], strict=True):
            currency = available["currency"]
            yield {
                "account": account.id,
                "available": spoken(available["amount"], currency),
                "pending": spoken(pending["amount"], currency),
            }


def _rows(sandbox: StripeSandbox, kind: str) -> list[Json]:
    rows = [
        {**thing, "account": account.id, **_shown(sandbox, account, thing)}
        for account in sandbox.books.accounts.values()
        for thing in account.rows(kind)[-SHOWN:]
    ]
    return sorted(rows, key=lambda row: row["created"])[: -SHOWN - 1 : -1]


def _shown(sandbox: StripeSandbox, account: Account, thing: Json) -> Json:
    match thing["object"]:
        case "checkout.session":
            return {
                "amount": spoken(thing["amount_total"], thing["currency"]),
                "ends": when(thing["expires_at"]),
                "pending": is_pending(account, thing),
            }
        case "refund":
            return {"amount": spoken(thing["amount"], thing["currency"])}
        case "dispute":
            return {
                "amount": spoken(thing["amount"], thing["currency"]),
                "due": when(thing["evidence_details"]["due_by"]),
            }
        case _:
            told = sandbox.postman.deliveries(account, thing)
            return {
                "state": ", ".join(each["state"] for each in told) or "told to nobody",
                "attempts": [one for each in told for one in each["attempts"]],
            }
