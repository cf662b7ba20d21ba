"""
A shopper who reads French is spoken to in French, whatever the seller's language.
"""

import re
from datetime import timedelta
from html import unescape

from sqlmodel import Session

from tests.factories import NOON, make_deal, make_hold, post_of
from tests.outletbot.shop.conftest import Shop

FRENCH = "fr-FR,fr;q=0.9,en;q=0.8"
NARROW, NBSP = "\u202f", "\u00a0"


def words(html: str) -> str:
    """Return what a page says, every space a plain one."""
    body = html.partition("<body")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


async def test_the_deal_page(shop: Shop, session: Session) -> None:
    three_hours = timedelta(hours=3)
    deal = make_deal(
        session, allotment=10, price_amount=4_999, closes_at=NOON + three_hours
    )
    make_hold(session, deal, quantity=3)
    path = f"/d/{post_of(session, deal).code}"

    answer = await shop.get(path, Accept_Language=FRENCH)

    html = await answer.text()
    assert answer.headers["Content-Language"] == "fr"
    assert '<html lang="fr">' in html
    said = words(html)
    assert "Acheter à 49,99 € pièce" in said
    assert "Il en reste 7 3 en cours d\u2019achat, retour possible" in said
    assert "Mis de côté 10 min, le temps de payer." in said
    assert "Se termine le lun. 2 mars à 15:00" in said


async def test_money_and_marks_keep_to_their_line(shop: Shop, session: Session) -> None:
    deal = make_deal(session, price_amount=123_456)
    path = f"/d/{post_of(session, deal).code}"

    html = await shop.text(path, Accept_Language=FRENCH)

    assert f"1{NARROW}234,56{NBSP}€" in html
    assert f"Touchez «{NBSP}Acheter{NBSP}»{NBSP}:" in html


async def test_the_words_for_the_script(shop: Shop, session: Session) -> None:
    path = f"/d/{post_of(session, make_deal(session)).code}"

    html = await shop.text(path, Accept_Language=FRENCH)

    assert 'data-one="Dernier exemplaire" data-many="Il en reste {n}"' in html
    assert 'data-busy="Réservation en cours…"' in html


async def test_an_address_without_a_page(shop: Shop) -> None:
    answer = await shop.get("/nowhere", Accept_Language=FRENCH, Accept="text/html")

    assert answer.status == 404
    assert answer.headers["Content-Language"] == "fr"
    assert "Il n\u2019y a rien à cette adresse." in words(await answer.text())


async def test_a_refusal_for_machines(shop: Shop) -> None:
    answer = await shop.get("/nowhere", Accept_Language=FRENCH)

    said = await answer.json()
    assert said == {
        "error": "not_found",
        "message": "Il n\u2019y a rien à cette adresse.",
    }
