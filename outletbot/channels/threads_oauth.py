"""The way into a Threads profile, and how its token is renewed.

The code becomes a token of an hour, and that one a long-lived one of 60 days, which is
renewed by itself once it is a day old and as long as it lasts: there is no refresh
token. PKCE is not documented there.

Facts: developers.facebook.com/docs/threads, "Get Access Tokens and Permissions" (what
comes back may end in ``#_``), "Long-Lived Access Tokens". That secrets go into the
address is how it is documented.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp

from outletbot.channels import ChannelError, Disowned, Rejected, TryLater
from outletbot.channels.calls import Judge, Refusal, Unclear
from outletbot.channels.credentials import Credentials
from outletbot.channels.graph import Graph, read_error
from outletbot.channels.oauth import Candidate, with_query
from outletbot.channels.threads_api import SERVER, VERSION, judge_threads
from outletbot.clock import Clock

AUTHORIZE_URL = "https://threads.net/oauth/authorize"
LASTS = timedelta(days=60)
YOUNG = timedelta(days=1)
_NO_APP = 101
SCOPES = (
    "threads_basic",
    "threads_content_publish",
    "threads_delete",
    "threads_manage_replies",
    "threads_read_replies",
    "threads_manage_insights",
)


class ThreadsEntrance:
    """The way in, for the app that *client_id* and *client_secret* name.

    It is a ``Refresher`` too.
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
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._authorize_url = authorize_url

    def authorization_url(
        self, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Return the page that asks; *challenge* has no place there."""
        return with_query(
            self._authorize_url,
            client_id=self._client_id,
            redirect_uri=redirect_uri,
            scope=",".join(SCOPES),
            response_type="code",
            state=state,
        )

    async def exchange(
        self, code: str, *, redirect_uri: str, verifier: str
    ) -> Sequence[Candidate]:
        token = await self._short_lived(code.removesuffix("#_"), redirect_uri)
        credentials = self._credentials(
            await self._graph(judge=_judge_exchange).read(
                "/access_token",
                grant_type="th_exchange_token",
                client_secret=self._client_secret,
                access_token=token,
            )
        )
        return [await self._candidate(credentials)]

    async def refresh(self, credentials: Credentials) -> Credentials:
        """Return a token for another 60 days; losing an answer does no harm.

        Raises:
            TryLater: If the token is younger than a day: it cannot be renewed yet.
        """
        self._check_age(credentials)
        try:
            renewed = await self._graph().read(
                "/refresh_access_token",
                grant_type="th_refresh_token",
                access_token=credentials.access_token,
            )
        except Disowned:
            raise
        except Rejected as error:
            raise Disowned(str(error)) from error
        return self._credentials(renewed)

    async def _short_lived(self, code: str, redirect_uri: str) -> str:
        path = "/oauth/access_token"
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": code,
        }
        match await self._graph(judge=_judge_exchange).post(path, form):
            case {"access_token": str(token)}:
                return token
        raise Unclear(path)

    async def _candidate(self, credentials: Credentials) -> Candidate:
        path = f"{VERSION}/me"
        graph = self._graph(credentials.access_token)
        match await graph.read(path, fields="id,username"):
            case {"id": str(account), "username": str(username)}:
                found = replace(credentials, account_id=account)
                return Candidate(f"@{username}", found)
        raise Unclear(path)

    def _credentials(self, answer: Any) -> Credentials:
        match answer:
            case {"access_token": str(token), "expires_in": int(seconds)}:
                ends = self._clock() + timedelta(seconds=seconds)
                return Credentials(token, expires_at=ends)
        path = "the request for a token"
        raise Unclear(path)

    def _check_age(self, credentials: Credentials) -> None:
        if credentials.expires_at is None:
            return
        wait = credentials.expires_at - LASTS + YOUNG - self._clock()
        if wait > timedelta():
            msg = "Threads renews an access token only once it is a day old."
            raise TryLater(msg, after=wait)

    def _graph(self, token: str = "", judge: Judge = judge_threads) -> Graph:
        return Graph(
            self._http,
            self._base_url,
            token,
            clock=self._clock,
            server=SERVER,
            judge=judge,
        )


def _judge_exchange(refusal: Refusal) -> ChannelError:
    """A code that is refused is worded in a form of its own; 101 or 1 is the app."""
    match refusal.content:
        case {"error_message": str(words)}:
            return Rejected(f"{refusal.said(words)} Start connecting again.")
    error = read_error(refusal.content)
    if error and (error.code == _NO_APP or "client secret" in error.words):
        msg = (
            "Threads does not know this app by its id and secret. Look both up at"
            " developers.facebook.com and correct the settings."
        )
        return Rejected(msg)
    return judge_threads(refusal)
