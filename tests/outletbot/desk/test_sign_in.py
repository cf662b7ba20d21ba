"""
Merchants come in by password or one-time link; who fails learns nothing and waits.
"""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from offers.errors import InvalidField
from offers.merchants import (
    MAX_ATTEMPTS,
    Invitation,
    Merchant,
    SignIn,
    find_merchant,
    invite,
)
from outletbot.app import build_app
from outletbot.passwords import Passwords
from outletbot.web.desk.sign_in import check_password, safe_target
from tests.factories import NOON, make_deal, make_merchant, make_retailer
from tests.outletbot.desk.conftest import FROM_US, sign_in

PASSWORD = "four unrelated green words"
AGAINST_GUESSES = "This e-mail and password do not fit together."


@pytest.fixture
async def with_password(session, ana) -> Merchant:
    ana.password_hash = await Passwords().hash(PASSWORD)
    session.add(ana)
    session.commit()
    return ana


async def try_in(browser, email="ana@north.example", password=PASSWORD, **fields: str):
    form = {"email": email, "password": password, **fields}
    return await browser.post("/sign-in", data=form, allow_redirects=False)


async def is_in(browser) -> bool:
    answer = await browser.get("/summary", allow_redirects=False)
    return answer.status == 200


class TestPassword:
    async def test_lets_in_who_knows_it(self, browser, with_password):
        answer = await try_in(browser, email=" Ana@North.example ")

        assert (answer.status, answer.headers["Location"]) == (303, "/summary")
        assert await is_in(browser)

    async def test_gives_a_cookie_that_scripts_and_other_sites_cannot_use(
        self, browser, with_password
    ):
        answer = await try_in(browser)

        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("sign_in=")
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))

    async def test_goes_on_to_the_page_that_was_asked_for(self, browser, with_password):
        turned_away = await browser.get("/sales", allow_redirects=False)
        form = await browser.get(turned_away.headers["Location"])
        assert 'name="next" value="/sales"' in await form.text()

        answer = await try_in(browser, next="/sales")

        assert answer.headers["Location"] == "/sales"

    async def test_goes_to_no_other_site(self, browser, with_password):
        answer = await try_in(browser, next="//evil.example/summary")

        assert answer.headers["Location"] == "/summary"

    @pytest.mark.parametrize(
        ("email", "password"),
        [("ana@north.example", "a wrong password"), ("who@north.example", PASSWORD)],
    )
    async def test_says_the_same_of_a_wrong_password_and_of_nobody(
        self, browser, with_password, email, password
    ):
        answer = await try_in(browser, email=email, password=password)

        assert answer.status == 422
        assert AGAINST_GUESSES in await answer.text()
        assert not await is_in(browser)

    async def test_keeps_out_who_never_chose_one(self, browser, ana):
        answer = await try_in(browser, password="")

        assert answer.status == 422
        assert not await is_in(browser)

    async def test_makes_an_email_wait_after_ten_failures(self, browser, with_password):
        failures = [
            await try_in(browser, password="wrong") for _ in range(MAX_ATTEMPTS)
        ]
        assert {answer.status for answer in failures} == {422}

        answer = await try_in(browser)

        assert answer.status == 429
        assert answer.headers["Retry-After"] == "900"

    async def test_makes_an_address_wait_whatever_the_email(
        self, browser, with_password
    ):
        for number in range(MAX_ATTEMPTS):
            await try_in(browser, email=f"guess{number}@north.example")

        answer = await try_in(browser)

        assert answer.status == 429

    async def test_believes_no_forwarded_address_without_a_trusted_proxy(
        self, browser, with_password
    ):
        for number in range(MAX_ATTEMPTS):
            await browser.post(
                "/sign-in",
                data={"email": f"guess{number}@north.example", "password": "x"},
                headers={"X-Forwarded-For": f"10.0.0.{number}"},
            )

        answer = await try_in(browser)

        assert answer.status == 429

    async def test_takes_the_address_that_the_trusted_proxy_saw(
        self, aiohttp_client, settings, database, payments, with_password
    ):
        behind = settings.model_copy(update={"trusted_proxies": 1})
        app = build_app(behind, database, payments, clock=lambda: NOON)
        browser = await aiohttp_client(app, headers=FROM_US)
        for number in range(MAX_ATTEMPTS):
            await browser.post(
                "/sign-in",
                data={"email": f"guess{number}@north.example", "password": "x"},
                headers={"X-Forwarded-For": "1.1.1.1, 10.0.0.66"},
            )

        answer = await try_in(browser)

        assert answer.status == 303

    async def test_starts_afresh_for_who_was_in_already(
        self, browser, database, session, with_password
    ):
        await sign_in(browser, database, with_password)
        before = session.exec(select(SignIn.token_hash)).one()
        session.rollback()

        await try_in(browser)

        assert session.exec(select(SignIn.token_hash)).one() != before

    async def test_refuses_a_form_of_another_site(self, browser, with_password):
        answer = await browser.post(
            "/sign-in",
            data={"email": "ana@north.example", "password": PASSWORD},
            headers={"Sec-Fetch-Site": "cross-site"},
            allow_redirects=False,
        )

        assert answer.status == 403
        assert not await is_in(browser)


class TestInvitation:
    async def test_is_not_used_up_by_looking_at_it(self, browser, database, ana):
        token = await database.transact(invite, ana, now=NOON)

        for _ in range(3):
            answer = await browser.get(f"/invitations/{token}")
            assert answer.status == 200
            assert "ana@north.example" in await answer.text()

        assert not await is_in(browser)
        entered = await browser.post(f"/invitations/{token}", allow_redirects=False)
        assert entered.status == 303

    async def test_leads_to_a_password_when_there_is_none(self, browser, database, ana):
        token = await database.transact(invite, ana, now=NOON)

        answer = await browser.post(f"/invitations/{token}", allow_redirects=False)

        assert answer.headers["Location"] == "/password"
        assert await is_in(browser)

    async def test_signs_in_at_once_who_has_a_password(
        self, browser, database, with_password
    ):
        token = await database.transact(invite, with_password, now=NOON)

        answer = await browser.post(f"/invitations/{token}", allow_redirects=False)

        assert answer.headers["Location"] == "/summary"

    async def test_works_once(self, browser, database, ana):
        token = await database.transact(invite, ana, now=NOON)
        await browser.post(f"/invitations/{token}", allow_redirects=False)
        browser.session.cookie_jar.clear()

        answer = await browser.post(f"/invitations/{token}", allow_redirects=False)
        looked = await browser.get(f"/invitations/{token}")

        assert (answer.status, looked.status) == (409, 410)
        assert not await is_in(browser)

    async def test_ends_after_three_days(self, browser, database, session, ana):
        token = await database.transact(invite, ana, now=NOON - timedelta(days=3))

        looked = await browser.get(f"/invitations/{token}")
        answer = await browser.post(f"/invitations/{token}", allow_redirects=False)

        assert (looked.status, answer.status) == (410, 409)
        unused = select(Invitation).where(col(Invitation.used_at).is_(None))
        assert session.exec(unused).one()


class TestChoosingAPassword:
    async def test_lets_the_merchant_in_with_it_from_then_on(self, desk, database):
        answer = await desk.post(
            "/password", data={"password": PASSWORD}, allow_redirects=False
        )
        assert answer.status == 303
        assert await is_in(desk)
        desk.session.cookie_jar.clear()

        assert (await try_in(desk)).status == 303

    async def test_ends_every_other_sign_in(self, desk, database, session, ana):
        await database.transact(
            lambda s: s.add(
                SignIn(
                    token_hash="elsewhere",
                    retailer_id=ana.retailer_id,
                    merchant_id=ana.id,
                    created_at=NOON,
                    seen_at=NOON,
                )
            )
        )

        await desk.post("/password", data={"password": PASSWORD})

        left = session.exec(select(SignIn.token_hash)).all()
        assert len(left) == 1
        assert "elsewhere" not in left

    async def test_refuses_a_short_one_and_keeps_the_old(
        self, desk, database, with_password
    ):
        answer = await desk.post("/password", data={"password": "123456789"})

        assert answer.status == 422
        assert "Use 10 characters or more." in await answer.text()
        kept = await database.read(find_merchant, "ana@north.example")
        assert kept.password_hash == with_password.password_hash

    @pytest.mark.parametrize(
        "password", ["Ana@North.example", "aaaaaaaaaaaa", "x" * 201, ""]
    )
    def test_refuses_what_is_guessed_first(self, session, password):
        with pytest.raises(InvalidField):
            check_password(password, make_merchant(session))


class TestSigningOut:
    async def test_ends_the_sign_in_itself(self, desk, session):
        answer = await desk.post("/sign-out", allow_redirects=False)

        assert answer.headers["Location"] == "/sign-in"
        assert session.exec(select(SignIn)).all() == []
        assert not await is_in(desk)

    async def test_is_no_trouble_for_who_is_out(self, browser):
        answer = await browser.post("/sign-out", allow_redirects=False)

        assert answer.status == 303


class TestGuard:
    @pytest.mark.parametrize(
        "path", ["/summary", "/summary.csv", "/summary/live", "/sales", "/password"]
    )
    async def test_sends_who_is_not_signed_in_to_the_form(self, browser, path):
        answer = await browser.get(path, allow_redirects=False)

        assert answer.status == 303
        assert answer.headers["Location"] == f"/sign-in?next={path}"

    async def test_changes_nothing_for_who_is_not_signed_in(self, browser):
        answer = await browser.post("/password", data={"password": PASSWORD})

        assert answer.status == 403

    async def test_lets_nobody_keep_a_merchants_pages(self, desk):
        answer = await desk.get("/summary")

        assert answer.headers["Cache-Control"] == "no-store"

    async def test_forgets_who_was_idle_for_long(
        self, aiohttp_client, settings, database, payments, session
    ):
        merchant = make_merchant(session)
        later = NOON + timedelta(hours=13)
        app = build_app(settings, database, payments, clock=lambda: later)
        browser = await aiohttp_client(app, headers=FROM_US)
        await sign_in(browser, database, merchant)

        assert not await is_in(browser)


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/deals/deal_1", "/deals/deal_1"),
        ("/sales?deal=deal_1", "/sales?deal=deal_1"),
        ("", "/summary"),
        ("summary", "/summary"),
        ("//evil.example", "/summary"),
        ("///evil.example", "/summary"),
        ("/\\evil.example", "/summary"),
        ("/\t/evil.example", "/summary"),
        ("https://evil.example/", "/summary"),
        ("javascript:alert(1)", "/summary"),
        ("/a\r\nSet-Cookie: x=y", "/summary"),
        ("http://[::1", "/summary"),
    ],
)
def test_only_pages_of_ours_come_after_the_form(address, target):
    assert safe_target(address) == target


async def test_another_retailers_deal_does_not_exist(desk, session):
    south = make_retailer(session)
    theirs = make_deal(session, retailer_id=south.id)

    for path in ("", "/live"):
        answer = await desk.get(f"/deals/{theirs.id}{path}")
        assert answer.status == 404
    for path in (f"/sales?deal={theirs.id}", f"/sales.csv?deal={theirs.id}"):
        answer = await desk.get(path)
        assert answer.status == 404
