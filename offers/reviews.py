"""Reviews: holds of which a person has to decide what becomes of them.

What the provider said did not agree with what we asked, or it does not speak to us any
more. Their units stay set aside until somebody who looked it up there says that no
money can come.
"""

from datetime import datetime

from sqlmodel import Session, col, select

from offers.deals import mark_sold_out
from offers.errors import WrongState
from offers.holds import Hold, HoldState, end_hold
from offers.posts import retire_posts
from offers.scope import get_own
from offers.sentences import Sentence


def holds_in_review(session: Session, retailer_id: str) -> list[Hold]:
    """Return the holds that a retailer has to decide about, the oldest first."""
    statement = select(Hold).where(
        Hold.retailer_id == retailer_id, col(Hold.state) == HoldState.REVIEW
    )
    return list(session.exec(statement.order_by(col(Hold.id))))


def let_go(session: Session, retailer_id: str, hold_id: str, *, now: datetime) -> Hold:
    """Put a hold's units back on sale: its retailer knows that nothing was paid.

    If money comes after all it becomes an order, or goes back if the units are gone.

    Raises:
        Missing: If there is no such hold.
        WrongState: If nobody has to decide about it any more.
    """
    hold = get_own(session, Hold, retailer_id, hold_id)
    session.refresh(hold, with_for_update={"key_share": True})
    if hold.state is not HoldState.REVIEW:
        raise WrongState(Sentence("Nothing is to be decided about this hold any more."))
    end_hold(session, hold.id, HoldState.RELEASED, now=now)
    if mark_sold_out(session, hold.deal_id, now=now):
        retire_posts(session, hold.deal_id, now=now)
    session.refresh(hold)
    return hold
