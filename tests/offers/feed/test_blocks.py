"""
Read by blocks, a plain file says what it says when it is read row by row: in the usual
way of writing, and in every unusual one.
"""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from offers.feed import Answers, Block, NotAFeed, RowError, blocks, in_blocks
from offers.feed.facts import FactRows
from tests.offers.feed.feeds import opened

HEADER = "sku,title,description,brand,price,was,cost,quantity,ean,image,colour"

ROWS = [
    "A-1,Ant,Small.,Acme,9.90,12.00,4.00,3,4006381333931,https://x.example/a.jpg,red",
    "A-2,Bee,,,9.90,,,,,,",
    'A-3,"Cat, black","Two\nlines",Acme,"1,000.00",2000.00,0,7,123,no address,red',
    'A-4,"5"" pipe",<b>Bold</b> &amp; so,Acme,5.00,4.00,0.00,0,,,',
    "A-5,  Dog   ,tab\there,'=Acme,€ 7.50,,,12,,http://x.example/b.png,blue / red",
    "A-6,No price,,,,,,1,,,",
    "A-7,Nothing,,,0.00,,,1,,,",
    "A-8,Half,,,1.00,,,1.5,,,",
    "A-9,Pounds,,,£3.00,,,1,,,",
    ",No code,,,1.00,,,1,,,",
    "-,No code either,,,1.00,,,1,,,",
    "///,Slashes,,,1.00,,,1,,,",
    "A-10,,,,1.00,,,1,,,",
    "A-11,Short",
    "A-12,Long,,,1.00,,,1,,,red,more,and more",
    "",
    ",,,,,,,,,,",
    HEADER,
    "A-13,Twice,,,1.00,,,1,,,",
    "A-13,Twice,,,1.00,,,1,,,",
    "A-14,Not twice,,,1.00,,,1,,,",
    "A-14,Not twice,,,2.00,,,1,,,",
    "A-15,Crème brûlée\u00a0x,,Été,1.00,,,1,,,",
    "A-16,Two pictures,,,1.00,,,1,,https://x.example/1.jpg;https://x.example/2.jpg,",
    'A-17,"=""quoted""",,,1.00,,,1,,,',
    f"{'long' * 60},Too long a code,,,1.00,,,1,,,",
    f"A-18,{'word ' * 200},,,1.00,,,1,,,",
]


def both(text: str, **how: Any) -> tuple[Block, Block]:
    """Return what a file says, by blocks and row by row, with a survey of its own."""
    feed, careful = opened(text, **how), opened(text, **how)
    assert feed.is_plain
    careful._plain = None  # noqa: SLF001 — so that its survey is careful, too
    return together(feed.blocks()), together(in_blocks(careful.rows(), lambda: 1.0))


def together(found) -> Block:
    whole = Block()
    for block in found:
        whole.extend(block)
    whole.progress = 1.0
    whole.facts = FactRows(sorted(whole.facts, key=lambda row: str(row[0])))
    whole.errors.sort(key=lambda error: (error.line, error.column))
    whole.skipped.sort(key=lambda row: row.line)
    return whole


@pytest.fixture(params=[1, 13, 100, 1_000_000], autouse=True)
def size(request, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", request.param)
    return request.param


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_says_the_same_as_row_by_row(end: str) -> None:
    rows = [row.replace("\n", end) for row in (HEADER, *ROWS)]

    by_block, by_row = both(end.join(rows) + end)

    assert by_block == by_row
    assert len(by_block.facts) > 8
    assert len({error.line for error in by_block.errors}) > 8
    assert len(by_block.skipped) > 1


@pytest.mark.parametrize(
    "disorder", ['B-1,"never closed,,,1.00,,,1,,,', "B-1,zero\x00byte,,,1.00,,,1,,,"]
)
def test_reads_with_care_from_where_there_is_disorder(disorder: str) -> None:
    by_block, by_row = both("\n".join([HEADER, *ROWS, disorder, *ROWS[:2]]))

    assert by_block == by_row


def test_leaves_a_cell_of_too_many_lines_to_the_careful_reader(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", max(size, 60_000))  # it is read over and over
    long = "x\n" * 40_000
    by_block, by_row = both("\n".join([HEADER, *ROWS[:2], f'B-1,"{long}",,,1.00', ""]))

    assert by_block == by_row
    assert "A cell is longer than" in str(by_block.errors[0].message)


def test_reads_decimals_as_the_column_has_them() -> None:
    text = "sku;title;price\nA;Ant;1.234,50\nB;Bee;2,00\nC;Cat;3,5\n"

    by_block, by_row = both(text)

    assert by_block == by_row
    assert [row[6] for row in by_block.facts] == [123_450, 200, 350]


def test_has_the_file_without_an_end_of_line_at_its_end() -> None:
    by_block, by_row = both("sku,title,price\nA,Ant,1.00")

    assert by_block == by_row
    assert [row[0] for row in by_block.facts] == ["A"]


def test_knows_a_row_without_a_sku_by_its_barcode() -> None:
    by_block, by_row = both(
        f"{HEADER}\n4006381333931,Ant,,,9.90,,,3,,,\n,Bee,,,8.90,,,3,4006381333931,,\n"
        "C,Cat,,,1.00,,,1,,,\n"
    )

    assert by_block == by_row
    assert [row[0] for row in by_block.facts] == ["C"]
    assert [error.line for error in by_block.errors] == [2, 3]


ODD = ("", " ", "-", "1.00", "1,50", "9", "0", "'=x", "<b>", "a  b", "£2")
CELLS = st.one_of(
    st.sampled_from(ODD),
    st.text("abcxyz0123456789 .,;'\"\n\t\r&<>=-éè\u00a0\u2028\x1e\x1f", max_size=9),
)
TABLES = st.lists(st.lists(CELLS, min_size=3, max_size=5), max_size=8)


MEANT = {
    "ref": ("A", "B", "4006381333931", "C-3", "D"),
    "title": ("Ant", "Bée"),
    "price": ("9.90", "1,50", "12.00", "€ 3.00", "£3.00", "1.234", "1 234,50", "5 %"),
    "was": ("20.00", "9.90", "0", "1,234.50"),
    "cost": ("1.00", "0", "1,5"),
    "stock": ("3", "-2", "-1.5", "in stock", "sold out", "1.000", "1.5", "12,0"),
    "ean": ("4006381333931", "036000291452", "123", "4.00638E+12"),
    "image": ("https://x.example/1.jpg", "https://x.example/1.jpg,https://x.example/2"),
    "condition": ("new", "d'occasion", "B-Ware", "odd"),
    "colour": ("red", "blue / red"),
}
ROWS_MEANT = st.lists(
    st.tuples(*(st.sampled_from(("", *cells, "x")) for cells in MEANT.values())),
    min_size=1,
    max_size=12,
)
SAID = st.builds(
    Answers,
    currency=st.sampled_from([None, "usd", "jpy", "tnd"]),
    tax=st.sampled_from([None, "included", "excluded"]),
    marks=st.sampled_from([{}, {"price": ","}, {"stock": ".", "was": ","}]),
)


@given(ROWS_MEANT, SAID, st.integers(1, 99))
@settings(max_examples=150, deadline=None)
def test_says_the_same_of_what_is_meant(
    rows: list[tuple[str, ...]], answers: Answers, size: int
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(MEANT)
    writer.writerows([f"Z{n}", "Ant", "1.00"] + [""] * 7 for n in range(9))
    writer.writerows(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", size)

        by_block, by_row = both(text.getvalue(), answers=answers)

    assert by_block == by_row


@given(TABLES, st.integers(1, 99))
@settings(max_examples=150, deadline=None)
def test_says_the_same_whatever_there_is(rows: list[list[str]], size: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["sku", "title", "price", "quantity"])
    writer.writerows([f"A{n}", "Ant", "1.00", "3"] for n in range(30))
    writer.writerows(rows)
    with pytest.MonkeyPatch.context() as patch:  # of its own for each example
        patch.setattr(blocks, "BLOCK", size)

        try:
            by_block, by_row = both(text.getvalue())
        except NotAFeed:  # of so many control characters it is taken for no text
            reject()

    assert by_block == by_row


def test_tells_rows_apart() -> None:
    block = Block()

    for outcome in opened("sku,title,price\nA,Ant,1.00\nB,Bee,x\n").rows():
        block.add(outcome)

    assert len(block) == 2
    assert [type(row) for row in (*block.errors, *block.skipped)] == [RowError]
