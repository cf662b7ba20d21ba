"""Rules: how far prices may fall, for all of a retailer's goods or for some of them.

The policy holds for everything; rules by category or tag go before it, in their order:
the first that catches an offer is the one that counts. A category is caught at any
level (``Clothing > Jackets > Down`` by ``Jackets``), in capitals or not.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Index,
    UniqueConstraint,
    case,
    func,
    literal,
    or_,
)
from sqlmodel import Field, Session, SQLModel, col, select

from offers.catalog import Offer
from offers.columns import Moment, word
from offers.errors import InvalidField, WrongState
from offers.ids import new_id
from offers.proposed_prices import Terms
from offers.retailers import take_turns
from offers.scope import find_own, get_own
from offers.sentences import Sentence

MOST_RULES = 50
NO_RULE = -1
LEVEL = ">"
SWAPS = (("/", LEVEL), ("|", LEVEL), (f" {LEVEL}", LEVEL), (f"{LEVEL} ", LEVEL))
"""What else parts a category from one under it."""


class RuleField(StrEnum):
    CATEGORY = "category"
    TAG = "tag"


class PricePolicy(SQLModel, table=True):
    """A retailer's own figures; see ``Terms``."""

    __tablename__ = "price_policy"

    retailer_id: str = Field(foreign_key="retailer.id", primary_key=True)
    markdown_percent: int
    margin_percent: int
    cost_share_percent: int
    ending: str = Field(max_length=2)
    changed_at: datetime = Field(sa_type=Moment)


class MarkdownRule(SQLModel, table=True):
    """What holds for offers whose *field* is *value*, the lowest *place* first.

    What it *excludes* is never proposed. A deal has *most_units* at most; *channels*
    are the ids of the accounts it is posted on, all if that is empty.
    """

    __tablename__ = "markdown_rule"
    __table_args__ = (
        UniqueConstraint("retailer_id", "field", "value"),
        Index("ix_markdown_rule_place", "retailer_id", "place"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    place: int
    field: RuleField = Field(sa_type=word(RuleField))
    value: str
    excludes: bool = False
    markdown_percent: int
    margin_percent: int
    most_units: int | None = None
    channels: str = ""
    changed_at: datetime = Field(sa_type=Moment)

    @property
    def channel_ids(self) -> list[str]:
        return [one for one in self.channels.split(",") if one]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What a merchant says a rule is."""

    field: RuleField
    value: str
    excludes: bool
    markdown_percent: int
    margin_percent: int
    most_units: int | None = None
    channels: tuple[str, ...] = ()


def get_terms(session: Session, retailer_id: str) -> Terms:
    """Return what holds where no rule does."""
    policy = session.get(PricePolicy, retailer_id)
    if policy is None:
        return Terms()
    return Terms(
        markdown_percent=policy.markdown_percent,
        margin_percent=policy.margin_percent,
        cost_share_percent=policy.cost_share_percent,
        ending=policy.ending,
    )


def keep_terms(
    session: Session, retailer_id: str, terms: Terms, *, now: datetime
) -> None:
    take_turns(session, retailer_id)
    policy = PricePolicy(
        retailer_id=retailer_id,
        markdown_percent=terms.markdown_percent,
        margin_percent=terms.margin_percent,
        cost_share_percent=terms.cost_share_percent,
        ending=terms.ending,
        changed_at=now,
    )
    session.merge(policy)
    session.flush()


def terms_under(terms: Terms, rule: MarkdownRule | None) -> Terms:
    """Return what holds for an offer that *rule* catches."""
    if rule is None:
        return terms
    return Terms(
        markdown_percent=rule.markdown_percent,
        margin_percent=rule.margin_percent,
        cost_share_percent=terms.cost_share_percent,
        ending=terms.ending,
    )


def rules(session: Session, retailer_id: str) -> list[MarkdownRule]:
    """Return a retailer's rules, the one that is tried first first."""
    statement = (
        select(MarkdownRule)
        .where(MarkdownRule.retailer_id == retailer_id)
        .order_by(col(MarkdownRule.place), col(MarkdownRule.id))
    )
    return list(session.exec(statement))


def keep_rule(
    session: Session,
    retailer_id: str,
    facts: RuleFacts,
    *,
    rule_id: str = "",
    now: datetime,
) -> MarkdownRule:
    """Make a rule that is tried last, or change the one with *rule_id*.

    Raises:
        Missing: If there is no such rule of this retailer's.
        InvalidField: If there is one for the same goods already.
        WrongState: If there are too many.
    """
    take_turns(session, retailer_id)
    known = rules(session, retailer_id)
    if any(r.id != rule_id and _same(r, facts) for r in known):
        problem = Sentence("There is a rule for this already.")
        raise InvalidField("value", problem, facts.value)
    rule = get_own(session, MarkdownRule, retailer_id, rule_id) if rule_id else None
    if rule is None and len(known) >= MOST_RULES:
        raise WrongState(Sentence("There are {most} rules already.", most=MOST_RULES))
    place = max((r.place for r in known), default=0) + 1
    rule = rule or _empty(retailer_id, place, now)
    for name in ("field", "value", "excludes", "markdown_percent", "margin_percent"):
        setattr(rule, name, getattr(facts, name))
    rule.most_units, rule.channels = facts.most_units, ",".join(facts.channels)
    rule.changed_at = now
    session.add(rule)
    session.flush()
    return rule


def _same(rule: MarkdownRule, facts: RuleFacts) -> bool:
    return (rule.field, rule.value.lower()) == (facts.field, facts.value.lower())


def _empty(retailer_id: str, place: int, now: datetime) -> MarkdownRule:
    return MarkdownRule(
        id=new_id("rule", now),
        retailer_id=retailer_id,
        place=place,
        field=RuleField.CATEGORY,
        value="",
        markdown_percent=0,
        margin_percent=0,
        changed_at=now,
    )


def drop_rule(session: Session, retailer_id: str, rule_id: str) -> None:
    """Forget a rule; one that is gone already is no matter."""
    rule = find_own(session, MarkdownRule, retailer_id, rule_id)
    if rule is not None:
        session.delete(rule)
        session.flush()


def raise_rule(session: Session, retailer_id: str, rule_id: str) -> None:
    """Let a rule be tried before the one that is before it now.

    Raises:
        Missing: If it is not this retailer's.
    """
    take_turns(session, retailer_id)
    rule = get_own(session, MarkdownRule, retailer_id, rule_id)
    known = rules(session, retailer_id)
    place = known.index(rule)
    if place:
        known[place - 1 : place + 1] = [rule, known[place - 1]]
    for number, one in enumerate(known, start=1):
        one.place = number
    session.flush()


def catches(
    rule: MarkdownRule | RuleFacts,
    *,
    category: ColumnElement[Any] | None = None,
    tags: ColumnElement[Any] | None = None,
) -> ColumnElement[bool]:
    """Whether an offer, or what has this *category* or *tags*, is of a *rule*."""
    if rule.field is RuleField.TAG:
        written = json.dumps(rule.value, ensure_ascii=False)
        said = func.coalesce(Offer.tags, "") if tags is None else tags
        return _contains(said, written)
    levels = func.coalesce(Offer.category, "") if category is None else category
    for swap in SWAPS:
        levels = func.replace(levels, *swap)
    whole = literal(LEVEL).concat(levels).concat(LEVEL)
    return _contains(whole, _levels_of(rule.value))


def _contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether *text* is in it, in capitals or not.

    Databases may know the capitals of ASCII alone, so others are tried as people
    write them.
    """
    ways = (
        {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}
    )
    return or_(*(column.icontains(way, autoescape=True) for way in sorted(ways)))


def _levels_of(category: str) -> str:
    """Return a category as ``>Clothing>Jackets>``, however its levels are parted."""
    for before, after in SWAPS:
        category = category.replace(before, after)
    return f"{LEVEL}{category}{LEVEL}"


def number_of_rule(
    known: Sequence[MarkdownRule],
    *,
    category: ColumnElement[Any] | None = None,
    tags: ColumnElement[Any] | None = None,
) -> ColumnElement[int]:
    """Which of *known*, counted from 0, is the first to catch an offer, if any does.

    With a *category* or *tags* it is those that are looked at.
    """
    if not known:
        return literal(NO_RULE)
    tried = [
        (
            func.coalesce(
                catches(rule, category=category, tags=tags), literal(value=False)
            ),
            n,
        )
        for n, rule in enumerate(known)
    ]
    return case(*tried, else_=NO_RULE)


def rule_by_offer(
    session: Session, retailer_id: str, offer_ids: Sequence[str]
) -> dict[str, MarkdownRule]:
    """Return the rules that count for some offers, by their ids, where one does."""
    known = rules(session, retailer_id)
    number = number_of_rule(known)
    statement = select(Offer.id, number).where(
        Offer.retailer_id == retailer_id, col(Offer.id).in_(offer_ids)
    )
    return {key: known[n] for key, n in session.exec(statement) if n != NO_RULE}
