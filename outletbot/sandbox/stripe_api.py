"""Stripe's HTTP API, as much of it as outletbot speaks.

A request is let in (key, account, rate), read by the schema of the installed library,
answered by a plain function, and kept for its idempotency key. Whatever a shopper or a
webhook shall see of it is committed before the answer leaves.
"""

from datetime import datetime

import stripe
from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_errors import (
    StripeRefusal,
    broken,
    locked,
    no_such_url,
    too_many,
)
from outletbot.sandbox.stripe_forms import read_form
from outletbot.sandbox.stripe_idempotency import (
    ASK,
    Answer,
    Ask,
    answer_to,
    check_key,
    is_kept,
    recall,
    remember,
    spoil,
    under_way,
)
from outletbot.sandbox.stripe_lists import expand
from outletbot.sandbox.stripe_operations import OPERATIONS, Errand, Work
from outletbot.sandbox.stripe_schema import record_of
from outletbot.sandbox.stripe_state import (
    ACCOUNT,
    KEY,
    REQUEST_ID,
    SANDBOX,
)


def add_api(app: web.Application) -> None:
    for (method, path), (parameters, work) in OPERATIONS.items():
        app.router.add_route(method, path, _handler(parameters, work))


def _handler(parameters: type, work: Work) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        sandbox, account = request.app[SANDBOX], request[ACCOUNT]
        now, ask = sandbox.clock(), await _read(request)
        if request.method != "POST":
            asked = record_of(parameters).read(read_form(request.query_string))
            answer = Answer(200, _run(work, request, asked, now))
            sandbox.commit()
            return _respond(request, answer)
        request[ASK] = ask
        async with under_way(sandbox, account, ask):
            answer = recall(account, ask, now=now) or _perform(
                request, ask, parameters, work
            )
            sandbox.commit()
        return _respond(request, answer)

    return handle


async def _read(request: web.Request) -> Ask:
    body = await request.read()
    return Ask(
        path=request.path,
        body=body.decode(errors="replace"),
        key=check_key(request.headers.get("Idempotency-Key")),
        request_id=request[REQUEST_ID],
    )


def _perform(request: web.Request, ask: Ask, parameters: type, work: Work) -> Answer:
    """Do it, and keep the answer; a refusal before anything was done is not kept."""
    now = request.app[SANDBOX].clock()
    asked = record_of(parameters).read(read_form(ask.body))
    try:
        answer = Answer(200, _run(work, request, asked, now))
    except StripeRefusal as refusal:
        if not is_kept(refusal):
            raise
        answer = answer_to(refusal)
    remember(request[ACCOUNT], ask, answer, now=now)
    return answer


def _run(work: Work, request: web.Request, asked: Json, now: datetime) -> Json:
    account: Account = request[ACCOUNT]
    errand = Errand(
        sandbox=request.app[SANDBOX],
        account=account,
        asked=asked,
        object_id=request.match_info.get("id", ""),
        path=request.path,
        key=request[KEY],
        now=now,
    )
    return expand(account, work(errand), asked.get("expand", []))


@web.middleware
async def speak_stripe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let API calls in or refuse them, in Stripe's form; other pages pass."""
    if not request.path.startswith("/v1/"):
        return await handler(request)
    sandbox = request.app[SANDBOX]
    request[REQUEST_ID] = sandbox.books.new_id("req", 14)
    try:
        request[ACCOUNT], request[KEY] = sandbox.door.let_in(
            request.headers.get("Authorization", ""),
            request.headers.get("Stripe-Account", ""),
            request.method,
            request.path,
            now=sandbox.clock(),
        )
        return await handler(request)
    except StripeRefusal as refusal:
        sandbox.commit()  # what was found to be over stays over
        return refuse(request, refusal)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return refuse(request, no_such_url(request.method, request.path))


def _respond(request: web.Request, answer: Answer) -> web.Response:
    response = web.json_response(answer.body, status=answer.status)
    if answer.replay_of:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = answer.replay_of
    return _label(request, response)


def refuse(request: web.Request, refusal: StripeRefusal) -> web.Response:
    response = web.json_response(refusal.body, status=refusal.status)
    if refusal.status == 429:
        reason = "resource-specific" if refusal.retry else "global-rate"
        response.headers["Stripe-Rate-Limited-Reason"] = reason
    if refusal.retry:
        response.headers["Stripe-Should-Retry"] = refusal.retry
    return _label(request, response)


def _label(request: web.Request, response: web.Response) -> web.Response:
    """Add what every answer of Stripe's carries."""
    sandbox, sent = request.app[SANDBOX], request.headers
    request_id = request.get(REQUEST_ID) or sandbox.books.new_id("req", 14)
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = sent.get("Stripe-Version", stripe.api_version)
    for name in ("Idempotency-Key", "Stripe-Account"):
        if name in sent:
            response.headers[name] = sent[name]
    return response


def answer_too_many(request: web.Request) -> web.Response:
    return refuse(request, too_many())


def answer_locked(request: web.Request) -> web.Response:
    return refuse(request, locked())


def answer_broken(request: web.Request) -> web.Response:
    """Say that something went wrong, and say it again to the same key."""
    spoil(request)
    return refuse(request, broken())
