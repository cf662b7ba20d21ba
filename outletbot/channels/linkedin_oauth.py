"""The way into LinkedIn's pages: those that the merchant is an administrator of.

An access token lasts 60 days. A refresh token comes to applications that LinkedIn has
approved for it alone; it lasts a year, counted from the first day, and may be used
again. Without one the merchant connects the page anew every two months, which is
normal. PKCE is for applications without a secret there, and not used.

Facts: learn.microsoft.com/linkedin, "Authorization Code Flow", "Programmatic refresh
tokens", "Organization access control by role"; "Community Management: permissions"
(posts need ``*_organization_social``, comments and reactions the ``_feed`` ones,
statistics and the list of pages ``rw_organization_admin``).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from outletbot.channels import ChannelError, Disowned, Rejected, TryLater
from outletbot.channels.calls import Calls, Judge, Refusal, Unclear, judge
from outletbot.channels.credentials import Credentials
from outletbot.channels.linkedin_api import (
    RECONNECT,
    SERVER,
    VERSION,
    api_headers,
    judge_linkedin,
    method,
    read_handle,
)
from outletbot.channels.oauth import Candidate, with_query
from outletbot.clock import Clock

AUTHORIZE_URL = "https://www.linkedin.com/oauth/v2/authorization"
TOKEN_URL = "https://www.linkedin.com/oauth/v2/accessToken"  # noqa: S105 - an address
SCOPES = (
    "r_organization_social",
    "w_organization_social",
    "r_organization_social_feed",
    "w_organization_social_feed",
    "rw_organization_admin",
)
MOST_PAGES = 100

_ACLS = (
    "/rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED"
    f"&count={MOST_PAGES}"
)


class LinkedInEntrance:
    """The way in, for the application that *client_id* and *client_secret* name.

    It is a ``Refresher`` too; without a refresh token there is nothing to refresh.
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
        token_url: str = TOKEN_URL,
        version: str = VERSION,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._clock = clock
        self._authorize_url = authorize_url
        self._token_url = token_url
        self._version = version

    def authorization_url(
        self, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Return the page that asks; *challenge* has no place there."""
        return with_query(
            self._authorize_url,
            response_type="code",
            client_id=self._client["client_id"],
            redirect_uri=redirect_uri,
            state=state,
            scope=" ".join(SCOPES),
        )

    async def exchange(
        self, code: str, *, redirect_uri: str, verifier: str
    ) -> Sequence[Candidate]:
        credentials = await self._ask_for_token(
            _judge_code,
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
        )
        api = Calls(
            self._http,
            self._base_url,
            headers=api_headers(credentials.access_token, self._version),
            judge=judge_linkedin,
            clock=self._clock,
            server=SERVER,
        )
        urns = await _administered(api)
        return [await _candidate(api, urn, credentials) for urn in urns]

    async def refresh(self, credentials: Credentials) -> Credentials:
        """Return a new access token; the refresh token stays as it was.

        A lost answer does no harm, since that may be used again.
        """
        if not credentials.refresh_token:
            msg = f"LinkedIn lets nobody renew this connection. {RECONNECT}"
            raise Disowned(msg)
        return await self._ask_for_token(
            _judge_refresh,
            grant_type="refresh_token",
            refresh_token=credentials.refresh_token,
        )

    async def _ask_for_token(self, judge: Judge, **form: str) -> Credentials:
        calls = Calls(
            self._http,
            self._token_url,
            headers={},
            judge=judge,
            clock=self._clock,
            server=SERVER,
        )
        whole = {**form, **self._client}
        answer = await calls.call("POST", "", lost=TryLater, data=whole)
        return self._credentials(answer.content)

    def _credentials(self, content: Any) -> Credentials:
        now = self._clock()
        match content:
            case {"access_token": str(token), "expires_in": int(seconds), **more}:
                lasts = more.get("refresh_token_expires_in")
                return Credentials(
                    token,
                    str(more.get("refresh_token") or ""),
                    expires_at=now + timedelta(seconds=seconds),
                    refresh_expires_at=now + timedelta(seconds=lasts)
                    if isinstance(lasts, int)
                    else None,
                )
        path = "the request for a token"
        raise Unclear(path)


async def _administered(api: Calls) -> list[str]:
    answer = await api.call("GET", _ACLS, lost=TryLater, headers=method("FINDER"))
    match answer.content:
        case {"elements": [*elements]}:
            urns = [_organization(one) for one in elements]
        case _:
            raise Unclear(_ACLS.partition("?")[0])
    if not any(urns):
        msg = (
            "There is no LinkedIn page that you are an administrator of. Ask one of"
            " the page's administrators to connect it, or to make you one."
        )
        raise Rejected(msg)
    return [urn for urn in urns if urn]


def _organization(element: Any) -> str:
    match element:
        case {"organization": str(urn)} | {"organizationTarget": str(urn)}:
            return urn
    return ""


async def _candidate(api: Calls, urn: str, credentials: Credentials) -> Candidate:
    return Candidate(await read_handle(api, urn), replace(credentials, account_id=urn))


def _judge_code(refusal: Refusal) -> ChannelError:
    return _judge_token(refusal, Rejected, "Start again from the list of channels.")


def _judge_refresh(refusal: Refusal) -> ChannelError:
    return _judge_token(refusal, Disowned, RECONNECT)


def _judge_token(
    refusal: Refusal, meaning: type[Rejected], remedy: str
) -> ChannelError:
    """Return what a refusal of a code or of a refresh token means."""
    match refusal.content:
        case {"error": str(code), **more}:
            words = str(more.get("error_description") or code)
        case _:
            return judge(refusal)
    if code in {"invalid_client", "unauthorized_client"}:
        return Rejected(
            f"{refusal.said(words)} The installation's LinkedIn application is not"
            " set up rightly. Ask whoever runs it."
        )
    if HTTPStatus.BAD_REQUEST <= refusal.status < HTTPStatus.TOO_MANY_REQUESTS:
        return meaning(f"{refusal.said(words)} {remedy}")
    return judge(refusal, words)
