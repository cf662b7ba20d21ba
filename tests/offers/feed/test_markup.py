"""XML files: which element is a product, what is read of it, and what is refused."""

import csv
import io
import tracemalloc

import pytest

from offers.feed import FeedRow, NotAFeed
from offers.feed.markup import MOST_COLUMNS, unescape
from offers.feed.records import LONGEST_CELL
from offers.feed.tags import LONGEST_TAG
from tests.offers.feed.feeds import shared_feeds
from tests.offers.feed.packed import read, unpacked

GOOGLE = 'xmlns:g="http://base.google.com/ns/1.0"'
ITEM = "<g:id>A-1</g:id><title>Parka</title><g:price>99.00 EUR</g:price>"


def rss(*items: str) -> bytes:
    listed = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0"?><rss {GOOGLE} version="2.0"><channel>'
        f"<title>North</title><link>https://north.example</link>{listed}"
        "</channel></rss>"
    ).encode()


def table(data: bytes) -> list[list[str]]:
    text = unpacked(data).stream.read().decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def only(data: bytes) -> dict[str, str]:
    header, row = table(data)
    return dict(zip(header, row, strict=True))


def refusal(data: bytes) -> str:
    with pytest.raises(NotAFeed) as refused:
        read(data)
    return str(refused.value)


class TestItems:
    def test_of_rss_are_rows_called_by_their_tags(self) -> None:
        assert table(rss(ITEM, ITEM.replace("A-1", "A-2"))) == [
            ["id", "title", "price"],
            ["A-1", "Parka", "99.00 EUR"],
            ["A-2", "Parka", "99.00 EUR"],
        ]

    def test_of_atom_are_rows_with_the_address_of_their_link(self) -> None:
        data = (
            f'<feed xmlns="http://www.w3.org/2005/Atom" {GOOGLE}><title>North</title>'
            '<id>tag:north</id><link href="https://north.example"/>'
            "<entry><id>tag:north,1</id><title>Parka</title>"
            '<link href="https://north.example/1"/><g:id>A-1</g:id>'
            "<g:price>99.00 EUR</g:price></entry></feed>"
        )

        assert only(data.encode()) == {
            "id": "A-1",
            "title": "Parka",
            "link": "https://north.example/1",
            "price": "99.00 EUR",
        }

    @pytest.mark.parametrize("name", ["product", "Artikel", "row", "entry"])
    def test_of_any_list_are_rows(self, name) -> None:
        one = f"<{name}><sku>A</sku><name>Parka</name><price>9</price></{name}>"

        rows = table(f"<stock><all>{one * 3}</all></stock>".encode())

        assert rows == [["sku", "name", "price"], *[["A", "Parka", "9"]] * 3]

    def test_may_say_something_in_attributes(self) -> None:
        data = b'<all><product sku="A" price="1"><name>Parka</name></product></all>'

        assert only(data) == {"name": "Parka", "sku": "A", "price": "1"}

    def test_are_told_from_what_they_hold(self) -> None:
        """There are more sizes than products, but no size has a sku."""
        sizes = "<sizes>" + "<size><w>1</w><h>2</h><d>3</d></size>" * 9 + "</sizes>"
        one = f"<thing><sku>A</sku><title>Parka</title><price>9</price>{sizes}</thing>"

        assert table(f"<all>{one}{one}</all>".encode())[0] == ["sku", "title", "price"]

    def test_are_on_the_line_of_their_number_and_one(self) -> None:
        text = "<description>Warm.\n\nDry.</description><g:quantity>1</g:quantity>"
        data = rss(ITEM + text, ITEM.replace("A-1", "A-2") + text, ITEM + text)

        rows = [row for row in read(data) if hasattr(row, "sku")]

        assert [row.line for row in rows] == [2, 3]
        assert rows[0].description == "Warm.\nDry."


class TestChildren:
    def test_within_children_are_none_of_the_products(self) -> None:
        shipping = "<g:shipping><g:price>4.95 EUR</g:price></g:shipping>"

        assert only(rss(shipping + ITEM + shipping))["price"] == "99.00 EUR"
        assert "shipping" not in only(rss(ITEM + shipping))

    def test_of_googles_names_go_before_others(self) -> None:
        both = f"<g:title>Warm parka</g:title>{ITEM}"

        assert only(rss(both))["title"] == "Warm parka"

    def test_that_are_repeated_are_joined(self) -> None:
        images = "".join(
            f"<g:additional_image_link>https://n.example/{n}.jpg"
            "</g:additional_image_link>"
            for n in (1, 2)
        )

        joined = only(rss(ITEM + images))["additional_image_link"]

        assert joined == "https://n.example/1.jpg,https://n.example/2.jpg"

    def test_that_are_repeated_beyond_all_reason_are_not_kept(self) -> None:
        images = "".join(f"<image>{n}</image>" for n in range(200_000))
        data = f"<r><item><id>1</id><price>2</price>{images}</item></r>".encode()

        tracemalloc.start()
        text = unpacked(data).stream.read()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert LONGEST_CELL < len(text) < 2 * LONGEST_CELL
        assert peak < len(data)

    def test_of_two_prices_are_no_price(self) -> None:
        twice = ITEM + "<g:price>5.00 EUR</g:price>"

        (row,) = read(rss(twice))

        assert not isinstance(row, FeedRow)
        assert row.value == "99.00 EUR,5.00 EUR"

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("L&amp;#039;hiver", "L'hiver"),
            ("A &amp;amp; B", "A & B"),
            ("https://n.example/?a=1&amp;copy=2", "https://n.example/?a=1&copy=2"),
            ("<![CDATA[<b>Warm</b>]]>", "<b>Warm</b>"),
        ],
    )
    def test_may_be_escaped_twice(self, text, meant) -> None:
        described = ITEM + f"<g:description>{text}</g:description>"

        assert only(rss(described))["description"] == meant

    def test_of_endless_text_are_cut_and_then_refused_alone(self) -> None:
        endless = ITEM + f"<g:description>{'x' * 3 * LONGEST_CELL}</g:description>"

        wrong, good = read(rss(endless, ITEM))

        assert "longer than" in str(wrong.message)
        assert isinstance(good, FeedRow)


class TestRefusals:
    def test_of_entities_that_grow(self) -> None:
        bomb = (
            b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "lol">'
            b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><rss>&b;</rss>'
        )

        assert "entities" in refusal(bomb)

    @pytest.mark.parametrize(
        "declared",
        [
            '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE rss SYSTEM "http://169.254.169.254/rss.dtd">',
            '<!DOCTYPE rss PUBLIC "-//N//RSS" "http://169.254.169.254/rss.dtd">',
            '<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://169.254.169.254/"> %x;]>',
        ],
    )
    def test_of_files_that_ask_for_others(self, declared) -> None:
        told = refusal(f'<?xml version="1.0"?>{declared}<rss>x</rss>'.encode())

        assert "asks for other files" in told

    @pytest.mark.parametrize(
        "page",
        [
            b"<html><body><p>Sign in</p></body></html>",
            b"\n<!DOCTYPE html><html><body>x</body></html>",
            b'<?xml version="1.0"?><html><body><p>x</p></body></html>',
            b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x" "y"><html></html>',
        ],
    )
    def test_of_web_pages(self, page) -> None:
        assert refusal(page).startswith("This is a web page")

    @pytest.mark.parametrize(
        "data",
        [
            b"<urlset><u><loc>https://n.example</loc></u></urlset>",
            b"<svg/>",
            b"<a><b>only text</b></a>",
        ],
    )
    def test_of_what_is_no_list_of_products(self, data) -> None:
        assert "holds no list of products" in refusal(data)

    def test_of_what_is_not_well_formed(self) -> None:
        assert "see line 3" in refusal(b"<all>\n<product>\n<sku>A & B</sku></all>")

    def test_of_what_breaks_off(self) -> None:
        assert "not well formed" in refusal(rss(ITEM)[:-20])

    def test_of_tags_that_do_not_end(self) -> None:
        data = b'<all><p sku="' + b"x" * 4 * LONGEST_TAG

        assert "does not end" in refusal(data)

    def test_of_many_columns(self) -> None:
        columns = "".join(f"<c{n}>1</c{n}>" for n in range(MOST_COLUMNS + 1))

        assert "more than 500 columns" in refusal(rss(ITEM + columns))

    def test_of_what_is_nested_deeply(self) -> None:
        assert "nested too deeply" in refusal(b"<a>" * 100_000)

    def test_of_encodings_that_are_none(self) -> None:
        data = b'<?xml version="1.0" encoding="no-such"?><all><p>x</p></all>'

        assert "not well formed" in refusal(data) or "encoding" in refusal(data)


class TestEncodings:
    @pytest.mark.parametrize(
        "name", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"]
    )
    def test_are_those_that_the_file_declares(self, name) -> None:
        declared = "utf-8" if name == "utf-8-sig" else name
        data = (
            f'<?xml version="1.0" encoding="{declared}"?><all>'
            "<product><sku>A</sku><title>Crème brûlée</title></product></all>"
        )

        assert only(data.encode(name))["title"] == "Crème brûlée"


def test_unescape_leaves_what_is_no_entity() -> None:
    assert unescape("a & b &nosuchthing; &#9999999999;") == (
        "a & b &nosuchthing; &#9999999999;"
    )


@pytest.mark.parametrize(
    ("path", "rows", "first"),
    [
        ("google-feed-bg/google_merchant_feed.xml", 2, ("MINOX-2", 4_700, "bgn")),
        ("meta-sdk/feed-dpa.xml", 6, ("ID_1", 999, "brl")),
    ],
)
def test_real_files_are_read(path, rows, first) -> None:
    data = (shared_feeds() / path).read_bytes()

    read_rows = [r for r in read(data) if isinstance(r, FeedRow)]

    assert len(read_rows) == rows
    price = read_rows[0].price
    assert (read_rows[0].sku, price.amount, price.currency) == first
