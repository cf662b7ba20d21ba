"""Who may act for an account of a Mastodon server: apps, codes, and their tokens.

As Doorkeeper has it, which Mastodon uses: a code is good for ten minutes and once, a
token until it is revoked. With a challenge its verifier is wanted (PKCE, S256 only).
"""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from outletbot.clock import Clock
from outletbot.sandbox.mastodon_rules import refuse
from outletbot.sandbox.shelf import Shelf, Thing

CODE_LASTS = timedelta(minutes=10)
SCOPES = frozenset(
    scope
    for group in ("read", "write")
    for scope in (
        group,
        *(f"{group}:{what}" for what in ("accounts", "media", "statuses")),
        f"{group}:notifications",
    )
) | {"profile", "follow", "push"}


@dataclass(frozen=True, slots=True)
class Consent:
    """What an app asks for and a person allows."""

    client_id: str
    username: str
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str


class Apps:
    """The apps that registered, and what they were allowed."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    def close(self) -> None:
        self._shelf.close()

    def register(
        self, name: str, redirect_uris: Sequence[str], scopes: str, website: str
    ) -> Thing:
        """Return a new app as Mastodon describes it."""
        if not name:
            refuse("Name can't be blank")
        if not redirect_uris:
            refuse("Redirect URI can't be blank")
        if any(":" not in uri for uri in redirect_uris):
            refuse("Redirect URI must be an absolute URI.")
        if not set(scopes.split()) <= SCOPES:
            refuse("Scopes doesn't match configured on the server.")
        client_id = secrets.token_urlsafe(32)
        app = {
            "id": str(self._shelf.number()),
            "name": name,
            "website": website or None,
            "scopes": scopes.split(),
            "redirect_uri": "\n".join(redirect_uris),
            "redirect_uris": list(redirect_uris),
            "client_id": client_id,
            "client_secret": secrets.token_urlsafe(32),
            "client_secret_expires_at": 0,
            "vapid_key": "",
        }
        self._shelf.keep("app", client_id, app)
        return app

    def app(self, client_id: str) -> Thing | None:
        return self._shelf.get("app", client_id)

    def issue_code(self, consent: Consent) -> str:
        code, ends_at = secrets.token_urlsafe(32), self._clock() + CODE_LASTS
        kept = {**asdict(consent), "ends_at": ends_at.isoformat()}
        self._shelf.keep("code", code, kept)
        return code

    def spend_code(
        self, code: str, *, client_id: str, redirect_uri: str, verifier: str
    ) -> Thing | None:
        """Return a token for a code, once, or None."""
        kept = self._shelf.get("code", code)
        self._shelf.drop("code", code)
        if (
            kept is None
            or datetime.fromisoformat(kept["ends_at"]) <= self._clock()
            or (kept["client_id"], kept["redirect_uri"]) != (client_id, redirect_uri)
            or (kept["challenge"] and kept["challenge"] != _challenge(verifier))
        ):
            return None
        return self._issue(kept["username"], kept["scopes"])

    def allowed(self, token: str) -> tuple[str, Sequence[str]] | None:
        """Return whose name a token lets its bearer act in, and what it may do."""
        kept = self._shelf.get("token", token)
        return (kept["username"], tuple(kept["scopes"])) if kept else None

    def _issue(self, username: str, scopes: list[str]) -> Thing:
        token = secrets.token_urlsafe(32)
        self._shelf.keep("token", token, {"username": username, "scopes": scopes})
        return {
            "access_token": token,
            "token_type": "Bearer",
            "scope": " ".join(scopes),
            "created_at": int(self._clock().timestamp()),
        }


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
