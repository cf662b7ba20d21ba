"""The way into a Bluesky account: its handle and an app password, once.

A password is exchanged for a session and forgotten. The session's access token is good
for two hours, its refresh token for 90 days; whoever refreshes in time never needs the
password again. The old refresh token stays good for a while after that, so that a lost
answer loses nothing.

Facts: lexicons com.atproto.server.createSession and refreshSession; the lifetimes and
the grace as @atproto/pds 0.5.35 answers.
"""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import category

import aiohttp

from outletbot.channels import Rejected, TryLater
from outletbot.channels.bluesky_api import (
    HELP_IN,
    judge_bluesky,
    judge_sign_in,
    not_active,
)
from outletbot.channels.calls import PATIENCE, Calls, Patience, Unclear
from outletbot.channels.credentials import Credentials, ends_after
from outletbot.channels.oauth import Candidate
from outletbot.clock import Clock

SIGN_IN = "/xrpc/com.atproto.server.createSession"
REFRESH = "/xrpc/com.atproto.server.refreshSession"
# What an access token is taken to be good for that does not say so: less than usual.
UNTOLD = timedelta(hours=1)
_FULL_ACCESS = "com.atproto.access"


class BlueskyEntrance:
    """One server's way in. Sessions are few: 30 sign-ins in five minutes, 300 a day."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
    ) -> None:
        self._clock = clock
        self._door = Calls(
            http,
            base_url,
            headers={},
            judge=judge_sign_in,
            clock=clock,
            patience=patience,
        )
        self._session = Calls(
            http,
            base_url,
            headers={},
            judge=judge_bluesky,
            clock=clock,
            patience=patience,
        )

    async def sign_in(self, handle: str, app_password: str) -> Candidate:
        """Return the account with credentials of its own; the password is not kept.

        Raises:
            Rejected: If the handle or password is wrong, or it is the account's main
                password, or the account is not active.
            TryLater: If the server cannot be reached, limits us, or is down.
        """
        answer = await self._door.call(
            "POST",
            SIGN_IN,
            lost=TryLater,
            json={"identifier": _bare(handle), "password": app_password.strip()},
        )
        match answer.content:
            case {"handle": str(name), "active": False}:
                raise Rejected(not_active(name))
            case {"handle": str(name), "accessJwt": str(token)}:
                _refuse_main_password(token)
                return Candidate(f"@{name}", self._credentials(answer.content, SIGN_IN))
        raise Unclear(SIGN_IN)

    async def refresh(self, credentials: Credentials) -> Credentials:
        """Return the credentials of the same session, good for longer.

        Raises:
            TryLater: If the server cannot be reached, limits us, or is down, or its
                answer was lost: the old refresh token is still good then.
            Disowned: If the refresh token is no longer good.
        """
        token = f"Bearer {credentials.refresh_token.strip()}"
        answer = await self._session.call(
            "POST", REFRESH, lost=TryLater, headers={"Authorization": token}
        )
        return self._credentials(answer.content, REFRESH)

    def _credentials(self, session: Any, path: str) -> Credentials:
        match session:
            case {"accessJwt": str(access), "refreshJwt": str(fresh), "did": str(did)}:
                return Credentials(
                    access,
                    fresh,
                    did,
                    expires_at=_end_of(access) or self._clock() + UNTOLD,
                    refresh_expires_at=_end_of(fresh),
                )
        raise Unclear(path)


def _bare(handle: str) -> str:
    """Return a handle as the server knows it.

    Copied from a page it comes with an @, and with marks of direction that nobody sees.
    """
    seen = "".join(char for char in handle if category(char) != "Cf")
    return seen.strip().removeprefix("@").lower()


def _refuse_main_password(token: str) -> None:
    if _claims_of(token).get("scope") == _FULL_ACCESS:
        own = "That is the account's own password, which is for you alone."
        msg = f"{own} {HELP_IN}"
        raise Rejected(msg)


def _end_of(token: str) -> datetime | None:
    end = _claims_of(token).get("exp")
    since_1970 = datetime.fromtimestamp(0, UTC)
    return ends_after(end, now=since_1970)


def _claims_of(token: str) -> dict[str, Any]:
    """Read what a JSON web token says of itself; its signature is not for us."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        )
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
