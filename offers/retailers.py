"""Retailers: who sells. Every other row belongs to exactly one of them."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment
from offers.errors import Missing
from offers.ids import new_id


class Retailer(SQLModel, table=True):
    """Secrets are sealed: only the service can open them."""

    id: str = Field(primary_key=True)
    slug: str = Field(unique=True)
    name: str
    about: str = ""
    shop_url: str = ""
    seller: str = ""  # who the contract is with: name, address, register number
    country: str = Field(max_length=2)
    language: str = Field(default="en", max_length=2)
    time_zone: str = "UTC"
    currency: str = Field(max_length=3)
    hashtags: str = ""
    webhook_url: str = ""
    sealed_webhook_secret: str = Field(default="", repr=False)
    sealed_stock_secret: str = Field(default="", repr=False)
    sealed_old_stock_secret: str = Field(default="", repr=False)
    old_stock_secret_until: datetime | None = Field(default=None, sa_type=Moment)
    posts_paused: bool = False  # nothing goes out on any channel
    approval: bool = False  # a second person has to approve each deal's posts
    alarm_email: str = ""
    stock_buffer: int = 0  # units of each offer that no deal may sell
    price_rule: str = ""  # what a price before is; empty is the country's own
    usual_days: int = 28  # how long a price is charged until it is the usual one
    tax_points: int | None = None  # the usual tax in hundredths of a percent
    created_at: datetime = Field(sa_type=Moment)

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.time_zone)


def add_retailer(session: Session, retailer: Retailer) -> Retailer:
    session.add(retailer)
    session.flush()
    return retailer


def new_retailer(
    slug: str, name: str, *, country: str, currency: str, time_zone: str, now: datetime
) -> Retailer:
    return Retailer(
        id=new_id("retailer", now),
        slug=slug,
        name=name,
        country=country.upper(),
        currency=currency.lower(),
        time_zone=time_zone,
        language="fr" if country.upper() == "FR" else "en",
        created_at=now,
    )


def take_turns(session: Session, retailer_id: str) -> None:
    """Wait for whoever changes the same for a retailer: a double click is two of them.

    Until the transaction's end nobody else gets beyond this; whoever only names the
    retailer waits for nothing.
    """
    mine = select(Retailer.id).where(Retailer.id == retailer_id)
    session.exec(mine.with_for_update(key_share=True)).first()


def get_retailer(session: Session, retailer_id: str) -> Retailer:
    """Return a retailer.

    Raises:
        Missing: If there is none.
    """
    retailer = session.get(Retailer, retailer_id)
    if retailer is None:
        raise Missing(retailer_id, "retailer")
    return retailer


def change_retailer(
    session: Session, retailer_id: str, values: Mapping[str, str]
) -> None:
    """Keep what a retailer says of itself, by the names of the columns.

    Raises:
        Missing: If there is none.
    """
    retailer = get_retailer(session, retailer_id)
    retailer.sqlmodel_update(dict(values))
    session.add(retailer)


def renew_stock_secret(
    session: Session, retailer_id: str, sealed: str, *, until: datetime
) -> None:
    """Take stock messages by a new secret; the one before is good *until* then, too.

    Raises:
        Missing: If there is none such.
    """
    retailer = get_retailer(session, retailer_id)
    retailer.sealed_old_stock_secret = retailer.sealed_stock_secret
    retailer.old_stock_secret_until = until if retailer.sealed_stock_secret else None
    retailer.sealed_stock_secret = sealed
    session.add(retailer)


def find_retailer_by_slug(session: Session, slug: str) -> Retailer | None:
    return session.exec(select(Retailer).where(Retailer.slug == slug)).one_or_none()


def get_retailer_by_slug(session: Session, slug: str) -> Retailer:
    """Return the retailer with this *slug*.

    Raises:
        Missing: If there is none.
    """
    retailer = find_retailer_by_slug(session, slug)
    if retailer is None:
        raise Missing(slug, "retailer")
    return retailer


def retailers(session: Session) -> list[Retailer]:
    """Return every retailer of this installation, by name."""
    return list(session.exec(select(Retailer).order_by(col(Retailer.name))))
