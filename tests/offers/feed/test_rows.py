"""
A row is an offer or an error with a remedy; the same sku is never won by the last.
"""

import pytest

from offers.feed import Answers, FeedRow, RowError, Skipped, write_error_file
from tests.offers.feed.feeds import errors_of, opened, rows_of

HEADER = "sku,title,price,was price,quantity,ean,cost\n"


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ("A,Box,-5.00,,1,,", "price"),
        ("A,Box,0,,1,,", "price"),
        ("A,Box,,,1,,", "price"),
        ("A,Box,99999999,,1,,", "price"),
        ("A,Box,5-10,,1,,", "price"),
        ("A,Box,5,x,1,,", "was price"),
        ("A,Box,5,,ten,,", "quantity"),
        ("A,Box,5,,2.5,,", "quantity"),
        ("A,Box,5,,1,,cheap", "cost"),
        (",Box,5,,1,,", "sku"),
        ("A,,5,,1,,", "title"),
        ("A,<b> </b>,5,,1,,", "title"),
        ("A" * 201 + ",Box,5,,1,,", "sku"),
    ],
)
def test_names_the_column_of_a_bad_cell(cells: str, column: str) -> None:
    (error,) = errors_of(HEADER + cells + "\nB,Tin,5.00,,2,,\n")

    assert (error.line, error.column) == (2, column)
    assert str(error.message)
    assert str(error.remedy)
    assert error.cells == tuple(cells.split(","))


def test_a_currency_must_be_one() -> None:
    text = "sku,title,price,currency\nA,Box,5,€\nB,Tin,5,euroes\n"
    good, bad = opened(text).rows()

    assert isinstance(good, FeedRow)
    assert good.price.currency == "eur"
    assert isinstance(bad, RowError)
    assert (bad.column, bad.value) == ("currency", "euroes")


@pytest.mark.parametrize("how", [{"currency": "EUR"}, {"delimiter": " "}])
def test_arguments_are_checked(how: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a"):
        opened(HEADER + "A,Box,5,,1,,\n", **how)


def test_finds_every_bad_cell_of_a_row_at_once() -> None:
    errors = errors_of(HEADER + "A,,x,,y,,z\n")

    assert {error.column for error in errors} == {"title", "price", "quantity", "cost"}


def test_a_good_row_goes_in_beside_a_bad_one() -> None:
    bad, good = opened(HEADER + "A,Box,x,,1,,\nB,Tin,5,,,,\n").rows()

    assert isinstance(bad, RowError)
    assert isinstance(good, FeedRow)
    assert good.quantity is None
    assert good.list_price is None
    assert good.cost is None


def test_a_wrong_code_is_left_out_and_said() -> None:
    text = HEADER + "A,Box,5,,1,1234567890123,\nB,Tin,5,,1,4006381333931,\n"

    feed = opened(text)

    assert [row.gtin for row in rows_of(text)] == [None, "4006381333931"]
    assert any("1 of the first 2 codes" in str(said) for said in feed.warnings)


def test_a_column_of_codes_that_a_spreadsheet_spoilt_is_said() -> None:
    feed = opened(HEADER + "A,Box,5,,1,4.00638E+12,\n")

    assert any("damaged" in str(warning) for warning in feed.warnings)


def test_zero_is_how_exports_say_no_former_price_and_no_cost() -> None:
    (row,) = rows_of(HEADER + "A,Box,5,0,1,,0.00\n")

    assert (row.list_price, row.cost) == (None, None)


def test_an_ambiguous_column_of_prices_is_refused_cell_by_cell() -> None:
    (error,) = errors_of("sku;title;price\nA;Box;1.234\nB;Tin;12\n")

    assert "two different numbers" in str(error.message)


def test_another_column_may_settle_the_decimal_mark() -> None:
    (row,) = rows_of("sku;title;price;cost\nA;Box;1.234;12,50\n")

    assert row.price.amount == 123_400


class TestTheSameSkuTwice:
    def test_equal_rows_are_one(self) -> None:
        first, again, other = opened(
            HEADER + "A,Box,5,,1,,\nA,Box,5,,1,,\nB,Tin,5,,1,,\n"
        ).rows()

        assert isinstance(first, FeedRow)
        assert isinstance(again, Skipped)
        assert str(again.reason) == "The same as line 2."
        assert isinstance(other, FeedRow)

    def test_rows_that_differ_are_all_in_error(self) -> None:
        text = HEADER + "A,Box,5,,1,,\nB,Tin,5,,1,,\nA,Box,6,,1,,\nA,Box,5,,1,,\n"
        results = list(opened(text).rows())

        assert [r.sku for r in results if isinstance(r, FeedRow)] == ["B"]
        errors = [r for r in results if isinstance(r, RowError)]
        assert [error.line for error in errors] == [2, 4, 5]
        assert all("lines 2, 4, 5" in str(error.message) for error in errors)
        assert {error.column for error in errors} == {"sku"}

    def test_a_long_list_of_lines_is_cut_short(self) -> None:
        rows = "".join(f"A,Box,{n}.00,,1,,\n" for n in range(1, 31))

        errors = errors_of(HEADER + rows)

        assert len(errors) == 30
        assert "2, 3, 4, 5, 6 and 25 more" in str(errors[0].message)

    def test_its_other_errors_are_told_too(self) -> None:
        errors = errors_of(HEADER + "A,Box,5,,1,,\nA,Box,x,,1,,\n")

        assert [(e.line, e.column) for e in errors] == [
            (2, "sku"),
            (3, "sku"),
            (3, "price"),
        ]


class TestTheErrorFile:
    TEXT = (
        "sku;title;price;note\n"
        'A;"Box; big";12,50;ok\n'
        "B;Tin;x;=cmd()\n"
        "C;Pan;-1;\n"
        "D;Pot\n"
    )

    def written(self, text: str) -> bytes:
        feed = opened(text)
        errors = [r for r in feed.rows() if isinstance(r, RowError)]
        header = [column.column for column in feed.columns]
        lines = write_error_file(errors, header, delimiter=feed.delimiter)
        return b"".join(lines)

    def test_has_the_bad_rows_and_what_is_wrong(self) -> None:
        lines = self.written(self.TEXT).decode("utf-8-sig").split("\r\n")

        assert lines[0] == "sku;title;price;note;error"
        assert lines[1].startswith("B;Tin;x;'=cmd();price: This is not a number.")
        assert lines[2].startswith("C;Pan;-1;;price: This is less than nothing.")
        assert lines[3].startswith("D;Pot;;;")
        assert lines[4:] == [""]

    def test_mended_it_can_be_sent_again(self) -> None:
        mended = self.written(self.TEXT).replace(b";x;", b";7,00;")

        results = list(opened(mended).rows())

        assert [r.sku for r in results if isinstance(r, FeedRow)] == ["B"]
        assert [r.line for r in results if isinstance(r, RowError)] == [3, 4]

    def test_sent_again_unmended_it_comes_back_the_same(self) -> None:
        whole_rows = self.TEXT.replace("D;Pot\n", "")
        once = self.written(whole_rows)

        assert self.written(once.decode("utf-8-sig")) == once

    def test_has_its_byte_order_mark_once(self) -> None:
        assert self.written(self.TEXT).count(b"\xef\xbb\xbf") == 1


def test_what_names_no_currency_is_in_that_of_the_prices_beside_it() -> None:
    text = (
        "sku,title,price,was price,cost\nA,Box,¥1200,1500,300\nB,Tin,¥900,,200\n"
        "C,Can,800,,\n"
    )

    box, tin, can = rows_of(text, answers=Answers(currency="eur"))

    assert [str(m) for m in (box.price, box.list_price, box.cost)] == [
        "1,200 JPY",
        "1,500 JPY",
        "300 JPY",
    ]
    assert (str(tin.cost), str(can.price)) == ("200 JPY", "800 JPY")


def test_one_price_in_another_currency_does_not_change_the_others() -> None:
    text = "sku,title,price\nA,Box,$12.00\nB,Tin,9.00\nC,Can,8.00\n"

    assert [str(row.price) for row in rows_of(text)] == [
        "12.00 USD",
        "9.00 EUR",
        "8.00 EUR",
    ]
