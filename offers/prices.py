"""Prices: what was charged and from when; the evidence for a struck-through price.

The log is only ever added to, and the database refuses anything else. What an announced
reduction is reckoned from is in ``offers.honesty_prior``, by the rule of the retailer's
country (``offers.honesty``). Without evidence a deal shows its price alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import BigInteger, PrimaryKeyConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment, word
from offers.declarations import Declared, declared_prices
from offers.honesty import Rule, law_of, rule_of
from offers.honesty_prior import Applied, Prior, Terms, find_prior
from offers.honesty_seasons import seasons
from offers.ids import new_id
from offers.money import Money
from offers.retailers import Retailer, get_retailer

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
DECLARED = "declaration"
OPENED, CLOSED = " opened", " closed"
"""How the source of a price ends that a deal began with, or the shop charges again."""


class PriceKind(StrEnum):
    """Who told us of a price."""

    FEED = "feed"
    MESSAGE = "message"
    DEAL = "deal"
    OTHER = "other"


_KINDS = {
    "feed": PriceKind.FEED,
    "import": PriceKind.FEED,
    "deal": PriceKind.DEAL,
    "arrival": PriceKind.MESSAGE,
    "message": PriceKind.MESSAGE,
}


class PricePoint(SQLModel, table=True):
    """From *applied_at* on, the offer cost this much; *source* says how we know.

    An empty *country* is the retailer's own, where all of its deals are. The log
    outlives its offer, so nothing makes sure that there is one. It is kept in the order
    in which it is read.
    """

    __tablename__ = "price_point"
    __table_args__ = (
        PrimaryKeyConstraint("offer_id", "applied_at", "id"),
        {"sqlite_with_rowid": False},
    )

    id: str
    retailer_id: str
    offer_id: str
    price_amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    applied_at: datetime = Field(sa_type=Moment)
    source: str
    kind: PriceKind = Field(default=PriceKind.FEED, sa_type=word(PriceKind))
    tax: str = "unknown"
    country: str = Field(default="", max_length=2)

    @property
    def price(self) -> Money:
        return Money(self.price_amount, self.currency)


@dataclass(frozen=True, slots=True)
class Reduction:
    """*price* against the *prior* one, by *rule*; *percent* is rounded down."""

    prior: Money
    price: Money
    rule: Rule = Rule.LOWEST

    @property
    def percent(self) -> int:
        return (self.prior.amount - self.price.amount) * 100 // self.prior.amount


@dataclass(frozen=True, slots=True)
class Ledgers:
    """All that bears on the reductions of some offers: the rule, and their histories.

    *histories* are by the offers' ids, each in order of time.
    """

    terms: Terms
    histories: Mapping[str, Sequence[Applied]]

    def prior(self, offer_id: str, price: Money | None, *, at: datetime) -> Prior:
        history = self.histories.get(offer_id, ())
        return find_prior(history, price, at=at, terms=self.terms)

    def reduction(
        self, offer_id: str, price: Money, *, at: datetime
    ) -> Reduction | None:
        return reduction_of(self.prior(offer_id, price, at=at), price)


def kind_of(source: str) -> PriceKind:
    """Return who told of a price, by the id that its *source* begins with."""
    return _KINDS.get(source.split("_", maxsplit=1)[0], PriceKind.OTHER)


def log_price(
    session: Session,
    retailer_id: str,
    offer_id: str,
    price: Money,
    *,
    source: str,
    now: datetime,
    tax: str = "unknown",
) -> None:
    """Add what is charged from *now* on; the same price again adds nothing.

    With another word on its tax it is not the same.

    Of two prices at the same instant the one logged later is the later one.
    """
    for last in price_log(session, retailer_id, offer_id)[-1:]:
        if last.price == price and tax in (last.tax, "unknown"):
            return
        now = max(now, last.applied_at + INSTANT)
    session.add(
        PricePoint(
            id=new_id("price", now),
            retailer_id=retailer_id,
            offer_id=offer_id,
            price_amount=price.amount,
            currency=price.currency,
            applied_at=now,
            source=source,
            kind=kind_of(source),
            tax=tax,
        )
    )
    session.flush()


def price_log(session: Session, retailer_id: str, offer_id: str) -> list[PricePoint]:
    """Return every price of an offer, oldest first."""
    statement = (
        select(PricePoint)
        .where(PricePoint.retailer_id == retailer_id, PricePoint.offer_id == offer_id)
        .order_by(col(PricePoint.applied_at), col(PricePoint.id))
    )
    return list(session.exec(statement))


def find_reduction(
    session: Session, retailer_id: str, offer_id: str, price: Money, *, at: datetime
) -> Reduction | None:
    """Return the reduction that *price* is if it starts at *at*, if it provably is one.

    ``None`` if what was charged before is not known without a gap, or not lower than
    *price*, by the rule of the retailer's country.
    """
    ledgers = read_ledgers(session, retailer_id, [offer_id], around=at)
    return ledgers.reduction(offer_id, price, at=at)


def reduction_of(prior: Prior, price: Money) -> Reduction | None:
    """Return what *price* is against the price before."""
    before = prior.price
    if before is None or before.currency != price.currency or before <= price:
        return None
    return Reduction(before, price, prior.rule)


def read_ledgers(
    session: Session, retailer_id: str, offer_ids: Collection[str], *, around: datetime
) -> Ledgers:
    """Return all that bears on these offers' reductions, a year around *around*."""
    retailer = get_retailer(session, retailer_id)
    sales = _sales(session, retailer, around)
    points = _points(session, retailer_id, offer_ids)
    declared = declared_prices(session, retailer_id, offer_ids)
    return Ledgers(
        terms_of(retailer),
        {
            offer_id: history(
                points.get(offer_id, ()),
                declared.get(offer_id, ()),
                zone=retailer.zone,
                sales=sales,
            )
            for offer_id in offer_ids
        },
    )


def terms_of(retailer: Retailer) -> Terms:
    days = timedelta(days=retailer.usual_days)
    with_tax = law_of(retailer.country).with_tax
    return Terms(rule_of(retailer), usual_for=days, with_tax=with_tax)


def history(
    log: Sequence[PricePoint],
    declared: Sequence[Declared] = (),
    *,
    zone: tzinfo = UTC,
    sales: Sequence[tuple[datetime, datetime]] = (),
) -> list[Applied]:
    """Return what was charged, from when until when; *log* is oldest first.

    What is *declared* counts up to the log's beginning. In *sales* a lower price in the
    shop is a cut until they end, as a deal of ours always is.
    """
    begins = log[0].applied_at if log else None
    before = sorted(
        _declared(declared, zone, begins), key=lambda one: (one.since, one.key)
    )
    return [*before, *_logged(log, sales)]


def lowest_price(log: list[PricePoint], *, at: datetime) -> Money | None:
    """Return the lowest price applied in the 30 days before *at*; *log* oldest first.

    ``None`` unless something was charged on each of those days, in one currency.
    """
    return find_prior(history(log), None, at=at, terms=Terms()).price


def is_of_deal(source: str, deal_id: str) -> bool:
    """Whether a price of this *source* was charged by that deal."""
    return source.startswith(f"{deal_id} ") and not source.endswith(CLOSED)


def is_ours(point: PricePoint) -> bool:
    """Whether a deal of ours charged it; not so what the shop charged after one."""
    source = point.source or ""
    return kind_of(source) is PriceKind.DEAL and not source.endswith(CLOSED)


def _logged(
    log: Sequence[PricePoint], sales: Sequence[tuple[datetime, datetime]]
) -> Iterator[Applied]:
    ends = [*(point.applied_at for point in log[1:]), None]
    before: PricePoint | None = None
    for point, until in zip(log, ends, strict=False):
        lower = before is not None and point.price_amount < before.price_amount
        sale = next((s for s in sales if s[0] <= point.applied_at < s[1]), None)
        ours = is_ours(point)
        yield Applied(
            since=point.applied_at,
            until=until,
            price=point.price,
            key=point.id,
            source=point.source,
            tax=point.tax,
            cut=ours or (lower and sale is not None),
            cut_until=sale[1] if sale and lower and not ours else None,
        )
        before = point


def _declared(
    declared: Sequence[Declared], zone: tzinfo, begins: datetime | None
) -> Iterator[Applied]:
    """Yield what is declared of days in *zone*, as far as the log says nothing."""
    for declaration, price in declared:
        since = _midnight(declaration.from_on, zone)
        until = _midnight(declaration.to_on + DAY, zone)
        until = until if begins is None else min(until, begins)
        if since < until:
            yield Applied(
                since=since,
                until=until,
                price=price.price,
                key=declaration.id,
                source=DECLARED,
                tax=price.tax,
                declared=True,
            )


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _sales(
    session: Session, retailer: Retailer, around: datetime
) -> list[tuple[datetime, datetime]]:
    zone = retailer.zone
    found = seasons(session, retailer, around=around.astimezone(zone).date())
    return [(season.opens_at(zone), season.closes_at(zone)) for season in found]


def _points(
    session: Session, retailer_id: str, offer_ids: Collection[str]
) -> dict[str, list[PricePoint]]:
    statement = (
        select(PricePoint)
        .where(
            PricePoint.retailer_id == retailer_id,
            col(PricePoint.offer_id).in_(offer_ids),
        )
        .order_by(col(PricePoint.applied_at), col(PricePoint.id))
    )
    found: dict[str, list[PricePoint]] = defaultdict(list)
    for point in session.exec(statement):
        found[point.offer_id].append(point)
    return found
