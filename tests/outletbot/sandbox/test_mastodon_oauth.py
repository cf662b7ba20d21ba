"""
The sandbox's Mastodon lets apps in by Mastodon's own rules, and polls be asked.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import mastodon
import pytest

from outletbot.sandbox.mastodon_apps import Consent
from tests.outletbot.mastodon_server import NOON, TOKEN, Server, mastodon_server

BACK = "https://app.example/callback"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with mastodon_server() as server:
        yield server


async def register(server: Server, **facts: Any) -> tuple[int, Any]:
    whole = {"client_name": "app", "redirect_uris": [BACK], **facts}
    async with server.http.post(f"{server.url}/api/v1/apps", json=whole) as answer:
        return answer.status, await answer.json()


async def test_another_client_gets_in_by_the_page(server: Server) -> None:
    """Mastodon.py, which did not write either side."""
    client_id, secret = await asyncio.to_thread(
        mastodon.Mastodon.create_app,
        "another client",
        scopes=["read", "write"],
        redirect_uris=BACK,
        api_base_url=server.url,
    )
    api = mastodon.Mastodon(client_id, secret, api_base_url=server.url)
    try:
        url = await asyncio.to_thread(
            api.auth_request_url, redirect_uris=BACK, scopes=["read", "write"]
        )
        form = {"account": "outlet", "answer": "allow"}
        async with server.http.post(url, data=form, allow_redirects=False) as sent:
            query = parse_qs(urlsplit(sent.headers["Location"]).query)
        await asyncio.to_thread(
            api.log_in,
            code=query["code"][0],
            redirect_uri=BACK,
            scopes=["read", "write"],
        )
        me = await asyncio.to_thread(api.account_verify_credentials)
        poll = await asyncio.to_thread(api.make_poll, ["this", "that"], 3600)
        posted = await asyncio.to_thread(api.status_post, "Which?", poll=poll)
    finally:
        api.session.close()

    assert me.acct == "outlet"
    assert [option.title for option in posted.poll.options] == ["this", "that"]
    assert not posted.poll.expired


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"client_name": ""}, "Name can't be blank"),
        ({"redirect_uris": []}, "Redirect URI can't be blank"),
        ({"redirect_uris": ["nowhere"]}, "must be an absolute URI"),
        ({"scopes": "everything"}, "Scopes"),
    ],
)
async def test_an_app_has_to_say_who_it_is(
    server: Server, facts: dict[str, Any], words: str
) -> None:
    status, answer = await register(server, **facts)

    assert status == 422
    assert words in answer["error"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"client_id": "unknown"}, 401),
        ({"redirect_uri": "https://evil.example/"}, 400),
        ({"response_type": "token"}, 400),
        ({"scope": "read write"}, 400),
        ({"code_challenge": "c", "code_challenge_method": "plain"}, 400),
    ],
)
async def test_an_app_that_asks_wrongly_is_sent_nowhere(
    server: Server, wrong: dict[str, str], status: int
) -> None:
    _, app = await register(server)
    query = {
        "client_id": app["client_id"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "read",
        **wrong,
    }

    async with server.http.get(f"{server.url}/oauth/authorize", params=query) as page:
        text = await page.text()

    assert page.status == status
    assert text
    assert "<form" not in text


async def test_nobody_lets_in_an_account_that_there_is_not(server: Server) -> None:
    _, app = await register(server)
    query = {
        "client_id": app["client_id"],
        "redirect_uri": BACK,
        "response_type": "code",
    }

    async with server.http.post(
        f"{server.url}/oauth/authorize",
        params=query,
        data={"account": "nobody", "answer": "allow"},
    ) as page:
        assert page.status == 400


async def test_knows_one_kind_of_grant(server: Server) -> None:
    _, app = await register(server)
    form = {
        "grant_type": "password",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
    }

    async with server.http.post(f"{server.url}/oauth/token", data=form) as answer:
        content = await answer.json()

    assert (answer.status, content["error"]) == (400, "unsupported_grant_type")


async def test_a_token_goes_on_after_a_restart_and_so_does_a_poll(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mastodon.db"
    async with mastodon_server(state_path=path) as server:
        apps = server.sandbox.apps
        code = apps.issue_code(Consent("id", "outlet", BACK, ("read",), ""))
        token = apps.spend_code(code, client_id="id", redirect_uri=BACK, verifier="")
        assert token is not None
        poll = {"options": ["a", "b"], "expires_in": 600, "multiple": True}
        await post(server, {"status": "Which?", "poll": poll})

    async with mastodon_server(state_path=path) as again:
        allowed = again.sandbox.account_of(token["access_token"])
        (status,) = again.sandbox.statuses.values()

    assert allowed is not None
    assert (allowed.username, allowed.scopes) == ("outlet", ("read",))
    assert status.now.poll is not None
    assert status.now.poll.options == ("a", "b")
    assert status.now.poll.expires_at > NOON


async def test_people_see_a_poll(server: Server) -> None:
    poll = {"options": ["the rust one", "the green one"], "expires_in": 600}
    await post(server, {"status": "Which?", "poll": poll})

    async with server.http.get(f"{server.url}/@outlet") as page:
        text = await page.text()

    assert "<li>the rust one</li>" in text


async def test_an_edit_without_the_poll_takes_it_away(server: Server) -> None:
    poll = {"options": ["a", "b"], "expires_in": 600}
    made = await post(server, {"status": "Which?", "poll": poll})

    async with server.http.put(
        f"{server.url}/api/v1/statuses/{made['id']}",
        json={"status": "Over"},
        headers={"Authorization": f"Bearer {TOKEN}"},
    ) as answer:
        edited = await answer.json()

    assert made["poll"]["options"][0] == {"title": "a", "votes_count": 0}
    assert edited["poll"] is None


async def test_a_poll_with_pictures_or_without_an_end_is_refused(
    server: Server,
) -> None:
    poll = {"options": ["a", "b"], "expires_in": 600}

    both = await post(server, {"status": "?", "poll": poll, "media_ids": ["1"]})
    endless = await post(server, {"status": "?", "poll": {**poll, "expires_in": ""}})

    assert "Cannot attach more than" in both["error"]
    assert "too far into the future" in endless["error"]


async def post(server: Server, body: dict[str, Any]) -> Any:
    url, headers = f"{server.url}/api/v1/statuses", {"Authorization": f"Bearer {TOKEN}"}
    async with server.http.post(url, json=body, headers=headers) as answer:
        return await answer.json()
