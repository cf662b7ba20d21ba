"""Payment pages: what a hold asks the provider for, written down before and after.

Whoever asks takes a lease first. What was asked once is asked again to the letter,
until the provider says that it made a page, or that it made none.
"""

from datetime import datetime, timedelta

from sqlalchemy import case, func
from sqlmodel import Session, col, update

from offers.deals import Deal
from offers.holds import (
    UNASKED,
    UNPAGED,
    UNPAID,
    Hold,
    HoldState,
    change_state,
    end_hold,
    get_hold,
)
from offers.leases import lease
from offers.pacing import is_busy
from offers.payment_accounts import HOUSE, NoAccount, account_for

LEASE = timedelta(seconds=40)

MOST_WAIT = timedelta(minutes=30)
"""So long a shopper may stand in line at the expense of the line, not of their time."""

LOOK_AGAIN = timedelta(minutes=1)


ASKED = (HoldState.CREATING, HoldState.OPEN, HoldState.PROCESSING)


def begin_checkout(
    session: Session,
    hold_id: str,
    request: str,
    *,
    account_id: str = HOUSE,
    now: datetime,
) -> Hold | None:
    """Write down what the provider is about to be asked, and take the lease.

    An earlier *request* stands, and its account: who repeats must repeat to the
    letter. ``None`` if the hold has its page already, has ended, or somebody else is
    asking just now.
    """
    begun = session.exec(
        update(Hold)
        .where(
            col(Hold.id) == hold_id,
            col(Hold.state).in_(UNPAGED),
            col(Hold.leased_until).is_(None) | (col(Hold.leased_until) <= now),
        )
        .values(
            state=HoldState.CREATING,
            request=func.coalesce(func.nullif(col(Hold.request), ""), request),
            account_id=case(
                (col(Hold.request) == "", account_id), else_=col(Hold.account_id)
            ),
            attempts=col(Hold.attempts) + 1,
            leased_until=now + LEASE,
        )
    )
    if begun.rowcount == 0:
        return None
    hold = get_hold(session, hold_id)
    session.refresh(hold)
    return hold


def open_checkout(
    session: Session, hold_id: str, checkout_id: str, url: str, *, now: datetime
) -> None:
    """The payment page exists; the time to pay counts from *now*.

    Whoever gave up meanwhile gets no more time.
    """
    hold = _lock(session, hold_id)
    if hold.state is not HoldState.CREATING:
        return
    if hold.expires_at > now:
        hold.expires_at = max(hold.expires_at, _full_time(session, hold, now))
    hold.state, hold.leased_until = HoldState.OPEN, None
    hold.checkout_id, hold.checkout_url = checkout_id, url
    session.add(hold)
    session.flush()


def _full_time(session: Session, hold: Hold, now: datetime) -> datetime:
    waited = min(now - hold.held_at, MOST_WAIT)
    return hold.held_at + waited + session.get_one(Deal, hold.deal_id).hold_for


def forget_checkout(session: Session, hold_id: str, *, until: datetime) -> None:
    """The provider provably made no page: ask afresh, at *until* at the earliest."""
    session.exec(
        update(Hold)
        .where(col(Hold.id) == hold_id, col(Hold.state) == HoldState.CREATING)
        .values(state=HoldState.HELD, request="", leased_until=until)
    )


def put_off_checkout(session: Session, hold_id: str, *, until: datetime) -> None:
    """Nobody knows yet what became of it: ask again at *until*."""
    session.exec(update(Hold).where(col(Hold.id) == hold_id).values(leased_until=until))


def leave_to_a_person(session: Session, hold_id: str, *, now: datetime) -> bool:
    """The provider will never say what became of it. Return whether it was open."""
    if _lock(session, hold_id).state not in ASKED:
        return False
    change_state(session, hold_id, HoldState.REVIEW, now=now)
    return True


def _lock(session: Session, hold_id: str) -> Hold:
    locked = {"key_share": True}
    return session.get_one(
        Hold, hold_id, with_for_update=locked, populate_existing=True
    )


def lease_lapsed_holds(
    session: Session, *, now: datetime, limit: int = 50
) -> list[Hold]:
    """Take holds whose time is up and that the provider has to be asked about.

    Those that never asked for a payment page, or are paid in the store, are released
    right here, unless their turn is about to come: a line that moves has cost them the
    time, and they keep their place in it for a while.
    """
    lapsed = (
        col(Hold.state).in_(UNPAID),
        col(Hold.expires_at) <= now,
        col(Hold.leased_until).is_(None) | (col(Hold.leased_until) <= now),
    )
    asked_again = col(Hold.state) == HoldState.CREATING
    values = {
        "leased_until": now + LEASE,
        "attempts": col(Hold.attempts) + case((asked_again, 1), else_=0),
    }
    order = Hold.expires_at
    leased = lease(session, Hold, lapsed, values, order=order, limit=limit)
    unasked = {hold.id for hold in leased if hold.state in UNASKED}
    for hold in leased:
        if hold.state in UNASKED and not _stays_in_line(session, hold, now):
            end_hold(session, hold.id, HoldState.RELEASED, now=now)
    return [hold for hold in leased if hold.id not in unasked]


def _stays_in_line(session: Session, hold: Hold, now: datetime) -> bool:
    """Give a hold that never had its turn more time, if its line moves."""
    had_a_turn = hold.state is not HoldState.HELD or hold.attempts > 0
    if had_a_turn or now - hold.held_at >= MOST_WAIT:
        return False
    try:
        account_id = account_for(session, hold.retailer_id)
    except NoAccount:
        return False
    if not is_busy(session, account_id, now=now):
        return False
    hold.expires_at, hold.leased_until = now + LOOK_AGAIN, None
    session.add(hold)
    session.flush()
    return True
