"""
A merchant says who the retailer is; secrets and links are shown once, to whom they are
for.
"""

import re
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlmodel import Session, select

from offers.letters import (
    LEASE,
    TEST_PAUSE,
    lease_due_letters,
    put_off_letter,
    write_letter,
)
from offers.merchants import Merchant, Role
from offers.retailers import Retailer
from outletbot.config import Settings
from outletbot.sealing import Seal
from outletbot.web.desk.settings import transport_of
from tests.factories import NOON, make_merchant, make_retailer, north
from tests.outletbot.desk.conftest import Client, sign_in
from tests.outletbot.smtp_server import MailHost, running


def profile(**fields: str) -> dict[str, str]:
    return {
        "name": "North & Sons",
        "about": "Coats since 1908.",
        "seller": "North Ltd, 1 Quay, Dublin, IE 123",
        "shop_url": "https://north.example",
        "time_zone": "Europe/Paris",
        "language": "fr",
        "hashtags": "outlet #coats",
        **fields,
    }


def reread(session: Session) -> Retailer:
    session.rollback()
    session.expire_all()
    return north(session)


async def post(desk: Client, path: str, **fields: str) -> tuple[int, str]:
    answer = await desk.post(path, data=fields, allow_redirects=False)
    return answer.status, await answer.text()


def secret_in(html: str) -> str:
    [secret] = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", html))
    return secret


class TestProfile:
    async def test_is_kept(self, desk, session):
        status, _ = await post(desk, "/settings", **profile())

        retailer = reread(session)
        assert status == 303
        assert retailer.about == "Coats since 1908."
        assert retailer.seller.startswith("North Ltd")
        assert (retailer.time_zone, retailer.language) == ("Europe/Paris", "fr")
        assert retailer.hashtags == "#outlet #coats"

    @pytest.mark.parametrize(
        ("field", "value", "problem"),
        [
            ("name", "", "Fill this in."),
            ("name", "x" * 101, "Use 100 characters at most."),
            ("shop_url", "javascript:alert(1)", "Enter an address such as"),
            ("time_zone", "Europe/Atlantis", "Choose from the list."),
            ("language", "tlh", "Choose from the list."),
            ("hashtags", "#a-b", "is no hashtag"),
        ],
    )
    async def test_is_refused_with_what_was_typed(
        self, desk, session, field, value, problem
    ):
        status, html = await post(
            desk, "/settings", **profile(**{field: value, "seller": "Typed by me"})
        )

        assert status == 422
        assert problem in html
        assert "Typed by me" in html
        assert reread(session).seller == ""

    async def test_does_not_change_what_has_no_field(self, desk, session):
        more = {"slug": "south", "currency": "jpy", "sealed_stock_secret": "mine"}

        await post(desk, "/settings", **profile(**more))

        retailer = reread(session)
        assert (retailer.slug, retailer.currency) == ("north", "eur")
        assert retailer.sealed_stock_secret == ""


class TestWebhook:
    async def test_comes_with_a_secret_that_is_shown_once(
        self, desk, session, seal: Seal
    ):
        status, html = await post(
            desk, "/settings/webhook", webhook_url="https://shop.example/hooks"
        )

        retailer = reread(session)
        secret = secret_in(html)
        assert status == 200
        assert retailer.webhook_url == "https://shop.example/hooks"
        assert seal.open(retailer.sealed_webhook_secret) == secret
        again = await (await desk.get("/settings")).text()
        assert "whsec_" not in again
        assert retailer.sealed_webhook_secret not in again

    async def test_keeps_its_secret_when_the_address_changes(self, desk, session):
        await post(desk, "/settings/webhook", webhook_url="https://a.example")
        before = reread(session).sealed_webhook_secret

        status, _ = await post(
            desk, "/settings/webhook", webhook_url="https://b.example"
        )

        assert status == 303
        assert reread(session).sealed_webhook_secret == before

    async def test_can_be_switched_off(self, desk, session):
        await post(desk, "/settings/webhook", webhook_url="https://a.example")

        await post(desk, "/settings/webhook", webhook_url="")

        assert reread(session).webhook_url == ""

    async def test_must_be_https(self, desk, session):
        status, html = await post(
            desk, "/settings/webhook", webhook_url="http://shop.example"
        )

        assert status == 422
        assert "http://shop.example" in html
        assert reread(session).webhook_url == ""

    async def test_gets_a_new_secret(self, desk, session, seal: Seal):
        await post(desk, "/settings/webhook", webhook_url="https://a.example")
        before = reread(session).sealed_webhook_secret

        _, html = await post(desk, "/settings/webhook/secret")

        after = reread(session).sealed_webhook_secret
        assert after != before
        assert seal.open(after) == secret_in(html)


class TestPractice:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"allow_private_addresses": True})

    async def test_may_go_without_https(self, desk, session):
        address = "http://127.0.0.1:9000/hooks"

        status, _ = await post(desk, "/settings/webhook", webhook_url=address)

        assert status == 200
        assert reread(session).webhook_url == address


class TestStock:
    async def test_gets_a_secret_and_another(self, desk, session, seal: Seal):
        secrets = []
        for _ in range(2):
            _, html = await post(desk, "/settings/stock/secret")
            secrets.append(secret_in(html))

        assert secrets[0] != secrets[1]
        assert seal.open(reread(session).sealed_stock_secret) == secrets[1]

    async def test_names_its_address(self, desk):
        html = await (await desk.get("/settings")).text()

        assert "http://outlet.example/webhooks/stock/north" in html


class TestPeople:
    async def test_are_invited_with_a_link_that_works_once(
        self, desk, browser, session
    ):
        status, html = await post(
            desk,
            "/settings/people",
            person="Léa",
            email="lea@north.example",
            role="merchant",
        )

        [link] = set(re.findall(r"http://outlet\.example(/invitations/\w+)", html))
        lea = session.exec(
            select(Merchant).where(Merchant.email == "lea@north.example")
        ).one()
        assert status == 200
        assert (lea.role, lea.retailer_id) == (Role.MERCHANT, north(session).id)
        assert link not in await (await desk.get("/settings")).text()
        assert (await post(browser, link))[0] == 303
        assert (await post(browser, link))[0] == 409

    async def test_can_get_a_new_link(self, desk, session):
        lea = make_merchant(session, "lea@north.example", name="Léa")

        status, html = await post(desk, f"/settings/people/{lea.id}/invitation")

        assert status == 200
        assert "/invitations/" in html

    @pytest.mark.parametrize(
        ("email", "role", "problem"),
        [
            ("ana@north.example", "merchant", "Somebody already signs in"),
            ("lea", "merchant", "Enter an e-mail address"),
            ("", "merchant", "Fill this in."),
            ("lea@north.example", "emperor", "Choose from the list."),
        ],
    )
    async def test_are_not_invited_without_sense(
        self, desk, session, email, role, problem
    ):
        status, html = await post(
            desk, "/settings/people", person="Léa", email=email, role=role
        )

        session.rollback()
        assert status == 422
        assert problem in html
        assert len(session.exec(select(Merchant)).all()) == 1

    async def test_are_invited_by_owners_alone(self, browser, database, session):
        bob = make_merchant(session, "bob@north.example", role=Role.MERCHANT)
        await sign_in(browser, database, bob)

        status, _ = await post(
            browser, "/settings/people", person="L", email="l@x.example", role="owner"
        )

        session.rollback()
        assert status == 409
        assert (await post(browser, f"/settings/people/{bob.id}/invitation"))[0] == 409
        assert "Invite somebody" not in await (await browser.get("/settings")).text()
        assert len(session.exec(select(Merchant)).all()) == 1

    async def test_of_another_retailer_get_no_link_here(self, desk, session):
        south = make_retailer(session)
        sam = make_merchant(session, "sam@south.example", retailer_id=south.id)

        assert (await post(desk, f"/settings/people/{sam.id}/invitation"))[0] == 404
        assert "sam@south.example" not in await (await desk.get("/settings")).text()


class TestAlarms:
    async def test_are_mailed_to_an_address(self, desk, session):
        status, _ = await post(
            desk, "/settings/alarms", alarm_email=" a@north.example "
        )

        assert status == 303
        assert reread(session).alarm_email == "a@north.example"
        assert "a@north.example" in await (await desk.get("/settings")).text()

    async def test_are_mailed_to_nobody_if_wanted(self, desk, session):
        await post(desk, "/settings/alarms", alarm_email="a@north.example")

        status, _ = await post(desk, "/settings/alarms", alarm_email="")

        assert status == 303
        assert reread(session).alarm_email == ""

    @pytest.mark.parametrize(
        "address", ["ana", "a@b.example, c@d.example", "a@b.example\nBcc: x@y.example"]
    )
    async def test_are_not_mailed_to_what_is_no_address(self, desk, session, address):
        status, html = await post(desk, "/settings/alarms", alarm_email=address)

        assert status == 422
        assert "Enter an e-mail address" in html
        assert reread(session).alarm_email == ""

    async def test_say_that_mail_is_not_set_up(self, desk, session):
        north(session).alarm_email = "ana@north.example"
        session.commit()

        html = await (await desk.get("/settings")).text()

        assert "Mail is not set up on this installation" in html
        assert "/settings/alarms/test" not in html
        assert (await post(desk, "/settings/alarms/test"))[0] == 409

    async def test_say_that_a_mail_could_not_be_sent(self, desk, session):
        letter = write_letter(
            session,
            north(session).id,
            recipient="ana@north.example",
            subject="Late",
            body="",
            now=NOON,
        )
        letter.attempts = 1
        put_off_letter(session, letter, "550 no", for_good=True, now=NOON)
        session.commit()

        html = await (await desk.get("/settings")).text()

        assert "A mail to ana@north.example could not be sent: 550 no" in html


class TestMail:
    @pytest.fixture
    async def host(self) -> AsyncIterator[MailHost]:
        async with running(MailHost()) as host:
            yield host

    @pytest.fixture
    def settings(self, settings: Settings, host: MailHost) -> Settings:
        mail = {
            "smtp_url": SecretStr(f"smtp://{host.url}"),
            "mail_from": "bot@outlet.example",
        }
        return settings.model_copy(update=mail)

    @pytest.fixture
    def told(self, session) -> None:
        north(session).alarm_email = "ana@north.example"
        session.commit()

    @pytest.mark.usefixtures("told")
    async def test_is_tried_at_once(self, desk, host):
        html = await (await desk.get("/settings")).text()
        status, answer = await post(desk, "/settings/alarms/test")

        assert 'action="/settings/alarms/test"' in html
        assert "Mail is not set up" not in html
        assert status == 200
        assert "A mail is on its way to ana@north.example." in answer
        assert host.taken[0].recipients == ["ana@north.example"]
        assert host.taken[0].message["Subject"] == "North & Sons: a test"

    @pytest.mark.usefixtures("told")
    async def test_is_tried_once_a_minute(self, desk, host, session):
        """Whoever's address was entered gets no heap of them."""
        await post(desk, "/settings/alarms/test")

        status, answer = await post(desk, "/settings/alarms/test")

        assert status == 409
        assert "less than a minute ago" in answer
        assert len(host.taken) == 1
        later = NOON + TEST_PAUSE + LEASE
        assert lease_due_letters(session, now=later) == []

    @pytest.mark.usefixtures("told")
    async def test_that_is_not_taken_says_why(self, desk, host):
        host.answers["RCPT"] = "550 no such person"

        status, answer = await post(desk, "/settings/alarms/test")

        assert status == 200
        assert "The mail was not sent." in answer
        assert "550 no such person" in answer

    async def test_goes_nowhere_without_an_address(self, desk, host):
        assert (await post(desk, "/settings/alarms/test"))[0] == 409
        assert host.taken == []

    @pytest.mark.usefixtures("told")
    async def test_is_tried_by_owners_alone(self, browser, database, session, host):
        bob = make_merchant(session, "bob@north.example", role=Role.MERCHANT)
        await sign_in(browser, database, bob)

        assert (await post(browser, "/settings/alarms/test"))[0] == 409
        assert host.taken == []
        html = await (await browser.get("/settings")).text()
        assert "/settings/alarms/test" not in html

    @pytest.mark.parametrize("url", ["mail.example", "http://mail.example"])
    def test_that_is_set_up_wrongly_is_not(self, settings, url):
        wrong = settings.model_copy(update={"smtp_url": SecretStr(url)})

        assert transport_of(wrong) is None
