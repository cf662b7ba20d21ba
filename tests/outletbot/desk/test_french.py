"""
A merchant reads their pages in the language they chose, wherever they sign in.
"""

from offers.merchants import add_merchant, find_merchant
from tests.factories import NOON, north
from tests.outletbot.desk.conftest import sign_in
from tests.outletbot.desk.test_feeds import look, send, work

FRENCH = {"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.8"}


async def test_the_sign_in_page_is_in_the_browsers_language(browser):
    answer = await browser.get("/sign-in", headers=FRENCH)

    html = await answer.text()
    assert answer.headers["Content-Language"] == "fr"
    assert '<html lang="fr">' in html
    assert '<label for="password">Mot de passe</label>' in html


async def test_a_refusal_to_sign_in(browser):
    typed = {"email": "nobody@example.com", "password": "not this one"}

    answer = await browser.post("/sign-in", data=typed, headers=FRENCH)

    assert "Cet e-mail et ce mot de passe ne vont pas ensemble." in await answer.text()


async def test_a_merchants_own_language_goes_before_the_browsers(desk, session, ana):
    ana.language = "fr"
    session.add(ana)
    session.commit()

    answer = await desk.get("/settings", headers={"Accept-Language": "en-GB,en"})

    assert answer.headers["Content-Language"] == "fr"
    assert "<h1>Réglages</h1>" in await answer.text()


async def test_an_address_may_ask_for_a_language(desk):
    html = await (await desk.get("/settings?lang=fr")).text()

    assert "<h1>Réglages</h1>" in html


async def test_a_refusal_that_was_kept_is_told_in_the_readers_language(desk, database):
    path = await send(desk, b"%PDF-1.7 and no rows", name="stock.csv")

    await work(database)

    assert "This is a PDF document, not a list of products" in await look(desk, path)
    assert "ce fichier est un document PDF" in await look(desk, f"{path}?lang=fr")


class TestChoosing:
    async def test_is_kept(self, desk, session, ana):
        await desk.post("/settings/language", data={"reading": "fr"})

        session.refresh(ana)
        assert ana.language == "fr"

    async def test_changes_no_colleagues_pages(self, browser, database, session, ana):
        home = north(session).id
        marc = add_merchant(session, home, "marc@example.com", name="Marc", now=NOON)
        session.commit()
        await sign_in(browser, database, marc)

        await browser.post("/settings/language", data={"reading": "fr"})

        session.refresh(ana)
        session.refresh(marc)
        assert (ana.language, marc.language) == ("en", "fr")

    async def test_is_from_the_list(self, desk, session, ana):
        answer = await desk.post("/settings/language", data={"reading": "de"})

        assert answer.status == 422
        assert "Choose from the list." in await answer.text()
        session.refresh(ana)
        assert ana.language == "en"


async def test_a_new_person_reads_the_retailers_language(desk, session):
    retailer = north(session)
    retailer.language = "fr"
    session.add(retailer)
    session.commit()
    person = {"person": "Zoé", "email": "zoe@example.com", "role": "merchant"}

    await desk.post("/settings/people", data=person)

    session.expire_all()
    assert find_merchant(session, "zoe@example.com").language == "fr"
