"""Who may act for a page on LinkedIn: tokens, codes for them, and what they allow."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from outletbot.clock import Clock
from outletbot.sandbox.linkedin_rules import Refusal, denied
from outletbot.sandbox.shelf import Shelf, Thing

READ = "r_organization_social"
WRITE = "w_organization_social"
READ_FEED = "r_organization_social_feed"
WRITE_FEED = "w_organization_social_feed"
ADMIN = "rw_organization_admin"
SCOPES = (READ, WRITE, READ_FEED, WRITE_FEED, ADMIN)
TOKEN_LASTS = timedelta(days=60)
REFRESH_LASTS = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Account:
    """A page; *access_token* is its administrator's, for this page alone.

    *refresh_token* is good for another one, as long as it is not empty.
    """

    handle: str
    access_token: str = field(repr=False)
    organization_id: str = "2414183"
    name: str = ""
    refresh_token: str = field(default="", repr=False)
    scopes: tuple[str, ...] = SCOPES
    expires_at: datetime | None = None

    @property
    def urn(self) -> str:
        return f"urn:li:organization:{self.organization_id}"


@dataclass(frozen=True, slots=True)
class Member:
    """Whoever a token is of: what it allows, and on which pages."""

    scopes: tuple[str, ...]
    urns: frozenset[str]

    def may(self, scope: str, urn: str, method: str) -> None:
        if scope not in self.scopes or urn not in self.urns:
            raise denied(method)


class Grants:
    """What LinkedIn has allowed so far. Whoever comes in administers every page."""

    def __init__(
        self,
        shelf: Shelf,
        accounts: Mapping[str, Account],
        clock: Clock,
        *,
        refreshes: bool,
    ) -> None:
        self._shelf = shelf
        self._accounts = accounts
        self._clock = clock
        self._refreshes = refreshes

    def member(self, token: str) -> Member:
        """Return whose *token* it is."""
        for account in self._accounts.values():
            if account.access_token == token:
                self._check_expiry(account.expires_at)
                return Member(account.scopes, frozenset({account.urn}))
        issued = self._shelf.get("token", token)
        if issued is None:
            words = "Invalid access token"
            raise Refusal(401, "INVALID_ACCESS_TOKEN", words, serviceErrorCode=65600)
        self._check_expiry(datetime.fromisoformat(issued["expires_at"]))
        return Member(tuple(issued["scopes"]), frozenset(self._accounts))

    def issue_code(self, redirect_uri: str, scopes: Sequence[str]) -> str:
        code = secrets.token_urlsafe(16)
        self._shelf.keep(
            "code", code, {"redirect_uri": redirect_uri, "scopes": list(scopes)}
        )
        return code

    def spend_code(self, code: str, redirect_uri: str) -> Thing | None:
        """Return tokens for a code, once, or None."""
        kept = self._shelf.get("code", code)
        self._shelf.drop("code", code)
        if kept is None or kept["redirect_uri"] != redirect_uri:
            return None
        ends_at = self._clock() + REFRESH_LASTS
        refresh = {"scopes": kept["scopes"], "ends_at": ends_at.isoformat()}
        if not self._refreshes:
            return self._issue(kept["scopes"])
        token = secrets.token_urlsafe(24)
        self._shelf.keep("refresh", token, refresh)
        return self._issue(kept["scopes"]) | self._renewal(token, ends_at)

    def renew(self, token: str) -> Thing | None:
        """Return a new access token for a refresh token, which stays, or None."""
        kept = self._shelf.get("refresh", token)
        if kept is not None:
            ends_at = datetime.fromisoformat(kept["ends_at"])
            if ends_at <= self._clock():
                return None
            return self._issue(kept["scopes"]) | self._renewal(token, ends_at)
        owners = (
            a for a in self._accounts.values() if token and a.refresh_token == token
        )
        account = next(owners, None)
        return None if account is None else self._issue(account.scopes)

    def _check_expiry(self, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self._clock():
            words = "The token used in the request has expired"
            raise Refusal(401, "EXPIRED_ACCESS_TOKEN", words, serviceErrorCode=65602)

    def _issue(self, scopes: Iterable[str]) -> Thing:
        token, expires_at = secrets.token_urlsafe(24), self._clock() + TOKEN_LASTS
        kept: dict[str, Any] = {
            "scopes": list(scopes),
            "expires_at": expires_at.isoformat(),
        }
        self._shelf.keep("token", token, kept)
        seconds = int(TOKEN_LASTS.total_seconds())
        scope = ",".join(kept["scopes"])
        return {"access_token": token, "expires_in": seconds, "scope": scope}

    def _renewal(self, token: str, ends_at: datetime) -> Thing:
        left = int((ends_at - self._clock()).total_seconds())
        return {"refresh_token": token, "refresh_token_expires_in": left}
