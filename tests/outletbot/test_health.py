"""
Whether the process lives, whether it can serve, and what it measures.
"""

import re
from contextlib import closing

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from outletbot.app import build_app
from outletbot.db import FULL_FOR, Database
from outletbot.schema import migrate
from tests.factories import NOON, make_deal, post_of
from tests.fakes import FakePayments

LINE = re.compile(r"^(outletbot_\w+)\{(.*)\} ", re.MULTILINE)


async def test_a_process_that_answers_lives(service) -> None:
    answer = await service.get("/healthz")

    assert (answer.status, await answer.text()) == (200, "ok")


async def test_is_ready_with_the_newest_schema(service) -> None:
    answer = await service.get("/readyz")

    assert (answer.status, await answer.text()) == (200, "ok")


async def test_is_not_ready_before_it_is_migrated(
    aiohttp_client, settings, tmp_path
) -> None:
    with closing(Database.connect(f"sqlite:///{tmp_path}/empty.db")) as database:
        client = await aiohttp_client(
            build_app(settings, database, FakePayments(), clock=lambda: NOON)
        )

        before = await client.get("/readyz")
        said = await before.text()
        migrate(database.engine)
        after = await client.get("/readyz")

        assert (before.status, said) == (503, "the database is not migrated")
        assert after.status == 200


async def test_is_not_ready_without_a_database_but_lives(
    aiohttp_client, settings
) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=1"
    with closing(Database.connect(url)) as database:
        client = await aiohttp_client(
            build_app(settings, database, FakePayments(), clock=lambda: NOON)
        )

        ready = await client.get("/readyz")
        lives = await client.get("/healthz")

        assert ready.status == 503
        assert await ready.text() == "the database does not answer"
        assert lives.status == 200


async def test_is_not_ready_while_there_is_no_room_to_write(
    aiohttp_client, settings, tmp_path
) -> None:
    seconds = [0.0]
    url = f"sqlite:///{tmp_path}/small.db"
    with closing(Database.connect(url, ticks=lambda: seconds[0])) as database:
        migrate(database.engine)
        client = await aiohttp_client(
            build_app(settings, database, FakePayments(), clock=lambda: NOON)
        )
        with pytest.raises(OperationalError, match="full"):
            await database.transact(_fill)

        full = await client.get("/readyz")
        seconds[0] = FULL_FOR
        later = await client.get("/readyz")

        assert full.status == 503
        assert await full.text() == "the database has no room left"
        assert later.status == 200


def _fill(session: Session) -> None:
    """Write more than there is room for."""
    connection = session.connection()
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    connection.exec_driver_sql("CREATE TABLE big AS SELECT zeroblob(1000000)")


async def test_measures_by_route_and_never_by_id(service, session) -> None:
    deal = make_deal(session)
    code = post_of(session, deal).code
    session.rollback()
    for path in (f"/d/{code}", "/d/unknown", "/nothing/at/all", f"/deals/{deal.id}"):
        await service.get(path, allow_redirects=False)

    answer = await service.get("/metrics")
    text = await answer.text()

    labels = [dict(_pairs(found[2])) for found in LINE.finditer(text)]
    routes = {one["route"] for one in labels if "route" in one}
    assert {"/d/{code}", "/deals/{deal_id}", "none"} <= routes
    assert code not in text
    assert deal.id not in text
    assert "unknown" not in text
    assert "nothing" not in text


async def test_counts_a_bug_as_one(aiohttp_client, settings, tmp_path) -> None:
    with closing(Database.connect(f"sqlite:///{tmp_path}/empty.db")) as database:
        client = await aiohttp_client(
            build_app(settings, database, FakePayments(), clock=lambda: NOON)
        )

        answer = await client.get("/o/anything")
        text = await (await client.get("/metrics")).text()

        assert answer.status == 500
        counted = (
            'outletbot_requests_total{method="GET",route="/o/{slug}",status="500"}'
        )
        assert counted in text
        await client.close()


def _pairs(labels: str) -> list[tuple[str, str]]:
    return re.findall(r'(\w+)="([^"]*)"', labels)
