"""What claims ask of the holds' table, in the words of either database.

One statement a batch, whatever its size: the values of a batch go in as arrays on
PostgreSQL and as JSON on SQLite. Each is worded so that it takes the same way through
the same index whether the table has ten rows or a million, and whether the database has
gathered statistics of it or not.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import TextClause, bindparam
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select, text

from offers.columns import Moment
from offers.deals import Deal
from offers.holds import Hold
from offers.ids import ALPHABET

T = TypeVar("T")

PICKUP_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Granted:
    """The hold that a claim got, as far as its shopper has to know it."""

    id: str
    deal_id: str
    key: str
    token: str
    shopper: str


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to be written; with a *pickup_code* it is reserved, to be paid later."""

    granted: Granted
    post_id: str
    quantity: int
    address: str
    pickup_code: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What of a deal is held already, as far as a batch of claims has to know it.

    *granted* is by key; *units* of each shopper and *holds* of each address leave out
    what was released.
    """

    granted: dict[str, Granted] = field(default_factory=dict)
    units: Counter[str] = field(default_factory=Counter)
    holds: Counter[str] = field(default_factory=Counter)


def known_holds(
    session: Session,
    deal_id: str,
    *,
    keys: Collection[str],
    shoppers: Collection[str],
    addresses: Collection[str],
) -> Known:
    """Return what these *keys*, *shoppers* and *addresses* hold of a deal."""
    known = Known()
    asked = {
        "deal_id": deal_id,
        "keys": _array(session, keys),
        "shoppers": _array(session, shoppers),
        "addresses": _array(session, addresses),
    }
    rows = session.connection().execute(_in(session, _KNOWN), asked)
    for what, name, count, hold_id, token, shopper in rows:
        match what:
            case "key":
                known.granted[name] = Granted(hold_id, deal_id, name, token, shopper)
            case "shopper":
                known.units[name] = count
            case "address":
                known.holds[name] = count
    return known


def add_holds(
    session: Session, deal: Deal, new: Sequence[NewHold], *, now: datetime
) -> None:
    """Write *new* holds of a deal that is locked, and ``deal.held`` as it is now."""
    if not new:
        return
    facts = {
        "deal_id": deal.id,
        "held": deal.held,
        "retailer_id": deal.retailer_id,
        "title": deal.title,
        "unit_amount": deal.price_amount,
        "currency": deal.currency,
        "now": now,
        "expires_at": now + deal.hold_for,
        "reserve_until": deal.reserve_until,
        **_differing(session, new),
    }
    for statement in _in(session, _ADD):
        session.connection().execute(statement, facts)
    set_committed_value(deal, "held", deal.held)  # it is written


def new_pickup_codes(
    session: Session,
    retailer_id: str,
    number: int,
    make: Callable[[], str] | None = None,
) -> list[str]:
    """Return codes to be shown in the store, which no hold of the retailer has."""
    make = make or _pickup_code
    codes: set[str] = set()
    while len(codes) < number:
        made = {make() for _ in range(number - len(codes))}
        codes |= made - _taken(session, retailer_id, made)
    return list(codes)


def _pickup_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(PICKUP_LENGTH))


def _taken(session: Session, retailer_id: str, codes: Collection[str]) -> set[str]:
    statement = select(Hold.pickup_code).where(
        Hold.retailer_id == retailer_id, col(Hold.pickup_code).in_(codes)
    )
    return {code for code in session.exec(statement) if code}


def _in(session: Session, statements: Mapping[str, T]) -> T:
    return statements[session.get_bind().dialect.name]


def _array(session: Session, values: Collection[object]) -> object:
    on_postgres = session.get_bind().dialect.name == "postgresql"
    return list(values) if on_postgres else json.dumps(list(values))


def _differing(session: Session, new: Sequence[NewHold]) -> dict[str, object]:
    """Return what differs from hold to hold: an array for each column."""
    rows = (
        (
            hold.granted.id,
            hold.post_id,
            hold.granted.token,
            hold.granted.key,
            hold.granted.shopper,
            hold.quantity,
            hold.address,
            hold.pickup_code,
        )
        for hold in new
    )
    if session.get_bind().dialect.name == "sqlite":
        return {"rows": json.dumps(list(rows))}
    return dict(zip(_ARRAYS, map(list, zip(*rows, strict=True)), strict=True))


def _statement(words: str) -> TextClause:
    moments = ("now", "expires_at", "reserve_until")
    named = [name for name in moments if f":{name}" in words]
    return text(words).bindparams(*(bindparam(name, type_=Moment()) for name in named))


_KNOWN_ON_POSTGRES = """
    SELECT 'key', asked.key, 0, hold.id, hold.token, hold.shopper
    FROM unnest(CAST(:keys AS text[])) AS asked (key)
    CROSS JOIN LATERAL (
        SELECT id, token, shopper FROM hold
        WHERE deal_id = :deal_id AND key = asked.key
        OFFSET 0
    ) AS hold
    UNION ALL
    SELECT 'shopper', asked.shopper, taken.units, '', '', ''
    FROM unnest(CAST(:shoppers AS text[])) AS asked (shopper)
    CROSS JOIN LATERAL (
        SELECT sum(quantity) AS units FROM hold
        WHERE deal_id = :deal_id AND shopper = asked.shopper AND state <> 'released'
    ) AS taken
    WHERE taken.units > 0
    UNION ALL
    SELECT 'address', asked.address, taken.holds, '', '', ''
    FROM unnest(CAST(:addresses AS text[])) AS asked (address)
    CROSS JOIN LATERAL (
        SELECT count(*) AS holds FROM hold
        WHERE deal_id = :deal_id AND address = asked.address
            AND address <> '' AND state <> 'released'
    ) AS taken
"""

# SQLite takes the tables of a CROSS JOIN in the order in which they are written.
_KNOWN_ON_SQLITE = """
    SELECT 'key', hold.key, 0, hold.id, token, shopper
    FROM json_each(:keys) AS asked
    CROSS JOIN hold ON deal_id = :deal_id AND hold.key = asked.value
    UNION ALL
    SELECT 'shopper', shopper, sum(quantity), '', '', ''
    FROM json_each(:shoppers) AS asked
    CROSS JOIN hold ON deal_id = :deal_id AND shopper = asked.value
    WHERE state <> 'released'
    GROUP BY shopper
    UNION ALL
    SELECT 'address', address, count(*), '', '', ''
    FROM json_each(:addresses) AS asked
    CROSS JOIN hold ON deal_id = :deal_id AND address = asked.value
    WHERE address <> '' AND state <> 'released'
    GROUP BY address
"""

_KNOWN = {
    "postgresql": _statement(_KNOWN_ON_POSTGRES),
    "sqlite": _statement(_KNOWN_ON_SQLITE),
}

_ARRAYS = (
    "ids",
    "post_ids",
    "tokens",
    "keys",
    "shoppers",
    "quantities",
    "addresses",
    "pickup_codes",
)

_COLUMNS = "id, post_id, token, key, shopper, quantity, address, pickup_code"

_WANTED_ON_POSTGRES = """
    SELECT * FROM unnest(
        CAST(:ids AS text[]), CAST(:post_ids AS text[]), CAST(:tokens AS text[]),
        CAST(:keys AS text[]), CAST(:shoppers AS text[]), CAST(:quantities AS int[]),
        CAST(:addresses AS text[]), CAST(:pickup_codes AS text[])
    )
"""

_WANTED_ON_SQLITE = """
    SELECT
        value ->> 0, value ->> 1, value ->> 2, value ->> 3,
        value ->> 4, value ->> 5, value ->> 6, value ->> 7
    FROM json_each(:rows)
"""

_INSERT = """
    INSERT INTO hold (
        id, post_id, token, key, shopper, quantity, address, pickup_code,
        state, expires_at,
        retailer_id, deal_id, title, unit_amount, currency, held_at,
        request, account_id, checkout_url, attempts, extended
    )
    SELECT
        id, post_id, token, key, shopper, quantity, address, pickup_code,
        CASE WHEN pickup_code IS NULL THEN 'held' ELSE 'reserved' END,
        CASE WHEN pickup_code IS NULL THEN :expires_at ELSE :reserve_until END,
        :retailer_id, :deal_id, :title, :unit_amount, :currency, :now,
        '', '', '', 0, false
    FROM wanted
"""

_UPDATE = "UPDATE deal SET held = :held WHERE id = :deal_id"

_ADD = {
    "postgresql": (
        _statement(
            f"WITH wanted ({_COLUMNS}) AS ({_WANTED_ON_POSTGRES}), "
            f"changed AS ({_UPDATE}) {_INSERT}"
        ),
    ),
    "sqlite": (
        _statement(_UPDATE),
        _statement(f"WITH wanted ({_COLUMNS}) AS ({_WANTED_ON_SQLITE}) {_INSERT}"),
    ),
}
