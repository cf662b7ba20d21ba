"""What a merchant sees of each channel: how it is, what it can do, what was chosen."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.accounts import OUTLET, Afterwards, ChannelAccount, Show, accounts
from offers.allowances import MICROS_PER_CENT, spent_micros
from offers.money import Money
from offers.posts import PostKind
from offers.reminders import Reminder, reminders
from outletbot.channels import Ability, Capabilities
from outletbot.keys import CLOCK, DATABASE, NETWORKS, RETAILER
from outletbot.known_networks import NETWORKS as KNOWN

NEEDS = {
    Afterwards.EDIT: Ability.EDIT,
    Afterwards.ANSWER: Ability.ANSWER,
    Afterwards.DELETE: Ability.DELETE,
}
"""What a network has to be able to do for what becomes of old posts."""

FOLLOW_UPS = (PostKind.HALF_GONE, PostKind.LAST_UNITS, PostKind.ENDING)


@dataclass(frozen=True, slots=True)
class Card:
    """One channel. *capabilities* are None of a network that we no longer know.

    *spent* is what its posts cost in 30 days, where its network charges for them.
    """

    account: ChannelAccount
    name: str
    standing: str
    capabilities: Capabilities | None
    afterwards: list[Afterwards]
    shows: list[Show]
    reminder: Reminder | None
    spent: Money | None

    @property
    def is_away(self) -> bool:
        """Whether it is on somebody else's network."""
        return self.account.kind != OUTLET

    @property
    def charges(self) -> bool:
        return self.capabilities is not None and self.capabilities.fees is not None


async def read_cards(request: web.Request) -> list[Card]:
    """Return the retailer's channels, the outlet page first."""
    retailer, now = request[RETAILER], request.app[CLOCK]()
    rows = await request.app[DATABASE].read(_read, retailer.id, now=now)
    return [
        make_card(request, account, reminder, spent, now=now)
        for account, reminder, spent in rows
    ]


def make_card(
    request: web.Request,
    account: ChannelAccount,
    reminder: Reminder | None = None,
    spent: int = 0,
    *,
    now: datetime,
) -> Card:
    known = account.kind in KNOWN
    able = known or account.kind == OUTLET
    can = request.app[NETWORKS].capabilities(account.kind) if able else None
    charges = can is not None and can.fees is not None
    return Card(
        account,
        KNOWN[account.kind].name if known else account.kind.title(),
        account.standing(now=now),
        can,
        possible_afterwards(can),
        possible_shows(can),
        reminder,
        Money(spent // MICROS_PER_CENT, "usd") if charges else None,
    )


def possible_afterwards(can: Capabilities | None) -> list[Afterwards]:
    """Return what may become of old posts, the most helpful to readers first."""
    able = can.abilities if can else frozenset()
    return [
        choice for choice in Afterwards if choice not in NEEDS or NEEDS[choice] in able
    ]


def possible_shows(can: Capabilities | None) -> list[Show]:
    """Return what may stand beside a text; some networks want a picture, some none."""
    if can is not None and can.images.least:
        return [Show.PICTURE]
    pictured = can is None or can.images.most > 0
    return [show for show in Show if pictured or show is not Show.PICTURE]


def _read(
    session: Session, retailer_id: str, *, now: datetime
) -> list[tuple[ChannelAccount, Reminder | None, int]]:
    due = {one.account.id: one for one in reminders(session, retailer_id, now=now)}
    return [
        (account, due.get(account.id), spent_micros(session, account.id, now=now))
        for account in accounts(session, retailer_id)
    ]
