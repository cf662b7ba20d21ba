"""Departures: the last look at posts before they go out, and the note that they do.

Posts that go out at the same instant are looked at together, in one transaction.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from offers.accounts import ChannelAccount
from offers.deals import Deal
from offers.evidence import Evidence, find_evidence, note_evidence
from offers.follow_ups import is_worth_saying
from offers.honesty_words import why_no_soldes
from offers.posting import LEASE
from offers.posts import Post, PostKind, PostState
from offers.prices import Reduction
from offers.retailers import Retailer, get_retailer

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


def depart(
    session: Session, departures: Sequence[Departure], *, now: datetime
) -> dict[str, Verdict]:
    """Write down which posts are about to go out. Return the verdicts by their ids.

    A post goes out if the lease is ours, nobody has paused it, its deal is not over and
    as it was when the text was made, and the account's rate and budget allow it. What
    does not go out waits, is skipped or has failed, as the verdict says. What does says
    no word that the law forbids just now and announces what is proven still: its proof
    is kept.
    """
    by_id = {one.post.id: one for one in departures}
    verdicts = dict.fromkeys(by_id, Verdict.NOT_OURS)
    _take_turns(session, departures)
    ours = [
        row
        for row in _locked(session, list(by_id))
        if row[0].fence == by_id[row[0].id].post.fence
    ]
    _forget_attempts([post for post, *_ in ours])
    limits = _Limits(session, departures, now=now)
    proofs = _Proofs(session)
    for post, deal, account, paused in ours:
        departure = by_id[post.id]
        stopped = paused or account.paused
        verdict = _judge(departure, post, deal, stopped=stopped, now=now)
        if verdict is Verdict.GO:
            verdict = proofs.judge(departure, post, deal, now=now)
        if verdict is Verdict.GO:
            verdict = limits.judge(departure, account)
        if verdict is Verdict.GO:
            proofs.keep(departure, post, deal, now=now)
        verdicts[post.id] = verdict
        if verdict is Verdict.TOO_FAST:
            post.due_at = limits.turn(departure, post)
        _note(post, departure, verdict, now=now)
    session.flush()
    return verdicts


def spent_micros(session: Session, account_id: str, *, now: datetime) -> int:
    """Return what an account's posts cost in 30 days, in millionths of a US dollar."""
    total = select(func.coalesce(func.sum(Post.cost_micros), 0)).where(
        col(Post.account_id) == account_id, col(Post.begun_at) > now - MONTH
    )
    return int(session.exec(total).one())


def _take_turns(session: Session, departures: Sequence[Departure]) -> None:
    """Let nobody else count meanwhile what the same accounts have posted and spent."""
    counted = {
        one.post.account_id for one in departures if one.rates or one.cost_micros
    }
    statement = (
        select(ChannelAccount.id)
        .where(col(ChannelAccount.id).in_(counted))
        .order_by(col(ChannelAccount.id))
        .with_for_update(key_share=True)
    )
    session.exec(statement).all()


def _locked(
    session: Session, post_ids: Sequence[str]
) -> list[tuple[Post, Deal, ChannelAccount, bool]]:
    statement = (
        select(Post, Deal, ChannelAccount, Retailer.posts_paused)
        .join(Deal, col(Deal.id) == col(Post.deal_id))
        .join(ChannelAccount, col(ChannelAccount.id) == col(Post.account_id))
        .join(Retailer, col(Retailer.id) == col(Post.retailer_id))
        .where(col(Post.id).in_(post_ids))
        .order_by(col(Post.first_due_at), col(Post.id))
        .with_for_update(of=Post)
        .execution_options(populate_existing=True)
    )
    return [
        (post, deal, account, paused)
        for post, deal, account, paused in session.exec(statement)
    ]


def _forget_attempts(posts: Sequence[Post]) -> None:
    """What was sent, looked for and not found took no turn and cost nothing."""
    for post in posts:
        post.begun_at, post.cost_micros = None, 0


def _judge(
    departure: Departure, post: Post, deal: Deal, *, stopped: bool, now: datetime
) -> Verdict:
    if stopped or post.state is PostState.UNAPPROVED:
        return Verdict.PAUSED
    if not is_worth_saying(post.kind, deal, now=now):
        return Verdict.OVER
    same = post.kind is PostKind.OVER or _facts(deal) == _facts(departure.deal)
    return Verdict.GO if same else Verdict.CHANGED


def _facts(deal: Deal) -> tuple[object, ...]:
    """Return what a text says of a deal; what is sold meanwhile does not count."""
    units = deal.allotment - deal.withheld
    texts = (deal.title, deal.pitch)
    return (*texts, deal.price, units, deal.opens_at, deal.closes_at)


def _note(post: Post, departure: Departure, verdict: Verdict, *, now: datetime) -> None:
    """Write down what becomes of a post."""
    post.failure = REASONS.get(verdict, "")
    match verdict:
        case Verdict.GO:
            post.state, post.text = PostState.SENDING, departure.text
            post.attempts += 1
            post.due_at, post.begun_at = now + LEASE, _leaves_at(post, now)
            post.cost_micros = departure.cost_micros
        case Verdict.OVER:
            post.state = PostState.SKIPPED
        case Verdict.TOO_DEAR | Verdict.FORBIDDEN:
            post.state = PostState.FAILED
        case Verdict.PAUSED | Verdict.CHANGED:
            post.due_at = now


def _leaves_at(post: Post, now: datetime) -> datetime:
    """Posts are looked at a moment before they leave: networks count from then."""
    return max(now, post.first_due_at)


def _next_in_line(
    waiting: Sequence[datetime], now: datetime, pace: timedelta
) -> datetime:
    return now + (sum(turn > now for turn in waiting) + 1) * pace


class _Proofs:
    """What posts may announce, read once a deal, and kept of those that go out."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[str, Evidence] = {}

    def judge(
        self, departure: Departure, post: Post, deal: Deal, *, now: datetime
    ) -> Verdict:
        retailer = get_retailer(self._session, post.retailer_id)
        text = departure.text.replace(post.code, "")  # a code may happen to spell it
        at = max(now, post.first_due_at)
        if why_no_soldes(self._session, retailer, text, start=at, end=at):
            return Verdict.FORBIDDEN
        claimed = departure.reduction
        if claimed is not None and claimed != self._of(deal).reduction:
            return Verdict.CHANGED
        return Verdict.GO

    def keep(
        self, departure: Departure, post: Post, deal: Deal, *, now: datetime
    ) -> None:
        evidence = self._of(deal)
        note_evidence(self._session, post, deal, departure.text, evidence, now=now)

    def _of(self, deal: Deal) -> Evidence:
        if deal.id not in self._found:
            self._found[deal.id] = find_evidence(self._session, deal)
        return self._found[deal.id]


class _Limits:
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
        again, leaves_at = bool(post.failure), _leaves_at(post, self._now)
        turn = max(
            self._opening(post.account_id, times, span)
            if again
            else _next_in_line(waiting, leaves_at, span / times)
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
