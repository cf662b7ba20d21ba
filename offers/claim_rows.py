"""What claims ask of the holds' table, in the words of either database.

One statement a batch, whatever its size; its values go in as JSON. Each is worded so
that it takes the same way through the same index whether the table has ten rows or a
million, and whether the database has gathered statistics of it or not.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from sqlalchemy.orm.util import identity_key
from sqlmodel import Session, col, select

from offers.columns import Moment
from offers.deals import Deal
from offers.drivers import ask, moment_of, tell, words
from offers.holds import Hold
from offers.ids import ALPHABET

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


@dataclass(slots=True)
class Terms:
    """A deal that is locked, as far as claims have to know it."""

    id: str
    retailer_id: str
    title: str
    price_amount: int
    currency: str
    allotment: int
    withheld: int
    held: int
    sold: int
    limit_per_shopper: int
    hold_minutes: int
    opens_at: datetime
    closes_at: datetime
    sold_out_at: datetime | None
    reserve_until: datetime | None
    pay_online: bool
    payable: bool


def lock_deal(session: Session, deal_id: str) -> Terms | None:
    """Return a deal whose units nobody else moves until this transaction is over."""
    for found in ask(session, _LOCK, {"deal_id": deal_id}):
        facts = list(found)
        for n in _MOMENTS:
            facts[n] = moment_of(facts[n])
        return Terms(*facts)
    return None


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
        "keys": json.dumps(list(keys)),
        "shoppers": json.dumps(list(shoppers)),
        "addresses": json.dumps(list(addresses)),
    }
    rows = ask(session, _KNOWN, asked)
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
    session: Session, deal: Terms, new: Sequence[NewHold], *, now: datetime
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
        "expires_at": now + timedelta(minutes=deal.hold_minutes),
        "reserve_until": deal.reserve_until,
        "rows": json.dumps([_row(hold) for hold in new]),
    }
    tell(session, _ADD, facts)
    _forget(session, deal.id)


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


def _row(hold: NewHold) -> dict[str, object]:
    """Return what differs from hold to hold."""
    return {
        "id": hold.granted.id,
        "post_id": hold.post_id,
        "token": hold.granted.token,
        "key": hold.granted.key,
        "shopper": hold.granted.shopper,
        "quantity": hold.quantity,
        "address": hold.address,
        "pickup_code": hold.pickup_code,
    }


def _forget(session: Session, deal_id: str) -> None:
    """Who has the deal at hand in this session reads its count again."""
    deal = session.identity_map.get(identity_key(Deal, deal_id))
    if deal is not None:
        session.expire(deal, ["held"])


_FACTS = [fact.name for fact in fields(Terms)]
_MOMENTS = [
    number
    for number, name in enumerate(_FACTS)
    if isinstance(Deal.__table__.c[name].type, Moment)  # type: ignore[attr-defined]  # every table has them
]

_TERMS = f"SELECT {', '.join(_FACTS)} FROM deal WHERE id = :deal_id"  # noqa: S608  (ours)
_LOCK = words(postgresql=(f"{_TERMS} FOR NO KEY UPDATE",), sqlite=(_TERMS,))

_KNOWN_ON_POSTGRES = """
    SELECT 'key', asked.key, 0, hold.id, hold.token, hold.shopper
    FROM json_array_elements_text(:keys) AS asked (key)
    CROSS JOIN LATERAL (
        SELECT id, token, shopper FROM hold
        WHERE deal_id = :deal_id AND key = asked.key
        OFFSET 0
    ) AS hold
    UNION ALL
    SELECT 'shopper', asked.shopper, taken.units, '', '', ''
    FROM json_array_elements_text(:shoppers) AS asked (shopper)
    CROSS JOIN LATERAL (
        SELECT sum(quantity) AS units FROM hold
        WHERE deal_id = :deal_id AND shopper = asked.shopper AND state <> 'released'
    ) AS taken
    WHERE taken.units > 0
    UNION ALL
    SELECT 'address', asked.address, taken.holds, '', '', ''
    FROM json_array_elements_text(:addresses) AS asked (address)
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

_KNOWN = words(postgresql=(_KNOWN_ON_POSTGRES,), sqlite=(_KNOWN_ON_SQLITE,))

# Both have the columns of _row.
_ROWS_ON_POSTGRES = """
    SELECT * FROM json_to_recordset(:rows) AS wanted (
        id text, post_id text, token text, key text, shopper text, quantity int,
        address text, pickup_code text
    )
"""

_ROWS_ON_SQLITE = """
    SELECT
        value ->> 'id' AS id,
        value ->> 'post_id' AS post_id,
        value ->> 'token' AS token,
        value ->> 'key' AS key,
        value ->> 'shopper' AS shopper,
        value ->> 'quantity' AS quantity,
        value ->> 'address' AS address,
        value ->> 'pickup_code' AS pickup_code
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

_ADD = words(
    postgresql=(
        f"WITH wanted AS ({_ROWS_ON_POSTGRES}), changed AS ({_UPDATE}) {_INSERT}",
    ),
    sqlite=(_UPDATE, f"WITH wanted AS ({_ROWS_ON_SQLITE}) {_INSERT}"),
)
