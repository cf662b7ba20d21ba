"""Departures: the last look at posts before they go out, and the note that they do.

Posts that go out at the same instant are looked at together, in one transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from offers.accounts import ChannelAccount
from offers.allowances import REASONS, Departure, Limits, Verdict, leaves_at
from offers.deals import Deal
from offers.evidence import Evidence, find_evidence, note_evidence
from offers.follow_ups import is_worth_saying
from offers.honesty_words import why_no_soldes
from offers.posting import LEASE
from offers.posts import Post, PostKind, PostState
from offers.retailers import Retailer, get_retailer


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
    limits = Limits(session, departures, now=now)
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
            post.due_at, post.begun_at = now + LEASE, leaves_at(post, now)
            post.cost_micros = departure.cost_micros
        case Verdict.OVER:
            post.state = PostState.SKIPPED
        case Verdict.TOO_DEAR | Verdict.FORBIDDEN:
            post.state = PostState.FAILED
        case Verdict.PAUSED | Verdict.CHANGED:
            post.due_at = now


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
