"""
Rows come with their lines, and no file makes the reading go wild.
"""

import pytest

from offers.feed import FeedRow, RowError
from tests.offers.feed.feeds import errors_of, opened, refusal_of, rows_of, skipped_of

HEADER = "sku,title,price,quantity,brand\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_finds_the_delimiter(delimiter: str) -> None:
    text = "sku,title,price,stock\nA,Big box,12.50,3\nB,Tin,1.00,4\n"

    feed = opened(text.replace(",", delimiter))

    assert feed.delimiter == delimiter
    assert len(list(feed.rows())) == 2


def test_decimal_commas_do_not_pass_for_delimiters() -> None:
    text = "sku;titre;prix;stock\nA;Boîte, grande;12,50;3\nB;Bol, petit;8,00;4\n"

    feed = opened(text)

    assert feed.delimiter == ";"
    assert [row.price.amount for row in rows_of(text)] == [1250, 800]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_knows_every_line_ending(end: str) -> None:
    text = HEADER + "A,Box,1,1,X\n" + "B,Tin,2,2,Y\n"

    rows = rows_of(text.replace("\n", end))

    assert [(row.line, row.sku) for row in rows] == [(2, "A"), (3, "B")]


def test_a_row_has_the_line_on_which_it_begins() -> None:
    text = HEADER + '\nA,"Box\nof\nthree",1,1,X\n,,,,\nB,Tin,2,2,Y\n'

    rows = rows_of(text)

    assert [(row.line, row.title) for row in rows] == [(3, "Box of three"), (7, "Tin")]


def test_the_header_may_come_after_other_lines() -> None:
    text = "sep=;\n\n# our overstock;;\nsku;title;price\nA;Box;1\n"

    feed = opened(text)

    assert (feed.delimiter, [c.field for c in feed.columns]) == (
        ";",
        ["sku", "title", "price"],
    )
    assert [row.line for row in rows_of(text)] == [5]


def test_a_repeated_header_is_skipped() -> None:
    (skipped,) = skipped_of(HEADER + "A,Box,1,1,X\n" + HEADER)

    assert skipped.line == 3


def test_an_open_quotation_mark_costs_its_own_row_only() -> None:
    text = HEADER + 'A,Box,1,1,X\nB,"5" tin,2,2,Y\nC,"Pan,3,3,Z\nD,Pot,4,4,W\n'

    results = list(opened(text).rows())

    assert [r.sku for r in results if isinstance(r, FeedRow)] == ["A", "B", "D"]
    (error,) = [r for r in results if isinstance(r, RowError)]
    assert error.line == 4
    assert "line 4" in str(error.message)
    assert error.cells == ("C", "Pan,3,3,Z")


def test_an_open_quotation_mark_in_a_long_file_is_found_in_time() -> None:
    rest = "".join(f"S{n},Pan number {n},3,3,Z\n" for n in range(20_000))

    results = list(opened(HEADER + 'A,"Box,1,1,X\n' + rest).rows())

    assert sum(isinstance(r, FeedRow) for r in results) == 20_000
    assert [r.line for r in results if isinstance(r, RowError)] == [2]


def test_a_file_of_disordered_quotation_marks_is_refused() -> None:
    text = HEADER + 'A,x"y,"z\n' * 60_000

    assert "quotation marks" in refusal_of(text)


def test_too_many_and_too_few_cells_are_counted() -> None:
    many, few = errors_of(HEADER + "A,Box,1,1,X,more\nB,Tin\n")

    assert "6 cells, the header has 5" in str(many.message)
    assert "2 cells, the header has 5" in str(few.message)
    assert few.cells == ("B", "Tin")


def test_blank_cells_at_the_end_may_be_left_out_or_added() -> None:
    short, long = rows_of(HEADER + "A,Box,1,1\nB,Tin,1,1,X,,\n")

    assert (short.brand, long.brand) == (None, "X")


def test_a_short_row_may_not_lack_its_quantity() -> None:
    (error,) = errors_of(HEADER + "A,Box,1\nB,Tin,1,1,X\n")

    assert error.line == 2


def test_a_zero_byte_is_an_error_of_its_row() -> None:
    first, second = opened(HEADER + "A,Bo\x00x,1,1,X\nB,Tin,1,1,X\n").rows()

    assert isinstance(first, RowError)
    assert "zero byte" in str(first.message)
    assert isinstance(second, FeedRow)


def test_a_cell_beyond_reason_is_an_error_of_its_row() -> None:
    text = HEADER + f"A,{'x' * 70_000},1,1,X\nB,{'x' * 140_000},1,1,X\nC,Tin,1,1,X\n"

    assert [error.line for error in errors_of(text)] == [2, 3]


def test_a_line_beyond_reason_is_refused_wherever_it_is() -> None:
    first = refusal_of("x" * 5_000_000)
    second = refusal_of(HEADER + "A," + "y" * 5_000_000)
    later = refusal_of(HEADER + "A,Box,1,1,X\n" + "y" * 5_000_000)

    assert "longer than 250000" in first
    assert "Line 2 is longer" in second
    assert "Line 3 is longer" in later


def test_five_hundred_columns_are_the_most() -> None:
    assert "500 columns" in refusal_of("sku,title,price" + ",x" * 500 + "\nA,B,1\n")


def test_one_reading_ends_when_another_begins() -> None:
    feed = opened(HEADER + "A,Box,1,1,X\nB,Tin,2,2,Y\n")
    first = feed.rows()
    next(first)

    assert len(list(feed.rows())) == 2
    with pytest.raises(RuntimeError, match="another reading"):
        next(first)


def test_progress_goes_from_nothing_to_all() -> None:
    feed = opened(HEADER + "".join(f"S{n},Box,1,1,X\n" for n in range(5000)))

    seen = [feed.progress]
    seen += [feed.progress for _ in feed.rows()]
    seen.append(feed.progress)

    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert len(set(seen)) > 3
