"""
Copies: one retailer's scenery, elsewhere; the original stays as it was, row by row.
"""

import secrets
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect
from sqlalchemy.schema import CreateSchema, DropSchema
from sqlmodel import Session

from offers.catalog import hang_picture
from offers.deals import Deal, deals
from offers.pictures import keep_picture
from offers.retailers import retailers
from outletbot.db import Database
from outletbot.rehearsing.copies import FORGOTTEN, PREFIX, STAMP, copied
from outletbot.revisions import is_current
from outletbot.schema import metadata
from tests.factories import (
    NOON,
    make_account,
    make_arrival,
    make_deal,
    make_delivery,
    make_merchant,
    make_offer,
    make_order,
    make_payment_account,
    make_price,
    make_retailer,
    north,
)

BOTH_DATABASES = True
SCENERY = {
    "retailer",
    "picture",
    "channel_account",
    "offer",
    "price_point",
    "deal",
    "post",
}


@pytest.fixture(autouse=True)
def home(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files of this test lie apart from those of others."""
    assert database  # its server has temporary files of its own, made before
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def swept(database: Database) -> Iterator[None]:
    """The server is every test's; its schemas are not."""
    yield
    if database.engine.dialect.name == "postgresql":
        for name in left(database, Path()):
            with database.engine.begin() as connection:
                connection.execute(DropSchema(name, cascade=True))


@pytest.fixture
def deal(session):
    """A deal of ``north`` with all that can hang on it, and one of somebody else's."""
    offer = make_offer(session)
    make_price(session, offer, 9_900, NOON)
    picture = keep_picture(session, offer.retailer_id, b"jpeg", size=(3, 2), now=NOON)
    hang_picture(session, offer, picture)
    session.commit()
    deal = make_deal(session, offer)
    make_account(session, sealed_token="sealed")
    make_merchant(session)
    make_payment_account(session)
    make_order(session, deal)
    make_arrival(session)
    make_delivery(session)
    make_deal(session, retailer_id=make_retailer(session).id)
    return deal


def rows(database: Database) -> dict[str, list[Any]]:
    with Session(database.engine) as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select()).all()))
            for table in metadata().sorted_tables
        }


def test_holds_the_retailers_scenery_and_nothing_else(database, deal):
    with copied(database, deal.retailer_id, now=NOON) as url:
        copy = Database.connect(url)
        found = rows(copy)
        copy.close()

    filled = {name for name, kept in found.items() if kept}
    whole = rows(database)
    assert filled == SCENERY
    assert {len(found["retailer"]), len(found["deal"])} == {1}
    assert found["picture"] == whole["picture"]
    assert found["price_point"] == whole["price_point"]


def test_is_read_as_the_original_is(session, database, deal):
    with copied(database, deal.retailer_id, now=NOON) as url:
        copy = Database.connect(url)
        assert is_current(copy.engine)
        assert [one.id for one in copy.read_here(retailers)] == [north(session).id]
        (again,) = copy.read_here(deals, deal.retailer_id)
        copy.close()

    assert again.model_dump() == deal.model_dump()


def test_is_written_without_a_trace_in_the_original(session, database, deal):
    before = rows(database)

    with copied(database, deal.retailer_id, now=NOON) as url:
        copy = Database.connect(url)

        def spoil(session: Session) -> None:
            found = session.get_one(Deal, deal.id)
            found.title, found.sold = "Spoilt", 3

        copy.transact_here(spoil)
        assert copy.read_here(deals, deal.retailer_id)[0].title == "Spoilt"
        copy.close()

    session.rollback()
    assert rows(database) == before


def test_is_gone_afterwards_whatever_happened(database, home, deal):
    def play() -> None:
        with copied(database, deal.retailer_id, now=NOON):
            assert left(database, home)
            raise LookupError

    with pytest.raises(LookupError):
        play()

    assert left(database, home) == []


def test_sweeps_what_a_killed_one_left_behind(database, home, deal):
    old, young = (leave(database, home, age) for age in (2 * FORGOTTEN, FORGOTTEN / 2))
    strange = leave(database, home, 2 * FORGOTTEN, name=f"{PREFIX}of_last_year")

    with copied(database, deal.retailer_id, now=NOON):
        pass

    assert left(database, home) == sorted([young, strange])
    assert old not in left(database, home)


def leave(database: Database, home: Path, age: timedelta, *, name: str = "") -> str:
    made = NOON - age
    name = name or f"{PREFIX}{made:{STAMP}}_{secrets.token_hex(4)}"
    if database.engine.dialect.name == "sqlite":
        (home / name).mkdir()
    else:
        with database.engine.begin() as connection:
            connection.execute(CreateSchema(name))
    return name


def left(database: Database, home: Path) -> list[str]:
    on_file = database.engine.dialect.name == "sqlite"
    names = (
        [path.name for path in home.iterdir()]
        if on_file
        else inspect(database.engine).get_schema_names()
    )
    return sorted(name for name in names if name.startswith(PREFIX))
