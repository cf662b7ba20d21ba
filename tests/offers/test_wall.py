"""
Shoppers see what was posted on a retailer's wall, and are led on by the channel they
came from.
"""

import pytest
from sqlmodel import Session

from offers.accounts import Afterwards
from offers.deals import Deal
from offers.errors import Missing
from offers.pictures import Picture, keep_picture
from offers.posts import PostState
from offers.wall import SHOWN, Posted, get_posted, next_posted, posted_on_wall
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_post,
    make_retailer,
    north,
    outlet_account,
    post_of,
)


def hung(session: Session) -> Picture:
    picture = keep_picture(
        session, north(session).id, b"jpeg", size=(1200, 900), now=NOON
    )
    session.commit()
    return picture


def wall(session: Session, *, limit: int = 60) -> list[Posted]:
    return posted_on_wall(session, north(session).id, since=NOON - DAY, limit=limit)


def set_state(session: Session, deal: Deal, state: PostState) -> None:
    post = post_of(session, deal)
    post.state = state
    session.add(post)
    session.commit()


class TestGetPosted:
    def test_tells_the_deal_its_post_and_its_picture(self, session: Session) -> None:
        picture = hung(session)
        deal = make_deal(session, make_offer(session, picture_id=picture.id))
        post = post_of(session, deal)

        posted = get_posted(session, deal.retailer_id, deal.id, post.id)

        assert (posted.post.id, posted.deal.id) == (post.id, deal.id)
        assert posted.picture_id == picture.id

    def test_refuses_another_retailers(self, session: Session) -> None:
        deal = make_deal(session)
        other = make_deal(session, retailer_id=make_retailer(session).id)
        theirs = post_of(session, other)

        with pytest.raises(Missing):
            get_posted(session, other.retailer_id, deal.id, theirs.id)
        with pytest.raises(Missing):
            get_posted(session, deal.retailer_id, deal.id, theirs.id)


class TestPostedOnWall:
    def test_shows_the_latest_opening_first(self, session: Session) -> None:
        picture = hung(session)
        first = make_deal(session, opens_at=NOON - 2 * HOUR)
        second = make_deal(session, make_offer(session, picture_id=picture.id))
        coming = make_deal(session, opens_at=NOON + HOUR)

        shown = wall(session)

        assert [one.deal.id for one in shown] == [coming.id, second.id, first.id]
        assert [one.post.deal_id for one in shown] == [coming.id, second.id, first.id]
        assert [one.picture_id for one in shown] == [None, picture.id, None]
        assert [one.deal.id for one in wall(session, limit=1)] == [coming.id]

    @pytest.mark.parametrize("state", list(PostState))
    def test_leaves_out_what_did_not_go_out(
        self, session: Session, state: PostState
    ) -> None:
        set_state(session, make_deal(session), state)

        assert bool(wall(session)) == (state in SHOWN)

    def test_forgets_what_closed_long_ago(self, session: Session) -> None:
        start = NOON - 2 * DAY
        make_deal(session, opens_at=start, closes_at=NOON - DAY)
        late = make_deal(session, opens_at=start, closes_at=NOON - DAY + MINUTE)

        assert [one.deal.id for one in wall(session)] == [late.id]

    @pytest.mark.parametrize("choice", list(Afterwards))
    def test_shows_what_is_over_unless_it_is_to_be_deleted(
        self, session: Session, choice: Afterwards
    ) -> None:
        account = outlet_account(session)
        account.afterwards = choice
        session.add(account)
        running, over = make_deal(session), make_deal(session)
        set_state(session, over, PostState.RETIRED)

        shown = {one.deal.id for one in wall(session)}

        deleted = choice is Afterwards.DELETE
        assert shown == ({running.id} if deleted else {running.id, over.id})

    def test_shows_nothing_of_other_channels_and_retailers(
        self, session: Session
    ) -> None:
        deal = make_deal(session)
        make_post(session, deal, make_account(session))
        make_deal(session, retailer_id=make_retailer(session).id)

        (shown,) = wall(session)

        assert shown.post.id == post_of(session, deal).id


class TestNextPosted:
    def ids(
        self, session: Session, deal: Deal, channel: str, limit: int = 3
    ) -> list[str]:
        found = next_posted(session, deal, channel, now=NOON, limit=limit)
        return [one.deal.id for one in found]

    def test_leads_to_what_else_there_is(self, session: Session) -> None:
        picture = hung(session)
        over = make_deal(session, opens_at=NOON - 3 * HOUR, closes_at=NOON - HOUR)
        coming = make_deal(session, opens_at=NOON + HOUR)
        running = make_deal(session, make_offer(session, picture_id=picture.id))
        make_deal(session, retailer_id=make_retailer(session).id)

        found = next_posted(session, over, "outlet", now=NOON, limit=3)

        assert [one.deal.id for one in found] == [running.id, coming.id]
        assert [one.picture_id for one in found] == [picture.id, None]

    def test_leaves_out_the_deal_itself_and_keeps_to_the_limit(
        self, session: Session
    ) -> None:
        deal = make_deal(session, opens_at=NOON - 2 * HOUR)
        others = [
            make_deal(session, opens_at=NOON - HOUR + n * MINUTE).id for n in range(3)
        ]

        assert self.ids(session, deal, "outlet") == others
        assert self.ids(session, deal, "outlet", limit=2) == others[:2]

    def test_goes_on_by_the_channel_one_came_from(self, session: Session) -> None:
        account = make_account(session)
        deal = make_deal(session)
        both = make_deal(session, opens_at=NOON + HOUR)
        alone = make_deal(session, opens_at=NOON + 2 * HOUR)
        theirs = make_post(session, both, account)

        by_mastodon = next_posted(session, deal, "mastodon", now=NOON, limit=3)
        by_outlet = next_posted(session, deal, "outlet", now=NOON, limit=3)

        walls = [post_of(session, both).id, post_of(session, alone).id]
        assert [one.post.id for one in by_mastodon] == [theirs.id, walls[1]]
        assert [one.post.id for one in by_outlet] == walls

    def test_leaves_out_what_is_posted_on_neither(self, session: Session) -> None:
        deal = make_deal(session)
        other = make_deal(session, opens_at=NOON + HOUR)
        session.delete(post_of(session, other))
        session.commit()
        make_post(session, other, make_account(session, "bluesky"))

        assert self.ids(session, deal, "mastodon") == []
