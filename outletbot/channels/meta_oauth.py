"""Facebook's page that lets us into pages, and into the Instagram accounts behind them.

The code becomes a token of the person, that one a long-lived one (60 days), and that
one the tokens of their pages, which do not end until they are revoked. The person's
token is kept as the refresh token: while it lasts, fresh page tokens can be had.

Facts: developers.facebook.com, "Manually Build a Login Flow", "Long-Lived Access
Tokens", "Permissions Reference". PKCE is documented only for a flow with OpenID that is
"still in testing", so it is not used here: *state* and the app's secret protect the
exchange. The secret is sent in a form, not in the address as in Meta's examples; the
OAuth clients that post forms everywhere do so here as well.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import aiohttp

from outletbot.channels import ChannelError, Disowned, Rejected
from outletbot.channels.calls import PATIENCE, Patience, Refusal, Unclear
from outletbot.channels.credentials import Credentials
from outletbot.channels.graph import Graph, judge_graph, means, read_error
from outletbot.channels.oauth import Candidate, with_query
from outletbot.clock import Clock

DIALOG_URL = "https://www.facebook.com/v26.0/dialog/oauth"
_TOKEN = "/oauth/access_token"  # noqa: S105 - a path
_NO_APP = 101
_PAGE_SCOPES = ("pages_show_list", "pages_read_engagement", "business_management")
_STALE = means(Rejected, "Start connecting again: what Facebook gave is used up.")


class MetaEntrance:
    """The way into Facebook pages; a ``Refresher`` of their tokens as well.

    *scopes* replace those that are asked for: an app can ask only for what Meta allows
    it, and without ``read_insights`` no views are told.
    """

    scopes: ClassVar[Sequence[str]] = (
        *_PAGE_SCOPES,
        "pages_manage_posts",
        "pages_manage_engagement",
        "pages_read_user_content",
        "read_insights",
    )
    fields: ClassVar[str] = "id,name,username,access_token"
    nothing: ClassVar[str] = (
        "Facebook showed us no page. Choose at least one where you may create content."
    )

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        clock: Clock,
        authorize_url: str = DIALOG_URL,
        scopes: Sequence[str] = (),
        patience: Patience = PATIENCE,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._authorize_url = authorize_url
        self._scopes = scopes or self.scopes
        self._patience = patience

    def authorization_url(
        self, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        return with_query(
            self._authorize_url,
            client_id=self._client_id,
            redirect_uri=redirect_uri,
            state=state,
            response_type="code",
            scope=",".join(self._scopes),
        )

    async def exchange(
        self, code: str, *, redirect_uri: str, verifier: str
    ) -> Sequence[Candidate]:
        token, _ = await self._token(redirect_uri=redirect_uri, code=code)
        person = await self._long_lived(token)
        candidates = [one async for one in self._candidates(person)]
        if not candidates:
            raise Rejected(self.nothing)
        return candidates

    async def refresh(self, credentials: Credentials) -> Credentials:
        """Return a fresh page token, and a fresh token of the person.

        The person's token is not spent by that, so that a lost answer is ``TryLater``.
        """
        try:
            person = await self._long_lived(credentials.refresh_token)
            async for candidate in self._candidates(person):
                if candidate.credentials.account_id == credentials.account_id:
                    return candidate.credentials
        except Rejected as error:
            raise Disowned(str(error)) from error
        msg = "Facebook no longer shows us this account. Connect it again."
        raise Disowned(msg)

    async def _long_lived(self, token: str) -> Credentials:
        """Return the person's long-lived token, in the place of a refresh token."""
        longer, ends = await self._token(
            grant_type="fb_exchange_token", fb_exchange_token=token
        )
        return Credentials(
            access_token="", refresh_token=longer, refresh_expires_at=ends
        )

    async def _token(self, **form: str) -> tuple[str, datetime | None]:
        secrets = {"client_id": self._client_id, "client_secret": self._client_secret}
        graph = self._graph("", judge=_judge_exchange)
        match await graph.post(_TOKEN, {**secrets, **form}):
            case {"access_token": str(token), "expires_in": int(seconds)}:
                return token, self._clock() + timedelta(seconds=seconds)
            case {"access_token": str(token)}:
                return token, None
        raise Unclear(_TOKEN)

    async def _candidates(self, person: Credentials) -> AsyncIterator[Candidate]:
        graph = self._graph(
            person.refresh_token, app_secret=self._client_secret, judge=judge_graph
        )
        async for page in graph.each("/me/accounts", fields=self.fields, limit="100"):
            account, handle = self._account_of(page)
            token = page.get("access_token")
            if account and isinstance(token, str):
                yield Candidate(
                    handle,
                    Credentials(
                        token,
                        person.refresh_token,
                        account,
                        refresh_expires_at=person.refresh_expires_at,
                    ),
                )

    def _account_of(self, page: Mapping[str, Any]) -> tuple[str, str]:
        """Return the id and handle of what is posted to; empty if there is none."""
        match page:
            case {"id": str(account), "username": str(username)}:
                return account, f"@{username}"
            case {"id": str(account), "name": str(name)}:
                return account, name
        return "", ""

    def _graph(self, token: str, **more: Any) -> Graph:
        return Graph(
            self._http,
            self._base_url,
            token,
            clock=self._clock,
            server="Facebook",
            patience=self._patience,
            **more,
        )


class InstagramEntrance(MetaEntrance):
    """The way into the professional Instagram accounts of Facebook pages.

    They are posted to with their page's token. Deleting takes
    ``instagram_manage_contents``, views ``instagram_manage_insights``.
    """

    scopes: ClassVar[Sequence[str]] = (
        *_PAGE_SCOPES,
        "instagram_basic",
        "instagram_content_publish",
        "instagram_manage_comments",
        "instagram_manage_contents",
        "instagram_manage_insights",
    )
    fields: ClassVar[str] = "access_token,instagram_business_account{id,username}"
    nothing: ClassVar[str] = (
        "None of the pages has a professional Instagram account. Make the account a"
        " business or creator account and connect it to a page that you choose here."
    )

    def _account_of(self, page: Mapping[str, Any]) -> tuple[str, str]:
        match page:
            case {
                "instagram_business_account": {
                    "id": str(account),
                    "username": str(username),
                }
            }:
                return account, f"@{username}"
        return "", ""


def _judge_exchange(refusal: Refusal) -> ChannelError:
    """A code that was used or is too old is 100; who the app is, 1 or 101."""
    error = read_error(refusal.content)
    if error and (error.code == _NO_APP or "client secret" in error.words):
        msg = (
            "Facebook does not know this app by its id and secret. Look both up at"
            " developers.facebook.com and correct the settings."
        )
        return Rejected(msg)
    return judge_graph(refusal, meanings={100: _STALE})
