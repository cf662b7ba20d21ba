"""
A deal is told in the retailer's language, in as much room as its network has: the price
and the link always, and never half a word.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from offers.deals import Deal
from offers.money import Money
from offers.prices import Reduction
from offers.retailers import Retailer
from outletbot.channels.mastodon_text import text_length
from outletbot.channels.outlet import OutletPage
from outletbot.composing import compose, compose_over
from tests.factories import HOUR, NOON, make_deal, north
from tests.fakes import FakeChannel

LINK = "https://outlet.example.com/d/01kjq6psg0emvac1hpewd7h0x7"
PITCH = "The old buckle. It works. It has to go today. 👩‍👩‍👧‍👦"


def channel_of(length: int) -> FakeChannel:
    channel = FakeChannel()
    channel.capabilities = replace(channel.capabilities, max_length=length)
    return channel


@pytest.fixture
def retailer(session: Session) -> Retailer:
    retailer = north(session)
    retailer.hashtags = "outlet #lastchance"
    return retailer


@pytest.fixture
def deal(session: Session) -> Deal:
    return make_deal(session, title="Fjord parka, rust, M", pitch=PITCH)


def tell(deal: Deal, retailer: Retailer, length: int = 500, **more: object) -> str:
    reduction = more.get("reduction")
    assert reduction is None or isinstance(reduction, Reduction)
    return compose(
        deal, retailer, LINK, reduction=reduction, channel=channel_of(length)
    )


class TestCompose:
    def test_says_it_all_where_there_is_room(self, deal, retailer) -> None:
        assert tell(deal, retailer).split("\n") == [
            "Fjord parka, rust, M",
            "€49.99",
            "10 available, until Mon 2 Mar, 13:00 (Dublin)",
            PITCH,
            "#outlet #lastchance",
            LINK,
        ]

    def test_speaks_the_retailers_language_and_time(self, deal, retailer) -> None:
        retailer.language, retailer.time_zone = "fr", "Europe/Paris"

        lines = tell(deal, retailer).split("\n")

        assert lines[1] == "49,99\xa0€"
        assert lines[2].endswith("lun.\xa02\xa0mars à\xa014:00 (Paris)")

    def test_gives_a_percentage_with_its_evidence(self, deal, retailer) -> None:
        reduction = Reduction(Money(9_900, "eur"), deal.price)

        price = tell(deal, retailer, reduction=reduction).split("\n")[1]

        assert price == "€49.99 (-49%, lowest price of the last 30 days: €99.00)"

    def test_writes_a_percentage_as_the_retailers_language_does(
        self, deal, retailer
    ) -> None:
        retailer.language = "fr"
        reduction = Reduction(Money(9_900, "eur"), deal.price)

        price = tell(deal, retailer, reduction=reduction).split("\n")[1]

        assert price.startswith("49,99\xa0€ (-49\xa0%, prix le plus bas des 30")

    def test_gives_none_that_rounds_to_nothing(self, deal, retailer) -> None:
        reduction = Reduction(Money(5_000, "eur"), deal.price)

        assert tell(deal, retailer, reduction=reduction).split("\n")[1] == "€49.99"

    def test_offers_no_units_that_the_stock_no_longer_has(self, deal, retailer) -> None:
        deal.withheld = 7

        assert "3 available" in tell(deal, retailer)

    def test_leaves_out_the_least_worth_first(self, deal, retailer) -> None:
        full = tell(deal, retailer)
        shorter = tell(deal, retailer, len(full) - 1)
        shortest = tell(deal, retailer, len(shorter) - 1)

        assert "#outlet" not in shorter
        assert PITCH in shorter
        assert PITCH not in shortest
        assert "10 available" in shortest

    def test_cuts_the_title_between_words(self, deal, retailer) -> None:
        needed = len(f"\n€49.99\n{LINK}")

        title = tell(deal, retailer, needed + 14).split("\n")[0]

        assert title == "Fjord parka…"

    def test_drops_a_title_of_one_word_that_is_too_long(self, deal, retailer) -> None:
        deal.title = "Donaudampfschifffahrt" * 30

        assert tell(deal, retailer, 100) == f"€49.99\n{LINK}"

    def test_writes_no_empty_lines_or_hashtags(self, deal, retailer) -> None:
        deal.pitch, retailer.hashtags = "", "# , #outlet"

        text = tell(deal, retailer)

        assert "\n\n" not in text
        assert "\n#outlet\n" in text

    @given(
        title=st.text(min_size=1, max_size=300).filter(lambda t: t.split()),
        pitch=st.text(max_size=400),
        length=st.integers(80, 500),
    )
    def test_always_fits_and_has_price_and_link(self, title, pitch, length) -> None:
        deal, retailer = _unsaved(" ".join(title.split()), " ".join(pitch.split()))

        text = tell(deal, retailer, length)

        lines = text.split("\n")
        assert len(text) <= length
        assert lines[-1] == LINK
        assert "€49.99" in lines[:2]
        if lines[0] != "€49.99":
            words = lines[0].removesuffix("…").split(" ")
            assert all(
                a.startswith(b) for a, b in zip(deal.title.split(), words, strict=False)
            )
            assert words[:-1] == deal.title.split()[: len(words) - 1]


class TestComposeOver:
    def test_says_how_long_it_took(self, deal, retailer) -> None:
        deal.sold_out_at = deal.opens_at + timedelta(minutes=7, seconds=12)
        text = tell(deal, retailer)

        over = compose_over(deal, text, retailer, channel_of(500))

        assert over == f"SOLD OUT after 7 min 12 s · {text}"

    def test_says_that_it_ended(self, deal, retailer) -> None:
        over = compose_over(deal, tell(deal, retailer), retailer, channel_of(500))

        assert over.startswith("ENDED · Fjord parka")

    def test_keeps_price_and_link_when_there_is_no_room(self, deal, retailer) -> None:
        text = tell(deal, retailer, 150)
        deal.sold_out_at = deal.opens_at + 2 * HOUR

        over = compose_over(deal, text, retailer, channel_of(150))

        assert len(over) <= 150
        assert over.split("\n")[0] == "SOLD OUT after 2 h · Fjord parka, rust, M"
        assert over.split("\n")[1] == "€49.99"
        assert over.split("\n")[-1] == LINK

    def test_shortens_the_title_rather_than_the_link(self, deal, retailer) -> None:
        text = tell(deal, retailer, 90)

        over = compose_over(deal, text, retailer, channel_of(90))

        assert over == f"ENDED · Fjord parka, rust…\n€49.99\n{LINK}"

    @given(length=st.integers(80, 500), pitch=st.text(max_size=300))
    def test_always_fits(self, length, pitch) -> None:
        deal, retailer = _unsaved(
            "Fjord parka in rust and cream", " ".join(pitch.split())
        )
        text = tell(deal, retailer, length)

        over = compose_over(deal, text, retailer, channel_of(length))

        assert len(over) <= length
        assert over.endswith(LINK)


def test_a_mastodon_counts_its_own_way(deal, retailer) -> None:
    """A link counts 23 there, so there is room for the hashtags."""
    full = tell(deal, retailer)
    channel = channel_of(len(full) - 20)
    channel.length = text_length  # type: ignore[method-assign]

    text = compose(deal, retailer, LINK, reduction=None, channel=channel)

    assert text == full
    assert "#lastchance" not in tell(deal, retailer, len(full) - 20)


def test_the_wall_has_room_for_everything(deal, retailer) -> None:
    deal.pitch = "Really. " * 200
    wall = OutletPage("https://outlet.example")

    text = compose(deal, retailer, LINK, reduction=None, channel=wall)

    assert deal.pitch in text


def _unsaved(title: str, pitch: str) -> tuple[Deal, Retailer]:
    retailer = Retailer(
        id="retailer_1",
        slug="north",
        name="North",
        country="IE",
        currency="eur",
        time_zone="Europe/Dublin",
        hashtags="outlet",
        created_at=NOON,
    )
    deal = Deal(
        id="deal_1",
        retailer_id=retailer.id,
        offer_id="offer_1",
        title=title,
        pitch=pitch,
        price_amount=4_999,
        currency="eur",
        allotment=10,
        opens_at=NOON,
        closes_at=NOON + HOUR,
        created_at=NOON,
    )
    return deal, retailer
