"""
The sample outlet is a feed without faults and a picture for each of its products.
"""

import csv
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from PIL import Image, ImageStat
from stdnum import ean

from offers.money import Money
from outletbot.samples import picture_names, sample_feed, sample_picture
from outletbot.samples.colours import Colours
from outletbot.samples.draw import MOTIFS, draw, picture

COLUMNS = (
    "sku,title,description,brand,category,list_price,price,cost,currency,quantity,"
    "gtin,condition,image"
)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(sample_feed().decode("utf-8"))))


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    return {name: sample_picture(name) for name in picture_names()}


class TestSampleFeed:
    def test_has_the_columns_of_a_plain_feed(self) -> None:
        assert sample_feed().decode("utf-8").splitlines()[0] == COLUMNS

    @pytest.mark.parametrize("column", ["sku", "title", "gtin", "image"])
    def test_names_sixty_different_products(
        self, rows: list[dict[str, str]], column: str
    ) -> None:
        assert len(rows) == 60
        assert len({row[column] for row in rows}) == 60

    def test_has_bar_codes_that_are_valid_and_belong_to_nobody(
        self, rows: list[dict[str, str]]
    ) -> None:
        codes = [row["gtin"] for row in rows]

        assert [code for code in codes if not ean.is_valid(code)] == []
        assert {len(code) for code in codes} == {13}
        assert {code[0] for code in codes} == {"2"}

    @pytest.mark.parametrize("column", ["list_price", "price", "cost"])
    def test_has_prices_in_whole_cents(
        self, rows: list[dict[str, str]], column: str
    ) -> None:
        prices = [
            Money.of(Decimal(row[column]), row["currency"].lower()) for row in rows
        ]

        assert all(price > Money(0, "eur") for price in prices)

    def test_asks_no_more_than_the_list_price_and_rarely_less_than_the_cost(
        self, rows: list[dict[str, str]]
    ) -> None:
        dearer = [row for row in rows if _price(row) > Decimal(row["list_price"])]
        at_a_loss = [row for row in rows if _price(row) < Decimal(row["cost"])]

        assert dearer == []
        assert 1 <= len(at_a_loss) <= 3

    def test_has_believable_words_and_numbers(self, rows: list[dict[str, str]]) -> None:
        assert {row["condition"] for row in rows} == {"new", "refurbished", "used"}
        assert all(2 <= int(row["quantity"]) <= 180 for row in rows)
        assert max(len(row["title"]) for row in rows) <= 70
        assert min(len(row["description"]) for row in rows) >= 10


class TestSamplePicture:
    def test_is_a_square_jpeg_that_is_light_to_load(
        self, pictures: dict[str, bytes]
    ) -> None:
        assert len(pictures) == 60
        for name, content in pictures.items():
            with Image.open(BytesIO(content)) as image:
                assert (image.format, image.size) == ("JPEG", (1200, 1200)), name
            assert len(content) <= 60_000, name

    def test_is_different_for_each_product(self, pictures: dict[str, bytes]) -> None:
        assert len(set(pictures.values())) == 60

    def test_is_the_same_bytes_each_time(self, pictures: dict[str, bytes]) -> None:
        name = "hiking-boots-slate.jpg"

        assert sample_picture(name) == pictures[name]

    def test_keeps_the_product_within_a_social_networks_crop(
        self, pictures: dict[str, bytes]
    ) -> None:
        # Above and below the middle 630 of 1200 lines there is the disc behind the
        # product, one colour from edge to edge, and at most the end of a shadow.
        for name, content in pictures.items():
            with Image.open(BytesIO(content)) as image:
                above = image.crop((360, 220, 840, 284))
                below = image.crop((390, 950, 810, 1000))
            assert _unevenness(above) <= 16, name
            assert _unevenness(below) <= 16, name

    @pytest.mark.parametrize("make", [sample_picture, picture])
    @pytest.mark.parametrize(
        "name",
        [
            "",
            "mug",
            "mug.jpg",
            "mug-octarine.jpg",
            "yacht-moss.jpg",
            "mug-moss.png",
            "../mug-moss.jpg",
        ],
    )
    def test_refuses_names_of_no_picture(
        self, make: Callable[[str], bytes], name: str
    ) -> None:
        with pytest.raises(KeyError):
            make(name)


class TestDraw:
    def test_draws_any_size(self) -> None:
        image = draw("mug", Colours.named("moss"), 200)

        assert image.size == (200, 200)

    def test_shows_the_colours_it_is_given(self) -> None:
        colours = Colours(main=(10, 200, 30), accent=(200, 10, 30), wall=(0, 0, 90))

        image = draw("cool-box", colours, 200)

        shown = {colour for _, colour in image.getcolors(40_000) or []}
        assert {colours.main, colours.wall} <= shown

    def test_has_no_motif_that_the_feed_does_not_show(
        self, rows: list[dict[str, str]]
    ) -> None:
        shown = {row["image"].rpartition("-")[0] for row in rows}

        assert shown == set(MOTIFS)


def _price(row: dict[str, str]) -> Decimal:
    return Decimal(row["price"])


def _unevenness(image: Image.Image) -> int:
    """Return the widest range of any of the three colours."""
    return max(high - low for low, high in ImageStat.Stat(image).extrema)
