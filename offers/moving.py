"""Moving: what people change of a plan: its time, who agrees, and whether it waits.

A deal moves with its posts, in one transaction and only before anything of it is out.
Who changes a post's time raises its fence, so that a worker which has it in hand no
longer acts on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from sqlmodel import Session, col, select, update

from offers.deals import Deal, Phase
from offers.errors import InvalidField, WrongState
from offers.honesty_words import why_no_soldes
from offers.merchants import Merchant, merchants
from offers.posts import Post, PostState
from offers.retailers import Retailer, get_retailer
from offers.scope import get_own
from offers.sentences import Sentence

FARTHEST = timedelta(days=730)
WEEK = timedelta(weeks=1)
PLANNED = frozenset({PostState.UNAPPROVED, PostState.SCHEDULED})
ON_ITS_WAY = frozenset(
    {
        PostState.SENDING,
        PostState.UNCONFIRMED,
        PostState.PUBLISHED,
        PostState.RETIRED,
    }
)
OVER = frozenset({Phase.SOLD_OUT, Phase.ENDED})


def move_deal(
    session: Session,
    retailer_id: str,
    deal_id: str,
    opens_at: datetime,
    *,
    seen: datetime,
    now: datetime,
) -> Deal:
    """Let a deal open at *opens_at*; its end, its posts and what is reserved go along.

    *seen* is the opening that whoever moves it saw.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If it opens already, or somebody else has moved it since *seen*.
        InvalidField: If *opens_at* is past, or too far away, or what the deal says may
            not be said then.
    """
    deal = _locked(session, retailer_id, deal_id)
    if deal.opened_at is not None or deal.opens_at <= now:
        raise WrongState(Sentence("This deal has opened: it stays where it is."))
    if deal.opens_at != seen:
        raise WrongState(Sentence("Somebody has moved this deal meanwhile."))
    check_opening(opens_at, now=now)
    posts = _lock_posts(session, deal)
    if any(post.state in ON_ITS_WAY for post in posts):
        raise WrongState(Sentence("Its posts are on their way: it stays where it is."))
    _check_words(session, deal, opens_at)
    shift = opens_at - deal.opens_at
    deal.opens_at, deal.closes_at = opens_at, deal.closes_at + shift
    if deal.reserve_until is not None:
        deal.reserve_until += shift
    for post in posts:
        if post.state in PLANNED:
            _plan_anew(post, opens_at)
        elif post.state is PostState.FAILED:  # a person may send it again
            post.first_due_at = opens_at
    session.flush()
    return deal


@dataclass(frozen=True, slots=True)
class Approval:
    """What waits for a second person: who planned it, and what was said against it."""

    planned_by: str
    planner: str
    note: str

    def is_for(self, merchant: Merchant, retailer: Retailer) -> bool:
        """Whether *merchant* may settle it: while two are wanted, not their own."""
        return self.planned_by != merchant.id or not retailer.approval


def approvals(session: Session, retailer_id: str) -> dict[str, Approval]:
    """Return what waits for a second person, by the ids of the deals."""
    statement = (
        select(Post.deal_id, Post.planned_by, Post.failure, Merchant.name)
        .outerjoin(Merchant, col(Merchant.id) == col(Post.planned_by))
        .where(Post.retailer_id == retailer_id, Post.state == PostState.UNAPPROVED)
    )
    return {
        deal_id: Approval(planned_by, name or "", note)
        for deal_id, planned_by, note, name in session.exec(statement)
    }


def approve_posts(
    session: Session, merchant: Merchant, deal_id: str, *, now: datetime
) -> int:
    """Let a deal's posts go out at its opening, or at once. Return how many waited.

    Raises:
        Missing: If it is not of the merchant's retailer.
        WrongState: If it is over, or the merchant planned it and a second is wanted.
    """
    deal, waiting = _waiting(session, merchant, deal_id, now=now)
    for post in waiting:
        _plan_anew(post, max(now, deal.opens_at))
        post.state, post.approved_by = PostState.SCHEDULED, merchant.id
        post.failure = ""
    session.flush()
    return len(waiting)


def send_back(
    session: Session, merchant: Merchant, deal_id: str, note: str, *, now: datetime
) -> int:
    """Leave a deal's posts unapproved, with a *note* why. Return how many waited.

    Raises:
        Missing: If it is not of the merchant's retailer.
        WrongState: If it is over, or the merchant planned it and a second is wanted.
    """
    _, waiting = _waiting(session, merchant, deal_id, now=now)
    for post in waiting:
        post.failure = f"{merchant.name}: {note}"
    session.flush()
    return len(waiting)


def ask_again(session: Session, retailer_id: str, deal_id: str) -> None:
    """Ask for approval once more; what was said against it is settled.

    Raises:
        Missing: If it is not this retailer's.
    """
    deal = get_own(session, Deal, retailer_id, deal_id)
    session.exec(
        update(Post)
        .where(
            col(Post.retailer_id) == retailer_id,
            col(Post.deal_id) == deal.id,
            col(Post.state) == PostState.UNAPPROVED,
        )
        .values(failure="")
    )


def want_approval(session: Session, retailer_id: str) -> None:
    """Let nothing that is planned from now on go out before a second person agrees.

    Raises:
        InvalidField: If there is nobody but one.
    """
    if len(merchants(session, retailer_id)) < 2:
        problem = Sentence("Approval needs two people: invite somebody first.")
        raise InvalidField("approval", problem)
    get_retailer(session, retailer_id).approval = True


def waive_approval(session: Session, retailer_id: str) -> None:
    """Let one person do; what waits already still needs somebody to agree."""
    get_retailer(session, retailer_id).approval = False


def pause_posts(session: Session, retailer_id: str) -> None:
    """Let nothing go out on any channel until that is resumed."""
    get_retailer(session, retailer_id).posts_paused = True


def resume_posts(session: Session, retailer_id: str, *, now: datetime) -> None:
    """Let posts go out again; what came due meanwhile is due now, and not late."""
    get_retailer(session, retailer_id).posts_paused = False
    session.exec(
        update(Post)
        .where(
            col(Post.retailer_id) == retailer_id,
            col(Post.state) == PostState.SCHEDULED,
            col(Post.first_due_at) < now,
        )
        .values(first_due_at=now, alarmed_at=None)
    )


@dataclass(frozen=True, slots=True)
class Times:
    """When a deal opens, ends, and until when what is reserved is kept, if it is."""

    opens_at: datetime
    closes_at: datetime
    reserve_until: datetime | None


def next_week(deal: Deal, zone: tzinfo, *, now: datetime) -> Times:
    """Return the same weekday and time of day in *zone*, the first week yet to come."""
    local = deal.opens_at.astimezone(zone).replace(tzinfo=None)
    weeks = max(1, (now - deal.opens_at) // WEEK)
    while (opens_at := _at(local + weeks * WEEK, zone)) <= now:
        weeks += 1
    shift = opens_at - deal.opens_at
    until = deal.reserve_until and deal.reserve_until + shift
    return Times(opens_at, deal.closes_at + shift, until)


def _at(local: datetime, zone: tzinfo) -> datetime:
    """Return an instant; a time that the clocks skip is an hour later on them."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def check_opening(opens_at: datetime, *, now: datetime) -> None:
    """Refuse an opening that no deal can be moved to.

    Raises:
        InvalidField: If it is past, or too far away.
    """
    if opens_at <= now:
        raise InvalidField("to", Sentence("This opening is in the past."))
    if opens_at > now + FARTHEST:
        raise InvalidField("to", Sentence("Choose a time within two years."))


def _check_words(session: Session, deal: Deal, opens_at: datetime) -> None:
    """Refuse to move a deal out of the season that its words belong to."""
    closes_at = deal.closes_at + (opens_at - deal.opens_at)
    retailer = get_retailer(session, deal.retailer_id)
    said = f"{deal.title} {deal.pitch}"
    problem = why_no_soldes(session, retailer, said, start=opens_at, end=closes_at)
    if problem is not None:
        raise InvalidField("to", problem)


def _locked(session: Session, retailer_id: str, deal_id: str) -> Deal:
    """Return a deal that nobody else opens, ends or moves meanwhile."""
    deal = get_own(session, Deal, retailer_id, deal_id)
    session.refresh(deal, with_for_update={"key_share": True})
    return deal


def _lock_posts(session: Session, deal: Deal) -> Sequence[Post]:
    """Return the posts of a locked deal: always after it, or two would deadlock."""
    statement = (
        select(Post)
        .where(Post.retailer_id == deal.retailer_id, Post.deal_id == deal.id)
        .order_by(col(Post.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).all()


def _waiting(
    session: Session, merchant: Merchant, deal_id: str, *, now: datetime
) -> tuple[Deal, list[Post]]:
    """Return a deal with its posts that *merchant* may settle."""
    retailer = get_retailer(session, merchant.retailer_id)
    deal = _locked(session, retailer.id, deal_id)
    if deal.phase(now) in OVER:
        raise WrongState(Sentence("This deal is over already."))
    posts = _lock_posts(session, deal)
    waiting = [post for post in posts if post.state is PostState.UNAPPROVED]
    if retailer.approval and any(p.planned_by == merchant.id for p in waiting):
        raise WrongState(Sentence("Somebody else has to approve what you planned."))
    return deal, waiting


def _plan_anew(post: Post, due_at: datetime) -> None:
    post.due_at = post.first_due_at = due_at
    post.fence += 1
    post.alarmed_at = None
