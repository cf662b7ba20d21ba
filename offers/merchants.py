"""Merchants: the people at a retailer who sign in, and how they do.

A sign-in is a row, so that it can be ended; the browser holds a random token of which
only the hash is kept here. An invitation is a link that signs in once.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func
from sqlmodel import Field, Session, SQLModel, col, delete, select, update

from offers.columns import Moment, word
from offers.errors import InvalidField, Missing, TooManyAttempts, WrongState
from offers.ids import new_code, new_id
from offers.retailers import Retailer, get_retailer
from offers.sentences import Sentence

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=7)
INVITED_FOR = timedelta(days=3)
TOUCH_AFTER = timedelta(minutes=5)
ATTEMPT_WINDOW = timedelta(minutes=15)
MAX_ATTEMPTS = 10


class Role(StrEnum):
    OWNER = "owner"
    MERCHANT = "merchant"


class Merchant(SQLModel, table=True):
    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    email: str = Field(unique=True)
    name: str
    role: Role = Field(default=Role.MERCHANT, sa_type=word(Role))
    language: str = Field(default="en", max_length=2)
    password_hash: str | None = Field(default=None, repr=False)
    created_at: datetime = Field(sa_type=Moment)


class SignIn(SQLModel, table=True):
    __tablename__ = "sign_in"

    token_hash: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    merchant_id: str = Field(foreign_key="merchant.id", index=True)
    created_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)


class Invitation(SQLModel, table=True):
    token_hash: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    merchant_id: str = Field(foreign_key="merchant.id", index=True)
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class Attempt(SQLModel, table=True):
    """One failed try to sign in, by *subject*: an e-mail or an address."""

    __tablename__ = "sign_in_attempt"

    id: str = Field(primary_key=True)
    subject: str = Field(index=True)
    at: datetime = Field(sa_type=Moment)


def add_merchant(
    session: Session,
    retailer_id: str,
    email: str,
    *,
    name: str,
    role: Role = Role.MERCHANT,
    now: datetime,
) -> Merchant:
    """Let somebody in who has no password yet; invite them to choose one.

    They read their pages in the retailer's language, until they choose another.

    Raises:
        InvalidField: If the e-mail is none, or already somebody's.
        Missing: If there is no such retailer.
    """
    email, field = _normal(email), "email"
    if "@" not in email.strip("@"):
        problem = Sentence("Enter an e-mail address such as ana@example.com.")
        raise InvalidField(field, problem, email)
    if find_merchant(session, email) is not None:
        problem = Sentence("Somebody already signs in with {email}.", email=email)
        raise InvalidField(field, problem, email)
    merchant = Merchant(
        id=new_id("merchant", now),
        retailer_id=retailer_id,
        email=email,
        name=name,
        role=role,
        language=get_retailer(session, retailer_id).language,
        created_at=now,
    )
    session.add(merchant)
    session.flush()
    return merchant


def find_merchant(session: Session, email: str) -> Merchant | None:
    wanted = Merchant.email == _normal(email)
    return session.exec(select(Merchant).where(wanted)).one_or_none()


def merchants(session: Session, retailer_id: str) -> list[Merchant]:
    statement = (
        select(Merchant)
        .where(Merchant.retailer_id == retailer_id)
        .order_by(col(Merchant.name))
    )
    return list(session.exec(statement))


def set_language(session: Session, merchant_id: str, language: str) -> None:
    """Keep in which language somebody reads their pages."""
    session.exec(
        update(Merchant)
        .where(col(Merchant.id) == merchant_id)
        .values(language=language)
    )


def set_password(session: Session, merchant_id: str, password_hash: str) -> None:
    """Replace the password and end every sign-in made with the old one."""
    session.exec(
        update(Merchant)
        .where(col(Merchant.id) == merchant_id)
        .values(password_hash=password_hash)
    )
    session.exec(delete(SignIn).where(col(SignIn.merchant_id) == merchant_id))


def start_sign_in(session: Session, merchant: Merchant, *, now: datetime) -> str:
    """Sign *merchant* in. Return the token for their browser; it is not kept."""
    token = new_code()
    session.add(
        SignIn(
            token_hash=_hash(token),
            retailer_id=merchant.retailer_id,
            merchant_id=merchant.id,
            created_at=now,
            seen_at=now,
        )
    )
    return token


def who_signed_in(session: Session, token: str, *, now: datetime) -> Merchant | None:
    """Return the merchant behind *token*, unless it ended, idled or is unknown."""
    sign_in = session.get(SignIn, _hash(token))
    if sign_in is None:
        return None
    if now - sign_in.seen_at > IDLE or now - sign_in.created_at > ABSOLUTE:
        return None
    return session.get(Merchant, sign_in.merchant_id)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks, and whether it is time to note that they are still there."""

    merchant: Merchant
    retailer: Retailer
    stale: bool


def find_signed_in(session: Session, token: str, *, now: datetime) -> SignedIn | None:
    """Return who is behind *token*, with their retailer."""
    merchant = who_signed_in(session, token, now=now)
    if merchant is None:
        return None
    retailer = get_retailer(session, merchant.retailer_id)
    seen_at = session.get_one(SignIn, _hash(token)).seen_at
    return SignedIn(merchant, retailer, now - seen_at > TOUCH_AFTER)


def touch_sign_in(session: Session, token: str, *, now: datetime) -> None:
    """Note that *token* is in use, so that it does not idle out."""
    stale = now - TOUCH_AFTER
    session.exec(
        update(SignIn)
        .where(col(SignIn.token_hash) == _hash(token), col(SignIn.seen_at) < stale)
        .values(seen_at=now)
    )


def end_sign_in(session: Session, token: str) -> None:
    session.exec(delete(SignIn).where(col(SignIn.token_hash) == _hash(token)))


def invite(session: Session, merchant: Merchant, *, now: datetime) -> str:
    """Return the token of a link that signs *merchant* in, once, within three days."""
    token = new_code()
    session.add(
        Invitation(
            token_hash=_hash(token),
            retailer_id=merchant.retailer_id,
            merchant_id=merchant.id,
            expires_at=now + INVITED_FOR,
        )
    )
    return token


def find_invited(session: Session, token: str, *, now: datetime) -> Merchant | None:
    """Return whom an invitation is for, and leave it unused; nobody if it is void."""
    invitation = session.get(Invitation, _hash(token))
    if invitation is None or invitation.used_at is not None:
        return None
    if invitation.expires_at <= now:
        return None
    return session.get(Merchant, invitation.merchant_id)


def accept_invitation(session: Session, token: str, *, now: datetime) -> Merchant:
    """Use an invitation up.

    Raises:
        WrongState: If it is unknown, used or too old.
    """
    used = session.exec(
        update(Invitation)
        .where(
            col(Invitation.token_hash) == _hash(token),
            col(Invitation.used_at).is_(None),
            col(Invitation.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(Invitation.merchant_id))
    ).one_or_none()
    if used is None:
        raise WrongState(
            Sentence("This link was used already or is too old. Ask for a new one.")
        )
    merchant = session.get(Merchant, used[0])
    if merchant is None:
        raise Missing(used[0], "merchant")
    return merchant


def check_attempts(session: Session, subject: str, *, now: datetime) -> None:
    """Refuse *subject* if it failed too often lately.

    Raises:
        TooManyAttempts: After ten failures within a quarter of an hour.
    """
    recent = (col(Attempt.subject) == subject, col(Attempt.at) > now - ATTEMPT_WINDOW)
    failures = session.exec(select(func.count(col(Attempt.id))).where(*recent)).one()
    if failures >= MAX_ATTEMPTS:
        raise TooManyAttempts(after=ATTEMPT_WINDOW)


def note_attempt(session: Session, subject: str, *, now: datetime) -> None:
    """Remember a failure of *subject*; forget those that no longer count."""
    session.exec(delete(Attempt).where(col(Attempt.at) <= now - ATTEMPT_WINDOW))
    session.add(Attempt(id=new_id("attempt", now), subject=subject, at=now))


def _normal(email: str) -> str:
    return email.strip().lower()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
