"""Refitting: deals and their posts follow what there is to sell."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from offers.deals import mark_sold_out
from offers.hearing import fit_again
from offers.posts import retire_posts


def refit(session: Session, offer_ids: set[str], *, now: datetime) -> None:
    """Let deals and their posts follow what the retailer chose of their stock."""
    retire_sold_out(session, fit_again(session, offer_ids, now=now).deals, now)


def retire_sold_out(session: Session, deal_ids: Iterable[str], now: datetime) -> None:
    """Mark those of the deals that are sold out, and retire their posts."""
    for deal_id in sorted(deal_ids):
        if mark_sold_out(session, deal_id, now=now):
            retire_posts(session, deal_id, now=now)
