"""Allowances: what is to go out, how often an account may post, and at what cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from offers.accounts import ChannelAccount
from offers.deals import Deal
from offers.posts import Post, PostState
from offers.prices import Reduction

SENT = (
    PostState.SENDING,
    PostState.PUBLISHED,
    PostState.UNCONFIRMED,
    PostState.RETIRED,
)


MONTH = timedelta(days=30)


MICROS_PER_CENT = 10_000


@dataclass(frozen=True, slots=True)
class Departure:
    """A post about to go out: *text* was made of *deal* as it was read then.

    *cost_micros* is what the network takes for it, in millionths of a US dollar, and
    *rates* how often it lets the account post: so many times within each span. The text
    may announce *reduction*.
    """

    post: Post
    deal: Deal
    text: str
    cost_micros: int = 0
    rates: Sequence[tuple[int, timedelta]] = ()
    reduction: Reduction | None = None


class Verdict(StrEnum):
    """Whether a post goes out, or why not."""

    GO = "go"
    NOT_OURS = "not_ours"
    PAUSED = "paused"
    OVER = "over"
    CHANGED = "changed"
    FORBIDDEN = "forbidden"
    TOO_DEAR = "too_dear"
    TOO_FAST = "too_fast"


REASONS = {
    Verdict.OVER: "the deal was over before this could be posted",
    Verdict.FORBIDDEN: "it says “soldes” outside the two periods that the law sets",
    Verdict.TOO_DEAR: "the budget of this channel for 30 days does not allow it",
    Verdict.TOO_FAST: "this channel posts as fast as its network allows",
}


def spent_micros(session: Session, account_id: str, *, now: datetime) -> int:
    """Return what an account's posts cost in 30 days, in millionths of a US dollar."""
    total = select(func.coalesce(func.sum(Post.cost_micros), 0)).where(
        col(Post.account_id) == account_id, col(Post.begun_at) > now - MONTH
    )
    return int(session.exec(total).one())


def leaves_at(post: Post, now: datetime) -> datetime:
    """Posts are looked at a moment before they leave: networks count from then."""
    return max(now, post.first_due_at)


def _next_in_line(
    waiting: Sequence[datetime], now: datetime, pace: timedelta
) -> datetime:
    return now + (sum(turn > now for turn in waiting) + 1) * pace


class Limits:
    """How often each account may post and how much it may cost, counted as we go."""

    def __init__(
        self, session: Session, departures: Sequence[Departure], *, now: datetime
    ) -> None:
        self._session = session
        self._now = now
        accounts = {one.post.account_id for one in departures if one.rates}
        spans = {span for one in departures for _, span in one.rates}
        self._sent = {span: self._count(accounts, span) for span in spans}
        self._spent: dict[str, int] = {}
        self._at_hand = [one.post.id for one in departures]
        self._waiting: dict[str, list[datetime]] = {}

    def judge(self, departure: Departure, account: ChannelAccount) -> Verdict:
        """Return whether one more post is allowed, and count it if so."""
        if self._full(departure):
            return Verdict.TOO_FAST
        if account.budget_cents is not None and departure.cost_micros:
            spent = self._spent_by(account.id) + departure.cost_micros
            if spent > account.budget_cents * MICROS_PER_CENT:
                return Verdict.TOO_DEAR
            self._spent[account.id] = spent
        for _, span in departure.rates:
            self._sent[span][account.id] += 1
        return Verdict.GO

    def turn(self, departure: Departure, post: Post) -> datetime:
        """Return when to look again at a post whose account has posted too often.

        Those that wait come one by one, at the network's pace. One that waited already
        comes when the account may post again, so that few looks are in vain.
        """
        waiting = self._waiting_on(post.account_id)
        again, leaving = bool(post.failure), leaves_at(post, self._now)
        turn = max(
            self._opening(post.account_id, times, span)
            if again
            else _next_in_line(waiting, leaving, span / times)
            for times, span in self._full(departure)
        )
        waiting.append(turn)
        return turn

    def _opening(self, account_id: str, times: int, span: timedelta) -> datetime:
        """Return when a rate has room for one after those that wait for it already."""
        newest = (
            select(Post.begun_at)
            .where(*self._within({account_id}, span))
            .order_by(col(Post.begun_at).desc())
            .limit(times)
        )
        begun = sorted(at for at in self._session.exec(newest) if at)
        waiting = self._waiting_on(account_id)
        before = sum(turn >= begun[0] + span for turn in waiting)
        rounds, index = divmod(before, len(begun))
        return begun[index] + (rounds + 1) * span

    def _waiting_on(self, account_id: str) -> list[datetime]:
        """Return the turns of an account's posts that wait, but for those at hand."""
        if account_id not in self._waiting:
            others = select(Post.due_at).where(
                col(Post.account_id) == account_id,
                col(Post.state) == PostState.SCHEDULED,
                col(Post.failure) == REASONS[Verdict.TOO_FAST],
                col(Post.id).not_in(self._at_hand),
            )
            self._waiting[account_id] = list(self._session.exec(others))
        return self._waiting[account_id]

    def _full(self, departure: Departure) -> list[tuple[int, timedelta]]:
        account_id = departure.post.account_id
        return [
            (times, span)
            for times, span in departure.rates
            if self._sent[span][account_id] >= times
        ]

    def _count(self, accounts: set[str], span: timedelta) -> Counter[str]:
        statement = (
            select(Post.account_id, func.count())
            .where(*self._within(accounts, span))
            .group_by(Post.account_id)
        )
        return Counter(dict(self._session.exec(statement).all()))

    def _within(
        self, accounts: set[str], span: timedelta
    ) -> tuple[ColumnElement[bool], ...]:
        return (
            col(Post.account_id).in_(accounts),
            col(Post.begun_at) > self._now - span,
            col(Post.state).in_(SENT),
        )

    def _spent_by(self, account_id: str) -> int:
        if account_id not in self._spent:
            spent = spent_micros(self._session, account_id, now=self._now)
            self._spent[account_id] = spent
        return self._spent[account_id]
