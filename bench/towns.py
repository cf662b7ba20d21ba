"""Towns: databases with deals to be bought, and what is there afterwards."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text
from sqlmodel import Session

from offers.accounts import accounts, open_outlet
from offers.catalog import Offer
from offers.deals import open_due
from offers.ids import new_id
from offers.money import Money
from offers.planning import DealPlan, plan_deal
from offers.posts import schedule_posts
from offers.retailers import Retailer, add_retailer, new_retailer
from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.schema import migrate

UNITS = 50_000_000


@dataclass(frozen=True, slots=True)
class Deal:
    id: str
    code: str

    @property
    def path(self) -> str:
        return f"/d/{self.code}"


@dataclass(frozen=True, slots=True)
class Town:
    """A database and the deals that are open in it."""

    url: str
    deals: tuple[Deal, ...]


class NotDurable(Exception):
    """What was answered is not what is in the table."""


def build_town(url: str, *, deals: int = 1) -> Town:
    """Migrate the database at *url* and open *deals* there."""
    with _connected(url) as database:
        migrate(database.engine)
        return Town(url, tuple(database.transact_here(_open_deals, deals)))


@contextmanager
def _connected(url: str) -> Iterator[Database]:
    database = Database.connect(url)
    try:
        yield database
    finally:
        database.close()


def _open_deals(session: Session, number: int) -> list[Deal]:
    now = utc_now()
    retailer = new_retailer(
        "bench", "Bench", country="FR", currency="eur", time_zone="UTC", now=now
    )
    add_retailer(session, retailer)
    open_outlet(session, retailer, now=now)
    made = [_plan(session, retailer, sku) for sku in range(number)]
    open_due(session, now=utc_now())
    return made


def _plan(session: Session, retailer: Retailer, sku: int) -> Deal:
    now = utc_now()
    offer = Offer(
        id=new_id("offer", now),
        retailer_id=retailer.id,
        sku=f"A{sku}",
        title="Rucksack, last season's blue",
        description="The old buckle, and it works.",
        price_amount=6_990,
        currency="eur",
        quantity=UNITS,
        imported_at=now,
    )
    session.add(offer)
    session.flush()
    plan = DealPlan(
        offer_id=offer.id,
        price=Money(4_990, "eur"),
        units=UNITS,
        limit_per_shopper=1,
        opens_at=now,
        closes_at=now + timedelta(hours=3),
    )
    deal = plan_deal(session, retailer.id, plan, now=now)
    posts = schedule_posts(session, deal, accounts(session, retailer.id), now=now)
    return Deal(deal.id, posts[0].code)


def fill_with_holds(town: Town, number: int) -> None:
    """Put *number* holds of the first deal that were paid for into the table."""
    with _connected(town.url) as database, database.engine.begin() as connection:
        connection.execute(text(FILL), {"deal": town.deals[0].id, "number": number})
        connection.execute(
            text("UPDATE deal SET sold = :number WHERE id = :deal"),
            {"deal": town.deals[0].id, "number": number},
        )
    _settle_down(town)


# As random as the real ones, so that every index is as spread out.
FILL = """
    INSERT INTO hold (id, retailer_id, deal_id, post_id, token, key, shopper, title,
        quantity, unit_amount, currency, state, request, account_id, checkout_url,
        address, attempts, extended, held_at, expires_at, ended_at)
    SELECT 'hold_' || lpad(n::text, 26, '0'), post.retailer_id, post.deal_id, post.id,
        left(md5('token' || n), 26), md5('key' || n), left(md5('shopper' || n), 26),
        'Rucksack', 1, 4990, 'eur', 'paid', '', '', '', md5('address' || n % 50000), 0,
        false, now(), now(), now()
    FROM post, generate_series(1, :number) AS n
    WHERE post.deal_id = :deal
"""


def _settle_down(town: Town) -> None:
    """Do now what the database would do in the background some time."""
    with _connected(town.url) as database:
        plain = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with plain.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))


def audit_holds(town: Town, prefix: str, led_to: Collection[str], cut_off: int) -> int:
    """Compare the holds of claims with *prefix* to what shoppers were *led_to*.

    At most *cut_off* claims were still under way when the load ended: those may have
    a hold that nobody was told of. Return how many do.

    Raises:
        NotDurable: If a hold that was told of is not there, there are more than there
            can be, or the deals' counters do not say the same.
    """
    with _connected(town.url) as database, database.engine.connect() as connection:
        kept = _tokens(connection, prefix)
        held, rows = _counted(connection)
    lost, untold = set(led_to) - kept, len(kept) - len(set(led_to))
    if lost or untold > cut_off or held != rows:
        msg = f"lost {len(lost)}, told nobody of {untold}, counted {held} of {rows}"
        raise NotDurable(msg)
    return untold


def _tokens(connection: Connection, prefix: str) -> set[str]:
    found = text("SELECT token FROM hold WHERE key LIKE :prefix")
    return set(connection.scalars(found, {"prefix": f"{prefix}-%"}))


def _counted(connection: Connection) -> tuple[int, int]:
    """Return what the deals say is held, and how many holds there are, at once."""
    held, rows = connection.execute(text(COUNTED)).one()
    return int(held), int(rows)


COUNTED = """
    SELECT (SELECT sum(held) FROM deal),
        (SELECT count(*) FROM hold WHERE state = 'held')
"""


def arrivals(town: Town) -> int:
    """Return how many messages were kept."""
    with _connected(town.url) as database, database.engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM arrival")) or 0)


def facts(url: str) -> dict[str, str]:
    """Return what the PostgreSQL at *url* says about itself."""
    names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
    with _connected(url) as database, database.engine.connect() as connection:
        return {name: str(connection.scalar(text(f"SHOW {name}"))) for name in names}
