"""
The audit: what the shoppers were told against the rows, the counters and the books of
the companies. It knows tables and files, and nothing of the code that writes them.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from tests.chaos.journal import Told

HOLDS = "SELECT key, token, deal_id, pickup_code FROM hold"
UNITS = """
SELECT deal.id, deal.allotment, deal.withheld, deal.held, deal.sold,
    (SELECT coalesce(sum(quantity), 0) FROM hold WHERE deal_id = deal.id AND state IN
        ('held', 'reserved', 'creating', 'open', 'processing', 'review')),
    (SELECT coalesce(sum(quantity), 0) FROM orders WHERE deal_id = deal.id)
FROM deal
"""
ORDERS = """
SELECT orders.payment_id, orders.total_amount - orders.refunded_amount, orders.way,
    hold.pickup_code
FROM orders JOIN hold ON hold.id = orders.hold_id
"""
REFUNDS = """
SELECT payment_id, amount FROM refund WHERE given_at IS NOT NULL AND failed_at IS NULL
"""
POSTS = """
SELECT code, state FROM post WHERE channel = 'mastodon'
"""
WAITING = {
    "holds": """SELECT count(*) FROM hold
        WHERE state IN ('held', 'creating', 'open', 'processing', 'review')""",
    "messages": "SELECT count(*) FROM arrival WHERE handled_at IS NULL",
    "refunds": """SELECT count(*) FROM refund
        WHERE given_at IS NULL AND failed_at IS NULL""",
    "posts": "SELECT count(*) FROM post WHERE state IN ('scheduled', 'sending')",
}


@dataclass(frozen=True, slots=True)
class Looked:
    """*oversold* is in units, *adrift* in deals."""

    oversold: int
    adrift: int


def look(engine: Engine) -> Looked:
    """Count units at one instant, while others go on."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        return _look(connection)


def _look(connection: Connection) -> Looked:
    oversold = adrift = 0
    for _, allotment, withheld, held, sold, rows_held, rows_sold in connection.execute(
        text(UNITS)
    ):
        oversold += max(0, int(rows_held) + int(rows_sold) + withheld - allotment)
        adrift += (held, sold) != (int(rows_held), int(rows_sold))
    return Looked(oversold, adrift)


def waiting(engine: Engine) -> dict[str, int]:
    """Return what is not finished yet, and how much of it; only what there is."""
    with engine.connect() as connection:
        counts = {
            name: int(connection.execute(text(query)).scalar_one())
            for name, query in WAITING.items()
        }
    return {name: count for name, count in counts.items() if count}


def audit(engine: Engine, told: Told, companies: Path) -> dict[str, int]:
    """Return what there is, and what should not be, as ``Report`` names it."""
    with engine.connect() as connection:
        looked = _look(connection)
        return {
            "oversold": looked.oversold,
            "adrift": looked.adrift + told.adrift,
            **_promises(connection, told),
            **_money(connection, companies / "stripe.db"),
            **_handed_over(connection, told),
            **_posts(connection, companies / "mastodon.db"),
        }


def _promises(connection: Connection, told: Told) -> dict[str, int]:
    kept = {
        key: (token, deal_id)
        for key, token, deal_id, _ in connection.execute(text(HOLDS))
    }
    lost = sum(
        kept.get(key) != (token, told.asked[key])
        for key, tokens in told.granted.items()
        for token in tokens
    )
    return {
        "lost": lost,
        "doubled": sum(len(tokens) > 1 for tokens in told.granted.values()),
        "held_though_refused": len(told.refused - set(told.granted) & set(kept)),
    }


def _money(connection: Connection, path: Path) -> dict[str, int]:
    """Each payment that Stripe took, to the cent, and none that it did not take."""
    taken = {}
    for charge in _objects(path, "charge"):
        left = charge["amount_captured"] - charge["amount_refunded"]
        taken[charge["payment_intent"]] = (left, charge["amount_refunded"])
    given: Counter[str] = Counter()
    refunds = connection.execute(text(REFUNDS)).all()
    for payment_id, amount in refunds:
        given[payment_id] += amount
    kept: dict[str, list[int]] = defaultdict(list)
    for payment_id, amount, way, _ in connection.execute(text(ORDERS)):
        if way == "online":
            kept[payment_id].append(amount)
    unaccounted = sum(
        (sum(kept.get(name, [0])), given[name], len(kept.get(name, [0])))
        != (*taken.get(name, (0, 0)), 1)
        for name in set(taken) | set(kept) | set(given)
    )
    return {
        "payments": len(taken),
        "orders": len(kept),
        "refunds": len(refunds),
        "unaccounted": unaccounted,
    }


def _handed_over(connection: Connection, told: Told) -> dict[str, int]:
    codes = {
        code for _, _, way, code in connection.execute(text(ORDERS)) if way == "store"
    }
    return {"redeemed": len(codes), "redeemed_lost": len(told.redeemed - codes)}


def _posts(connection: Connection, path: Path) -> dict[str, int]:
    """Each deal that opened was announced, and once; a post bears its own link."""
    codes = {
        code
        for code, state in connection.execute(text(POSTS))
        if state not in ("scheduled", "skipped")
    }
    with closing(sqlite3.connect(path)) as books:
        rows = books.execute("SELECT body FROM kept WHERE kind = 'status'").fetchall()
    bodies = [body for (body,) in rows]
    found = {code: sum(code in body for body in bodies) for code in codes}
    return {
        "posts": sum(found.values()),
        "posts_twice": sum(times > 1 for times in found.values()),
        "posts_missing": sum(times == 0 for times in found.values()),
    }


def _objects(path: Path, kind: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as books:
        rows = books.execute("SELECT body FROM kept WHERE kind = ?", (kind,))
        return [json.loads(body) for (body,) in rows]
