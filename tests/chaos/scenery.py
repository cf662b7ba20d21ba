"""
The scenery: a retailer with deals of all kinds, and a merchant who is signed in.

Wide deals have a unit for everybody, tight ones for almost nobody, so that there is
always somebody at the last unit; some open while the history runs, and are posted then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from offers.deals import Deal
from offers.merchants import start_sign_in
from offers.posts import Post, PostState
from outletbot.db import Database
from outletbot.sealing import Seal
from tests import factories
from tests.chaos.history import Plan

WIDE, TIGHT, STORE = 6, 6, 1
FEW, MANY = 8, 1_000_000
DAY = timedelta(days=1)
HANDLE = "north"


@dataclass(frozen=True, slots=True)
class Offered:
    """A deal as a shopper knows it: the end of its link, and when it opens."""

    code: str
    deal_id: str
    opens_at: datetime


@dataclass(frozen=True, slots=True)
class Scenery:
    wide: tuple[Offered, ...]
    tight: tuple[Offered, ...]
    opening: tuple[Offered, ...]
    store: tuple[Offered, ...]
    cookie: str


def set_up(
    database: Database, plan: Plan, seal: Seal, mastodon: tuple[str, str], now: datetime
) -> Scenery:
    """Make this part's deals, and what they need; *mastodon* is its address and token.

    A history that goes on gets deals of its own, beside those of its earlier parts.
    """
    with Session(database.engine, expire_on_commit=False) as session:
        _connect(session, seal, mastodon)
        gap = timedelta(seconds=plan.seconds / (plan.openings + 1))
        openings = [now + gap * number for number in range(1, plan.openings + 1)]
        return Scenery(
            wide=tuple(_deal(session, MANY, now) for _ in range(WIDE)),
            tight=tuple(_deal(session, FEW, now) for _ in range(TIGHT)),
            opening=tuple(_opening(session, 3 * FEW, at, now) for at in openings),
            store=tuple(_store(session, now) for _ in range(STORE)),
            cookie=_sign_in(session, now),
        )


def _connect(session: Session, seal: Seal, mastodon: tuple[str, str]) -> None:
    retailer = factories.north(session)
    account = session.exec(
        select(factories.ChannelAccount).where(
            factories.ChannelAccount.retailer_id == retailer.id,
            factories.ChannelAccount.kind == "mastodon",
        )
    ).one_or_none() or factories.make_account(session, "mastodon", handle=HANDLE)
    account.base_url, token = mastodon
    account.sealed_token = seal.close(token)
    session.add(account)
    session.commit()


def _sign_in(session: Session, now: datetime) -> str:
    email = f"{now:%H%M%S.%f}@north.example"
    merchant = factories.make_merchant(session, email)
    token = start_sign_in(session, merchant, now=now)
    session.commit()
    return f"sign_in={token}"


def _deal(session: Session, units: int, now: datetime, **facts: object) -> Offered:
    opens_at = now - timedelta(minutes=1)
    deal = factories.make_deal(
        session,
        allotment=units,
        limit_per_shopper=1,
        hold_minutes=1,
        opens_at=opens_at,
        opened_at=opens_at,
        created_at=opens_at - DAY,
        closes_at=now + DAY,
        **facts,
    )
    return _known(session, deal)


def _store(session: Session, now: datetime) -> Offered:
    return _deal(session, MANY, now, reserve_until=now + 2 * DAY)


def _opening(session: Session, units: int, at: datetime, now: datetime) -> Offered:
    """A deal that opens *at*, with a post on Mastodon that is due then."""
    deal = factories.make_deal(
        session,
        allotment=units,
        limit_per_shopper=1,
        hold_minutes=1,
        opens_at=at,
        opened_at=None,
        created_at=now,
        closes_at=at + DAY,
    )
    account = session.exec(
        select(factories.ChannelAccount).where(
            factories.ChannelAccount.kind == "mastodon"
        )
    ).one()
    for post in session.exec(select(Post).where(Post.deal_id == deal.id)):
        post.state, post.published_at, post.remote_id = PostState.SCHEDULED, None, None
        session.add(post)
    factories.make_post(session, deal, account)
    return _known(session, deal)


def _known(session: Session, deal: Deal) -> Offered:
    code = factories.post_of(session, deal).code
    return Offered(code, deal.id, deal.opens_at)
