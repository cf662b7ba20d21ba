"""
Units at several places are read as such, and together are the units of an offer.
"""

from offers.feed import Answers, FeedRow
from tests.offers.feed.feeds import errors_of, opened, rows_of, skipped_of

WIDE = (
    "Token,Item Name,Variation Name,SKU,Price,Item Type,"
    "Current Quantity Main Street,Current Quantity Old Mill,Stock Alert Count Mill\n"
    "t1,Box,,A,10.00,Physical,3,4,1\n"
    "t2,Bag,,B,10.00,Physical,,,1\n"
    "t3,Cup,,C,10.00,Physical,x,2,1\n"
)
LONG = (
    "source_code,sku,status,quantity\n"
    "paris,A,1,3\n"
    "paris,B,1,1\n"
    "lyon,A,1,4\n"
    "lyon,C,0,9\n"
)


def by_sku(text: str, answers: Answers | None = None) -> dict[str, FeedRow]:
    rows = opened(text, answers=answers or Answers()).rows()
    return {row.sku: row for row in rows if isinstance(row, FeedRow)}


def test_a_column_for_each_place_is_a_place() -> None:
    rows = by_sku(WIDE)

    assert rows["A"].quantities == (("Main Street", 3), ("Old Mill", 4))
    assert (rows["A"].quantity, rows["B"].quantity) == (7, None)


def test_a_wrong_number_is_named_by_its_column() -> None:
    (error,) = errors_of(WIDE)

    assert (error.column, error.value) == ("Current Quantity Main Street", "x")


def test_a_row_for_each_place_makes_one_offer() -> None:
    rows = by_sku(LONG)

    assert rows["A"].quantities == (("paris", 3), ("lyon", 4))
    assert (rows["A"].quantity, rows["A"].line) == (7, 2)
    assert rows["B"].quantities == (("paris", 1),)
    assert (rows["A"].title, rows["A"].price) == (None, None)


def test_what_a_place_has_run_out_of_does_not_count() -> None:
    rows = by_sku(LONG)

    assert rows["C"].quantity == 0


def test_the_other_rows_are_accounted_for() -> None:
    assert [(row.line, str(row.reason)) for row in skipped_of(LONG)] == [
        (4, "Its units count with line 2.")
    ]


def test_only_the_places_that_were_chosen_count() -> None:
    rows = by_sku(LONG, Answers(places=("lyon",)))
    wide = by_sku(WIDE, Answers(places=("Old Mill",)))

    assert {sku: row.quantity for sku, row in rows.items()} == {"A": 4, "B": 0, "C": 0}
    assert (wide["A"].quantity, wide["A"].quantities) == (4, (("Old Mill", 4),))


def test_places_are_asked_for() -> None:
    for text, names in ((LONG, ["paris", "lyon"]), (WIDE, ["Main Street", "Old Mill"])):
        (asked,) = [one for one in opened(text).questions if one.kind == "places"]

        assert [choice.value for choice in asked.choices] == names
        assert asked.several
        assert asked.answer.splitlines() == names


def test_two_numbers_for_one_place_contradict_each_other() -> None:
    text = "source_code,sku,status,quantity\np,A,1,3\np,A,1,4\nl,A,1,1\n"

    assert len(errors_of(text)) == 3
    assert "with differences" in str(errors_of(text)[0].message)


def test_the_same_row_twice_is_one() -> None:
    text = "source_code,sku,status,quantity\np,A,1,3\np,A,1,3\nl,A,1,1\n"
    (row,) = by_sku(text).values()

    assert row.quantities == (("p", 3), ("l", 1))


def test_a_place_that_cannot_be_read_leaves_the_sku_alone() -> None:
    text = "source_code,sku,status,quantity\np,A,1,3\nl,A,1,much\np,B,1,2\n"
    first, second = errors_of(text)

    assert str(first.message) == "Line 3 of the same sku has an error."
    assert (second.line, second.value) == (3, "much")


def test_sources_in_one_cell_are_places() -> None:
    text = (
        "sku,parent_sku,locale,attribute_family_code,type,name,price,inventories,"
        'url_key,special_price\nA,,en,default,simple,Box,10,"paris=3,lyon=4",a,\n'
    )
    (row,) = rows_of(text)

    assert row.quantities == (("paris", 3), ("lyon", 4))
    assert row.quantity == 7


def test_a_list_of_skus_and_quantities_is_stock_alone() -> None:
    first, second = rows_of("ref;stock\nA;3\nB;0\n")

    assert (first.sku, first.quantity, first.title, first.price) == ("A", 3, None, None)
    assert second.quantity == 0


def test_what_a_place_does_not_count_is_left_out() -> None:
    text = "source_code,sku,status,quantity\np,A,1,\nl,A,1,4\np,B,1,\nl,B,1,\n"
    rows = by_sku(text)

    assert (rows["A"].quantity, rows["A"].quantities) == (4, (("l", 4),))
    assert (rows["B"].quantity, rows["B"].quantities) == (None, ())


def test_one_sku_may_be_at_many_places() -> None:
    lines = [f"p{i},A,1,2" for i in range(300)]
    (row,) = by_sku("\n".join(["source_code,sku,status,quantity", *lines])).values()

    assert (row.quantity, len(row.quantities)) == (600, 300)
