"""Announcements: a database in which a thousand posts are due at one instant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from random import Random

from PIL import Image, ImageFilter
from sqlalchemy import text
from sqlmodel import Session, select, update

from offers.accounts import ChannelAccount, accounts, connect_account
from offers.catalog import Offer
from offers.deals import Deal
from offers.ids import new_id
from offers.money import Money
from offers.pictures import keep_picture
from offers.planning import DealPlan, plan_deal
from offers.posts import Post, schedule_posts
from offers.retailers import Retailer, add_retailer, new_retailer
from outletbot.channels.credentials import Credentials
from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.known_networks import NETWORKS
from outletbot.schema import migrate
from outletbot.sealing import Seal

KINDS = tuple(NETWORKS)
SIDE = 1_200  # as large as an uploaded picture is kept
# Facebook and Instagram are the same host in reality, so they are here.
HOSTS = {kind: f"127.0.0.{10 + number}" for number, kind in enumerate(KINDS)}
HOSTS["instagram"] = HOSTS["facebook"]


@dataclass(frozen=True, slots=True)
class Morning:
    """A database at *url*, and whose the posts in it are, by their codes."""

    url: str
    retailer_of: dict[str, str]


def build_morning(
    url: str, seal: Seal, port: int, *, retailers: int, posts: int
) -> Morning:
    """Migrate the database at *url* and plan *posts* for ``set_instant`` to time."""
    with connected(url) as database:
        migrate(database.engine)
        for number in range(retailers):
            share = len(range(number, posts, retailers))
            database.transact_here(_plan_all, seal, port, number, share)
        return Morning(url, dict(database.read_here(_owners)))


def set_instant(morning: Morning, instant: datetime) -> None:
    """Let every deal open and every post be due at *instant*."""
    with connected(morning.url) as database:
        database.transact_here(_set_instant, instant)
        plain = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with plain.connect() as connection:
            connection.execute(text("ANALYZE"))


def states(morning: Morning) -> dict[str, int]:
    """Return how many posts are in each state."""
    with connected(morning.url) as database, database.engine.connect() as connection:
        found = connection.execute(text("SELECT state, count(*) FROM post GROUP BY 1"))
        return {str(state): int(number) for state, number in found}


@contextmanager
def connected(url: str) -> Iterator[Database]:
    database = Database.connect(url)
    try:
        yield database
    finally:
        database.close()


def _owners(session: Session) -> list[tuple[str, str]]:
    found = session.exec(select(Post.code, Post.retailer_id))
    return [(code, retailer_id) for code, retailer_id in found]


def _set_instant(session: Session, instant: datetime) -> None:
    closes_at = instant + timedelta(hours=3)
    session.exec(update(Deal).values(opens_at=instant, closes_at=closes_at))
    session.exec(update(Post).values(due_at=instant, first_due_at=instant))


def _plan_all(session: Session, seal: Seal, port: int, number: int, posts: int) -> None:
    """Give one retailer an account on each network and as many *posts*."""
    now = utc_now()
    slug = f"shop-{number}"
    retailer = new_retailer(
        slug, slug.title(), country="FR", currency="eur", time_zone="UTC", now=now
    )
    add_retailer(session, retailer)
    for kind in KINDS:
        _connect(session, retailer, seal, kind, port)
    places = accounts(session, retailer.id)
    for sku in range(0, posts, len(KINDS)):
        deal = _plan(session, retailer, f"{slug}-{sku}")
        schedule_posts(session, deal, places[: posts - sku], now=now)


def _connect(
    session: Session, retailer: Retailer, seal: Seal, kind: str, port: int
) -> None:
    secret = Credentials(f"1/{retailer.slug}", account_id=f"{kind}-{retailer.slug}")
    account: ChannelAccount = connect_account(
        session,
        retailer.id,
        kind,
        base_url=f"http://{HOSTS[kind]}:{port}/{kind}",
        handle=retailer.slug,
        sealed_token=seal.close(secret.dump()),
        now=utc_now(),
    )
    account.check_at = None


def _plan(session: Session, retailer: Retailer, sku: str) -> Deal:
    now = utc_now()
    picture = keep_picture(
        session, retailer.id, _photograph(sku), size=(SIDE, SIDE), now=now
    )
    offer = Offer(
        id=new_id("offer", now),
        retailer_id=retailer.id,
        sku=sku,
        title=f"Rucksack {sku}, last season's blue",
        price_amount=6_990,
        currency="eur",
        quantity=10,
        picture_id=picture.id,
        imported_at=now,
    )
    session.add(offer)
    session.flush()
    plan = DealPlan(
        offer_id=offer.id,
        price=Money(4_990, "eur"),
        units=10,
        limit_per_shopper=1,
        opens_at=now + timedelta(hours=12),
        closes_at=now + timedelta(hours=15),
    )
    return plan_deal(session, retailer.id, plan, now=now)


def _photograph(sku: str) -> bytes:
    """Return a picture that weighs about what a photograph of its size does."""
    chance = Random(sku)
    coarse = Image.frombytes("RGB", (60, 60), chance.randbytes(60 * 60 * 3))
    smooth = coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((SIDE, SIDE), 12).convert("RGB")
    photograph = Image.blend(smooth, grain, 0.2).filter(ImageFilter.SMOOTH)
    buffer = BytesIO()
    photograph.save(buffer, "JPEG", quality=85, progressive=True)
    return buffer.getvalue()
