"""Ranking: how much cash is tied up in each offer and for how long, by the database.

Nothing is read but what the ranking needs, so that a page of a large catalog takes no
more memory than one of a small one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    Subquery,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
)
from sqlmodel import Session, col, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.proposed_prices import Terms
from offers.retailers import get_retailer
from offers.rules import NO_RULE, MarkdownRule, RuleField, number_of_rule

DAY = 86_400

Ranked = Select[*tuple[Any, ...]]
"""Offers with units in no deal: id, currency, units, cost, seconds, number (of the
rule)."""


class Columns(NamedTuple):
    """What is reckoned of each offer in the database.

    *kinds* are the offers' categories and tags, each once with the *number* of the rule
    that catches them: a large catalog has few of them. Without rules there are none.
    """

    promised: Subquery
    kinds: Subquery | None
    units: ColumnElement[int]
    cost: ColumnElement[int]
    seconds: ColumnElement[Any]
    number: ColumnElement[int]


def rank(
    session: Session,
    retailer_id: str,
    terms: Terms,
    known: Sequence[MarkdownRule],
    now: datetime,
    *,
    among: Sequence[str] | None = None,
) -> Columns:
    """Reckon of all offers, or of those with the ids *among* which one looks."""
    kinds = _kinds(retailer_id, known, among) if known else None
    kept = get_retailer(session, retailer_id).stock_buffer
    promised = _promised(retailer_id)
    taken = func.coalesce(promised.c.units, 0)
    told = func.nullif(col(Offer.cost_amount), 0)
    share = (col(Offer.price_amount) * terms.cost_share_percent + 99) // 100
    since = func.coalesce(Offer.first_seen_at, Offer.imported_at)
    age = literal(int(now.timestamp())) - extract("epoch", since)
    return Columns(
        promised=promised,
        kinds=kinds,
        units=func.coalesce(col(Offer.quantity), 0) - taken - kept,
        cost=func.coalesce(told, share),
        seconds=case((age > 0, age), else_=0),
        number=_number(kinds),
    )


def _number(kinds: Subquery | None) -> ColumnElement[int]:
    """Every offer is of a kind; said so that each offer is looked at once, in turn."""
    if kinds is None:
        return literal(NO_RULE)
    return func.coalesce(kinds.c.number, NO_RULE)


def _kinds(
    retailer_id: str, known: Sequence[MarkdownRule], among: Sequence[str] | None
) -> Subquery:
    """Which rule catches which goods, told apart by no more than the rules ask for."""
    asked = [
        key for field, key in _KEYS.items() if any(r.field is field for r in known)
    ]
    each = sqlalchemy.select(*asked).where(col(Offer.retailer_id) == retailer_id)
    if among is not None:
        each = each.where(col(Offer.id).in_(among))
    goods = each.distinct().subquery()
    category, tags = goods.c.get("category"), goods.c.get("tags")
    number = number_of_rule(known, category=category, tags=tags)
    # Distinct once more, so that databases reckon the number before they join.
    return sqlalchemy.select(*goods.c, number.label("number")).distinct().subquery()


def _is_of(kinds: Subquery) -> ColumnElement[bool]:
    keys = [key for key in _KEYS.values() if key.name in kinds.c]
    return and_(*(key.element == kinds.c[key.name] for key in keys))


_KEYS = {
    RuleField.CATEGORY: func.coalesce(col(Offer.category), "").label("category"),
    RuleField.TAG: func.coalesce(col(Offer.tags), "").label("tags"),
}


def _promised(retailer_id: str) -> Subquery:
    """How many units of each offer its deals may still sell, or have held."""
    unsold = col(Deal.allotment) - col(Deal.withheld) - col(Deal.sold)
    taken = case((col(Deal.closed_at).is_(None), unsold), else_=col(Deal.held))
    return (
        select(Deal.offer_id, func.sum(taken).label("units"))
        .where(Deal.retailer_id == retailer_id)
        .group_by(col(Deal.offer_id))
        .having(func.sum(taken) > 0)
        .subquery()
    )


def select_ranked(columns: Columns, retailer_id: str) -> Ranked:
    """Select the offers that have units in no deal."""
    promised, kinds = columns.promised, columns.kinds
    statement = (
        sqlalchemy.select(
            col(Offer.id),
            col(Offer.currency),
            columns.units.label("units"),
            columns.cost.label("cost"),
            columns.seconds.label("seconds"),
            columns.number.label("number"),
        )
        .join(promised, promised.c.offer_id == col(Offer.id), isouter=True)
        .where(
            col(Offer.retailer_id) == retailer_id,
            col(Offer.quantity) > 0,
            columns.units > 0,
        )
    )
    if kinds is None:
        return statement
    return statement.join(kinds, _is_of(kinds), isouter=True)


def narrowed(
    number: ColumnElement[int], known: Sequence[MarkdownRule], rule_id: str
) -> ColumnElement[bool]:
    if rule_id == "none":
        return number == NO_RULE
    if rule_id:
        places = [n for n, rule in enumerate(known) if rule.id == rule_id]
        return number.in_(places)
    excluded = [n for n, rule in enumerate(known) if rule.excludes]
    return number.not_in(excluded)


def most_first(columns: Columns) -> ColumnElement[float]:
    """By units times cost times days; one day more, or what came today is nothing."""
    score = cast(columns.units, Float) * columns.cost * (columns.seconds + DAY)
    return score.desc()
