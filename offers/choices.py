"""Choices: what a retailer settles for each of its channels."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from offers.accounts import Afterwards, ChannelAccount, Show
from offers.scope import get_own


@dataclass(frozen=True, slots=True)
class Choices:
    """*follow_ups* are kinds of posts; *budget_cents* are US cents, None is any."""

    afterwards: Afterwards
    show: Show = Show.PICTURE
    follow_ups: Sequence[str] = ()
    budget_cents: int | None = None


def settle_account(
    session: Session, retailer_id: str, account_id: str, choices: Choices
) -> None:
    """Settle how an account's posts are made, followed up, paid for and ended.

    Raises:
        Missing: If it is not this retailer's.
    """
    account = get_own(session, ChannelAccount, retailer_id, account_id)
    account.afterwards, account.show = choices.afterwards, choices.show
    account.follow_ups = ",".join(choices.follow_ups)
    account.budget_cents = choices.budget_cents
    session.add(account)
