"""Reconciling: holds that the provider is asked about, whether it told us or not.

A message may never come, and a payment must become an order all the same. So the
provider is asked about every page that is open, every five minutes, which is half of
the usual time of a hold; at its end the sweeper asks once more. Money that was promised
and takes its time is asked for hourly, after a day daily.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from offers.holds import UNPAGED, Hold, HoldState
from offers.leases import lease

OPEN_EVERY = timedelta(minutes=5)
PROCESSING_EVERY = timedelta(hours=1)
LATER_EVERY = timedelta(days=1)

UNFINISHED = (*UNPAGED, HoldState.OPEN, HoldState.PROCESSING)


def lease_unchecked_holds(
    session: Session, *, now: datetime, limit: int = 10
) -> list[Hold]:
    """Take holds that the provider was not asked about for a while."""
    asked = func.coalesce(col(Hold.checked_at), col(Hold.held_at))
    state = col(Hold.state)
    promised = state == HoldState.PROCESSING
    fresh = col(Hold.held_at) > now - LATER_EVERY
    due = (
        col(Hold.ended_at).is_(None),
        col(Hold.checkout_id).is_not(None),
        ((state == HoldState.OPEN) & (asked <= now - OPEN_EVERY))
        | (promised & fresh & (asked <= now - PROCESSING_EVERY))
        | (promised & ~fresh & (asked <= now - LATER_EVERY)),
    )
    values = {"checked_at": now}
    return lease(session, Hold, due, values, order=Hold.held_at, limit=limit)


def oldest_unfinished(session: Session) -> datetime | None:
    """Return since when the oldest hold waits for its end; a person's review apart."""
    statement = (
        select(Hold.held_at)
        .where(col(Hold.ended_at).is_(None), col(Hold.state).in_(UNFINISHED))
        .order_by(col(Hold.held_at))
        .limit(1)
    )
    return session.exec(statement).first()
