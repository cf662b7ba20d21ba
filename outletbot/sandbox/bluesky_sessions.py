"""The sessions of a Bluesky server: JSON web tokens that end, and are had anew.

An access token is good for two hours, a refresh token for 90 days, and for two hours
more once it was used: within those it gives the same new refresh token again. The
codes and sentences are those of @atproto/pds 0.5.35.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from outletbot.sandbox.bluesky_rules import XrpcError
from outletbot.sandbox.shelf import Shelf

ACCESS_FOR = timedelta(hours=2)
REFRESH_FOR = timedelta(days=90)
GRACE = timedelta(hours=2)
ACCESS, REFRESH = "at+jwt", "refresh+jwt"
FULL, APP = "com.atproto.access", "com.atproto.appPass"

_SIGNING_KEY = b"a sandbox has no secrets"


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str = field(repr=False)
    refresh: str = field(repr=False)


class Sessions:
    """What tokens were given; all that has to be remembered is on *shelf*."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def open(self, did: str, *, now: datetime, scope: str = APP) -> Tokens:
        name = self._new_name()
        self._keep(name, did, scope, now + REFRESH_FOR)
        return self._tokens(name, now=now)

    def did_of(self, token: str, *, now: datetime) -> str:
        """Return whose access token it is.

        Raises:
            XrpcError: If it is none, or has ended.
        """
        return str(_claims(token, ACCESS, now=now)["sub"])

    def refresh(self, token: str, *, now: datetime) -> tuple[str, Tokens]:
        """Return whose refresh token it is, and the tokens that follow it."""
        claims = _claims(token, REFRESH, now=now)
        session = self._shelf.get("session", claims["jti"])
        if session is None or session["ends"] <= now.timestamp():
            code = "ExpiredToken"
            raise XrpcError(400, code, "Token has been revoked")
        follower = session.get("follower") or self._new_name()
        if "follower" not in session:
            self._keep(follower, session["did"], session["scope"], now + REFRESH_FOR)
        ends = min(session["ends"], int((now + GRACE).timestamp()))
        session |= {"follower": follower, "ends": ends}
        self._shelf.keep("session", claims["jti"], session)
        return session["did"], self._tokens(follower, now=now)

    def _tokens(self, name: str, *, now: datetime) -> Tokens:
        session = self._shelf.get("session", name) or {}
        facts = {"sub": session["did"], "aud": "did:web:sandbox"}
        access_ends = int((now + ACCESS_FOR).timestamp())
        access = {"scope": session["scope"], **facts, "exp": access_ends}
        refresh = {
            "scope": "com.atproto.refresh",
            **facts,
            "jti": name,
            "exp": session["given_until"],
        }
        return Tokens(_sign(ACCESS, access), _sign(REFRESH, refresh))

    def _keep(self, name: str, did: str, scope: str, until: datetime) -> None:
        ends = int(until.timestamp())
        facts = {"did": did, "scope": scope, "ends": ends, "given_until": ends}
        self._shelf.keep("session", name, facts)

    def _new_name(self) -> str:
        number = str(self._shelf.number()).encode()
        return hashlib.sha256(_SIGNING_KEY + number).hexdigest()[:32]


def _sign(kind: str, claims: dict[str, Any]) -> str:
    head = {"typ": kind, "alg": "HS256"}
    body = ".".join(_coded(json.dumps(one).encode()) for one in (head, claims))
    return f"{body}.{_signature(body)}"


def _signature(body: str) -> str:
    return _coded(hmac.digest(_SIGNING_KEY, body.encode(), "sha256"))


def _claims(token: str, kind: str, *, now: datetime) -> dict[str, Any]:
    body, _, signature = token.rpartition(".")
    head = _decoded(body.partition(".")[0])
    if signature != _signature(body) or head["typ"] != kind:
        code = "InvalidToken"
        raise XrpcError(400, code, "Token could not be verified")
    claims = _decoded(body.partition(".")[2])
    if claims["exp"] <= now.timestamp():
        code = "ExpiredToken"
        raise XrpcError(400, code, "Token has expired")
    return claims


def _coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(part: str) -> dict[str, Any]:
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        claims = None
    return claims if isinstance(claims, dict) else {"typ": ""}
