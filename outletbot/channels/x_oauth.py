"""How X lets us into an account, and how its tokens are had anew.

Access lasts two hours; with ``offline.access`` there is a refresh token, good for one
use, and each answer brings the next.

Facts: docs.x.com, "OAuth 2.0 Authorization Code Flow with PKCE" (a confidential client
names itself by ``Basic``); that refresh tokens are good once, and that a spent one or a
code gone stale is a 400 "Value passed for the … was invalid.", is not documented there
but widely seen.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

import aiohttp

from outletbot.channels import ChannelError, Disowned, Rejected, TryLater, Unconfirmed
from outletbot.channels.calls import (
    PATIENCE,
    Calls,
    Judge,
    Patience,
    Refusal,
    Unclear,
    judge,
)
from outletbot.channels.credentials import Credentials
from outletbot.channels.oauth import Candidate, with_query
from outletbot.channels.x_api import RECONNECT, judge_x
from outletbot.clock import Clock

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
AUTHORIZE_URL = "https://x.com/i/oauth2/authorize"

_TOKEN = "/2/oauth2/token"  # noqa: S105 - a path
_REMEDIES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "Begin to connect the account once more.",
    HTTPStatus.UNAUTHORIZED: (
        "X does not know this app: whoever runs outletbot has to look at its client id"
        " and client secret."
    ),
}


class XEntrance:
    """The way in of one X app, an ``Entrance`` and a ``Refresher``.

    *client_secret* is a confidential client's; *authorize_url* the page for people.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        clock: Clock,
        authorize_url: str = AUTHORIZE_URL,
        patience: Patience = PATIENCE,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._authorize_url = authorize_url
        self._patience = patience

    def authorization_url(
        self, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        return with_query(
            self._authorize_url,
            response_type="code",
            client_id=self._client_id,
            redirect_uri=redirect_uri,
            scope=" ".join(SCOPES),
            state=state,
            code_challenge=challenge,
            code_challenge_method="S256",
        )

    async def exchange(
        self, code: str, *, redirect_uri: str, verifier: str
    ) -> Sequence[Candidate]:
        """Return the one account that *code* lets us into."""
        credentials = await self._grant(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": verifier,
            },
            lost=TryLater,
        )
        return [await self._candidate(credentials)]

    async def refresh(self, credentials: Credentials) -> Credentials:
        if not credentials.refresh_token:
            msg = f"X was not asked for lasting access. {RECONNECT}"
            raise Disowned(msg)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credentials.refresh_token,
        }
        try:
            return await self._grant(form, lost=Unconfirmed)
        except Disowned:
            raise
        except Rejected as refusal:
            raise Disowned(str(refusal)) from refusal

    async def _grant(
        self, form: Mapping[str, str], *, lost: type[ChannelError]
    ) -> Credentials:
        """Ask for tokens; whatever may have been given and did not arrive is *lost*."""
        names = f"{self._client_id}:{self._client_secret}".encode()
        api = self._calls(f"Basic {base64.b64encode(names).decode()}", _judge_grant)
        answer = await api.call("POST", _TOKEN, lost=lost, broken=lost, data=form)
        match answer.content:
            case {"access_token": str(token), "expires_in": int(seconds), **more}:
                return Credentials(
                    token,
                    refresh_token=str(more.get("refresh_token") or ""),
                    expires_at=self._clock() + timedelta(seconds=seconds),
                )
        raise lost(str(Unclear(_TOKEN)))

    async def _candidate(self, credentials: Credentials) -> Candidate:
        api = self._calls(f"Bearer {credentials.access_token}", judge_x)
        path = "/2/users/me"
        match (await api.read(path)).content:
            case {"data": {"id": str(account_id), "username": str(handle)}}:
                known = replace(credentials, account_id=account_id)
                return Candidate(f"@{handle}", known)
        raise Unclear(path)

    def _calls(self, authorization: str, verdict: Judge) -> Calls:
        return Calls(
            self._http,
            self._base_url,
            headers={"Authorization": authorization},
            judge=verdict,
            clock=self._clock,
            patience=self._patience,
            server="X",
        )


def _judge_grant(refusal: Refusal) -> ChannelError:
    """Return what a refusal of tokens means: RFC 6749 words it, section 5.2."""
    words = ""
    match refusal.content:
        case {"error_description": str(sentence)} | {"error": str(sentence)}:
            words = sentence
    return judge(refusal, words, remedies=_REMEDIES)
