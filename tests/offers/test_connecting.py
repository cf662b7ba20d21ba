"""
To whom a retailer's shoppers pay: one account at a time, and nobody's by mistake.
"""

from typing import Any

import pytest
from sqlmodel import Session

from offers.catalog import Offer
from offers.claim_rows import Granted
from offers.claims import place_holds
from offers.connecting import (
    KEEP_SECRET,
    NOT_ENABLED,
    HoldsOpen,
    begin_connecting,
    choose_the_house,
    connect_own_key,
    deauthorise,
    disconnect_account,
    find_unproved,
    holds_open,
    keep_webhook_secret,
    note_barred,
    note_standing,
    tell_deal,
)
from offers.deals import Deal
from offers.errors import Missing, WrongState
from offers.holds import Hold, HoldState
from offers.payment_accounts import (
    NoAccount,
    PaymentAccount,
    PaymentAccountKind,
    account_for,
    accounts_in_use,
    find_account_in_use,
    find_connected_account,
    get_payment_account,
    may_sell,
    payment_accounts,
)
from offers.reviews import holds_in_review, let_go
from offers.sentences import load_sentence
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_claim,
    make_deal,
    make_hold,
    make_payment_account,
    make_retailer,
    north,
)

CONNECTED = PaymentAccountKind.CONNECTED


def connect_key(session: Session, **facts: Any) -> PaymentAccount:
    said = {
        "provider_id": "acct_1",
        "name": "North",
        "sealed_key": "sealed",
        "livemode": False,
        "now": NOON,
        **facts,
    }
    provider_id = said.pop("provider_id")
    return connect_own_key(session, north(session).id, provider_id, **said)


def in_use(session: Session) -> PaymentAccount | None:
    return find_account_in_use(session, north(session).id)


class TestOwnKey:
    def test_takes_the_money_from_now_on(self, session: Session) -> None:
        account = connect_key(session)

        assert in_use(session) == account
        assert account_for(session, north(session).id) == account.id
        assert (account.proved_at, account.trouble) == (NOON, "")

    def test_another_key_of_the_same_account_replaces_the_first(
        self, session: Session
    ) -> None:
        first = connect_key(session)
        second = connect_key(session, sealed_key="sealed anew")

        assert second.id == first.id
        assert second.sealed_key == "sealed anew"

    def test_another_account_ends_the_first(self, session: Session) -> None:
        first = connect_key(session)
        second = connect_key(session, provider_id="acct_2", now=NOON + HOUR)

        session.refresh(first)
        assert in_use(session) == second
        assert first.ended_at == NOON + HOUR
        assert payment_accounts(session, first.retailer_id) == [second, first]

    def test_test_and_live_are_two_accounts(self, session: Session) -> None:
        test, live = connect_key(session), connect_key(session, livemode=True)

        assert test.id != live.id
        assert in_use(session) == live

    def test_an_account_can_come_back(self, session: Session) -> None:
        account = connect_key(session)
        disconnect_account(session, account.retailer_id, account.id, now=NOON)

        again = connect_key(session)

        assert (again.id, again.ended_at) == (account.id, None)


class TestConnected:
    def begin(self, session: Session, provider_id: str = "acct_9") -> PaymentAccount:
        return begin_connecting(
            session,
            north(session).id,
            provider_id,
            fee_bps=250,
            livemode=False,
            now=NOON,
        )

    def test_is_not_used_before_it_is_proved(self, session: Session) -> None:
        account = self.begin(session)

        assert in_use(session) is None
        assert find_unproved(session, account.retailer_id) == account
        assert account_for(session, account.retailer_id) == ""

    def test_is_made_once(self, session: Session) -> None:
        assert self.begin(session).id == self.begin(session).id

    def test_takes_over_when_stripe_agrees(self, session: Session) -> None:
        before, account = connect_key(session), self.begin(session)

        not_yet = note_standing(session, account.id, enabled=False, now=NOON)
        then = note_standing(session, account.id, enabled=True, name="N", now=NOON)

        session.refresh(before)
        assert (not_yet, then) == (False, True)
        assert in_use(session) == account
        assert (account.name, account.trouble) == ("N", "")
        assert before.ended_at == NOON

    def test_shows_when_stripe_no_longer_agrees(self, session: Session) -> None:
        account = make_payment_account(session, kind=CONNECTED)

        still = note_standing(session, account.id, enabled=False, now=NOON)
        trouble = load_sentence(account.trouble)
        note_standing(session, account.id, enabled=True, now=NOON)

        assert still
        assert trouble == NOT_ENABLED
        assert account.trouble == ""

    def test_what_has_ended_stays_so(self, session: Session) -> None:
        account = make_payment_account(session, ended_at=NOON)

        assert not note_standing(session, account.id, enabled=True, now=NOON)
        assert account.ended_at == NOON

    def test_is_found_by_the_name_at_stripe(self, session: Session) -> None:
        make_payment_account(session, provider_id="acct_9")
        old = make_payment_account(
            session, provider_id="acct_9", kind=CONNECTED, ended_at=NOON
        )
        by_name = find_connected_account(session, "acct_9")
        new = make_payment_account(
            session,
            retailer_id=make_retailer(session).id,
            provider_id="acct_9",
            kind=CONNECTED,
        )

        assert by_name == old
        assert find_connected_account(session, "acct_9") == new
        assert find_connected_account(session, "acct_none") is None


class TestDeauthorise:
    def test_leaves_nobody_to_sell_through(self, session: Session) -> None:
        account = make_payment_account(session)

        news = deauthorise(session, account.id, now=NOON)
        again = deauthorise(session, account.id, now=NOON + HOUR)

        assert (news, again) == (True, False)
        assert account.ended_at == NOON
        assert not may_sell(session, account.retailer_id)
        with pytest.raises(NoAccount):
            account_for(session, account.retailer_id)

    def test_stops_the_deals_of_this_retailer_alone(self, session: Session) -> None:
        account = make_payment_account(session)
        deal, closed = make_deal(session), make_deal(session, closed_at=NOON)
        other = make_deal(session, retailer_id=make_retailer(session).id)

        deauthorise(session, account.id, now=NOON)

        for each in (deal, closed, other):
            session.refresh(each)
        assert (deal.payable, closed.payable, other.payable) == (False, True, True)

    def test_units_are_neither_held_nor_promised(self, session: Session) -> None:
        account, deal = make_payment_account(session), make_deal(session)
        deal.reserve_until = NOON + HOUR
        deauthorise(session, account.id, now=NOON)
        session.commit()
        wishes = [
            make_claim(session, deal),
            make_claim(session, deal, reserve=True),
        ]

        online, in_store = place_holds(session, wishes, now=NOON)

        assert isinstance(online, NoAccount)
        assert isinstance(in_store, Granted)

    def test_a_new_deal_is_not_payable_either(self, session: Session) -> None:
        account = make_payment_account(session)
        deauthorise(session, account.id, now=NOON)
        deal = make_deal(session)

        tell_deal(session, deal)

        assert not deal.payable

    def test_the_owner_may_choose_the_house(self, session: Session) -> None:
        account, deal = make_payment_account(session), make_deal(session)
        deauthorise(session, account.id, now=NOON)

        choose_the_house(session, account.retailer_id)

        session.refresh(deal)
        assert may_sell(session, account.retailer_id)
        assert account_for(session, account.retailer_id) == ""
        assert deal.payable

    def test_or_connect_an_account_again(self, session: Session) -> None:
        account, deal = make_payment_account(session), make_deal(session)
        deauthorise(session, account.id, now=NOON)

        again = connect_key(session, provider_id="acct_2")

        session.refresh(deal)
        session.refresh(account)
        assert account_for(session, account.retailer_id) == again.id
        assert (deal.payable, account.trouble) == (True, "")

    def test_of_an_unknown_account_is_no_news(self, session: Session) -> None:
        assert not deauthorise(session, "payacc_none", now=NOON)


class TestDisconnect:
    def test_is_refused_while_shoppers_are_paying(self, session: Session) -> None:
        account = make_payment_account(session)
        make_hold(session, state=HoldState.OPEN, account_id=account.id)
        whose = account.retailer_id, account.id

        with pytest.raises(HoldsOpen, match="1 shoppers are paying"):
            disconnect_account(session, *whose, now=NOON)
        disconnect_account(session, *whose, sure=True, now=NOON)

        assert holds_open(session, account.id) == 1
        assert account.ended_at == NOON
        assert may_sell(session, account.retailer_id)

    def test_is_not_for_other_retailers(self, session: Session) -> None:
        account, south = make_payment_account(session), make_retailer(session)

        with pytest.raises(Missing, match="payment account"):
            disconnect_account(session, south.id, account.id, now=NOON)


class TestBarred:
    def test_is_shown_while_the_account_is_in_use(self, session: Session) -> None:
        account = make_payment_account(session)

        ended = note_barred(session, account.id, "Expired API Key")

        assert not ended
        assert "Expired API Key" in str(load_sentence(account.trouble))

    def test_says_whether_it_has_ended(self, session: Session) -> None:
        account = make_payment_account(session, ended_at=NOON)

        assert note_barred(session, account.id, "gone")
        assert account.trouble == ""
        assert not note_barred(session, "", "the house's key")


def test_two_secrets_count_while_one_replaces_the_other(session: Session) -> None:
    account = make_payment_account(session)
    whose = account.retailer_id, account.id

    keep_webhook_secret(session, *whose, "first", now=NOON)
    alone = account.sealed_previous_secret
    keep_webhook_secret(session, *whose, "second", now=NOON + DAY)

    assert alone == ""
    assert account.sealed_webhook_secret == "second"
    assert account.sealed_previous_secret == "first"
    assert account.previous_until == NOON + DAY + KEEP_SECRET


def test_accounts_in_use_are_told_for_all_retailers(session: Session) -> None:
    ours = make_payment_account(session)
    make_payment_account(session, retailer_id=make_retailer(session).id, ended_at=NOON)
    make_payment_account(session, kind=CONNECTED, proved_at=None)

    assert accounts_in_use(session) == [ours]


def test_an_account_is_its_retailers_alone(session: Session) -> None:
    account = make_payment_account(session)

    assert get_payment_account(session, account.retailer_id, account.id) == account
    with pytest.raises(Missing):
        get_payment_account(session, "retailer_other", account.id)


class TestReviews:
    def test_are_those_a_person_has_to_decide(self, session: Session) -> None:
        review = make_hold(session, state=HoldState.REVIEW)
        make_hold(session, state=HoldState.OPEN)
        south = make_retailer(session)
        make_hold(
            session,
            make_deal(session, retailer_id=south.id),
            state=HoldState.REVIEW,
        )

        assert holds_in_review(session, review.retailer_id) == [review]

    def test_letting_go_puts_the_units_back_on_sale(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.REVIEW, quantity=2)

        let_go(session, hold.retailer_id, hold.id, now=NOON)

        deal = session.get_one(Deal, hold.deal_id, populate_existing=True)
        assert (hold.state, deal.held) == (HoldState.RELEASED, 0)

    def test_letting_go_of_the_last_units_that_stock_lacks_ends_the_deal(
        self, session: Session
    ) -> None:
        deal = make_deal(session, allotment=1)
        hold = make_hold(session, deal, state=HoldState.REVIEW)
        session.get_one(Offer, deal.offer_id).quantity = 0
        session.commit()

        let_go(session, hold.retailer_id, hold.id, now=NOON)

        session.refresh(deal)
        assert (deal.withheld, deal.sold_out_at) == (1, NOON)

    @pytest.mark.parametrize("state", [HoldState.OPEN, HoldState.RELEASED])
    def test_nothing_else_is_let_go(self, session: Session, state: HoldState) -> None:
        hold = make_hold(session, state=state)

        with pytest.raises(WrongState):
            let_go(session, hold.retailer_id, hold.id, now=NOON)

    def test_nor_what_is_another_retailers(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.REVIEW)

        with pytest.raises(Missing):
            let_go(session, make_retailer(session).id, hold.id, now=NOON)

        assert session.get_one(Hold, hold.id).state is HoldState.REVIEW
