"""
The scenery: retailers with an account on each network, and deals whose posts come due
one deal after another while the workers live and die.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlmodel import Session

from offers.accounts import ChannelAccount
from offers.catalog import Offer
from offers.deals import Deal
from offers.ids import new_id
from offers.pictures import keep_picture
from offers.posting import LEASE
from offers.posts import schedule_posts
from outletbot.channels.credentials import Credentials
from outletbot.db import Database
from outletbot.sealing import Seal
from tests.chaos.posting_place import Account, small_picture
from tests.factories import KEY, make_account, make_offer, make_retailer

STEP = LEASE + timedelta(seconds=1)
"""One life begins so long after the one before: what that leased is anybody's."""

Shop: TypeAlias = tuple[Offer, list[ChannelAccount]]
"""What a retailer has to sell, and where that is posted."""

LONG = timedelta(days=90)
SOON = 0.25


def set_up(
    database: Database,
    accounts: Sequence[Account],
    *,
    posts: int,
    dues: Sequence[datetime],
    now: datetime,
) -> None:
    """Plan so many posts, a deal's at each of *dues* until there are enough."""
    left = posts
    with Session(database.engine, expire_on_commit=False) as session:
        known = open_shops(session, accounts)
        for number, due in enumerate(dues):
            shop = known[number % len(known)]
            left -= plan_deal(session, shop, number, due, now=now, most=left)
        session.commit()
    assert left == 0


def plan_deal(
    session: Session,
    shop: Shop,
    number: int,
    due: datetime,
    *,
    now: datetime,
    most: int = 100,
) -> int:
    """Announce a deal on *most* accounts of a retailer. Return how many that are."""
    offer, own = shop
    deal = _deal(offer, number, due, now)
    session.add(deal)
    session.flush()
    return len(schedule_posts(session, deal, own[:most], now=now))


def spread(lives: int, deals: int, begin: datetime, seed: int) -> list[datetime]:
    """Return when deals open: between two lives, or as one of these begins."""
    dice = random.Random(f"dues/{seed}")  # noqa: S311  (no secret)
    return [
        begin
        + STEP * (number * lives // deals)
        + (
            timedelta(seconds=dice.uniform(0, SOON))
            if dice.random() < 0.5
            else -STEP * dice.random()
        )
        for number in range(deals)
    ]


def open_shops(session: Session, accounts: Sequence[Account]) -> list[Shop]:
    numbers = sorted({account.retailer for account in accounts})
    return [
        _open(session, number, [one for one in accounts if one.retailer == number])
        for number in numbers
    ]


def _open(session: Session, number: int, accounts: Sequence[Account]) -> Shop:
    seal, content = Seal(KEY), small_picture()
    retailer = make_retailer(session, f"outlet{number}")
    offer = make_offer(session, retailer_id=retailer.id)
    picture = keep_picture(
        session, retailer.id, content, size=(400, 400), now=offer.imported_at
    )
    offer.picture_id = picture.id
    session.commit()
    own = [
        make_account(
            session,
            account.kind,
            retailer_id=retailer.id,
            handle=account.handle,
            base_url=account.base_url,
            sealed_token=seal.close(_credentials(account)),
        )
        for account in accounts
    ]
    return offer, own


def _credentials(account: Account) -> str:
    return Credentials(account.token, account_id=account.account_id).dump()


def _deal(offer: Offer, number: int, opens_at: datetime, now: datetime) -> Deal:
    return Deal(
        id=new_id("deal", now),
        retailer_id=offer.retailer_id,
        offer_id=offer.id,
        title=f"{offer.title}, number {number}",
        price_amount=4_999,
        currency=offer.currency,
        allotment=10,
        opens_at=opens_at,
        closes_at=opens_at + LONG,
        created_at=now,
    )
