"""What is packed for a database comes out of it as it went in, on both of them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, text

from offers.drivers import enter
from offers.loads import kept, pack, row_end

ODD = ("", "it's", "\\N", "a\tb", "a\nb", "a\rb", "\\.", "Élan ☕", 'say "so"', "null")


@pytest.fixture
def kind(session: Session) -> str:
    """Make a table to enter rows into; return what kind of database it is in."""
    session.execute(
        text(
            "CREATE TEMPORARY TABLE thing "
            "(id VARCHAR PRIMARY KEY, word VARCHAR, count BIGINT, whose VARCHAR)"
        )
    )
    return session.get_bind().dialect.name


def things(session: Session) -> list[tuple[object, ...]]:
    found = session.execute(text("SELECT id, word, count, whose FROM thing ORDER BY 1"))
    return [tuple(row) for row in found]


def test_every_value_goes_in_as_it_is(session: Session, kind: str) -> None:
    ids = [f"t{n:02}" for n in range(len(ODD))]
    counts = [n - 3 for n in range(len(ODD))]

    load = pack(kind, {"id": ids, "word": ODD, "count": counts}, {"whose": "a\t'b'"})
    enter(session, "thing", load)

    told = zip(ids, ODD, counts, ["a\t'b'"] * len(ODD), strict=True)
    assert things(session) == list(told)


def test_what_is_nothing_stays_nothing(session: Session, kind: str) -> None:
    columns = {"id": ["a", "b", "c"], "word": [None, "x", None], "count": [None] * 3}

    enter(session, "thing", pack(kind, columns, {"whose": "w"}))

    assert [row[1:] for row in things(session)] == [
        (None, None, "w"),
        ("x", None, "w"),
        (None, None, "w"),
    ]


def test_one_row_is_enough_and_what_is_same_in_all_is_in_all(
    session: Session, kind: str
) -> None:
    enter(session, "thing", pack(kind, {"id": ["a"], "word": ["x"], "count": [7]}, {}))
    more = {"id": ["b", "c"], "word": ["it's\t", "it's\t"], "count": [0, 0]}
    enter(session, "thing", pack(kind, more, {}))

    assert things(session) == [
        ("a", "x", 7, None),
        ("b", "it's\t", 0, None),
        ("c", "it's\t", 0, None),
    ]


def test_a_row_that_is_there_already_is_refused_with_the_others(
    session: Session, kind: str
) -> None:
    enter(session, "thing", pack(kind, {"id": ["b"]}, {}))

    with pytest.raises(IntegrityError), session.begin_nested():
        enter(session, "thing", pack(kind, {"id": ["a", "b"]}, {}))

    assert [row[0] for row in things(session)] == ["b"]


def test_a_load_larger_than_a_piece_is_entered_whole(
    session: Session, kind: str
) -> None:
    ids = [f"t{n:05}" for n in range(3_000)]

    enter(session, "thing", pack(kind, {"id": ids, "word": ["é" * 40] * 3_000}, {}))

    assert [row[0] for row in things(session)] == ids


def test_the_end_of_a_row() -> None:
    assert row_end([]) == b"\n"
    assert row_end(["a\tb", 7]) == b"\ta\\tb\t7\n"


def test_a_moment_is_kept_in_utc() -> None:
    assert kept(datetime(2026, 3, 2, 12, tzinfo=UTC)) == "2026-03-02 12:00:00.000000"
