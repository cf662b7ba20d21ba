"""Weeks: many deals planned in one go, made all together or not at all.

Who presses the button twice has one week, by its *key*. As long as none of its deals
has opened they can all be called off again.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from offers.accounts import ChannelAccount, accounts
from offers.calendar import (
    Clash,
    ClashKind,
    Entry,
    Pin,
    clashes_of,
    find_clashes,
)
from offers.catalog import Offer
from offers.columns import Moment
from offers.connecting import tell_deal
from offers.deals import Deal, end_deal
from offers.errors import InvalidField, WrongState
from offers.ids import new_id
from offers.planning import DealPlan, check_plan, plan_deal
from offers.posts import schedule_posts
from offers.retailers import Retailer, take_turns
from offers.rules import MarkdownRule, rule_by_offer
from offers.scope import get_own
from offers.sentences import Sentence

MOST_ROWS = 200


class Week(SQLModel, table=True):
    """*deal_ids* is JSON; *key* is the form's that it was made with."""

    __tablename__ = "deal_week"
    __table_args__ = (UniqueConstraint("retailer_id", "key"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    key: str
    deal_ids: str
    made_at: datetime = Field(sa_type=Moment)
    made_by: str = ""
    cancelled_at: datetime | None = Field(default=None, sa_type=Moment)
    cancelled_by: str = ""

    @property
    def ids(self) -> list[str]:
        return [str(key) for key in json.loads(self.deal_ids)]


def check_week(
    session: Session, retailer_id: str, plans: Sequence[DealPlan], *, now: datetime
) -> list[list[InvalidField]]:
    """Return what is wrong with each of *plans*, in their order."""
    seen: set[str] = set()
    found = []
    for plan in plans:
        offer = get_own(session, Offer, retailer_id, plan.offer_id)
        problems = check_plan(session, offer, plan, now=now)
        if plan.offer_id in seen:
            problem = Sentence("This offer is in the table already.")
            problems.append(InvalidField("units", problem))
        seen.add(plan.offer_id)
        found.append(problems)
    return found


def clashes_of_week(
    session: Session, retailer: Retailer, plans: Sequence[DealPlan], *, now: datetime
) -> list[list[Clash]]:
    """Return what speaks against the time of each of *plans*, the others included."""
    places = [a for a in accounts(session, retailer.id) if not a.paused]
    planned = [entry_of(plan, places) for plan in plans]
    known = clashes_of(session, retailer.id, planned, retailer.zone, now=now)
    found = []
    for number, (entry, clashes) in enumerate(zip(planned, known, strict=True)):
        others = [one for n, one in enumerate(planned) if n != number]
        between = find_clashes(entry, others, retailer.zone)
        found.append([*clashes, *(c for c in between if c.kind is not ClashKind.NIGHT)])
    return found


def find_week(session: Session, retailer_id: str, key: str) -> Week | None:
    """Return the week that was made with this *key*."""
    wanted = select(Week).where(Week.retailer_id == retailer_id, Week.key == key)
    return session.exec(wanted).one_or_none()


def make_week(
    session: Session,
    retailer: Retailer,
    plans: Sequence[DealPlan],
    *,
    key: str,
    by: str,
    now: datetime,
) -> Week:
    """Make every deal with its posts; the same *key* again gives the same week.

    Raises:
        Missing: If an offer is not this retailer's.
        InvalidFields: If one of them cannot be; then none may be kept.
    """
    take_turns(session, retailer.id)
    made = find_week(session, retailer.id, key)
    if made is not None:
        return made
    chosen = rule_by_offer(session, retailer.id, [plan.offer_id for plan in plans])
    places = [a for a in accounts(session, retailer.id) if not a.paused]
    deals = []
    # Offers are locked in one order, or two weeks at once could deadlock.
    for plan in sorted(plans, key=lambda one: one.offer_id):
        deal = plan_deal(session, retailer.id, plan, now=now)
        tell_deal(session, deal)
        rule = chosen.get(plan.offer_id)
        schedule_posts(
            session,
            deal,
            _places(places, rule),
            now=now,
            planned_by=by,
            approval=retailer.approval,
        )
        deals.append(deal)
    return _keep(session, retailer.id, deals, key, by, now)


def deals_of_week(session: Session, week: Week) -> list[Deal]:
    """Return the deals of a week, the first to open first."""
    statement = (
        select(Deal)
        .where(Deal.retailer_id == week.retailer_id, col(Deal.id).in_(week.ids))
        .order_by(col(Deal.opens_at), col(Deal.id))
    )
    return list(session.exec(statement))


def can_be_cancelled(week: Week, deals: Sequence[Deal], *, now: datetime) -> bool:
    """Whether none of its deals has opened; some may be called off already."""
    return week.cancelled_at is None and not any(
        deal.opens_at <= now and not _is_called_off(deal) for deal in deals
    )


def _is_called_off(deal: Deal) -> bool:
    """Whether it was ended before it could open."""
    ended = deal.opened_at is not None and deal.opened_at >= deal.closes_at
    return deal.ended_early and ended


def cancel_week(
    session: Session, retailer_id: str, week_id: str, *, by: str, now: datetime
) -> Week:
    """Call every deal of a week off; none opens and none is posted.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If one of its deals has opened.
    """
    week = get_own(session, Week, retailer_id, week_id)
    session.refresh(week, with_for_update=True)
    if week.cancelled_at is not None:
        return week
    deals = session.exec(
        select(Deal)
        .where(Deal.retailer_id == retailer_id, col(Deal.id).in_(week.ids))
        .order_by(col(Deal.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if not can_be_cancelled(week, deals, now=now):
        raise WrongState(
            Sentence("A deal of this week has opened: end the others one by one.")
        )
    for deal in deals:
        if not _is_called_off(deal):
            end_deal(session, retailer_id, deal.id, now=now)
    week.cancelled_at, week.cancelled_by = now, by
    session.flush()
    return week


def weeks(session: Session, retailer_id: str, *, limit: int = 5) -> list[Week]:
    """Return the weeks that were made last, the latest first."""
    statement = (
        select(Week)
        .where(Week.retailer_id == retailer_id)
        .order_by(col(Week.made_at).desc(), col(Week.id).desc())
        .limit(limit)
    )
    return list(session.exec(statement))


def entry_of(plan: DealPlan, places: Sequence[ChannelAccount]) -> Entry:
    """Return a plan as it would be in the calendar."""
    pins = [Pin(account_id=p.id, channel=p.kind, at=plan.opens_at) for p in places]
    return Entry(
        offer_id=plan.offer_id,
        title=plan.title,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        pins=tuple(pins),
    )


def _places(
    places: Sequence[ChannelAccount], rule: MarkdownRule | None
) -> list[ChannelAccount]:
    """Return the accounts that a rule names, or all if it names none.

    Where those that it names are paused or gone, nothing is posted anywhere else.
    """
    chosen = rule.channel_ids if rule else []
    return [place for place in places if place.id in chosen or not chosen]


def _keep(
    session: Session,
    retailer_id: str,
    deals: Sequence[Deal],
    key: str,
    by: str,
    now: datetime,
) -> Week:
    week = Week(
        id=new_id("week", now),
        retailer_id=retailer_id,
        key=key,
        deal_ids=json.dumps([deal.id for deal in deals]),
        made_at=now,
        made_by=by,
    )
    session.add(week)
    session.flush()
    return week
