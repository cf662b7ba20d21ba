"""Who may act for an account on X: tokens, codes for them, and what they allow."""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from outletbot.clock import Clock
from outletbot.sandbox.shelf import Shelf, Thing
from outletbot.sandbox.x_rules import forbidden, unauthorized

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
ACCESS_LASTS = timedelta(hours=2)
CODE_LASTS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Account:
    """An account on X, and what it gave away before the sandbox began.

    *refresh_token* is good once. Without *answers* it is on a self-serve plan that may
    not answer.
    """

    handle: str
    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    id: str = "2244994945"
    name: str = ""
    scopes: tuple[str, ...] = SCOPES
    expires_at: datetime | None = None
    answers: bool = True


@dataclass(frozen=True, slots=True)
class Consent:
    """What an app asks for and a person allows."""

    account_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str


class Grants:
    """What has been allowed so far, and what is still good."""

    def __init__(
        self, shelf: Shelf, accounts: Mapping[str, Account], clock: Clock
    ) -> None:
        self._shelf = shelf
        self._accounts = accounts
        self._clock = clock
        for account in accounts.values():
            self._seed(account)

    def account(self, token: str, scopes: Iterable[str]) -> Account:
        """Return whose *token* is; it must be good, and for all of *scopes*."""
        kept = self._shelf.get("access", token)
        if kept is None or _is_over(kept["expires_at"], self._clock()):
            raise unauthorized()
        if not set(scopes) <= set(kept["scopes"]):
            words = "Forbidden"
            raise forbidden(words)
        return self._accounts[kept["account_id"]]

    def issue_code(self, consent: Consent) -> str:
        code, ends_at = secrets.token_urlsafe(24), self._clock() + CODE_LASTS
        kept = {
            "account_id": consent.account_id,
            "redirect_uri": consent.redirect_uri,
            "scopes": list(consent.scopes),
            "challenge": consent.challenge,
            "expires_at": ends_at.isoformat(),
        }
        self._shelf.keep("code", code, kept)
        return code

    def spend_code(self, code: str, redirect_uri: str, verifier: str) -> Thing | None:
        """Return tokens for a code, once, or None."""
        kept = self._shelf.get("code", code)
        self._shelf.drop("code", code)
        if (
            kept is None
            or _is_over(kept["expires_at"], self._clock())
            or kept["redirect_uri"] != redirect_uri
            or kept["challenge"] != _challenge(verifier)
        ):
            return None
        return self._issue(kept["account_id"], kept["scopes"])

    def renew(self, refresh_token: str) -> Thing | None:
        """Return new tokens for a refresh token, which is spent by that, or None."""
        kept = self._shelf.get("refresh", refresh_token)
        if kept is None or kept["spent"]:
            return None
        self._shelf.keep("refresh", refresh_token, {**kept, "spent": True})
        return self._issue(kept["account_id"], kept["scopes"])

    def _issue(self, account_id: str, scopes: list[str]) -> Thing:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._keep(account_id, scopes, access, self._clock() + ACCESS_LASTS)
        answer: dict[str, Any] = {
            "token_type": "bearer",
            "expires_in": int(ACCESS_LASTS.total_seconds()),
            "access_token": access,
            "scope": " ".join(scopes),
        }
        if "offline.access" not in scopes:
            return answer
        self._keep_refresh(account_id, scopes, refresh)
        return answer | {"refresh_token": refresh}

    def _seed(self, account: Account) -> None:
        """Keep what an account has given away, unless the file knows it already."""
        scopes = list(account.scopes)
        if self._shelf.get("access", account.access_token) is None:
            self._keep(account.id, scopes, account.access_token, account.expires_at)
        known = self._shelf.get("refresh", account.refresh_token)
        if account.refresh_token and known is None:
            self._keep_refresh(account.id, scopes, account.refresh_token)

    def _keep(
        self, account_id: str, scopes: list[str], token: str, ends_at: datetime | None
    ) -> None:
        kept = {
            "account_id": account_id,
            "scopes": scopes,
            "expires_at": ends_at and ends_at.isoformat(),
        }
        self._shelf.keep("access", token, kept)

    def _keep_refresh(self, account_id: str, scopes: list[str], token: str) -> None:
        kept = {"account_id": account_id, "scopes": scopes, "spent": False}
        self._shelf.keep("refresh", token, kept)


def _is_over(expires_at: str | None, now: datetime) -> bool:
    return expires_at is not None and datetime.fromisoformat(expires_at) <= now


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
