"""Reminders: accounts whose owner has to sign in again, before which post.

Reads only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from offers.accounts import ChannelAccount, Standing
from offers.keeping import PLANNED
from offers.posts import Post


@dataclass(frozen=True, slots=True)
class Reminder:
    """An account whose owner has to sign in again at its network.

    They have to by *by*, or at once if that is None, before the post of *post_at*: the
    first that would not go out.
    """

    account: ChannelAccount
    by: datetime | None
    post_at: datetime | None


def planned_posts(session: Session, retailer_id: str) -> dict[str, list[datetime]]:
    """Return when each account of a retailer is to post, the next one first."""
    statement = (
        select(Post.account_id, Post.due_at)
        .where(Post.retailer_id == retailer_id, col(Post.state).in_(PLANNED))
        .order_by(col(Post.due_at))
    )
    planned: dict[str, list[datetime]] = {}
    for account_id, due_at in session.exec(statement):
        planned.setdefault(account_id, []).append(due_at)
    return planned


def reminders(session: Session, retailer_id: str, *, now: datetime) -> list[Reminder]:
    """Return the accounts whose owner has to act, the most urgent first.

    Besides those that end soon, these are the ones that end before they are to post.
    """
    planned = planned_posts(session, retailer_id)
    statement = select(ChannelAccount).where(
        ChannelAccount.retailer_id == retailer_id,
        col(ChannelAccount.disconnected_at).is_(None),
    )
    found = [
        reminder
        for account in session.exec(statement)
        if (reminder := _remind(account, planned.get(account.id, []), now))
    ]
    return sorted(found, key=lambda one: one.by or now)


def _remind(
    account: ChannelAccount, posts: Sequence[datetime], now: datetime
) -> Reminder | None:
    standing, ends_at = account.standing(now=now), account.ends_at
    if standing is Standing.BROKEN:
        return Reminder(account, None, next(iter(posts), None))
    if ends_at is None:
        return None
    missed = next((due_at for due_at in posts if due_at >= ends_at), None)
    lasting = account.refresh_at is not None or missed is None
    if standing is not Standing.EXPIRING and lasting:
        return None
    return Reminder(account, ends_at, missed)
