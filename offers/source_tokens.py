"""Source tokens: by which a retailer's program is known that brings feeds.

A token is shown once; what it hashes to is kept, and its end, to tell it from others.
"""

import hashlib
from datetime import datetime

from sqlmodel import Session, select

from offers.errors import WrongState
from offers.ids import new_code, new_id
from offers.scope import get_own
from offers.sentences import Sentence
from offers.sources import FeedSource, SourceKind, add_source

TOKEN = "obf_"  # noqa: S105  (it begins so, to be known as one)


def add_token(
    session: Session, retailer_id: str, *, name: str, currency: str, now: datetime
) -> tuple[FeedSource, str]:
    """Let a program bring files. Return the token too, which is shown once."""
    source = FeedSource(
        id=new_id("source", now),
        retailer_id=retailer_id,
        kind=SourceKind.TOKEN,
        name=name,
        currency=currency,
        created_at=now,
    )
    token = _give_token(source)
    return add_source(session, source), token


def renew_token(session: Session, retailer_id: str, source_id: str) -> str:
    """Return another token; the one before is worth nothing from now on.

    Raises:
        Missing: If the source is not this retailer's.
        WrongState: If it takes no token.
    """
    source = get_own(session, FeedSource, retailer_id, source_id)
    if source.kind is not SourceKind.TOKEN:
        raise WrongState(Sentence("Nobody brings files to this source."))
    token = _give_token(source)
    session.add(source)
    return token


def find_by_token(session: Session, retailer_id: str, token: str) -> FeedSource | None:
    """Return this retailer's source whose *token* it is."""
    statement = select(FeedSource).where(
        FeedSource.retailer_id == retailer_id, FeedSource.token_hash == _hash(token)
    )
    return session.exec(statement).one_or_none()


def _give_token(source: FeedSource) -> str:
    token = f"{TOKEN}{new_code()}{new_code()}"
    source.token_hash, source.token_end = _hash(token), token[-4:]
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
