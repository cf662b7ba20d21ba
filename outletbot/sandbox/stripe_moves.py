"""What shoppers, banks and time do to the money, on the control page's word.

Each takes a form of the control page, or JSON, and gives back what became of it.
"""

from datetime import timedelta

from aiohttp import web

from outletbot.sandbox.stripe_books import Json
from outletbot.sandbox.stripe_said import attempt, read_said
from outletbot.sandbox.stripe_sessions import expire_session
from outletbot.sandbox.stripe_state import SANDBOX, StripeSandbox

routes = web.RouteTableDef()


@routes.post("/sandbox/sessions/{id}/{verb:pay|promise|expire|conclude|disappoint}")
async def move_session(request: web.Request) -> web.Response:
    await read_said(request)
    sandbox, session_id = request.app[SANDBOX], request.match_info["id"]
    verbs = {
        "pay": sandbox.pay,
        "promise": sandbox.promise,
        "expire": lambda session_id: _expire(sandbox, session_id),
        "conclude": sandbox.conclude,
        "disappoint": sandbox.disappoint,
    }
    return attempt(request, lambda: verbs[request.match_info["verb"]](session_id))


@routes.post("/sandbox/refunds/{id}/{verb:conclude|fail}")
async def move_refund(request: web.Request) -> web.Response:
    sandbox, said = request.app[SANDBOX], await read_said(request)
    verbs = {"conclude": sandbox.conclude_refund, "fail": sandbox.fail_refund}
    move, account_id = verbs[request.match_info["verb"]], str(said.get("account", ""))
    return attempt(request, lambda: move(request.match_info["id"], account_id))


@routes.post("/sandbox/payments/{id}/dispute")
async def dispute_payment(request: web.Request) -> web.Response:
    """Take ``{"amount": 500, "reason": "product_not_received"}``, both optional."""
    sandbox, said = request.app[SANDBOX], await read_said(request)

    def dispute() -> Json:
        amount = int(said["amount"]) if said.get("amount") else None
        reason = str(said.get("reason", "fraudulent"))
        return sandbox.dispute(request.match_info["id"], amount, reason)

    return attempt(request, dispute)


@routes.post("/sandbox/disputes/{id}/{verb:answer|win|lose}")
async def move_dispute(request: web.Request) -> web.Response:
    await read_said(request)
    sandbox, dispute_id = request.app[SANDBOX], request.match_info["id"]

    def move() -> Json:
        match request.match_info["verb"]:
            case "answer":
                return sandbox.answer_dispute(dispute_id)
            case verb:
                return sandbox.decide_dispute(dispute_id, won=verb == "win")

    return attempt(request, move)


@routes.post("/sandbox/payouts")
async def pay_out(request: web.Request) -> web.Response:
    """Take ``{"account": "acct_…"}``; without one, the key's own account pays out."""
    sandbox, said = request.app[SANDBOX], await read_said(request)
    return attempt(request, lambda: sandbox.payout(str(said.get("account", ""))))


@routes.post("/sandbox/accounts/{id}/{verb:connect|deauthorize|enable|disable}")
async def move_account(request: web.Request) -> web.Response:
    await read_said(request)
    sandbox, account_id = request.app[SANDBOX], request.match_info["id"]

    def move() -> Json | None:
        match request.match_info["verb"]:
            case "connect":
                sandbox.connect(account_id)
                return None
            case "deauthorize":
                sandbox.deauthorize(account_id)
                return None
            case verb:
                return sandbox.allow_charges(account_id, enabled=verb == "enable")

    return attempt(request, move)


@routes.post("/sandbox/keys")
async def move_key(request: web.Request) -> web.Response:
    """Take ``{"key": "rk_test_…", "account": "acct_…", "lacks": ["rak_…"]}``.

    With ``"expired": true`` the key is of no use any more.
    """
    sandbox, said = request.app[SANDBOX], await read_said(request)

    def move() -> None:
        if said.get("expired"):
            return sandbox.expire_key(str(said["key"]))
        account_id, lacks = str(said.get("account", "")), said.get("lacks", [])
        return sandbox.add_key(str(said["key"]), account_id, *lacks)

    return attempt(request, move)


@routes.post("/sandbox/settings")
async def change_settings(request: web.Request) -> web.Response:
    """Take ``{"livemode": true, "rate_limit": 100, "latency": 0.2}``, any of them."""
    sandbox, said = request.app[SANDBOX], await read_said(request)

    def change() -> None:
        if "livemode" in said:
            sandbox.books.livemode = bool(said["livemode"])
        if "rate_limit" in said:
            limit = said["rate_limit"]
            sandbox.rate_limit = None if limit is None else int(limit)
        if "latency" in said:
            sandbox.latency = timedelta(seconds=float(said["latency"]))

    return attempt(request, change)


def _expire(sandbox: StripeSandbox, session_id: str) -> Json:
    account = sandbox.account_of_session(session_id) or sandbox.account()
    session = expire_session(account, session_id, now=sandbox.clock())
    sandbox.commit()
    return session
