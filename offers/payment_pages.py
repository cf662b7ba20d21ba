"""Payment pages: what a hold asks the provider for, written down before and after.

Whoever asks takes a lease first. What was asked once is asked again to the letter,
until the provider says that it made a page, or that it made none.
"""

from datetime import datetime, timedelta

from sqlalchemy import case, func
from sqlmodel import Session, col, select, update

from offers.holds import (
    UNASKED,
    UNPAGED,
    UNPAID,
    Hold,
    HoldState,
    end_hold,
    get_hold,
)
from offers.leases import lease
from offers.payment_accounts import HOUSE

LEASE = timedelta(seconds=40)


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


def open_checkout(session: Session, hold_id: str, checkout_id: str, url: str) -> None:
    """The payment page exists."""
    session.exec(
        update(Hold)
        .where(col(Hold.id) == hold_id, col(Hold.state) == HoldState.CREATING)
        .values(
            state=HoldState.OPEN,
            checkout_id=checkout_id,
            checkout_url=url,
            leased_until=None,
        )
    )


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


def unopened_holds(session: Session, *, now: datetime, limit: int = 50) -> list[Hold]:
    """Return holds that still lack their payment page, those held longest first."""
    statement = (
        select(Hold)
        .where(
            col(Hold.state).in_(UNPAGED),
            col(Hold.expires_at) > now,
            col(Hold.held_at) <= now - timedelta(seconds=3),
            col(Hold.leased_until).is_(None) | (col(Hold.leased_until) <= now),
        )
        .order_by(col(Hold.held_at))
        .limit(limit)
    )
    return list(session.exec(statement))


def lease_lapsed_holds(
    session: Session, *, now: datetime, limit: int = 50
) -> list[Hold]:
    """Take holds whose time is up and that the provider has to be asked about.

    Those that never asked for a payment page, or are paid in the store, are released
    right here.
    """
    lapsed = (
        col(Hold.state).in_(UNPAID),
        col(Hold.expires_at) <= now,
        col(Hold.leased_until).is_(None) | (col(Hold.leased_until) <= now),
    )
    values = {"leased_until": now + LEASE}
    order = Hold.expires_at
    leased = lease(session, Hold, lapsed, values, order=order, limit=limit)
    unasked = {hold.id for hold in leased if hold.state in UNASKED}
    for hold_id in unasked:
        end_hold(session, hold_id, HoldState.RELEASED, now=now)
    return [hold for hold in leased if hold.id not in unasked]
