"""Stages: one retailer's goods, copied to where a deal can be played for show.

What is copied is the scenery alone: who sells, what, for how much, and where it is
posted. What shoppers did, who is told of it, who signs in and whose money it was stays
behind, so nothing in the copy is owed to anybody real.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import column, insert, table
from sqlalchemy import select as sql_select
from sqlmodel import Session, SQLModel, col, delete, select, update

from offers.accounts import OUTLET, ChannelAccount, accounts
from offers.allotments import fit_to_stock, lock_offer
from offers.catalog import Offer
from offers.deals import Deal
from offers.declarations import DeclaredPrice, PriceDeclaration
from offers.errors import WrongState
from offers.honesty_seasons import Part, SaleSeason
from offers.ids import new_id
from offers.pictures import Picture
from offers.posts import Post, PostState, posts_of_deal, schedule_posts
from offers.prices import PricePoint
from offers.readings import Reading, Subject
from offers.retailers import Retailer, get_retailer
from offers.scope import get_own
from offers.sentences import Sentence

SCENERY: tuple[type[SQLModel], ...] = (
    Retailer,
    Picture,
    ChannelAccount,
    Offer,
    PricePoint,
    PriceDeclaration,
    DeclaredPrice,
    Deal,
    Post,
)
"""What is copied, each after what it refers to."""

HOLD_MINUTES = 1  # so that what nobody pays for is back soon
RUNS = timedelta(hours=1)
SEASON = timedelta(weeks=2)


@dataclass(frozen=True, slots=True)
class Stand:
    """The account on a practice network that stands in for a real one."""

    base_url: str
    handle: str
    sealed_token: str = field(repr=False)


def copy_scenery(session: Session, retailer_id: str, *, source: str) -> None:
    """Copy a retailer's scenery from the schema *source* into the session's own."""
    for model in SCENERY:
        here = model.__table__  # type: ignore[attr-defined]  # every table has one
        names = [str(one.name) for one in here.columns]
        there = table(here.name, *(column(name) for name in names), schema=source)
        whose = there.c.id if model is Retailer else there.c.retailer_id
        rows = sql_select(*there.c).where(whose == retailer_id)
        session.connection().execute(insert(here).from_select(names, rows))


def set_stage(
    session: Session,
    retailer_id: str,
    deal_id: str,
    stands: Mapping[str, Stand],
    *,
    now: datetime,
) -> int:
    """Make the copy harmless and its deal as good as new. Return how many it sells.

    Accounts become their *stands*, by their ids; the retailer's shop is not told.

    Raises:
        Missing: If there is no such deal.
        WrongState: If there is nothing left for it to sell.
    """
    _forget_the_world(session, retailer_id, stands)
    _open_a_season(session, retailer_id, now)
    _rest_the_others(session, retailer_id, deal_id, now)
    deal = _renew(session, retailer_id, deal_id)
    if deal.left <= 0:
        raise WrongState(Sentence("There is no stock for this deal to rehearse with."))
    _renew_posts(session, deal, now)
    raise_curtain(session, deal.id, opens_at=now + RUNS)  # nothing happens before then
    return deal.left


def raise_curtain(session: Session, deal_id: str, *, opens_at: datetime) -> None:
    """Let the deal and its posts be due at *opens_at*."""
    session.exec(
        update(Deal)
        .where(col(Deal.id) == deal_id)
        .values(opens_at=opens_at, closes_at=opens_at + RUNS)
    )
    session.exec(
        update(Post)
        .where(col(Post.deal_id) == deal_id)
        .values(due_at=opens_at, first_due_at=opens_at)
    )


def hurry_books(session: Session, *, now: datetime) -> None:
    """Let the provider's books be read now: nobody has minutes to wait for them."""
    session.exec(
        update(Reading)
        .where(col(Reading.subject) == Subject.BOOKS, col(Reading.due_at) > now)
        .values(due_at=now)
    )


def _forget_the_world(
    session: Session, retailer_id: str, stands: Mapping[str, Stand]
) -> None:
    retailer = get_retailer(session, retailer_id)
    retailer.webhook_url = ""
    retailer.sealed_webhook_secret = retailer.sealed_stock_secret = ""
    retailer.sealed_old_stock_secret = ""
    session.add(retailer)
    for account in accounts(session, retailer_id):
        _move(account, stands.get(account.id))
        session.add(account)
    session.flush()


def _open_a_season(session: Session, retailer_id: str, now: datetime) -> None:
    """Let the deal say now what it is to say in a season of sales."""
    session.exec(delete(SaleSeason).where(col(SaleSeason.retailer_id) == retailer_id))
    day = now.date()
    season = SaleSeason(
        id=new_id("season", now),
        retailer_id=retailer_id,
        year=day.year,
        part=Part.WINTER,
        begins_on=day - SEASON,
        ends_on=day + SEASON,
        set_by="",
        set_at=now,
    )
    session.add(season)


def _move(account: ChannelAccount, stand: Stand | None) -> None:
    account.sealed_token, account.trouble = "", ""
    if account.kind == OUTLET:
        return
    account.base_url, account.paused = "", True
    if stand is not None:
        account.kind = "mastodon"
        account.base_url, account.handle = stand.base_url, stand.handle
        account.sealed_token, account.paused = stand.sealed_token, False


def _rest_the_others(
    session: Session, retailer_id: str, deal_id: str, now: datetime
) -> None:
    """Other deals neither open nor close nor post while this one is played."""
    others = (col(Deal.retailer_id) == retailer_id, col(Deal.id) != deal_id)
    session.exec(update(Deal).where(*others).values(held=0))
    unopened = (*others, col(Deal.opened_at).is_(None))
    session.exec(update(Deal).where(*unopened).values(opened_at=now))
    unclosed = (*others, col(Deal.closed_at).is_(None))
    session.exec(update(Deal).where(*unclosed).values(closed_at=now))
    waiting = (PostState.SCHEDULED, PostState.SENDING)
    posts = (col(Post.retailer_id) == retailer_id, col(Post.deal_id) != deal_id)
    unsent = (*posts, col(Post.state).in_(waiting))
    session.exec(update(Post).where(*unsent).values(state=PostState.SKIPPED))
    session.exec(update(Post).where(*posts).values(retire_at=None))


def _renew(session: Session, retailer_id: str, deal_id: str) -> Deal:
    """Give the deal all of its units back, as far as there is stock for them."""
    deal = get_own(session, Deal, retailer_id, deal_id)
    offer = lock_offer(session, deal.id)
    if offer.quantity is not None:
        offer.quantity += deal.sold
    deal.held = deal.sold = deal.withheld = 0
    deal.opened_at = deal.closed_at = deal.sold_out_at = None
    deal.prior_amount, deal.ended_early = None, False
    deal.hold_minutes, deal.reserve_until = HOLD_MINUTES, None
    deal.pay_online = deal.payable = True
    session.add(deal)
    session.add(offer)
    session.flush()
    fit_to_stock(session, offer)
    session.refresh(deal)
    return deal


def _renew_posts(session: Session, deal: Deal, now: datetime) -> None:
    posts = posts_of_deal(session, deal.retailer_id, deal.id)
    for post in posts:
        post.state, post.failure, post.text = PostState.SCHEDULED, "", ""
        post.attempts = post.fence = post.retire_attempts = 0
        post.remote_id = post.url = post.published_at = None
        post.retire_at = post.retired_at = None
        post.channel = session.get_one(ChannelAccount, post.account_id).kind
        session.add(post)
    if not posts:
        open_ones = select(ChannelAccount).where(
            ChannelAccount.retailer_id == deal.retailer_id,
            col(ChannelAccount.paused).is_(False),
        )
        schedule_posts(session, deal, list(session.exec(open_ones)), now=now)
    session.flush()
