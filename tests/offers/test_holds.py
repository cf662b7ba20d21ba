"""
Holds set units aside, and their units leave ``Deal.held`` exactly once.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from offers.claim_rows import Granted
from offers.claims import Answer, Claim, place_holds
from offers.deals import end_deal
from offers.errors import (
    AllHeld,
    DealClosed,
    DealNotOpen,
    LimitReached,
    Missing,
    OfferError,
    SoldOut,
    WrongState,
)
from offers.holds import (
    ACTIVE,
    PAYABLE,
    UNPAGED,
    Hold,
    HoldState,
    change_state,
    end_hold,
    extend_hold,
    find_payable_hold,
    get_hold,
    get_hold_by_token,
    give_up_hold,
    sell_free,
)
from offers.payment_pages import (
    LEASE,
    begin_checkout,
    forget_checkout,
    lease_lapsed_holds,
    open_checkout,
    put_off_checkout,
)
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_claim,
    make_deal,
    make_hold,
    make_offer,
)


def place(session: Session, *claims: Claim) -> list[Answer]:
    return place_holds(session, claims, now=NOON)


def granted(session: Session, claim: Claim) -> Hold:
    (answer,) = place(session, claim)
    assert isinstance(answer, Granted)
    return get_hold(session, answer.id)


def refused(session: Session, claim: Claim) -> OfferError:
    (answer,) = place(session, claim)
    assert isinstance(answer, OfferError)
    return answer


class TestPlaceHolds:
    def test_takes_units_out_of_what_is_left(self, session: Session) -> None:
        deal = make_deal(session, allotment=10, hold_minutes=7, price_amount=4_999)

        hold = granted(session, make_claim(session, deal, quantity=2))

        assert (deal.left, deal.held) == (8, 2)
        assert (hold.state, hold.quantity) == (HoldState.HELD, 2)
        assert (hold.total.amount, hold.total.currency) == (9_998, "eur")
        assert hold.expires_at == NOON + timedelta(minutes=7)

    def test_allows_the_last_unit(self, session: Session) -> None:
        deal = make_deal(session, allotment=1)

        granted(session, make_claim(session, deal))

        assert deal.left == 0

    def test_grants_a_batch_in_its_order(self, session: Session) -> None:
        deal = make_deal(session, allotment=3)
        claims = [make_claim(session, deal) for _ in range(5)]

        answers = place(session, *claims)

        assert [isinstance(answer, Granted) for answer in answers] == [True] * 3 + [
            False
        ] * 2
        assert deal.held == 3

    def test_gives_the_last_units_to_who_fits(self, session: Session) -> None:
        deal = make_deal(session, allotment=3)
        claims = [make_claim(session, deal, quantity=units) for units in (2, 2, 1, 1)]

        answers = place(session, *claims)

        assert [isinstance(answer, Granted) for answer in answers] == [
            True,
            False,
            True,
            False,
        ]
        assert deal.left == 0

    def test_says_how_many_are_left(self, session: Session) -> None:
        deal = make_deal(session, allotment=1)

        refusal = refused(session, make_claim(session, deal, quantity=2))

        assert isinstance(refusal, SoldOut)
        assert (refusal.wanted, refusal.left) == (2, 1)

    def test_says_that_all_are_held(self, session: Session) -> None:
        deal = make_deal(session, allotment=1)
        granted(session, make_claim(session, deal))

        assert isinstance(refused(session, make_claim(session, deal)), AllHeld)

    def test_says_that_all_are_sold(self, session: Session) -> None:
        deal = make_deal(session, allotment=1, sold=1)

        assert isinstance(refused(session, make_claim(session, deal)), SoldOut)

    def test_refuses_withheld_units(self, session: Session) -> None:
        deal = make_deal(session, allotment=2, withheld=2)

        assert isinstance(refused(session, make_claim(session, deal)), SoldOut)

    @pytest.mark.parametrize(
        ("opens_in", "closes_in", "refusal"),
        [
            (SECOND, HOUR, DealNotOpen),
            (-HOUR, timedelta(0), DealClosed),
        ],
    )
    def test_keeps_to_the_deals_time(
        self,
        session: Session,
        opens_in: timedelta,
        closes_in: timedelta,
        refusal: type[OfferError],
    ) -> None:
        deal = make_deal(session, opens_at=NOON + opens_in, closes_at=NOON + closes_in)

        assert isinstance(refused(session, make_claim(session, deal)), refusal)

        assert deal.held == 0

    def test_grants_from_the_first_instant_to_the_last(self, session: Session) -> None:
        first = make_deal(session, opens_at=NOON)
        last = make_deal(session, closes_at=NOON + timedelta(microseconds=1))

        granted(session, make_claim(session, first))
        granted(session, make_claim(session, last))

    def test_says_that_there_is_no_such_deal(self, session: Session) -> None:
        claim = Claim("deal_none", "post_none", "key", "shopper")

        assert isinstance(refused(session, claim), Missing)

    def test_refuses_to_hold_less_than_one_unit(self, session: Session) -> None:
        deal = make_deal(session)

        for quantity in (0, -1):
            with pytest.raises(ValueError, match="at least one"):
                make_claim(session, deal, quantity=quantity)

    def test_serves_several_deals_at_once(self, session: Session) -> None:
        deals = [make_deal(session, allotment=1) for _ in range(2)]
        claims = [make_claim(session, deals[number]) for number in (1, 0, 1, 0)]

        answers = place(session, *claims)

        assert [isinstance(answer, Granted) for answer in answers] == [
            True,
            True,
            False,
            False,
        ]
        assert [hold.deal_id for hold in answers if isinstance(hold, Granted)] == [
            deals[1].id,
            deals[0].id,
        ]


class TestTheSameKey:
    def test_gives_the_same_hold(self, session: Session) -> None:
        deal = make_deal(session)
        claim = make_claim(session, deal, quantity=2)
        first = granted(session, claim)

        second = granted(session, claim)

        assert second.id == first.id
        assert deal.held == 2

    def test_gives_the_same_hold_within_one_batch(self, session: Session) -> None:
        deal = make_deal(session, allotment=5, limit_per_shopper=5)
        claim = make_claim(session, deal)

        answers = place(session, claim, claim, make_claim(session, deal), claim)

        holds = [answer for answer in answers if isinstance(answer, Granted)]
        assert len(holds) == 4
        assert holds[0].id == holds[1].id == holds[3].id != holds[2].id
        assert deal.held == 2

    def test_gives_the_same_hold_after_the_deal_sold_out_or_ended(
        self, session: Session
    ) -> None:
        deal = make_deal(session, allotment=1)
        claim = make_claim(session, deal)
        first = granted(session, claim)
        end_deal(session, deal.retailer_id, deal.id, now=NOON)

        assert granted(session, claim).id == first.id

    def test_is_another_at_another_deal(self, session: Session) -> None:
        one, other = make_deal(session), make_deal(session)

        first = granted(session, make_claim(session, one, key="page"))
        second = granted(session, make_claim(session, other, key="page"))

        assert first.id != second.id


class TestTheLimit:
    def test_counts_all_that_a_shopper_has(self, session: Session) -> None:
        deal = make_deal(session, limit_per_shopper=3)
        granted(session, make_claim(session, deal, shopper="sam", quantity=2))

        refusal = refused(session, make_claim(session, deal, shopper="sam", quantity=2))

        assert isinstance(refusal, LimitReached)
        assert refusal.limit == 3
        granted(session, make_claim(session, deal, shopper="sam", quantity=1))

    def test_counts_within_one_batch(self, session: Session) -> None:
        deal = make_deal(session, limit_per_shopper=1)
        claims = [make_claim(session, deal, shopper="sam") for _ in range(3)]

        answers = place(session, *claims)

        assert [isinstance(answer, Granted) for answer in answers] == [
            True,
            False,
            False,
        ]

    def test_counts_what_was_paid_and_not_what_was_released(
        self, session: Session
    ) -> None:
        deal = make_deal(session, limit_per_shopper=1)
        make_hold(session, deal, shopper="sam", state=HoldState.PAID)
        make_hold(session, deal, shopper="kim", state=HoldState.RELEASED)

        assert isinstance(
            refused(session, make_claim(session, deal, shopper="sam")), LimitReached
        )
        granted(session, make_claim(session, deal, shopper="kim"))

    def test_counts_each_deal_and_shopper_apart(self, session: Session) -> None:
        one, other = (make_deal(session, limit_per_shopper=1) for _ in range(2))

        granted(session, make_claim(session, one, shopper="sam"))
        granted(session, make_claim(session, other, shopper="sam"))
        granted(session, make_claim(session, one, shopper="kim"))


class TestEndHold:
    @pytest.mark.parametrize("state", ACTIVE)
    def test_frees_the_units(self, session: Session, state: HoldState) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=state, quantity=2)

        assert end_hold(session, hold.id, HoldState.RELEASED, now=NOON)

        session.refresh(deal)
        session.refresh(hold)
        assert (deal.left, deal.held, deal.sold) == (10, 0, 0)
        assert (hold.state, hold.ended_at) == (HoldState.RELEASED, NOON)

    def test_sells_the_units(self, session: Session) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=HoldState.OPEN, quantity=2)

        assert end_hold(session, hold.id, HoldState.PAID, now=NOON)

        session.refresh(deal)
        assert (deal.left, deal.held, deal.sold) == (8, 0, 2)

    def test_frees_nothing_that_the_stock_no_longer_has(self, session: Session) -> None:
        offer = make_offer(session, quantity=2)
        deal = make_deal(session, offer, allotment=2)
        hold = make_hold(session, deal)
        offer.quantity = 1
        session.commit()
        other = make_hold(session, deal)

        end_hold(session, hold.id, HoldState.RELEASED, now=NOON)

        session.refresh(deal)
        assert (deal.left, deal.held, deal.withheld) == (0, 1, 1)
        assert other.state is HoldState.HELD

    @pytest.mark.parametrize("first", [HoldState.PAID, HoldState.RELEASED])
    @pytest.mark.parametrize("second", [HoldState.PAID, HoldState.RELEASED])
    def test_is_once(
        self, session: Session, first: HoldState, second: HoldState
    ) -> None:
        deal = make_deal(session)
        make_hold(session, deal)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        end_hold(session, hold.id, first, now=NOON)
        session.refresh(deal)
        before = deal.model_dump()

        assert not end_hold(session, hold.id, second, now=NOON)

        session.refresh(deal)
        assert deal.model_dump() == before
        assert get_hold(session, hold.id).state is first


class TestSellFree:
    def test_sells_to_a_hold_that_was_released(self, session: Session) -> None:
        deal = make_deal(session, allotment=2, closes_at=NOON)
        hold = make_hold(session, deal, state=HoldState.RELEASED, quantity=2)

        assert sell_free(session, hold, now=NOON)

        session.refresh(deal)
        session.refresh(hold)
        assert (deal.sold, deal.held, hold.state) == (2, 0, HoldState.PAID)

    @pytest.mark.parametrize("units", [{"held": 1}, {"sold": 1}, {"withheld": 1}])
    def test_sells_nothing_that_is_not_free(
        self, session: Session, units: dict[str, int]
    ) -> None:
        deal = make_deal(session, allotment=2, **units)
        hold = make_hold(session, deal, state=HoldState.RELEASED, quantity=2)

        assert not sell_free(session, hold, now=NOON)

        session.refresh(hold)
        assert hold.state is HoldState.RELEASED


class TestChangeState:
    def test_leaves_the_units(self, session: Session) -> None:
        deal = make_deal(session)
        hold = make_hold(session, deal, state=HoldState.OPEN)

        change_state(session, hold.id, HoldState.PROCESSING, now=NOON)

        session.refresh(deal)
        session.refresh(hold)
        assert (hold.state, deal.held) == (HoldState.PROCESSING, 1)
        assert hold.ended_at is None


class TestBeginCheckout:
    @pytest.mark.parametrize("state", list(HoldState))
    def test_is_for_holds_without_a_page(
        self, session: Session, state: HoldState
    ) -> None:
        hold = make_hold(session, state=state)

        begun = begin_checkout(session, hold.id, "asked", now=NOON)

        assert (begun is not None) == (state in UNPAGED)

    def test_writes_down_what_is_asked(self, session: Session) -> None:
        hold = make_hold(session)

        begun = begin_checkout(session, hold.id, "asked", now=NOON)

        assert begun is not None
        assert (begun.state, begun.request) == (HoldState.CREATING, "asked")
        assert (begun.attempts, begun.leased_until) == (1, NOON + LEASE)

    def test_is_for_one_at_a_time(self, session: Session) -> None:
        hold = make_hold(session)
        begin_checkout(session, hold.id, "asked", now=NOON)

        almost = NOON + LEASE - SECOND
        assert begin_checkout(session, hold.id, "asked", now=almost) is None
        assert begin_checkout(session, hold.id, "asked", now=NOON + LEASE) is not None

    def test_repeats_to_the_letter(self, session: Session) -> None:
        hold = make_hold(session)
        begin_checkout(session, hold.id, "asked first", now=NOON)

        again = begin_checkout(session, hold.id, "asked anew", now=NOON + LEASE)

        assert again is not None
        assert (again.request, again.attempts) == ("asked first", 2)

    def test_asks_afresh_once_nothing_was_made(self, session: Session) -> None:
        hold = make_hold(session)
        begin_checkout(session, hold.id, "asked first", now=NOON)

        forget_checkout(session, hold.id, until=NOON + MINUTE)

        session.refresh(hold)
        assert (hold.state, hold.request) == (HoldState.HELD, "")
        assert begin_checkout(session, hold.id, "asked anew", now=NOON) is None
        again = begin_checkout(session, hold.id, "asked anew", now=NOON + MINUTE)
        assert again is not None
        assert again.request == "asked anew"

    def test_asks_again_when_it_was_put_off_to(self, session: Session) -> None:
        hold = make_hold(session)
        begin_checkout(session, hold.id, "asked", now=NOON)

        put_off_checkout(session, hold.id, until=NOON + SECOND)

        assert begin_checkout(session, hold.id, "asked", now=NOON) is None
        assert begin_checkout(session, hold.id, "asked", now=NOON + SECOND) is not None


class TestFindPayableHold:
    def test_finds_what_a_shopper_may_still_pay(self, session: Session) -> None:
        deal = make_deal(session)
        hold = make_hold(session, deal, state=HoldState.OPEN)

        assert find_payable_hold(session, deal.id, hold.shopper) == hold
        assert find_payable_hold(session, deal.id, "somebody else") is None

    def test_passes_over_what_is_paid_or_released(self, session: Session) -> None:
        deal = make_deal(session)
        paid = make_hold(session, deal, state=HoldState.PAID)
        released = make_hold(session, deal, state=HoldState.RELEASED)

        shoppers = (paid.shopper, released.shopper)
        assert [find_payable_hold(session, deal.id, s) for s in shoppers] == [None] * 2


class TestOpenCheckout:
    def test_records_the_page(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.CREATING)

        open_checkout(session, hold.id, "cs_1", "https://pay.example/1", now=NOON)

        session.refresh(hold)
        assert (hold.checkout_id, hold.state) == ("cs_1", HoldState.OPEN)
        assert (hold.checkout_url, hold.leased_until) == ("https://pay.example/1", None)

    @pytest.mark.parametrize(
        "state", [HoldState.PAID, HoldState.RELEASED, HoldState.PROCESSING]
    )
    def test_comes_too_late_for_a_hold_that_went_on(
        self, session: Session, state: HoldState
    ) -> None:
        hold = make_hold(session, state=state)

        open_checkout(session, hold.id, "cs_late", "https://pay.example/1", now=NOON)
        forget_checkout(session, hold.id, until=NOON)

        session.refresh(hold)
        assert hold.state is state


class TestLapsedHolds:
    def lapsed(self, session: Session, state: HoldState, **facts: Any) -> Hold:
        return make_hold(session, state=state, expires_at=NOON, **facts)

    @pytest.mark.parametrize("state", list(HoldState))
    def test_are_asked_about_if_they_may_be_paid(
        self, session: Session, state: HoldState
    ) -> None:
        hold = self.lapsed(session, state)

        leased = lease_lapsed_holds(session, now=NOON)

        asked = state in PAYABLE and state is not HoldState.HELD
        assert [one.id for one in leased] == [hold.id] * asked

    def test_are_released_if_no_page_was_ever_asked_for(self, session: Session) -> None:
        deal = make_deal(session, allotment=2)
        hold = self.lapsed(session, HoldState.HELD, deal=deal)

        assert lease_lapsed_holds(session, now=NOON) == []

        session.refresh(deal)
        session.refresh(hold)
        assert (hold.state, deal.left) == (HoldState.RELEASED, 2)

    @pytest.mark.parametrize("state", [HoldState.CREATING, HoldState.OPEN])
    def test_keep_their_units_until_the_provider_speaks(
        self, session: Session, state: HoldState
    ) -> None:
        deal = make_deal(session, allotment=2)
        self.lapsed(session, state, deal=deal)

        lease_lapsed_holds(session, now=NOON + HOUR)

        session.refresh(deal)
        assert (deal.held, deal.left) == (1, 1)

    def test_are_left_alone_before_their_time(self, session: Session) -> None:
        self.lapsed(session, HoldState.OPEN)
        self.lapsed(session, HoldState.HELD)

        assert lease_lapsed_holds(session, now=NOON - SECOND) == []
        assert len(lease_lapsed_holds(session, now=NOON)) == 1

    def test_are_asked_about_by_one_at_a_time(self, session: Session) -> None:
        self.lapsed(session, HoldState.OPEN)
        lease_lapsed_holds(session, now=NOON)

        assert lease_lapsed_holds(session, now=NOON + LEASE - SECOND) == []
        assert len(lease_lapsed_holds(session, now=NOON + LEASE)) == 1

    def test_wait_for_who_is_just_asking_for_a_page(self, session: Session) -> None:
        hold = self.lapsed(session, HoldState.HELD)
        begin_checkout(session, hold.id, "asked", now=NOON)

        assert lease_lapsed_holds(session, now=NOON + SECOND) == []


class TestGiveUpHold:
    def test_ends_it_at_once_without_a_page(self, session: Session) -> None:
        deal = make_deal(session, allotment=1)
        hold = make_hold(session, deal)

        given_up = give_up_hold(session, hold.token, now=NOON)

        session.refresh(deal)
        assert (given_up.state, deal.left) == (HoldState.RELEASED, 1)

    def test_lets_the_provider_be_asked_first(self, session: Session) -> None:
        deal = make_deal(session, allotment=1)
        hold = make_hold(session, deal, state=HoldState.OPEN)

        given_up = give_up_hold(session, hold.token, now=NOON)

        session.refresh(deal)
        assert (given_up.state, deal.left) == (HoldState.OPEN, 0)
        assert [one.id for one in lease_lapsed_holds(session, now=NOON)] == [hold.id]

    @pytest.mark.parametrize(
        "state", [HoldState.PAID, HoldState.RELEASED, HoldState.PROCESSING]
    )
    def test_changes_nothing_that_is_over(
        self, session: Session, state: HoldState
    ) -> None:
        hold = make_hold(session, state=state)
        before = hold.model_dump()

        assert give_up_hold(session, hold.token, now=NOON).model_dump() == before


class TestExtendHold:
    def test_gives_the_same_time_again(self, session: Session) -> None:
        deal = make_deal(session, hold_minutes=7)
        hold = make_hold(session, deal, state=HoldState.OPEN)

        extended = extend_hold(session, hold.token, now=NOON + MINUTE)

        assert extended.expires_at == NOON + 14 * MINUTE

    def test_is_once(self, session: Session) -> None:
        hold = make_hold(session)
        extend_hold(session, hold.token, now=NOON)

        with pytest.raises(WrongState):
            extend_hold(session, hold.token, now=NOON)

    def test_refuses_one_whose_time_is_up(self, session: Session) -> None:
        hold = make_hold(session, expires_at=NOON)

        with pytest.raises(WrongState):
            extend_hold(session, hold.token, now=NOON)

    @pytest.mark.parametrize(
        "state", [HoldState.PAID, HoldState.RELEASED, HoldState.PROCESSING]
    )
    def test_refuses_one_that_is_over(self, session: Session, state: HoldState) -> None:
        hold = make_hold(session, state=state)

        with pytest.raises(WrongState):
            extend_hold(session, hold.token, now=NOON)


class TestReads:
    def test_find_a_hold_by_its_id_and_its_token(self, session: Session) -> None:
        hold = make_hold(session)

        assert get_hold(session, hold.id).id == hold.id
        assert get_hold_by_token(session, hold.token).id == hold.id

    @pytest.mark.parametrize("read", [get_hold, get_hold_by_token])
    def test_say_that_there_is_none(self, session: Session, read: Any) -> None:
        with pytest.raises(Missing):
            read(session, "none")
