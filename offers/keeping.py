"""Keeping: accounts stay open, as what opens them is renewed and looked at in time.

Who renews or looks takes the account for a while, so that nobody else does: a refresh
token may be good for one use. What opens an account is replaced only as long as it is
what it was when it was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select, update

from offers.accounts import (
    CHECK_EVERY,
    OUTLET,
    ChannelAccount,
    get_away,
    rename_account,
)
from offers.leases import lease
from offers.posts import Post, PostState

LEASE = timedelta(minutes=2)

PLANNED = (PostState.UNAPPROVED, PostState.SCHEDULED, PostState.SENDING)
"""How a post is that will go out, as far as we know."""

READY = timedelta(minutes=20)
"""So long before a post its account's token is made to last until after it."""

AFTER = timedelta(minutes=10)
"""So long after a post its token is still good; and so long a renewal is let alone."""

SOON = timedelta(days=3)
"""An account that is to post within this is looked at more often."""

CHECK_SOON = timedelta(hours=6)
ASK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Key:
    """What opens an account: sealed, with when it ends and when to renew it.

    *refresh_at* is None if nobody but the account's owner can renew it.
    """

    sealed_token: str = field(repr=False)
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    refresh_at: datetime | None = None


def keep_key(session: Session, account: ChannelAccount, key: Key) -> None:
    """Keep what a network has just given for an account that is being connected."""
    for name, value in _facts(key).items():
        setattr(account, name, value)
    session.add(account)


def disconnect_account(
    session: Session, retailer_id: str, account_id: str, *, now: datetime
) -> None:
    """Forget what opens an account; what was posted there stays known.

    Raises:
        Missing: If it is not this retailer's.
        InvalidField: If it is the outlet page.
    """
    account = get_away(session, retailer_id, account_id)
    keep_key(session, account, Key(""))
    account.paused, account.trouble = True, ""
    account.check_at = account.kept_until = None
    account.disconnected_at = account.disconnected_at or now


def lease_refreshing(
    session: Session, *, now: datetime, limit: int = 20
) -> list[ChannelAccount]:
    """Take accounts whose token is to be renewed now, so that nobody else takes them.

    That is earlier than it was if a post is due before the token would be renewed.
    """
    account = ChannelAccount
    session.exec(
        update(account)
        .where(
            col(account.refresh_at) > now,
            col(account.refresh_attempts) == 0,
            col(account.expires_at) <= now + READY + AFTER,
            or_(
                col(account.proved_at).is_(None), col(account.proved_at) <= now - AFTER
            ),
            _posts_by(now + READY),
        )
        .values(refresh_at=now)
    )
    due = (col(account.refresh_at) <= now, _free(now))
    return _lease(session, due, now=now, order=account.refresh_at, limit=limit)


def lease_checking(
    session: Session, *, now: datetime, limit: int = 20
) -> list[ChannelAccount]:
    """Take accounts to be looked at now: once a day, more often if they post soon.

    Looking does no harm if it is done twice, so that a token can be renewed meanwhile.
    """
    account = ChannelAccount
    session.exec(
        update(account)
        .where(col(account.check_at) > now + CHECK_SOON, _posts_by(now + SOON))
        .values(check_at=now)
    )
    due = (
        col(account.kind) != OUTLET,
        col(account.disconnected_at).is_(None),
        or_(col(account.check_at).is_(None), col(account.check_at) <= now),
        or_(col(account.rest_until).is_(None), col(account.rest_until) <= now),
    )
    taken = {"check_at": now + LEASE}
    return lease(session, account, due, taken, order=account.check_at, limit=limit)


def lease_account(
    session: Session, account_id: str, *, now: datetime
) -> ChannelAccount | None:
    """Take one account to renew its token now; None if somebody else has it."""
    due = (col(ChannelAccount.id) == account_id, _free(now))
    order = ChannelAccount.id
    return next(iter(_lease(session, due, now=now, order=order, limit=1)), None)


def let_go(session: Session, account: ChannelAccount) -> None:
    """Leave an account that was taken and needs nothing to whoever is next."""
    _change(session, account, kept_until=None)


def find_account(session: Session, account_id: str) -> ChannelAccount | None:
    return session.get(ChannelAccount, account_id)


def renew(
    session: Session, account: ChannelAccount, key: Key, *, now: datetime
) -> bool:
    """Keep a renewed key, and note that the network knows us.

    Return whether it is in use: one connected anew meanwhile keeps its newer key.
    """
    return _change(
        session, account, **_facts(key), trouble="", proved_at=now, kept_until=None
    )


def put_off_refreshing(
    session: Session, account: ChannelAccount, *, until: datetime
) -> None:
    """The network gave nothing: ask again at *until*."""
    attempts = account.refresh_attempts + 1
    _change(
        session,
        account,
        refresh_at=until,
        refresh_attempts=attempts,
        kept_until=None,
    )


def stop_refreshing(
    session: Session, account: ChannelAccount, trouble: str = ""
) -> None:
    """Only its owner can renew it now; with *trouble* it no longer works at all."""
    more = {"trouble": trouble} if trouble else {}
    _change(session, account, refresh_at=None, kept_until=None, **more)


def note_proof(
    session: Session, account: ChannelAccount, handle: str, *, now: datetime
) -> None:
    """The network knows us, by *handle*."""
    following = _next_check(session, account, now=now)
    ours = _change(session, account, trouble="", proved_at=now, check_at=following)
    if ours and handle and account.kind != OUTLET:
        row = session.get_one(ChannelAccount, account.id, populate_existing=True)
        if row.handle != handle:
            rename_account(session, row, handle)
            session.add(row)


def note_disowned(
    session: Session, account: ChannelAccount, trouble: str, *, now: datetime
) -> bool:
    """The network does not know us. Return whether that is news."""
    following = _next_check(session, account, now=now)
    known = session.get(ChannelAccount, account.id, populate_existing=True)
    before = known.trouble if known else ""
    ours = _change(session, account, trouble=trouble, check_at=following)
    return ours and not before


def note_silence(session: Session, account: ChannelAccount, *, now: datetime) -> None:
    """The network said nothing of us, which proves nothing."""
    _change(session, account, check_at=now + ASK_AGAIN)


def _facts(key: Key) -> dict[str, Any]:
    return {
        "sealed_token": key.sealed_token,
        "expires_at": key.expires_at,
        "refresh_expires_at": key.refresh_expires_at,
        "refresh_at": key.refresh_at,
        "refresh_attempts": 0,
    }


def _next_check(
    session: Session, account: ChannelAccount, *, now: datetime
) -> datetime:
    mine = col(ChannelAccount.id) == account.id
    soon = select(ChannelAccount.id).where(mine, _posts_by(now + SOON))
    found = session.exec(soon).first() is not None
    return now + (CHECK_SOON if found else CHECK_EVERY)


def _posts_by(moment: datetime) -> ColumnElement[bool]:
    """Whether an account is to post by *moment*."""
    return (
        select(Post.id)
        .where(
            col(Post.account_id) == col(ChannelAccount.id),
            col(Post.state).in_(PLANNED),
            col(Post.due_at) <= moment,
        )
        .correlate(ChannelAccount)
        .exists()
    )


def _free(now: datetime) -> ColumnElement[bool]:
    kept_until = col(ChannelAccount.kept_until)
    connected = col(ChannelAccount.disconnected_at).is_(None)
    return connected & or_(kept_until.is_(None), kept_until <= now)


def _lease(
    session: Session,
    due: Sequence[ColumnElement[bool]],
    *,
    now: datetime,
    order: Any,
    limit: int,
) -> list[ChannelAccount]:
    taken = {"kept_until": now + LEASE}
    return lease(session, ChannelAccount, due, taken, order=order, limit=limit)


def _change(session: Session, account: ChannelAccount, **values: object) -> bool:
    """Change what is still opened by the same key. Return whether it is."""
    changed = session.exec(
        update(ChannelAccount)
        .where(
            col(ChannelAccount.id) == account.id,
            col(ChannelAccount.sealed_token) == account.sealed_token,
            col(ChannelAccount.disconnected_at).is_(None),
        )
        .values(values)
    )
    return changed.rowcount == 1
