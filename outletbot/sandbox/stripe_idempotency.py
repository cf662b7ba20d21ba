"""Idempotency keys: the same key gets the same answer, for a day.

As https://docs.stripe.com/api/idempotent_requests has it: the first answer is kept once
execution has begun, even if it is an error of ours (500); a request that was refused
before (wrong parameters, a lock, another one under way with this key) is not kept.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_errors import (
    Invalid,
    NotStarted,
    StripeRefusal,
    broken,
    key_in_use,
    other_endpoint,
    other_parameters,
)
from outletbot.sandbox.stripe_state import ACCOUNT, SANDBOX, StripeSandbox

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation says; a replay names the request that it first answered."""

    status: int
    body: Json
    replay_of: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as far as its repetition is concerned."""

    path: str
    body: str
    key: str | None
    request_id: str


ASK = web.RequestKey("stripe_ask", Ask)


def recall(account: Account, ask: Ask, *, now: datetime) -> Answer | None:
    """Return what this key was answered before, if it was.

    Raises:
        NotStarted: If the key was used for another request.
    """
    if ask.key is None:
        return None
    kept = account.find("reply", ask.key)
    if kept is None or kept["at"] <= (now - KEPT_FOR).timestamp():
        return None
    if kept["path"] != ask.path:
        raise other_endpoint(ask.key, kept["path"], ask.path)
    if kept["asked"] != ask.body:
        raise other_parameters(ask.key)
    return Answer(kept["status"], kept["body"], replay_of=kept["request"])


def remember(account: Account, ask: Ask, answer: Answer, *, now: datetime) -> None:
    """Keep an answer for its key, if it has one."""
    if ask.key is None:
        return
    account.keep(
        {
            "id": ask.key,
            "object": "reply",
            "at": int(now.timestamp()),
            "path": ask.path,
            "asked": ask.body,
            "request": ask.request_id,
            "status": answer.status,
            "body": json.loads(json.dumps(answer.body)),
        }
    )


def spoil(request: web.Request) -> None:
    """Make the answer that was kept for this request an error of Stripe's own.

    That is what a client meets whose request failed halfway: the effect is there, and
    every repetition with the same key is told that something went wrong.
    """
    account, ask = request.get(ACCOUNT), request.get(ASK)
    if account is not None and ask is not None and account.find("reply", ask.key or ""):
        sandbox = request.app[SANDBOX]
        refusal = broken()
        answer = Answer(refusal.status, refusal.body)
        remember(account, ask, answer, now=sandbox.clock())
        sandbox.commit()


@asynccontextmanager
async def under_way(
    sandbox: StripeSandbox, account: Account, ask: Ask
) -> AsyncIterator[None]:
    """Hold a key while its request is under way.

    Raises:
        NotStarted: If another request with this key is.
    """
    name = (account.id, ask.key or ask.request_id)
    if name in sandbox.being_answered:
        raise key_in_use(name[1])
    sandbox.being_answered.add(name)
    try:
        await asyncio.sleep(sandbox.latency.total_seconds())
        yield
    finally:
        sandbox.being_answered.discard(name)


def check_key(key: str | None) -> str | None:
    """Return the key of a request.

    Raises:
        Invalid: If it is longer than Stripe keeps.
    """
    if key is not None and len(key) > LONGEST_KEY:
        message = f"Idempotency keys can be up to {LONGEST_KEY} characters long."
        raise Invalid(message)
    return key or None


def answer_to(refusal: StripeRefusal) -> Answer:
    return Answer(refusal.status, refusal.body)


def is_kept(refusal: StripeRefusal) -> bool:
    return not isinstance(refusal, NotStarted)
