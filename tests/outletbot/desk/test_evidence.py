"""
The pages of evidence: what a price before rests on, who declared what, and files of it.
"""

import csv
import io
import json

import pytest
from sqlmodel import select

from offers.allowances import Departure
from offers.deals import open_due
from offers.declarations import DeclaredPrice, PriceDeclaration, Scope
from offers.departures import depart
from offers.honesty_seasons import SaleSeason
from offers.imports import ImportState
from offers.money import Money
from offers.posting import lease_due_posts
from offers.prices import Reduction
from offers.retailers import Retailer
from offers.templates import PostTemplate
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    SECOND,
    make_deal,
    make_declaration,
    make_import,
    make_offer,
    make_price,
    make_retailer,
    north,
)
from tests.outletbot.desk.test_summary import texts

DAYS = {"from_on": "2026-01-01", "to_on": "2026-03-01"}
BASIS = "We charged it in our shop; see the till."
SAID = {**DAYS, "price": "99.00", "basis": BASIS, "sure": "yes"}


@pytest.fixture
def posted(session):
    """A deal whose post is about to go out, at half of what was long charged."""
    offer = make_offer(session, sku="=P-1")
    make_price(session, offer, 9_900, NOON - 90 * DAY)
    deal = make_deal(session, offer, opens_at=NOON, opened_at=None)
    [post] = lease_due_posts(session, now=NOON, ahead=SECOND)
    reduction = Reduction(Money(9_900, "eur"), deal.price)
    departure = Departure(
        post.model_copy(), deal.model_copy(), "Parka -49%", reduction=reduction
    )
    depart(session, [departure], now=NOON)
    open_due(session, now=NOON)
    session.commit()
    return deal


async def html_of(answer) -> str:
    return texts(await answer.text())


class TestOfADeal:
    async def test_says_what_may_be_announced_and_why(self, desk, posted):
        text = await html_of(await desk.get(f"/deals/{posted.id}/evidence"))

        assert "-49% may be announced, from €99.00 :" in text
        assert "the lowest price of the 30 days before." in text
        assert "price before: €99.00" in text
        assert "Parka -49%" in text

    async def test_says_why_there_is_nothing(self, desk, session):
        deal = make_deal(session)

        text = await html_of(await desk.get(f"/deals/{deal.id}/evidence"))

        assert "it is not known what was charged on each of the 30 days" in text
        assert "None of its posts has gone out yet." in text

    async def test_is_to_be_had_as_a_table(self, desk, posted):
        answer = await desk.get(f"/deals/{posted.id}/evidence.csv")

        [row] = csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig")))
        assert (row["price"], row["price_before"], row["percent"]) == (
            "49.99",
            "99.00",
            "49",
        )
        assert (row["rule"], row["ground"], row["country"]) == (
            "lowest",
            "proven",
            "IE",
        )
        assert row["sku"] == "'=P-1"  # or a spreadsheet would run it
        assert json.loads(row["basis"])[0]["price"] == "99.00"

    async def test_is_to_be_had_as_json(self, desk, posted):
        answer = await desk.get(f"/deals/{posted.id}/evidence.json")

        [one] = json.loads(await answer.text())
        assert (one["price"], one["percent"], one["sku"]) == ("49.99", 49, "=P-1")
        assert one["basis"][0]["id"].startswith("price_")
        assert one["went_out"] == "2026-03-02T12:00:00+00:00"

    async def test_is_linked_from_its_page(self, desk, posted):
        html = await (await desk.get(f"/deals/{posted.id}")).text()

        assert f'href="/deals/{posted.id}/evidence"' in html


class TestOfAPeriod:
    async def test_shows_the_last_30_days(self, desk, posted):
        text = await html_of(await desk.get("/evidence"))

        assert "Parka -49%" in text

    @pytest.mark.parametrize(
        ("query", "rows"),
        [
            ("", 1),
            ("?from=2026-03-02&to=2026-03-02", 1),
            ("?from=2026-03-03&to=2026-03-09", 0),
            ("?from=2026-02-01&to=2026-03-01", 0),
            ("?from=nonsense&to=9999-99-99", 1),
            ("?from=2026-03-05&to=0001-01-01", 1),
        ],
    )
    async def test_may_be_chosen(self, desk, posted, query, rows):
        answer = await desk.get(f"/evidence.json{query}")

        assert len(json.loads(await answer.text())) == rows

    async def test_is_empty_for_others(self, desk, session):
        text = await html_of(await desk.get("/evidence"))

        assert "Nothing went out on these days" in text
        assert "Nothing was declared yet." in text


class TestDeclaringAnOffer:
    @pytest.fixture
    def offer(self, session):
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - 13 * HOUR)
        return offer

    async def send(self, desk, offer, **fields: str):
        return await desk.post(
            f"/offers/{offer.id}/declarations",
            data={**SAID, "to_on": "2026-03-02", **fields},
            allow_redirects=False,
        )

    async def test_keeps_it(self, desk, session, offer, ana):
        answer = await self.send(desk, offer)

        made = session.exec(select(PriceDeclaration)).one()
        said = session.exec(select(DeclaredPrice)).one()
        assert answer.status == 303
        assert (made.declared_by, made.name, made.basis) == (ana.id, "Ana", BASIS)
        assert (said.offer_id, said.price_amount) == (offer.id, 9_900)
        text = await html_of(await desk.get(f"/offers/{offer.id}/evidence"))
        assert "A deal that opens now may name €99.00" in text
        assert "Part of this rests on a declaration" in text

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"sure": ""}, "a declaration needs somebody"),
            ({"price": "much"}, "Enter an amount such as 12.50."),
            ({"from_on": "yesterday"}, "Enter a day such as"),
            ({"from_on": "2026-03-02"}, "Our own log begins on 2026-03-01"),
            ({"to_on": "2026-03-03"}, "This day is yet to come."),
            ({"basis": ""}, "Fill this in."),
            ({"basis": "yes"}, "Say in a sentence how you know."),
            ({"from_on": "0001-01-01"}, "Choose a day within the last three years."),
        ],
    )
    async def test_says_what_is_wrong(self, desk, session, offer, fields, words):
        answer = await self.send(desk, offer, **fields)

        html = await answer.text()
        assert answer.status == 422
        assert words in html
        assert "Nothing was declared yet." in html
        assert session.exec(select(PriceDeclaration)).all() == []


class TestDeclaringAFile:
    async def test_keeps_it_for_each_offer(self, desk, session):
        entry = make_import(session, state=ImportState.IMPORTED)
        for amount in (9_900, 5_000):
            offer = make_offer(session)
            make_price(session, offer, amount, NOON - HOUR, source=entry.id)

        form = await (await desk.get(f"/feeds/{entry.id}/declaration")).text()
        answer = await desk.post(
            f"/feeds/{entry.id}/declaration", data=SAID, allow_redirects=False
        )

        assert "every offer that this file was the first to bring" in form
        assert answer.status == 303
        made = session.exec(select(PriceDeclaration)).one()
        said = session.exec(select(DeclaredPrice.price_amount)).all()
        assert (made.scope, made.subject_id) == (Scope.FILE, entry.id)
        assert sorted(said) == [5_000, 9_900]

    async def test_wants_30_days(self, desk, session):
        entry = make_import(session, state=ImportState.IMPORTED)

        answer = await desk.post(
            f"/feeds/{entry.id}/declaration",
            data={**SAID, "from_on": "2026-02-15"},
        )

        assert answer.status == 422
        assert "Choose at least 30 days." in await answer.text()

    async def test_wants_an_imported_file(self, desk, session):
        entry = make_import(session)

        answer = await desk.post(f"/feeds/{entry.id}/declaration", data=SAID)

        assert answer.status == 409


class TestTakingBack:
    async def test_is_kept_beside_it(self, desk, session):
        made = make_declaration(session)

        answer = await desk.post(
            f"/declarations/{made.id}/revoke",
            data={"reason": "That was another jacket."},
            allow_redirects=False,
        )

        assert answer.status == 303
        text = await html_of(await desk.get("/evidence"))
        assert "Taken back" in text
        assert "takes a declaration back" in text
        shown = await html_of(await desk.get(f"/declarations/{made.id}"))
        assert "by Ana: That was another jacket." in shown

    async def test_wants_a_reason(self, desk, session):
        made = make_declaration(session)

        answer = await desk.post(f"/declarations/{made.id}/revoke", data={})

        assert answer.status == 422
        assert "Say in a sentence how you know." in await answer.text()


class TestSettings:
    async def send(self, desk, **fields: str):
        form = {"price_rule": "lowest", "tax_rate": "", **fields}
        return await desk.post("/settings/prices", data=form, allow_redirects=False)

    def retailer(self, session) -> Retailer:
        session.expire_all()
        return north(session)

    async def test_offer_the_rules_of_the_country(self, desk):
        html = await (await desk.get("/settings/prices")).text()

        assert 'value="lowest" checked' in html
        assert 'value="never"' in html
        assert 'value="usual"' not in html
        assert "soldes" not in html

    @pytest.mark.parametrize(
        ("typed", "points"),
        [("20", 2_000), ("5.5", 550), ("5,5", 550), ("0", 0), ("", None)],
    )
    async def test_keep_the_rate_of_tax(self, desk, session, typed, points):
        answer = await self.send(desk, tax_rate=typed)

        assert answer.status == 303
        assert self.retailer(session).tax_points == points

    @pytest.mark.parametrize("typed", ["100", "-1", "twenty", "20.555", "²0", "2.0.0"])
    async def test_refuse_what_is_no_rate(self, desk, session, typed):
        answer = await self.send(desk, tax_rate=typed)

        assert answer.status == 422
        assert "Enter a rate such as 20 or 5.5." in await answer.text()

    async def test_keep_a_stricter_rule(self, desk, session):
        await self.send(desk, price_rule="never")

        assert self.retailer(session).price_rule == "never"

    @pytest.mark.parametrize("rule", ["usual", "first_cut", "nonsense", ""])
    async def test_take_no_laxer_one(self, desk, session, rule):
        answer = await self.send(desk, price_rule=rule)

        assert answer.status == 422
        assert self.retailer(session).price_rule == ""

    async def test_of_seasons_are_for_france(self, desk, session):
        retailer = north(session)
        season = {
            "part": "summer",
            "year": "2026",
            "begins_on": "2026-07-01",
            "ends_on": "2026-07-28",
        }
        refused = await desk.post("/settings/prices/seasons", data=season)
        retailer.country = "FR"
        session.add(retailer)
        session.commit()

        kept = await desk.post(
            "/settings/prices/seasons", data=season, allow_redirects=False
        )
        wrong = await desk.post(
            "/settings/prices/seasons", data={**season, "ends_on": "2026-07-02"}
        )
        html = await (await desk.get("/settings/prices")).text()
        own = session.exec(select(SaleSeason)).one()
        reset = await desk.post(
            "/settings/prices/seasons",
            data={**season, "action": "reset"},
            allow_redirects=False,
        )

        assert (refused.status, kept.status, wrong.status) == (422, 303, 422)
        assert "from three to six weeks" in await wrong.text()
        assert str(own.begins_on) == "2026-07-01"
        assert "set by you" in html
        assert reset.status == 303
        session.rollback()
        assert session.exec(select(SaleSeason)).all() == []


class TestWords:
    """A French retailer says "soldes" nowhere out of season."""

    @pytest.fixture(autouse=True)
    def french(self, session):
        retailer = north(session)
        retailer.country = "FR"
        session.add(retailer)
        session.commit()

    async def test_are_not_in_a_text(self, desk, session):
        body = "Soldes ! {title} {price}\n{link}"
        form = {"language": "fr", "kind": "announcement", "network": "", "body": body}

        answer = await desk.post("/texts", data={**form, "action": "save"})

        assert answer.status == 422
        assert "The law keeps the word “soldes”" in await answer.text()
        assert session.exec(select(PostTemplate)).all() == []

    @pytest.mark.parametrize(
        "fields",
        [{"hashtags": "#outlet #soldes"}, {"about": "Des soldes toute l'année"}],
    )
    async def test_are_not_in_what_goes_with_each_post(self, desk, fields):
        profile = {"name": "North", "time_zone": "Europe/Dublin", "language": "fr"}

        answer = await desk.post("/settings", data={**profile, **fields})

        assert answer.status == 422
        assert "The law keeps the word “soldes”" in await answer.text()


async def test_nobody_sees_anothers(desk, session):
    south = make_retailer(session)
    offer = make_offer(session, retailer_id=south.id)
    made = make_declaration(session, offer)

    for address in (f"/offers/{offer.id}/evidence", f"/declarations/{made.id}"):
        assert (await desk.get(address)).status == 404
    html = await (await desk.get("/evidence")).text()
    assert made.id not in html
