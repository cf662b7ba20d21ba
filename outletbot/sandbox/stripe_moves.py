"""What shoppers, banks and time do to the money, on the control page's word.

Each takes a form of the control page, or JSON, and gives back what became of it.
"""

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


def _expire(sandbox: StripeSandbox, session_id: str) -> Json:
    account = sandbox.account_of_session(session_id) or sandbox.account()
    session = expire_session(account, session_id, now=sandbox.clock())
    sandbox.commit()
    return session
