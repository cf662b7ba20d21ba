"""The calendar: a retailer's deals and posts by their time, and where they clash.

A clash is a warning and never a refusal: people may have their reasons. Reads only.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from offers.accounts import ChannelAccount
from offers.deals import Deal, Phase
from offers.posts import Post, PostKind, PostState

NEAR = timedelta(minutes=10)
"""Two posts on one account that are closer than this are too much at once."""

AGAIN = timedelta(days=30)
"""An offer that comes back sooner than this is no news."""

MORNING, LATE = time(7), time(23)

GONE = frozenset({PostState.SKIPPED, PostState.FAILED})
"""How a post is that nobody sees."""


class ClashKind(StrEnum):
    NIGHT = "night"
    NEAR = "near"
    OVERLAP = "overlap"
    AGAIN = "again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A post: out, or to go out, *at* then. *failure* is for people."""

    account_id: str
    channel: str
    at: datetime
    post_id: str = ""
    handle: str = ""
    kind: PostKind = PostKind.ANNOUNCEMENT
    state: PostState = PostState.SCHEDULED
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A deal with its posts, the earliest first; a planned one has no *deal_id* yet."""

    deal_id: str = ""
    offer_id: str
    title: str
    phase: Phase = Phase.SCHEDULED
    opens_at: datetime
    closes_at: datetime
    movable: bool = False
    left: int = 0
    pins: tuple[Pin, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether it is neither sold out nor over."""
        return self.phase not in {Phase.SOLD_OUT, Phase.ENDED}

    def moved(self, opens_at: datetime) -> "Entry":
        """Return what this would be if it opened then: it runs as long as before."""
        run = self.closes_at - self.opens_at
        pins = tuple(replace(pin, at=opens_at) for pin in self.pins)
        return replace(self, opens_at=opens_at, closes_at=opens_at + run, pins=pins)


@dataclass(frozen=True, slots=True)
class Clash:
    """What speaks against a time, *at* which there is the *other* deal, if it is that.

    *channels* are the kinds of the accounts on which posts are too near.
    """

    kind: ClashKind
    at: datetime
    other: Entry | None = None
    channels: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What it is about, wherever a deal is moved to."""
        return self.kind, self.other.deal_id if self.other else ""


def entries(
    session: Session, retailer_id: str, start: datetime, end: datetime, *, now: datetime
) -> list[Entry]:
    """Return the deals that run or have a post between *start* and *end*."""
    posted = select(Post.deal_id).where(
        Post.retailer_id == retailer_id, _when() >= start, _when() < end
    )
    running = (col(Deal.opens_at) < end) & (col(Deal.closes_at) > start)
    deals = session.exec(
        select(Deal)
        .where(Deal.retailer_id == retailer_id)
        .where(or_(running, col(Deal.id).in_(posted)))
        .order_by(col(Deal.opens_at), col(Deal.id))
    ).all()
    pins = _pins(session, retailer_id, [deal.id for deal in deals])
    return [_entry(deal, pins, now) for deal in deals]


def find_entry(
    session: Session, retailer_id: str, deal_id: str, *, now: datetime
) -> Entry | None:
    """Return one deal as it is in the calendar, if it is this retailer's."""
    wanted = (Deal.retailer_id == retailer_id, Deal.id == deal_id)
    deal = session.exec(select(Deal).where(*wanted)).one_or_none()
    if deal is None:
        return None
    return _entry(deal, _pins(session, retailer_id, [deal.id]), now)


def clashes_of(
    session: Session,
    retailer_id: str,
    planned: Sequence[Entry],
    zone: tzinfo,
    *,
    now: datetime,
) -> list[list[Clash]]:
    """Return what speaks against the time of each of *planned*, in their order."""
    if not planned:
        return []
    start = min(entry.opens_at for entry in planned) - AGAIN
    end = max(entry.closes_at for entry in planned) + AGAIN
    others = entries(session, retailer_id, start, end, now=now)
    return [find_clashes(entry, others, zone) for entry in planned]


def find_clashes(entry: Entry, others: Sequence[Entry], zone: tzinfo) -> list[Clash]:
    """Return what speaks against the time of *entry*: the night, or *others*.

    It opens at night before 7:00 or after 23:00 in *zone*.
    """
    found = []
    if is_night(entry.opens_at, zone):
        found.append(Clash(ClashKind.NIGHT, entry.opens_at))
    for other in others:
        if not entry.deal_id or other.deal_id != entry.deal_id:
            found += _between(entry, other)
    return found


def is_night(moment: datetime, zone: tzinfo) -> bool:
    local = moment.astimezone(zone).time()
    return local < MORNING or local > LATE


def _between(entry: Entry, other: Entry) -> Iterator[Clash]:
    if entry.offer_id == other.offer_id:
        gap = max(other.opens_at - entry.closes_at, entry.opens_at - other.closes_at)
        if gap < timedelta():
            yield Clash(ClashKind.OVERLAP, other.opens_at, other)
        elif gap < AGAIN:
            yield Clash(ClashKind.AGAIN, other.opens_at, other)
    near = [
        theirs
        for theirs in other.pins
        if theirs.state not in GONE
        and any(_are_near(ours, theirs) for ours in entry.pins)
    ]
    if near:
        channels = tuple(dict.fromkeys(pin.channel for pin in near))
        yield Clash(ClashKind.NEAR, near[0].at, other, channels)


def _are_near(ours: Pin, theirs: Pin) -> bool:
    same = ours.account_id == theirs.account_id and ours.state not in GONE
    return same and abs(ours.at - theirs.at) < NEAR


def _when() -> ColumnElement[datetime]:
    """When a post went out, or is to."""
    return func.coalesce(col(Post.published_at), col(Post.first_due_at))


def _pins(
    session: Session, retailer_id: str, deal_ids: Sequence[str]
) -> Mapping[str, Sequence[Pin]]:
    statement = (
        select(Post, ChannelAccount.handle)
        .join(ChannelAccount, col(ChannelAccount.id) == col(Post.account_id))
        .where(Post.retailer_id == retailer_id, col(Post.deal_id).in_(deal_ids))
        .order_by(_when(), col(Post.channel), col(Post.id))
    )
    found = defaultdict(list)
    for post, handle in session.exec(statement):
        found[post.deal_id].append(_pin(post, handle))
    return found


def _pin(post: Post, handle: str) -> Pin:
    return Pin(
        post_id=post.id,
        account_id=post.account_id,
        channel=post.channel,
        handle=handle,
        kind=post.kind,
        state=post.state,
        at=post.published_at or post.first_due_at,
        failure=post.failure,
    )


def _entry(deal: Deal, pins: Mapping[str, Sequence[Pin]], now: datetime) -> Entry:
    return Entry(
        deal_id=deal.id,
        offer_id=deal.offer_id,
        title=deal.title,
        phase=deal.phase(now),
        opens_at=deal.opens_at,
        closes_at=deal.closes_at,
        movable=deal.opened_at is None and deal.opens_at > now,
        left=deal.left,
        pins=tuple(pins.get(deal.id, ())),
    )
