"""The sample outlet: its retailer, its people, its channels, its offers."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from offers.accounts import connect_account, move_accounts, open_outlet
from offers.catalog import find_offer_by_sku, hang_picture
from offers.feed import FeedRow, open_feed
from offers.merchants import Merchant, Role, add_merchant, find_merchant
from offers.pictures import keep_picture
from offers.retailers import Retailer, add_retailer, new_retailer
from offers.shelving import import_rows
from outletbot.db import Database
from outletbot.samples import RETAILER, sample_feed, sample_picture
from outletbot.sealing import Seal
from webhooks.signing import new_secret

SLUG = "fjordlight"
MASTODON = "mastodon"
OWNER = "ana@fjordlight.example"
COLLEAGUE = "marc@fjordlight.example"
IMPORTED = timedelta(days=40)  # so that there is a price log of 30 days
SIZE = (1200, 1200)


@dataclass(frozen=True, slots=True)
class MastodonAccess:
    """The account on the sandbox's Mastodon server."""

    base_url: str
    handle: str
    token: str


def open_shop(
    session: Session, access: MastodonAccess, seal: Seal, *, now: datetime
) -> Retailer:
    """Make the retailer, its two people and its two channels."""
    retailer = new_retailer(
        SLUG,
        RETAILER,
        country="FR",
        currency="eur",
        time_zone="Europe/Paris",
        now=now,
    )
    retailer.language = "en"
    retailer.about = "End of line, show-room pieces and last season's colours."
    retailer.seller = f"{RETAILER} SAS, 12 quai des Brumes, 29200 Brest, France"
    retailer.hashtags = "outlet lastchance"
    retailer.sealed_stock_secret = seal.close(new_secret())
    add_retailer(session, retailer)
    open_outlet(session, retailer, now=now)
    connect_account(
        session,
        retailer.id,
        MASTODON,
        base_url=access.base_url,
        handle=access.handle,
        sealed_token=seal.close(access.token),
        now=now,
    )
    add_merchant(
        session, retailer.id, OWNER, name="Ana Lindqvist", role=Role.OWNER, now=now
    )
    colleague = add_merchant(
        session, retailer.id, COLLEAGUE, name="Marc Dubois", now=now
    )
    colleague.language = "fr"
    return retailer


def owner(session: Session) -> Merchant | None:
    return find_merchant(session, OWNER)


def move_mastodon(session: Session, retailer_id: str, base_url: str) -> None:
    """The sandbox may have another port today."""
    move_accounts(session, retailer_id, MASTODON, base_url)


def fill_shelves(session: Session, retailer_id: str, *, now: datetime) -> None:
    """Import the sample feed, as a retailer would have some weeks ago."""
    feed = open_feed(io.BytesIO(sample_feed()), currency="eur", today=now.date())
    rows = [row for row in feed.rows() if isinstance(row, FeedRow)]
    import_rows(session, retailer_id, rows, source="sample feed", now=now)


async def hang_pictures(database: Database, retailer_id: str, *, now: datetime) -> None:
    """Draw the picture of every offer, which takes a few seconds, and keep it."""
    for sku, name in _picture_names().items():
        content = sample_picture(name)
        await database.transact(_hang, retailer_id, sku, content, now=now)


def _hang(
    session: Session, retailer_id: str, sku: str, content: bytes, *, now: datetime
) -> None:
    picture = keep_picture(session, retailer_id, content, size=SIZE, now=now)
    offer = find_offer_by_sku(session, retailer_id, sku)
    if offer is not None:
        hang_picture(session, offer, picture)


def _picture_names() -> dict[str, Any]:
    rows = csv.DictReader(io.StringIO(sample_feed().decode()))
    return {row["sku"]: row["image"] for row in rows}
