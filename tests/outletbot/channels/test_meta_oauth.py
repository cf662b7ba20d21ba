"""
The way into Facebook pages and Instagram accounts, through the sandbox's own login.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from outletbot.channels import Disowned, Limited, Rejected, TryLater
from outletbot.channels.credentials import Credentials
from outletbot.channels.facebook import Facebook
from outletbot.channels.instagram import Instagram
from outletbot.channels.meta_oauth import InstagramEntrance, MetaEntrance
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.meta_books import LONG
from tests.outletbot.channels.contract import IMPATIENT, NOON, make_draft
from tests.outletbot.meta_server import APP, OUTLET, PAGE, Meta, answering, meta_server

BACK = "https://shop.example/desk/channels/back"
TOKENS = "POST /{version}/oauth/access_token"
ACCOUNTS = "GET /{version}/me/accounts"
SECOND = replace(
    OUTLET,
    page_token="EAA-another",
    page_id="100200301",
    handle="",
    name="South Outlet",
    instagram_id="",
)


@pytest.fixture
async def meta() -> AsyncIterator[Meta]:
    async with meta_server(Facebook, OUTLET, SECOND) as meta:
        yield meta


def entrance(
    meta: Meta, kind: type[MetaEntrance] = MetaEntrance, **more: Any
) -> MetaEntrance:
    more = {"client_id": APP.client_id, "client_secret": APP.client_secret, **more}
    return kind(
        meta.http,
        more.pop("base_url", f"{meta.url}/v26.0"),
        more.pop("client_id"),
        more.pop("client_secret"),
        clock=meta.clock,
        authorize_url=f"{meta.url}/v26.0/dialog/oauth",
        patience=IMPATIENT,
        **more,
    )


async def allow(meta: Meta, way_in: MetaEntrance) -> dict[str, str]:
    """Press the button and return what the merchant comes back with."""
    url = way_in.authorization_url(
        redirect_uri=BACK, state="a-state", challenge="a-challenge"
    )
    async with meta.http.get(url) as page:
        assert page.status == 200, await page.text()
        assert "<button>Allow</button>" in await page.text()
    address, _, query = url.partition("?")
    asked = dict(parse_qsl(query))
    async with meta.http.post(address, data=asked, allow_redirects=False) as answer:
        back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    return dict(parse_qsl(back.query))


async def connect(meta: Meta, way_in: MetaEntrance) -> Any:
    came_back = await allow(meta, way_in)
    assert came_back["state"] == "a-state"
    return await way_in.exchange(came_back["code"], redirect_uri=BACK, verifier="v")


async def test_lets_us_into_every_page(meta: Meta) -> None:
    candidates = await connect(meta, entrance(meta))

    assert [one.handle for one in candidates] == ["@outlet", "South Outlet"]
    credentials = candidates[0].credentials
    assert credentials.account_id == PAGE
    assert credentials.expires_at is None
    assert credentials.refresh_expires_at == NOON + LONG
    assert credentials.access_token not in repr(credentials)
    channel = Facebook(meta.http, f"{meta.url}/v26.0", credentials, clock=meta.clock)
    await channel.publish(make_draft(), key="post_1")
    assert len(meta.texts()) == 1


async def test_lets_us_into_the_accounts_behind_pages(meta: Meta) -> None:
    candidates = await connect(meta, entrance(meta, InstagramEntrance))

    (candidate,) = candidates
    assert candidate.handle == "@outlet"
    assert candidate.credentials.account_id == OUTLET.instagram_id
    channel = Instagram(
        meta.http,
        f"{meta.url}/v26.0",
        candidate.credentials,
        clock=meta.clock,
        patience=IMPATIENT,
    )
    draft = make_draft(images=(meta.show(),))
    published = await channel.publish(draft, key="post_1")
    await channel.delete(published.remote_id)


async def test_pages_without_instagram_accounts_are_explained() -> None:
    async with meta_server(Facebook, SECOND) as meta:
        with pytest.raises(Rejected, match="business or creator account"):
            await connect(meta, entrance(meta, InstagramEntrance))


async def test_who_shows_no_page_is_told_to(meta: Meta) -> None:
    for page in meta.books.pages():
        meta.books.shelf.drop("page", page["page_id"])

    with pytest.raises(Rejected, match="Choose at least one"):
        await connect(meta, entrance(meta))


async def test_a_page_that_may_not_be_posted_to_is_no_candidate() -> None:
    answers = ({"access_token": "t"}, {"access_token": "t"}, {"data": [{"id": "1"}]})
    async with answering(*answers) as base_url, meta_server() as meta:
        with pytest.raises(Rejected, match="Choose at least one"):
            await entrance(meta, base_url=base_url).exchange(
                "code", redirect_uri=BACK, verifier=""
            )


async def test_a_token_without_an_end_has_none() -> None:
    page = {"id": "1", "name": "North", "access_token": "p"}
    answers = ({"access_token": "t"}, {"access_token": "t"}, {"data": [page]})
    async with answering(*answers) as base_url, meta_server() as meta:
        (candidate,) = await entrance(meta, base_url=base_url).exchange(
            "code", redirect_uri=BACK, verifier=""
        )

    assert candidate.credentials.refresh_expires_at is None


async def test_only_what_an_app_may_ask_for_is_asked(meta: Meta) -> None:
    scopes = ("pages_show_list", "pages_manage_posts")
    way_in = entrance(meta, scopes=scopes)

    await connect(meta, way_in)

    url = way_in.authorization_url(redirect_uri=BACK, state="s", challenge="c")
    query = dict(parse_qsl(urlsplit(url).query))
    assert query["scope"] == "pages_show_list,pages_manage_posts"
    assert "code_challenge" not in query


class TestExchange:
    async def test_a_code_works_once(self, meta: Meta) -> None:
        way_in = entrance(meta)
        code = (await allow(meta, way_in))["code"]
        await way_in.exchange(code, redirect_uri=BACK, verifier="")

        with pytest.raises(Rejected, match="Start connecting again"):
            await way_in.exchange(code, redirect_uri=BACK, verifier="")

    async def test_a_code_is_for_one_address(self, meta: Meta) -> None:
        way_in = entrance(meta)
        code = (await allow(meta, way_in))["code"]

        with pytest.raises(Rejected, match="redirect_uri"):
            await way_in.exchange(code, redirect_uri=f"{BACK}/2", verifier="")

    async def test_a_code_does_not_last(self, meta: Meta) -> None:
        way_in = entrance(meta)
        code = (await allow(meta, way_in))["code"]
        meta.clock.advance(timedelta(minutes=10))

        with pytest.raises(Rejected, match="expired"):
            await way_in.exchange(code, redirect_uri=BACK, verifier="")

    @pytest.mark.parametrize("wrong", ["client_id", "client_secret"])
    async def test_an_app_that_is_not_known_is_explained(
        self, meta: Meta, wrong: str
    ) -> None:
        code = (await allow(meta, entrance(meta)))["code"]

        with pytest.raises(Rejected, match=r"developers\.facebook\.com") as caught:
            await entrance(meta, **{wrong: "another"}).exchange(
                code, redirect_uri=BACK, verifier=""
            )

        assert APP.client_secret not in str(caught.value)

    @pytest.mark.parametrize("call", [TOKENS, ACCOUNTS])
    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (Fault.ERROR_BEFORE, TryLater),
            (Fault.CUT_BODY, TryLater),
            (Fault.TOO_MANY, Limited),
        ],
    )
    async def test_what_fails_is_tried_later(
        self, meta: Meta, call: str, fault: Fault, error: type[Exception]
    ) -> None:
        way_in = entrance(meta)
        code = (await allow(meta, way_in))["code"]
        meta.faults.next(call, fault)

        with pytest.raises(error):
            await way_in.exchange(code, redirect_uri=BACK, verifier="")

    async def test_an_answer_without_a_token_makes_no_sense(self) -> None:
        async with answering({}) as base_url, meta_server() as meta:
            with pytest.raises(TryLater, match="makes no sense"):
                await entrance(meta, base_url=base_url).exchange(
                    "code", redirect_uri=BACK, verifier=""
                )


class TestRefresh:
    async def test_gives_fresh_tokens_while_the_old_one_lasts(self, meta: Meta) -> None:
        way_in = entrance(meta)
        old = (await connect(meta, way_in))[0].credentials
        meta.clock.advance(LONG - timedelta(days=1))

        fresh = old.renewed(await way_in.refresh(old))

        assert fresh.access_token != old.access_token
        assert fresh.refresh_token != old.refresh_token
        assert fresh.account_id == old.account_id
        assert fresh.refresh_expires_at == meta.clock() + LONG

    async def test_instagram_finds_its_account_again(self, meta: Meta) -> None:
        way_in = entrance(meta, InstagramEntrance)
        old = (await connect(meta, way_in))[0].credentials

        fresh = await way_in.refresh(old)

        assert fresh.account_id == OUTLET.instagram_id

    async def test_who_came_too_late_connects_again(self, meta: Meta) -> None:
        way_in = entrance(meta)
        old = (await connect(meta, way_in))[0].credentials
        meta.clock.advance(LONG)

        with pytest.raises(Disowned, match="Connect the account again"):
            await way_in.refresh(old)

    async def test_a_page_that_is_no_longer_ours_is_said_to_be(
        self, meta: Meta
    ) -> None:
        way_in = entrance(meta)
        old = (await connect(meta, way_in))[0].credentials
        meta.books.shelf.drop("page", PAGE)

        with pytest.raises(Disowned, match="no longer shows us this account"):
            await way_in.refresh(old)

    async def test_a_bare_token_cannot_be_refreshed(self, meta: Meta) -> None:
        with pytest.raises(Disowned):
            await entrance(meta).refresh(Credentials("bare"))

    async def test_a_refusal_of_any_kind_means_to_connect_again(
        self, meta: Meta
    ) -> None:
        way_in = entrance(meta)
        old = (await connect(meta, way_in))[0].credentials

        with pytest.raises(Disowned):
            await entrance(meta, client_secret="another").refresh(old)

    async def test_a_lost_answer_spends_nothing(self, meta: Meta) -> None:
        way_in = entrance(meta)
        old = (await connect(meta, way_in))[0].credentials
        meta.faults.next(TOKENS, Fault.TIMEOUT_AFTER)

        with pytest.raises(TryLater):
            await way_in.refresh(old)

        assert await way_in.refresh(old)
