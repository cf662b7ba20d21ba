"""Rows of facts are rows to whoever looks, and columns to whoever is in a hurry."""

import pickle

from offers.feed.facts import NAMES, FactRows, facts_of
from tests.factories import make_row


def rows(*skus: str) -> list[tuple[object, ...]]:
    return [facts_of(make_row(sku)) for sku in skus]


def test_are_the_rows_they_were_made_of() -> None:
    made = rows("A", "B", "C")

    found = FactRows(made)

    assert list(found) == made
    assert (len(found), found[1], found[-1]) == (3, made[1], made[2])
    assert found.columns[NAMES.index("sku")] == ["A", "B", "C"]


def test_some_of_them_are_rows_too() -> None:
    made = rows("A", "B", "C", "D")

    assert list(FactRows(made)[1:3]) == made[1:3]
    assert list(FactRows(made)[3:9]) == made[3:]


def test_can_be_added_to_and_leave_the_others_alone() -> None:
    found, others = FactRows(rows("A")), FactRows(rows("B"))

    found.extend(others)
    found.append(rows("C")[0])

    assert list(found) == rows("A", "B", "C")
    assert list(others) == rows("B")
    assert found != others


def sent(made: FactRows) -> FactRows:
    """Return the rows as another process of ours gets them."""
    there: FactRows = pickle.loads(pickle.dumps(made))  # noqa: S301
    return there


def test_go_to_another_process_and_on_to_the_next() -> None:
    made = FactRows(rows("A", "B"))

    here = sent(made)
    length = len(here)
    there = sent(here)  # on, unopened

    assert length == 2
    assert there == here == made


def test_are_nothing_at_first() -> None:
    assert list(FactRows()) == []
    assert sent(FactRows()) == FactRows()
