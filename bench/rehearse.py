"""The demo's outlet plays 500 units against 5,000 shoppers, faults on, on PostgreSQL.

Starts a server of its own that forces every commit to disk, and writes
``bench/rehearsal.json``. Begun by ``make rehearse``.
"""

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session

from offers.catalog import find_offer_by_sku
from offers.errors import Missing
from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.demo import outlet
from outletbot.demo.story import Scene, plan_scene
from outletbot.schema import migrate
from outletbot.sealing import Seal, new_key
from tests import postgres

HERE = Path(__file__).parent
UNITS, SHOPPERS = 500, 5_000
WEB = 2
RUSH = Scene("FJ-BPK-RUS", UNITS, 22, "500, and then never again.", timedelta(hours=4))
CAREFUL = postgres.PRIVATE | {"max_connections": "200"}


def main() -> None:
    with postgres.running(CAREFUL) as server:
        url = server.create("rehearsal")
        deal_id = asyncio.run(_open_shop(url))
        said = _rehearse(url, deal_id)
    report = json.loads(said.stdout)
    (HERE / "rehearsal.json").write_text(_short(report) + "\n")
    print("\n".join(report["more"]["verdict"]))
    sys.exit(said.returncode)


async def _open_shop(url: str) -> str:
    """Make the demo's outlet with a deal of its rucksack; return the deal's id."""
    database, past = Database.connect(url), utc_now() - outlet.IMPORTED
    migrate(database.engine)
    access = outlet.MastodonAccess("https://social.example", "fjordlight", new_key())
    retailer = await database.transact(
        outlet.open_shop, access, Seal(new_key()), now=past
    )
    await database.transact(outlet.fill_shelves, retailer.id, now=past)
    await outlet.hang_pictures(database, retailer.id, now=past)
    await database.transact(_stock, retailer.id)
    now = utc_now()
    opens_at = now + timedelta(days=1)
    deal = await database.transact(plan_scene, retailer.id, RUSH, opens_at, now)
    database.close()
    return deal.id


def _stock(session: Session, retailer_id: str) -> None:
    offer = find_offer_by_sku(session, retailer_id, RUSH.sku)
    if offer is None:
        raise Missing(RUSH.sku, "offer")
    offer.quantity = UNITS


def _rehearse(url: str, deal_id: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "outletbot", "rehearse", deal_id, "--faults"]
    command += ["--shoppers", str(SHOPPERS), "--web", str(WEB), "--json"]
    done = subprocess.run(
        command,
        env={"TERM": os.getenv("TERM", "dumb"), "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if not done.stdout:
        sys.exit(done.returncode)
    return done


def _short(report: dict[str, object]) -> str:
    """Return it as JSON, a key a line, but what is long on one line."""
    text = json.dumps(report, indent=2, ensure_ascii=False)
    more = report["more"]
    assert isinstance(more, dict)
    series = json.dumps(more["series"], indent=2).replace("\n", "\n    ")
    return text.replace(series, json.dumps(more["series"]))


if __name__ == "__main__":
    main()
