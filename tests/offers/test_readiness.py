"""
Whether a planned post will go out is known before, with the reason in words.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from offers.accounts import OUTLET, ChannelAccount, Show
from offers.beats import WorkerBeat, begin_beating
from offers.deals import Deal, expected_reduction
from offers.planned import Plan, Sending, read_plans, read_reductions
from offers.posts import Post, PostKind, PostState
from offers.readiness import Light, Terms, find_obstacles, worst
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
    make_price,
    make_retailer,
    north,
    post_of,
)

DUE = NOON + HOUR
ALIVE = WorkerBeat(id="worker_1", started_at=NOON - DAY, beat_at=NOON - SECOND)


def deal(**facts: Any) -> Deal:
    plain = {
        "id": "deal_1",
        "retailer_id": "retailer_1",
        "offer_id": "offer_1",
        "title": "Parka",
        "price_amount": 5_000,
        "currency": "eur",
        "allotment": 10,
        "opens_at": DUE,
        "closes_at": DUE + HOUR,
        "created_at": NOON - DAY,
    }
    return Deal(**{**plain, **facts})


def post(**facts: Any) -> Post:
    plain = {
        "id": "post_1",
        "retailer_id": "retailer_1",
        "deal_id": "deal_1",
        "account_id": "account_1",
        "channel": "mastodon",
        "code": "code",
        "due_at": facts.get("first_due_at", DUE),
        "first_due_at": DUE,
    }
    return Post(**{**plain, **facts})


def account(**facts: Any) -> ChannelAccount:
    plain = {
        "id": "account_1",
        "retailer_id": "retailer_1",
        "kind": "mastodon",
        "connected_at": NOON - 30 * DAY,
        "proved_at": NOON - HOUR,
    }
    return ChannelAccount(**{**plain, **facts})


def plan(**facts: Any) -> Plan:
    plain = {
        "post": post(),
        "deal": deal(),
        "account": account(),
        "picture_id": "picture_1",
        "stock": 10,
        "beat": ALIVE,
    }
    return Plan(**{**plain, **facts})


def look(
    planned: Plan, terms: Terms | None = None, *, now: datetime = NOON
) -> list[tuple[Light, str]]:
    found = find_obstacles(planned, terms or Terms(), now=now)
    return [(finding.light, str(finding.sentence)) for finding in found]


def light(
    planned: Plan, terms: Terms | None = None, *, now: datetime = NOON
) -> tuple[Light, str]:
    """Return the light, and the one reason there is for it."""
    found = find_obstacles(planned, terms or Terms(), now=now)
    [finding] = found
    return worst(found), str(finding.sentence)


def test_a_post_that_nothing_speaks_against_is_ready() -> None:
    assert look(plan()) == []
    assert worst([]) is Light.READY


def test_the_worst_comes_first_and_is_the_light() -> None:
    found = find_obstacles(plan(picture_id=None, posts_paused=True), Terms(), now=NOON)

    assert [one.light for one in found] == [Light.STUCK, Light.LOOK]
    assert worst(found) is Light.STUCK


class TestDeal:
    def test_that_is_over_is_not_announced(self) -> None:
        sold_out = plan(deal=deal(sold_out_at=NOON))
        ended = plan(deal=deal(opens_at=NOON - HOUR, closes_at=NOON))

        assert light(sold_out) == light(ended)
        assert light(ended)[0] is Light.STUCK
        assert "The deal is over" in light(ended)[1]

    def test_has_to_be_as_a_follow_up_says(self) -> None:
        opened = {"opens_at": NOON - HOUR, "first_due_at": NOON}
        said = post(kind=PostKind.LAST_UNITS, first_due_at=NOON)
        many = deal(opens_at=opened["opens_at"])
        few = deal(opens_at=opened["opens_at"], sold=6)

        assert "not true" in light(plan(post=said, deal=many))[1]
        assert look(plan(post=said, deal=few, stock=4)) == []

    def test_that_is_over_may_be_said_to_be(self) -> None:
        said = post(kind=PostKind.OVER, first_due_at=NOON)

        assert look(plan(post=said, deal=deal(sold_out_at=NOON), stock=0)) == []

    @pytest.mark.parametrize(
        ("stock", "withheld"), [(0, 0), (0, 10), (5, 10), (None, 10)]
    )
    def test_needs_something_to_sell(self, stock: int | None, withheld: int) -> None:
        found = light(plan(stock=stock, deal=deal(withheld=withheld)))

        assert found[0] is Light.STUCK

    def test_that_offers_more_than_there_is_needs_a_look(self) -> None:
        assert light(plan(stock=9)) == (
            Light.LOOK,
            "Your stock has 9 left, and the deal offers 10.",
        )

    def test_of_what_nobody_counts_is_fine(self) -> None:
        assert look(plan(stock=None)) == []


class TestPeople:
    def test_have_to_approve(self) -> None:
        found = light(plan(post=post(state=PostState.UNAPPROVED)))

        assert found == (Light.STUCK, "A second person has to approve it first.")

    def test_may_have_paused_everything(self) -> None:
        assert "All posts are paused" in light(plan(posts_paused=True))[1]

    def test_may_have_paused_the_channel(self) -> None:
        found = light(plan(account=account(paused=True)))

        assert found == (Light.STUCK, "This channel is paused: let it go on.")


class TestAccount:
    def test_that_is_disconnected_says_just_that(self) -> None:
        gone = account(paused=True, disconnected_at=NOON, proved_at=None, trouble="x")

        assert light(plan(account=gone)) == (
            Light.STUCK,
            "This channel is disconnected. Connect it again.",
        )

    def test_in_trouble_says_which(self) -> None:
        found = light(plan(account=account(trouble="The token was revoked.")))

        assert found[0] is Light.STUCK
        assert found[1].endswith("The token was revoked.")

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"expires_at": None}, None),
            ({"expires_at": DUE}, Light.STUCK),
            ({"expires_at": DUE + MINUTE}, Light.LOOK),
            ({"expires_at": DUE + HOUR}, None),
            ({"expires_at": DUE - MINUTE, "refresh_at": NOON + MINUTE}, None),
            (
                {
                    "expires_at": DUE - MINUTE,
                    "refresh_at": NOON + MINUTE,
                    "refresh_attempts": 1,
                },
                Light.LOOK,
            ),
            (
                {
                    "expires_at": DUE - MINUTE,
                    "refresh_at": NOON + MINUTE,
                    "refresh_expires_at": DUE,
                },
                Light.STUCK,
            ),
            (
                {
                    "expires_at": DUE - MINUTE,
                    "refresh_at": NOON + MINUTE,
                    "refresh_expires_at": DUE + SECOND,
                },
                None,
            ),
        ],
    )
    def test_has_to_be_open_when_the_post_is_due(
        self, facts: dict[str, Any], expected: Light | None
    ) -> None:
        found = look(plan(account=account(**facts)))

        assert [each for each, _ in found] == ([expected] if expected else [])

    def test_is_open_now_if_the_post_is_late(self) -> None:
        late = plan(
            post=post(first_due_at=NOON - MINUTE),
            deal=deal(opens_at=NOON - HOUR),
            account=account(expires_at=NOON),
        )

        assert light(late)[0] is Light.STUCK

    @pytest.mark.parametrize("proved_at", [None, NOON - 2 * DAY])
    def test_has_to_be_proved_lately(self, proved_at: datetime | None) -> None:
        assert light(plan(account=account(proved_at=proved_at)))[0] is Light.LOOK
        assert look(plan(account=account(proved_at=NOON - 2 * DAY + SECOND))) == []

    def test_that_has_to_rest_posts_later(self) -> None:
        assert look(plan(account=account(rest_until=DUE))) == []
        assert (
            "wants a pause" in light(plan(account=account(rest_until=DUE + SECOND)))[1]
        )

    def test_of_the_house_needs_no_token_and_no_proof(self) -> None:
        outlet = account(kind=OUTLET, proved_at=None, trouble="x", expires_at=NOON)

        assert look(plan(account=outlet)) == []


class TestContent:
    def test_without_a_picture_needs_a_look(self) -> None:
        assert light(plan(picture_id=None))[0] is Light.LOOK

    def test_may_do_without_if_the_account_shows_nothing(self) -> None:
        shows_nothing = account(show=Show.NOTHING)

        assert look(plan(picture_id=None, account=shows_nothing)) == []

    def test_without_a_picture_is_nothing_on_a_network_of_pictures(self) -> None:
        terms = Terms(network="Instagram", needs_picture=True)

        assert look(plan(picture_id="picture_1"), terms) == []
        assert light(plan(picture_id=None), terms) == (
            Light.STUCK,
            "Instagram needs a picture: add one to the offer.",
        )

    def test_that_cannot_be_made_says_why(self) -> None:
        found = light(plan(), Terms(refusal="X takes a text of 280 at most."))

        assert found[0] is Light.STUCK
        assert found[1].endswith("X takes a text of 280 at most.")


def sendings(*times: datetime, cost: int | None = None) -> list[Sending]:
    return [Sending(at, f"post_0{n}", cost) for n, at in enumerate(times)]


class TestRate:
    def test_counts_what_the_account_sends_before(self) -> None:
        two_an_hour = Terms(rates=[(2, HOUR)])
        one = sendings(DUE - 30 * MINUTE)
        two = sendings(DUE - 30 * MINUTE, DUE - 20 * MINUTE)

        assert look(plan(sendings=one), two_an_hour) == []
        assert light(plan(sendings=two), two_an_hour) == (
            Light.LOOK,
            (
                "The network takes 2 posts in this time and this is number 3:"
                " it goes out later."
            ),
        )

    def test_forgets_what_was_longer_ago(self) -> None:
        long_ago = sendings(DUE - HOUR, DUE - 20 * MINUTE)

        assert look(plan(sendings=long_ago), Terms(rates=[(2, HOUR)])) == []

    def test_leaves_what_is_sent_later_out(self) -> None:
        itself = Sending(DUE, "post_1")
        later = [itself, Sending(DUE, "post_2"), Sending(DUE + SECOND, "post_0")]

        assert look(plan(sendings=later), Terms(rates=[(1, HOUR)])) == []

    def test_of_two_at_once_the_second_waits(self) -> None:
        both = [Sending(DUE, "post_0"), Sending(DUE, "post_1")]

        assert light(plan(sendings=both), Terms(rates=[(1, MINUTE)]))[0] is Light.LOOK

    def test_whose_turn_comes_after_the_deal_never_comes(self) -> None:
        full = sendings(DUE - HOUR)

        assert light(plan(sendings=full), Terms(rates=[(1, DAY)])) == (
            Light.STUCK,
            (
                "The network takes 1 posts in this time and this is number 2:"
                " the deal is over before its turn comes."
            ),
        )


class TestBudget:
    terms = Terms(cost_micros=200_000)

    def test_pays_for_what_is_sent_before(self) -> None:
        costly = account(budget_cents=40)
        spent = sendings(NOON - DAY, cost=200_000)
        planned = sendings(DUE - MINUTE)

        assert look(plan(account=costly, sendings=spent), self.terms) == []
        assert look(plan(account=costly, sendings=planned), self.terms) == []
        both = plan(account=costly, sendings=[*spent, *planned])
        assert light(both, self.terms) == (
            Light.STUCK,
            "The budget of this channel for 30 days does not allow it.",
        )

    def test_is_whole_again_after_30_days(self) -> None:
        costly = account(budget_cents=20)
        spent = sendings(DUE - 30 * DAY, cost=200_000)

        assert look(plan(account=costly, sendings=spent), self.terms) == []

    @pytest.mark.parametrize(
        ("budget", "cost", "ready"),
        [(None, 10**9, True), (0, 0, True), (0, 1, False), (19, 200_000, False)],
    )
    def test_is_minded_where_there_is_one(
        self, budget: int | None, cost: int, *, ready: bool
    ) -> None:
        planned = plan(account=account(budget_cents=budget))

        assert (look(planned, Terms(cost_micros=cost)) == []) is ready


class TestWorker:
    @pytest.mark.parametrize("beat_at", [None, NOON - 30 * SECOND])
    def test_has_to_be_there(self, beat_at: datetime | None) -> None:
        beat = beat_at and WorkerBeat(id="w", started_at=NOON, beat_at=beat_at)

        assert light(plan(beat=beat)) == (
            Light.STUCK,
            "No worker is running, so nothing goes out: start one.",
        )

    @pytest.mark.parametrize("seconds", [7, -7])
    def test_should_know_what_time_it_is(self, seconds: int) -> None:
        beat = WorkerBeat(
            id="w", started_at=NOON, beat_at=NOON, ahead_ms=seconds * 1_000
        )

        assert light(plan(beat=beat))[0] is Light.LOOK
        assert "is 7 s off" in light(plan(beat=beat))[1]

    def test_may_be_off_by_a_little(self) -> None:
        beat = WorkerBeat(id="w", started_at=NOON, beat_at=NOON, ahead_ms=5_000)

        assert look(plan(beat=beat)) == []


class TestDelay:
    def late(self, **facts: Any) -> Plan:
        due = NOON - 2 * MINUTE
        running = deal(opens_at=NOON - HOUR)
        return plan(post=post(first_due_at=due, **facts), deal=running)

    def test_is_told(self) -> None:
        assert light(self.late()) == (Light.LOOK, "It is late.")

    def test_is_told_with_its_reason(self) -> None:
        assert light(self.late(failure="Mastodon is down."))[1].endswith(
            "Mastodon is down."
        )


class TestReading:
    def test_finds_what_is_planned_with_all_that_bears_on_it(
        self, session: Session
    ) -> None:
        social = make_account(session)
        offer = make_offer(session, quantity=7)
        planned = make_deal(session, offer, opens_at=DUE, opened_at=None)
        waiting = make_post(session, planned, social, state=PostState.UNAPPROVED)
        sent = make_post(
            session, make_deal(session), social, begun_at=NOON - DAY, cost_micros=5
        )
        old = make_post(session, make_deal(session), social, begun_at=NOON - 30 * DAY)
        failed = make_post(
            session,
            make_deal(session),
            social,
            state=PostState.FAILED,
            begun_at=NOON - DAY,
        )
        begin_beating(session, now=NOON)
        north(session).posts_paused = True
        session.commit()

        plans = read_plans(session, planned.retailer_id, now=NOON)

        by_id = {one.post.id: one for one in plans}
        assert set(by_id) == {waiting.id, post_of(session, planned).id}
        found = by_id[waiting.id]
        assert (found.stock, found.posts_paused) == (7, True)
        assert found.beat is not None
        assert found.sendings == [
            Sending(NOON - DAY, sent.id, 5),
            Sending(DUE, waiting.id),
        ]
        assert {old.id, failed.id}.isdisjoint(one.post_id for one in found.sendings)

    def test_reckons_what_is_late_to_be_sent_now(self, session: Session) -> None:
        late = make_deal(session, opens_at=NOON - HOUR, opened_at=None)

        [found] = read_plans(session, late.retailer_id, now=NOON)

        assert [one.at for one in found.sendings] == [NOON]

    def test_finds_nothing_of_another_retailer(self, session: Session) -> None:
        south = make_retailer(session)
        make_deal(session, retailer_id=south.id, opens_at=DUE, opened_at=None)

        assert read_plans(session, north(session).id, now=NOON) == []

    def test_asks_no_more_often_for_more_posts(self, session: Session) -> None:
        asked: list[str] = []
        engine = session.get_bind()
        event.listen(
            engine, "before_cursor_execute", lambda *said: asked.append(said[2])
        )

        def count() -> int:
            session.commit()
            asked.clear()
            plans = read_plans(session, north(session).id, now=NOON)
            read_reductions(session, [one.deal for one in plans])
            return len([one for one in asked if one.startswith("SELECT")])

        make_deal(session, opens_at=DUE, opened_at=None)
        few = count()
        for _ in range(5):
            make_deal(session, opens_at=DUE, opened_at=None)

        assert count() == few <= 8


@pytest.mark.parametrize(
    "log",
    [
        [],
        [(9_900, 40)],
        [(9_900, 40), (8_000, 10)],
        [(9_900, 40), (4_000, 10)],
        [(9_900, 10)],
        [(5_000, 40)],
    ],
)
def test_reductions_are_those_of_each_deal(
    session: Session, log: list[tuple[int, int]]
) -> None:
    offer = make_offer(session)
    planned = make_deal(
        session, offer, price_amount=5_000, opens_at=DUE, opened_at=None
    )
    opened = make_deal(session, offer, prior_amount=9_000)
    for amount, days in log:
        make_price(session, offer, amount, NOON - timedelta(days=days))

    found = read_reductions(session, [planned, opened])

    for one in (planned, opened):
        assert found[one.id] == expected_reduction(session, one)
