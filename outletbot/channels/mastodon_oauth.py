"""The way into a Mastodon account: its own server asks whether we may.

Every server wants an app of its own, which anybody may register there without asking.
Nothing of it is kept here: who sets out carries the ``MastodonApp`` until the person
comes back. An access token is good until it is revoked, and there is no refresh token;
other servers that speak this API may say when it ends.

Facts: docs.joinmastodon.org, methods "apps" and "oauth" (PKCE since 4.3; older servers
do not look at it), "OAuth scopes". What is documented as a form is sent as one, and one
redirect address as a text, since a list is known from 4.3 on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp

from outletbot.channels import ChannelError, TryLater
from outletbot.channels.calls import (
    PATIENCE,
    Calls,
    Judge,
    Patience,
    Refusal,
    Unclear,
    judge,
)
from outletbot.channels.credentials import Credentials, ends_after
from outletbot.channels.mastodon import Mastodon
from outletbot.channels.mastodon_api import until_free
from outletbot.channels.oauth import Candidate, with_query
from outletbot.clock import Clock

SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")
APP_NAME = "outletbot"
LONGEST_NAMES = 1_000  # they go along in an address

_APPS = "/api/v1/apps"
_TOKEN = "/oauth/token"  # noqa: S105 - a path
_NO_SERVER = "Is that the address of a Mastodon server?"
_AGAIN = "Begin to connect the account once more."
_APP_REMEDIES: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "This server lets no app be registered.",
    HTTPStatus.NOT_FOUND: _NO_SERVER,
    HTTPStatus.METHOD_NOT_ALLOWED: _NO_SERVER,
}
_CODE_REMEDIES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: _AGAIN,
    HTTPStatus.UNAUTHORIZED: _AGAIN,
}


@dataclass(frozen=True, slots=True)
class MastodonApp:
    """Whom one server knows us as; to be carried where nobody else can read it."""

    client_id: str
    client_secret: str = field(repr=False)


class MastodonEntrance:
    """One server's way in: ``register`` there, then go ``through`` it."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._patience = patience

    async def register(self, redirect_uri: str, *, website: str = "") -> MastodonApp:
        """Make an app at the server; one that is never used does no harm.

        Raises:
            Rejected: If this is no Mastodon, or it takes no apps.
            TryLater: If it cannot be reached, limits us, or is down.
        """
        form = {
            "client_name": APP_NAME,
            "redirect_uris": redirect_uri,
            "scopes": " ".join(SCOPES),
        }
        if website:
            form["website"] = website
        content = await self.ask(_APPS, form, _judge_app)
        match content:
            case {"client_id": str(client_id), "client_secret": str(secret)}:
                if client_id and len(client_id + secret) <= LONGEST_NAMES:
                    return MastodonApp(client_id, secret)
        raise Unclear(_APPS)

    def through(self, app: MastodonApp) -> "MastodonDoor":
        """Return the way in of an app that was registered at this server."""
        return MastodonDoor(self, app)

    @property
    def page(self) -> str:
        """Where the server asks whether we may."""
        return f"{self._base_url}/oauth/authorize"

    async def ask(self, path: str, form: Mapping[str, str], verdict: Judge) -> Any:
        """Send a form that may be sent again, and return the answer's content."""
        calls = Calls(
            self._http,
            self._base_url,
            headers={},
            judge=verdict,
            clock=self._clock,
            patience=self._patience,
        )
        return (await calls.call("POST", path, lost=TryLater, data=form)).content

    async def candidate(self, token: str, seconds: object) -> Candidate:
        """Return whose *token* is, which ends in so many *seconds* if in any."""
        ends_at = ends_after(seconds, now=self._clock())
        credentials = Credentials(token, expires_at=ends_at)
        channel = Mastodon(
            self._http,
            self._base_url,
            credentials,
            clock=self._clock,
            patience=self._patience,
        )
        return Candidate(await channel.check(), credentials)


class MastodonDoor:
    """An ``Entrance``: one server's, for one app."""

    def __init__(self, entrance: MastodonEntrance, app: MastodonApp) -> None:
        self._entrance = entrance
        self._app = app

    def authorization_url(
        self, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        return with_query(
            self._entrance.page,
            response_type="code",
            client_id=self._app.client_id,
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
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "scope": " ".join(SCOPES),
        }
        match await self._entrance.ask(_TOKEN, form, _judge_code):
            case {"access_token": str(token), **more}:
                return [await self._entrance.candidate(token, more.get("expires_in"))]
        raise Unclear(_TOKEN)


def _judge_app(refusal: Refusal) -> ChannelError:
    return _judge(refusal, _APP_REMEDIES)


def _judge_code(refusal: Refusal) -> ChannelError:
    return _judge(refusal, _CODE_REMEDIES)


def _judge(refusal: Refusal, remedies: dict[int, str]) -> ChannelError:
    """Return what a refusal means: RFC 6749 words it, section 5.2, or Mastodon."""
    words = ""
    match refusal.content:
        case {"error_description": str(sentence)} | {"error": str(sentence)}:
            words = sentence
    return judge(refusal, words, remedies=remedies, after=until_free(refusal))
