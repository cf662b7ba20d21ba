"""
One small rehearsal as somebody types it: the real processes, a crowd, and a report.
"""

import json
from datetime import timedelta

import pytest
from sqlmodel import Session

from offers.deals import Deal, Phase
from offers.posting import lease_due_posts
from offers.stages import set_stage
from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.schema import metadata
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_post,
)
from tests.outletbot.cli.conftest import outletbot

BOTH_DATABASES = True
UNITS, SHOPPERS = 4, 40
SEED = "32557"  # of a crowd whose first ones pay at once, and whose last come soon
HEADLINE = {
    "units",
    "sold",
    "oversold",
    "payments",
    "orders",
    "refunds",
    "payments_unaccounted",
    "seconds_to_sold_out",
    "seconds_to_settled",
    "posts_retired_ms",
    "ledger_difference",
    "more",
}


@pytest.fixture
def url(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def deal(session: Session) -> Deal:
    """A deal of tomorrow, on the retailer's wall and on a network."""
    opens_at = utc_now() + DAY
    offer = make_offer(session, quantity=UNITS)
    deal = make_deal(
        session,
        offer,
        allotment=UNITS,
        opens_at=opens_at,
        closes_at=opens_at + timedelta(hours=2),
        opened_at=None,
        closed_at=None,
    )
    account = make_account(session, base_url="https://social.example")
    make_post(session, deal, account)
    return deal


def rows(database: Database) -> dict[str, list[str]]:
    with Session(database.engine) as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select()).all()))
            for table in metadata().sorted_tables
        }


def test_sells_everything_once_and_leaves_the_original_alone(
    database, url, deal, tmp_path
):
    before = rows(database)

    done = outletbot(
        "rehearse",
        deal.id,
        *("--shoppers", str(SHOPPERS), "--seed", SEED, "--json"),
        env={"DATABASE_URL": url},
        folder=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said) == HEADLINE
    assert (said["units"], said["sold"], said["oversold"]) == (UNITS, UNITS, 0)
    assert said["orders"] == UNITS
    assert said["payments"] == said["orders"] + said["refunds"]
    assert (said["payments_unaccounted"], said["ledger_difference"]) == (0, 0)
    assert 0 < said["seconds_to_sold_out"] <= said["seconds_to_settled"]
    assert said["posts_retired_ms"] >= 0
    more = said["more"]
    assert more["database"] == database.engine.dialect.name
    assert (more["shoppers"], more["faults"]) == (SHOPPERS, False)
    assert (more["posts"], more["posts_failed"], more["posts_twice"]) == (2, 0, 0)
    assert (more["lost"], more["doubled"], more["unsettled"]) == (0, 0, {})
    assert more["series"][-1][1:] == [0, UNITS, 0]
    stages = [json.loads(line)["stage"] for line in done.stderr.splitlines()]
    assert list(dict.fromkeys(stages)) == [
        "copying",
        "opening",
        "selling",
        "settling",
        "auditing",
    ]
    assert rows(database) == before


def test_says_that_there_is_no_such_deal(url, tmp_path):
    done = outletbot(
        "rehearse", "deal_none", env={"DATABASE_URL": url}, folder=tmp_path
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_says_that_there_is_nothing_to_sell(session, url, tmp_path):
    offer = make_offer(session, quantity=0)
    deal = make_deal(session, offer, opened_at=None)

    done = outletbot("rehearse", deal.id, env={"DATABASE_URL": url}, folder=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no stock for this deal to rehearse with." in done.stderr


@pytest.mark.parametrize("ago", [DAY, HOUR, -HOUR])
def test_nothing_happens_between_the_stage_and_the_curtain(session, ago):
    deal = make_deal(session, opens_at=NOON - ago, closes_at=NOON - ago + 2 * HOUR)

    set_stage(session, deal.retailer_id, deal.id, {}, now=NOON)
    session.commit()

    assert lease_due_posts(session, now=NOON, ahead=MINUTE, limit=9) == []
    session.refresh(deal)
    assert deal.phase(NOON) is Phase.SCHEDULED
    assert deal.opened_at is None
