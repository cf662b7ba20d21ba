"""Evidence: what a price before rests on, and what each post relied on, kept for good.

A row is written in the transaction in which a post is written down as about to go out:
what it said, of which price, against which price before, by which rule, and the prices
of the log and the declarations that prove it. It is never changed; what went out twice,
because nobody knew whether it had, has two.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, Session, SQLModel, col, select

from offers.catalog import Offer
from offers.columns import Moment, word
from offers.deals import Deal, expected_reduction
from offers.honesty import Rule
from offers.honesty_prior import Applied, Ground, Prior
from offers.ids import new_id
from offers.money import Money
from offers.posts import Post, PostKind
from offers.prices import (
    DECLARED,
    OPENED,
    Ledgers,
    Reduction,
    is_of_deal,
    read_ledgers,
)
from offers.retailers import get_retailer


@dataclass(frozen=True, slots=True)
class Charged:
    """From *since* on the shop charged *price*; *source* says how we know."""

    since: datetime
    price: Money
    source: str
    key: str = ""

    @property
    def declared(self) -> bool:
        return self.source == DECLARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was charged from *start* to *end*, and what follows from it by *rule*."""

    ground: Ground
    rule: Rule
    start: datetime
    end: datetime
    lowest: Money | None
    reduction: Reduction | None
    charged: tuple[Charged, ...]

    @property
    def declared(self) -> bool:
        return any(one.declared for one in self.charged)


class PostEvidence(SQLModel, table=True):
    """*basis* is JSON: what was charged from *since* until *until*, and how we know."""

    __tablename__ = "post_evidence"
    __table_args__ = (
        Index("ix_post_evidence_noted", "retailer_id", "noted_at"),
        Index("ix_post_evidence_deal", "deal_id", "noted_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    deal_id: str = Field(foreign_key="deal.id")
    post_id: str = Field(foreign_key="post.id")
    offer_id: str = Field(foreign_key="offer.id")
    sku: str
    title: str
    channel: str
    kind: PostKind = Field(sa_type=word(PostKind))
    price_amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    prior_amount: int | None = Field(default=None, sa_type=BigInteger)
    percent: int | None = None
    rule: Rule = Field(sa_type=word(Rule))
    ground: Ground = Field(sa_type=word(Ground))
    country: str = Field(max_length=2)
    since: datetime = Field(sa_type=Moment)
    until: datetime = Field(sa_type=Moment)
    basis: str
    text: str
    noted_at: datetime = Field(sa_type=Moment)

    @property
    def price(self) -> Money:
        return Money(self.price_amount, self.currency)

    @property
    def prior(self) -> Money | None:
        if self.prior_amount is None:
            return None
        return Money(self.prior_amount, self.currency)


def find_evidence(session: Session, deal: Deal) -> Evidence:
    """Return what is known today of the prices before *deal* opens or opened."""
    around = deal.opens_at
    ledgers = read_ledgers(session, deal.retailer_id, [deal.offer_id], around=around)
    prior = _prior_of(ledgers, deal)
    return _laid_open(prior, expected_reduction(session, deal))


def find_offer_evidence(session: Session, offer: Offer, *, at: datetime) -> Evidence:
    """Return what could be announced of an offer that is reduced *at* that moment."""
    ledgers = read_ledgers(session, offer.retailer_id, [offer.id], around=at)
    prior = ledgers.prior(offer.id, None, at=at)
    return _laid_open(prior, None, ground=prior.ground)


def note_evidence(
    session: Session,
    post: Post,
    deal: Deal,
    text: str,
    evidence: Evidence,
    *,
    now: datetime,
) -> PostEvidence:
    """Keep what *post* relies on, as it is about to go out."""
    offer = session.get_one(Offer, deal.offer_id)
    reduction = evidence.reduction
    kept = PostEvidence(
        id=new_id("evidence", now),
        retailer_id=post.retailer_id,
        deal_id=deal.id,
        post_id=post.id,
        offer_id=offer.id,
        sku=offer.sku,
        title=deal.title,
        channel=post.channel,
        kind=post.kind,
        price_amount=deal.price_amount,
        currency=deal.currency,
        prior_amount=reduction.prior.amount if reduction else None,
        percent=reduction.percent if reduction else None,
        rule=reduction.rule if reduction else evidence.rule,
        ground=evidence.ground,
        country=get_retailer(session, post.retailer_id).country,
        since=evidence.start,
        until=evidence.end,
        basis=_dump(evidence.charged),
        text=text,
        noted_at=now,
    )
    session.add(kept)
    return kept


def evidence_of_deal(
    session: Session, retailer_id: str, deal_id: str
) -> Sequence[PostEvidence]:
    """Return what the posts of a deal relied on, the first first."""
    statement = select(PostEvidence).where(
        PostEvidence.retailer_id == retailer_id, PostEvidence.deal_id == deal_id
    )
    return session.exec(statement.order_by(*_OLDEST)).all()


def evidence_between(
    session: Session,
    retailer_id: str,
    start: datetime,
    end: datetime,
    *,
    limit: int | None = None,
) -> Sequence[PostEvidence]:
    """Return what posts relied on that went out from *start* until *end*."""
    statement = (
        select(PostEvidence)
        .where(
            PostEvidence.retailer_id == retailer_id,
            col(PostEvidence.noted_at) >= start,
            col(PostEvidence.noted_at) < end,
        )
        .order_by(*_OLDEST)
        .limit(limit)
    )
    return session.exec(statement).all()


def basis_of(kept: PostEvidence) -> list[Mapping[str, object]]:
    """Return what was charged, as it was known when the post went out."""
    return list(json.loads(kept.basis))


_OLDEST = (col(PostEvidence.noted_at), col(PostEvidence.id))


def _prior_of(ledgers: Ledgers, deal: Deal) -> Prior:
    """Return the price before what *deal* charges now: since it opened, or a step."""
    at = deal.opens_at
    for one in ledgers.histories.get(deal.offer_id, ()):
        if is_of_deal(one.source, deal.id) and one.price == deal.price:
            at = at if one.source.endswith(OPENED) else max(at, one.since)
            break
    return ledgers.prior(deal.offer_id, deal.price, at=at)


def _laid_open(
    prior: Prior, reduction: Reduction | None, *, ground: Ground | None = None
) -> Evidence:
    if ground is None and reduction is not None:
        ground = Ground.PROVEN
    elif ground is None:
        proven = prior.ground is Ground.PROVEN
        ground = Ground.NOT_LOWER if proven else prior.ground
    return Evidence(
        ground=ground,
        rule=reduction.rule if reduction else prior.rule,
        start=prior.since,
        end=prior.until,
        lowest=prior.price,
        reduction=reduction,
        charged=tuple(map(_charged, prior.applied)),
    )


def _charged(one: Applied) -> Charged:
    return Charged(one.since, one.price, one.source, one.key)


def _dump(charged: Sequence[Charged]) -> str:
    rows = [
        {
            "since": one.since.isoformat(),
            "price": str(one.price.value),
            "currency": one.price.currency,
            "kind": "declaration" if one.declared else "price",
            "id": one.key,
            "source": one.source,
        }
        for one in charged
    ]
    return json.dumps(rows, ensure_ascii=False)
