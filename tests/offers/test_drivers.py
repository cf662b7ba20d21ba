"""What is said to a database's driver itself comes out as if SQLAlchemy had said it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, select

from offers.drivers import ask, moment_of, tell, words
from offers.retailers import Retailer
from tests.factories import make_retailer

NAMED = "SELECT name, created_at FROM retailer WHERE id = :id"
NAME = words(postgresql=(NAMED,), sqlite=(NAMED,))
DATED = "UPDATE retailer SET created_at = :now WHERE id = :id"
DATE = words(postgresql=(DATED,), sqlite=(DATED,))
DOUBLED = "INSERT INTO retailer (id) SELECT id FROM retailer"
DOUBLE = words(postgresql=(DOUBLED,), sqlite=(DOUBLED,))
NONSENSE = words(postgresql=("NONSENSE",), sqlite=("NONSENSE",))
MOMENT = datetime(2026, 11, 28, 9, 0, 0, 1000, tzinfo=timezone(timedelta(hours=1)))


def test_a_moment_is_kept_as_everywhere(session: Session) -> None:
    retailer = make_retailer(session)
    session.flush()
    tell(session, DATE, {"id": retailer.id, "now": MOMENT})

    ((name, moment),) = ask(session, NAME, {"id": retailer.id})

    session.expire(retailer)
    assert (name, moment_of(moment)) == (retailer.name, MOMENT)
    assert session.exec(select(Retailer.created_at)).one() == MOMENT
    assert moment_of(moment).utcoffset() == timedelta(0)


def test_nothing_is_no_moment() -> None:
    assert moment_of(None) is None
    assert moment_of("2026-11-28 08:00:00.001000") == MOMENT.astimezone(UTC)


def test_what_goes_wrong_is_said_as_usual(session: Session) -> None:
    make_retailer(session)
    session.flush()

    with pytest.raises(IntegrityError):
        tell(session, DOUBLE, {})


def test_nonsense_is_refused_as_usual(session: Session) -> None:
    with pytest.raises(DBAPIError):
        ask(session, NONSENSE, {})
