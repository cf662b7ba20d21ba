"""The way to a network's page and back: who set out, and that it is they who come back.

What the network hands back as *state* is sealed, good for ten minutes, and for one
sign-in at one retailer; it has the secret half of PKCE (RFC 7636) in it. That it is
used once is by a cookie of the browser that set out, which ends with the return: the
code itself is good once by the network's word (RFC 6749, section 10.5).

The browser comes back from another site by a link, with GET. Cookies that are ``Lax``
are sent with that, and so are ours (``guard.set_cookie``): nobody has to sign in anew.
"""

import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from offers.errors import WrongState
from offers.sentences import Sentence
from outletbot.channels.credentials import Credentials
from outletbot.channels.oauth import Candidate
from outletbot.keys import CLOCK, MERCHANT, RETAILER, SEAL
from outletbot.sealing import CannotOpen
from outletbot.web.guard import cookie_name, drop_cookie, set_cookie

LASTS = timedelta(minutes=10)

UNKNOWN = Sentence(
    "This answer was not asked for from here, or was changed on its way. Nothing was "
    "connected. Begin again."
)
FOREIGN = Sentence(
    "This was begun in another sign-in or for another channel. Nothing was connected. "
    "Begin again."
)
LATE = Sentence(
    "More than ten minutes have gone by since you began. Nothing was connected. Begin "
    "again."
)
USED = Sentence(
    "This answer was used already, or you began in another browser. Begin again if the "
    "channel is not there."
)


@dataclass(frozen=True, slots=True)
class Journey:
    """*state* goes to the network and comes back; *nonce* stays in the browser."""

    state: str
    verifier: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Return:
    """What somebody who set out comes back with: what was sent *along*, as it was."""

    verifier: str
    along: Sequence[str]


def set_out(request: web.Request, kind: str, *along: str) -> Journey:
    """Begin a journey; nobody but us can read what is sent *along*, or change it."""
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(12)
    # X is said to take 500 characters (not verified), so this is kept short.
    state = _close(request, "state", kind, [verifier, nonce, *along])
    return Journey(state, verifier, nonce)


def remember(
    request: web.Request, response: web.StreamResponse, kind: str, journey: Journey
) -> None:
    """Let the browser know that it set out."""
    age = int(LASTS.total_seconds())
    set_cookie(request, response, f"connecting_{kind}", journey.nonce, age)


def forget(request: web.Request, response: web.StreamResponse, kind: str) -> None:
    """The journey is over: who comes back again is not let in."""
    drop_cookie(request, response, f"connecting_{kind}")


def come_home(request: web.Request, kind: str) -> Return:
    """Return what whoever set out comes back with now.

    Raises:
        WrongState: If *state* is not ours, too old, used, or somebody else's.
    """
    match _open(request, "state", kind, request.query.get("state", "")):
        case [str(verifier), str(nonce), *along]:
            kept = request.cookies.get(cookie_name(request, f"connecting_{kind}"), "")
            if hmac.compare_digest(kept.encode(), nonce.encode()):
                return Return(verifier, along)
    raise WrongState(USED)


def close_candidates(
    request: web.Request, kind: str, candidates: list[Candidate]
) -> str:
    """Return what the merchant can choose from, so that only we can read it."""
    facts = [[one.handle, one.credentials.dump()] for one in candidates]
    return _close(request, "choice", kind, facts)


def open_candidates(request: web.Request, kind: str, sealed: str) -> list[Candidate]:
    """Return what ``close_candidates`` was given, in the same sign-in.

    Raises:
        WrongState: If it is not ours, too old, or somebody else's.
    """
    facts = _open(request, "choice", kind, sealed)
    return [Candidate(handle, Credentials.load(dump)) for handle, dump in facts]


def _close(request: web.Request, purpose: str, kind: str, facts: Any) -> str:
    until = int((request.app[CLOCK]() + LASTS).timestamp())
    whole = [purpose, kind, _bound(request), until, facts]
    return request.app[SEAL].close(json.dumps(whole, separators=(",", ":")))


def _open(request: web.Request, purpose: str, kind: str, sealed: str) -> Any:
    try:
        whole = json.loads(request.app[SEAL].open(sealed))
    except (CannotOpen, ValueError):
        raise WrongState(UNKNOWN) from None
    match whole:
        case [str(meant), str(network), str(bound), int(until), facts] if (
            meant == purpose
        ):
            pass
        case _:
            raise WrongState(UNKNOWN)
    if network != kind or not hmac.compare_digest(bound, _bound(request)):
        raise WrongState(FOREIGN)
    if datetime.fromtimestamp(until, UTC) <= request.app[CLOCK]():
        raise WrongState(LATE)
    return facts


def _bound(request: web.Request) -> str:
    """Return what stands for this sign-in at this retailer, and tells nobody of it."""
    token = request.cookies.get(cookie_name(request, "sign_in"), "")
    who = f"{request[RETAILER].id} {request[MERCHANT].id} {token}"
    return request.app[SEAL].mark(f"connecting {who}")
