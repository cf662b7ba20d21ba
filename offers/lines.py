"""Lines: who waits for a payment page, in the order of the holds.

Each payment account has one line. Whoever asks for a page asks for those of the next in
line, whosever they are, so that any number of processes serve it in its order, and a
place in it is a place in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from offers.holds import UNPAGED, Hold, HoldState
from offers.leases import lease
from offers.pacing import Lane, most_at_once, take_turns, wait_for
from offers.payment_accounts import (
    HOUSE,
    NoAccount,
    PaymentAccount,
    account_for,
    in_trouble,
    in_use,
)
from offers.payment_pages import LEASE

GRACE = timedelta(seconds=3)
"""So long the shopper's own request asks for the page; then others do, too."""


@dataclass(frozen=True, slots=True)
class Turn:
    """*hold*, with what to ask for, and when its page may be asked for."""

    hold: Hold
    begins_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """*number* is 1 for who is next; *wait* is how long it takes until their turn."""

    number: int
    wait: timedelta


def account_of(session: Session, hold: Hold) -> str:
    """Return the account that a hold is asked of; who was asked once is asked again.

    Raises:
        NoAccount: If there is none to ask.
    """
    if hold.request:
        return hold.account_id
    return account_for(session, hold.retailer_id)


def begin_next(
    session: Session,
    account_id: str,
    describe: Callable[[Hold], str],
    *,
    pace: float,
    limit: int,
    now: datetime,
) -> list[Turn]:
    """Take the next in line, as many as the pace has turns for, and *limit* at most.

    What is asked for them is written down: what was asked before, or *describe*.
    """
    most = min(limit, most_at_once(session, account_id, Lane.OPENING, pace, now))
    values = {
        "state": HoldState.CREATING,
        "attempts": col(Hold.attempts) + 1,
        "leased_until": now + LEASE,
    }
    due = (*_unopened(now), _asks(account_id))
    holds = lease(session, Hold, due, values, order=Hold.id, limit=most)
    for hold in holds:
        if not hold.request:
            hold.request, hold.account_id = describe(hold), account_id
            session.add(hold)
    if not holds:
        return []
    wanted = len(holds)
    turns = take_turns(
        session, account_id, Lane.OPENING, wanted=wanted, pace=pace, now=now
    )
    session.flush()
    holds.sort(key=lambda hold: hold.id)
    return [Turn(*both) for both in zip(holds, turns, strict=True)]


def find_place(
    session: Session, hold: Hold, account_id: str, *, pace: float, now: datetime
) -> Place:
    """Return where a hold stands that has no page yet."""
    before = select(func.count(col(Hold.id))).where(
        col(Hold.state).in_(UNPAGED),
        col(Hold.expires_at) > now,
        col(Hold.id) < hold.id,
        _asks(account_id),
    )
    number = session.exec(before).one() + 1
    return Place(
        number, wait_for(session, account_id, place=number, pace=pace, now=now)
    )


def lines(session: Session, *, now: datetime) -> list[str]:
    """Return the accounts whose lines nobody serves fast enough just now."""
    waiting = (
        select(Hold.retailer_id, Hold.account_id, col(Hold.request) != "")
        .where(*_unopened(now), col(Hold.held_at) <= now - GRACE)
        .distinct()
    )
    found = {
        account_id if asked else _next_account(session, retailer_id)
        for retailer_id, account_id, asked in session.exec(waiting)
    }
    return sorted(account_id for account_id in found if account_id is not None)


def _next_account(session: Session, retailer_id: str) -> str | None:
    try:
        return account_for(session, retailer_id)
    except NoAccount:
        return None


def _unopened(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of a hold whose page somebody should ask for."""
    free = col(Hold.leased_until).is_(None) | (col(Hold.leased_until) <= now)
    return col(Hold.state).in_(UNPAGED), col(Hold.expires_at) > now, free


def _asks(account_id: str) -> ColumnElement[bool]:
    """Return what is true of a hold that stands in the line of an account."""
    asked = and_(col(Hold.request) != "", col(Hold.account_id) == account_id)
    owners = select(PaymentAccount.retailer_id)
    if account_id == HOUSE:
        others = owners.where(or_(and_(*in_use()), and_(*in_trouble())))
        ours = col(Hold.retailer_id).not_in(others)
    else:
        theirs = owners.where(PaymentAccount.id == account_id, *in_use())
        ours = col(Hold.retailer_id).in_(theirs)
    return or_(asked, and_(col(Hold.request) == "", ours))
