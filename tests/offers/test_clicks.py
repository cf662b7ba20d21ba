"""
Clicks are counted by the minute, and robots apart from people.
"""

from datetime import datetime

from sqlmodel import Session, col, select

from offers.clicks import Arrived, Click, Visitor, record_clicks
from offers.posts import Post
from tests.factories import MINUTE, NOON, make_deal, post_of


def arrived(
    post: Post, minute: datetime = NOON, visitor: Visitor = Visitor.PERSON
) -> Arrived:
    return Arrived(post.retailer_id, post.deal_id, post.id, minute, visitor)


def counted(session: Session) -> list[tuple[datetime, Visitor, int]]:
    session.expire_all()
    rows = session.exec(select(Click).order_by(col(Click.minute), col(Click.visitor)))
    return [(row.minute, row.visitor, row.count) for row in rows]


def test_adds_to_what_was_counted(session: Session) -> None:
    post = post_of(session, make_deal(session))

    record_clicks(session, {arrived(post): 3})
    record_clicks(session, {arrived(post): 4, arrived(post, NOON + MINUTE): 1})

    assert counted(session) == [
        (NOON, Visitor.PERSON, 7),
        (NOON + MINUTE, Visitor.PERSON, 1),
    ]


def test_counts_robots_apart(session: Session) -> None:
    post = post_of(session, make_deal(session))

    record_clicks(session, {arrived(post): 3, arrived(post, NOON, Visitor.ROBOT): 5})

    assert counted(session) == [(NOON, Visitor.PERSON, 3), (NOON, Visitor.ROBOT, 5)]


def test_counts_posts_apart(session: Session) -> None:
    one, other = (post_of(session, make_deal(session)) for _ in range(2))

    record_clicks(session, {arrived(one): 3, arrived(other): 5})

    rows = session.exec(select(Click))
    assert {row.post_id: row.count for row in rows} == {one.id: 3, other.id: 5}


def test_an_empty_batch_is_fine(session: Session) -> None:
    record_clicks(session, {})

    assert counted(session) == []
