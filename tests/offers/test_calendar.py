"""
The calendar shows a retailer's deals and posts by their time, and warns where they
clash.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from offers.calendar import (
    Clash,
    ClashKind,
    Entry,
    Pin,
    clashes_of,
    entries,
    find_clashes,
    find_entry,
)
from offers.deals import Phase
from offers.posts import PostState
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_account,
    make_deal,
    make_offer,
    make_post,
    make_retailer,
    north,
    post_of,
)

PARIS = ZoneInfo("Europe/Paris")


def entry(name: str, opens_at: datetime = NOON, **facts: Any) -> Entry:
    """Make a deal of an offer of its own, for an hour, with a post on one account."""
    account = facts.pop("account", "account_1")
    state = facts.pop("state", PostState.SCHEDULED)
    posted_at = facts.pop("posted_at", opens_at)
    return Entry(
        deal_id=name,
        offer_id=facts.pop("offer", name),
        title=name.title(),
        opens_at=opens_at,
        closes_at=facts.pop("closes_at", opens_at + HOUR),
        pins=(Pin(account_id=account, channel="x", state=state, at=posted_at),),
    )


def kinds(clashes: list[Clash]) -> list[ClashKind]:
    return [clash.kind for clash in clashes]


class TestEntries:
    def test_are_the_deals_that_run_then(self, session: Session) -> None:
        before = make_deal(session, opens_at=NOON - 3 * HOUR, closes_at=NOON - HOUR)
        across = make_deal(session, opens_at=NOON - HOUR, closes_at=NOON + 9 * HOUR)
        within = make_deal(session, opens_at=NOON + HOUR, opened_at=None)
        make_deal(session, opens_at=NOON + 2 * HOUR)

        start, end = NOON, NOON + 2 * HOUR
        found = entries(session, north(session).id, start, end, now=NOON)

        assert [one.deal_id for one in found] == [across.id, within.id]
        assert before.id not in {one.deal_id for one in found}

    def test_are_those_of_posts_too_that_went_out_then(self, session: Session) -> None:
        deal = make_deal(session, opens_at=NOON - 3 * HOUR, closes_at=NOON - HOUR)
        post_of(session, deal).published_at = NOON + MINUTE
        session.commit()

        found = entries(session, deal.retailer_id, NOON, NOON + HOUR, now=NOON)

        assert [pin.at for one in found for pin in one.pins] == [NOON + MINUTE]
        assert found[0].phase is Phase.ENDED
        assert not found[0].is_on

    def test_have_their_posts_in_order_with_what_became_of_them(
        self, session: Session
    ) -> None:
        deal = make_deal(session, opens_at=NOON + HOUR)
        social = make_account(session, handle="@north")
        make_post(
            session,
            deal,
            social,
            state=PostState.FAILED,
            failure="no",
            first_due_at=NOON,
        )

        found = find_entry(session, deal.retailer_id, deal.id, now=NOON)

        assert found is not None
        assert [(p.channel, p.state, p.failure) for p in found.pins] == [
            ("mastodon", PostState.FAILED, "no"),
            ("outlet", PostState.SCHEDULED, ""),
        ]
        assert found.pins[0].handle == "@north"

    @pytest.mark.parametrize(
        ("facts", "movable"),
        [
            ({"opens_at": NOON + SECOND}, True),
            ({"opens_at": NOON, "opened_at": None}, False),
            ({"opens_at": NOON - HOUR}, False),
        ],
    )
    def test_can_be_moved_until_they_open(
        self, session: Session, facts: Any, movable
    ) -> None:
        deal = make_deal(session, **facts)

        found = find_entry(session, deal.retailer_id, deal.id, now=NOON)

        assert found is not None
        assert found.movable is movable

    def test_are_a_retailers_own(self, session: Session) -> None:
        other = make_retailer(session).id
        deal = make_deal(session, retailer_id=other, opens_at=NOON + HOUR)

        mine = north(session).id

        assert entries(session, mine, NOON, NOON + DAY, now=NOON) == []
        assert find_entry(session, mine, deal.id, now=NOON) is None
        assert find_entry(session, other, deal.id, now=NOON) is not None


class TestClashes:
    @pytest.mark.parametrize(
        ("hour", "minute", "night"),
        [(6, 59, True), (7, 0, False), (23, 0, False), (23, 1, True), (0, 0, True)],
    )
    def test_the_night_is_that_of_the_retailers_zone(
        self, hour: int, minute: int, night
    ) -> None:
        opens_at = datetime(2026, 7, 1, hour, minute, tzinfo=PARIS)

        found = find_clashes(entry("a", opens_at.astimezone(UTC)), [], PARIS)

        assert (kinds(found) == [ClashKind.NIGHT]) is night

    @pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)])
    def test_the_night_ends_at_seven_when_the_clocks_change_too(
        self, day: tuple[int, int, int]
    ) -> None:
        seven = datetime(*day, 7, tzinfo=PARIS).astimezone(UTC)

        assert find_clashes(entry("a", seven), [], PARIS) == []
        assert kinds(find_clashes(entry("a", seven - MINUTE), [], PARIS)) == [
            ClashKind.NIGHT
        ]

    @pytest.mark.parametrize("side", [-1, 1])
    def test_two_posts_on_one_account_are_too_near(self, side: int) -> None:
        ours = entry("a")

        for minutes, near in [(0, True), (9, True), (10, False)]:
            other = entry("b", NOON + side * minutes * MINUTE)
            found = find_clashes(ours, [other], PARIS)
            assert found == (
                [Clash(ClashKind.NEAR, other.opens_at, other, ("x",))] if near else []
            )

    @pytest.mark.parametrize(
        "facts",
        [
            {"account": "account_2"},
            {"state": PostState.SKIPPED},
            {"state": PostState.FAILED},
        ],
    )
    def test_posts_that_nobody_sees_together_are_no_clash(self, facts: Any) -> None:
        assert find_clashes(entry("a"), [entry("b", **facts)], PARIS) == []

    def test_what_counts_is_when_a_post_went_out(self) -> None:
        late = entry("b", NOON - 2 * HOUR, posted_at=NOON - 5 * MINUTE)

        found = find_clashes(entry("a"), [late], PARIS)

        assert [clash.at for clash in found] == [NOON - 5 * MINUTE]

    @pytest.mark.parametrize(
        ("gap", "found"),
        [
            (-30 * MINUTE, [ClashKind.OVERLAP]),
            (timedelta(), [ClashKind.AGAIN]),
            (30 * DAY - SECOND, [ClashKind.AGAIN]),
            (30 * DAY, []),
        ],
    )
    def test_an_offer_comes_back_too_soon(
        self, gap: timedelta, found: list[ClashKind]
    ) -> None:
        first = entry("a", offer="parka")
        second = entry("b", first.closes_at + gap, offer="parka")

        assert kinds(find_clashes(first, [second], PARIS)) == found
        assert kinds(find_clashes(second, [first], PARIS)) == found

    def test_nothing_clashes_with_itself(self) -> None:
        ours = entry("a")

        assert find_clashes(ours, [ours], PARIS) == []

    def test_a_plan_that_is_no_deal_yet_clashes_with_all(self) -> None:
        plan = entry("", offer="parka")

        assert len(find_clashes(plan, [entry("b", offer="parka")], PARIS)) == 2

    def test_are_looked_for_as_far_as_a_month(self, session: Session) -> None:
        offer = make_offer(session, quantity=100)
        facts = {"allotment": 1, "opened_at": None}
        deal = make_deal(session, offer, opens_at=NOON + HOUR, **facts)
        again = make_deal(session, offer, opens_at=NOON + 29 * DAY, **facts)
        make_deal(session, offer, opens_at=NOON + 60 * DAY, **facts)
        retailer_id = deal.retailer_id
        planned = find_entry(session, retailer_id, deal.id, now=NOON)
        assert planned is not None

        [found] = clashes_of(session, retailer_id, [planned], PARIS, now=NOON)

        assert [c.other and c.other.deal_id for c in found] == [again.id]
        assert clashes_of(session, retailer_id, [], PARIS, now=NOON) == []

    def test_of_a_deal_that_would_be_moved(self) -> None:
        ours, other = entry("a", NOON + DAY), entry("b")

        moved = ours.moved(NOON + MINUTE)

        assert moved.closes_at == NOON + MINUTE + HOUR
        assert kinds(find_clashes(moved, [other], PARIS)) == [ClashKind.NEAR]
        assert find_clashes(ours, [other], PARIS) == []
