"""
The ledger: each line once, whose it is and what it is about; balances beside it.
"""

from datetime import timedelta
from typing import Any

from sqlmodel import Session, select

from offers.holds import HoldState
from offers.ledger import (
    AccountBalance,
    BookLine,
    LedgerEntry,
    attribute_entries,
    entries,
    entries_of_order,
    keep_balances,
    keep_lines,
    kinds,
    opening_lines,
)
from offers.money import Money
from tests.factories import (
    MINUTE,
    NOON,
    make_deal,
    make_entry,
    make_hold,
    make_order,
    make_payment_account,
    make_refund,
    make_retailer,
    north,
)


def line(line_id: str = "txn_1", amount: int = 4_999, **facts: Any) -> BookLine:
    money = Money(amount, facts.pop("currency", "eur"))
    return BookLine(
        id=line_id,
        kind=facts.pop("kind", "charge"),
        amount=money,
        fee=Money(facts.pop("fee", 0), money.currency),
        source=facts.pop("source", money),
        happened_at=facts.pop("happened_at", NOON),
        **facts,
    )


def keep(session: Session, *lines: BookLine, account_id: str = "") -> int:
    return keep_lines(session, account_id, lines, now=NOON)


def kept(session: Session) -> list[LedgerEntry]:
    session.expire_all()
    statement = select(LedgerEntry).order_by(LedgerEntry.transaction_id)
    return list(session.exec(statement))


class TestKeeping:
    def test_a_line_that_comes_twice_is_kept_once(self, session):
        first = keep(session, line("txn_1"), line("txn_2"))
        again = keep(session, line("txn_2"), line("txn_3"))

        assert (first, again) == (2, 1)
        assert [entry.transaction_id for entry in kept(session)] == [
            "txn_1",
            "txn_2",
            "txn_3",
        ]

    def test_nothing_is_nothing(self, session):
        assert keep(session) == 0

    def test_the_same_line_in_two_accounts_is_two(self, session):
        account = make_payment_account(session)

        assert keep(session, line()) == 1
        assert keep(session, line(), account_id=account.id) == 1

    def test_what_is_left_is_without_the_fee(self, session):
        keep(session, line(amount=4_999, fee=100))

        (entry,) = kept(session)
        assert (entry.money, entry.fees, entry.left) == (
            Money(4_999, "eur"),
            Money(100, "eur"),
            Money(4_899, "eur"),
        )

    def test_all_of_an_account_of_ones_own_is_ones_own(self, session):
        account = make_payment_account(session, retailer_id=make_retailer(session).id)

        keep(session, line(kind="payout"), account_id=account.id)

        (entry,) = kept(session)
        assert entry.retailer_id == account.retailer_id


class TestOpening:
    def test_is_what_the_lines_do_not_explain(self):
        lines = [line(amount=500, fee=20), line("txn_2", -100)]

        opened = opening_lines([Money(1_000, "eur")], lines, at=NOON)

        assert [(each.id, each.net) for each in opened] == [
            ("opening:eur", Money(620, "eur"))
        ]

    def test_is_nothing_where_nothing_was(self):
        assert opening_lines([Money(480, "eur")], [line(amount=480)], at=NOON) == []

    def test_is_apart_for_each_currency(self):
        opened = opening_lines(
            [Money(7, "jpy")], [line(amount=5, currency="eur")], at=NOON
        )

        assert [each.net for each in opened] == [Money(-5, "eur"), Money(7, "jpy")]


class TestAttributing:
    def test_a_payment_is_of_its_order(self, session):
        order = make_order(session, payment_id="pi_1")
        keep(session, line(payment_id="pi_1"))

        attribute_entries(session, "")

        (entry,) = kept(session)
        assert (entry.order_id, entry.retailer_id) == (order.id, order.retailer_id)

    def test_a_payment_of_another_account_is_not(self, session):
        account = make_payment_account(session)
        make_order(session, payment_id="pi_1", account_id=account.id)
        keep(session, line(payment_id="pi_1"))

        attribute_entries(session, "")

        (entry,) = kept(session)
        assert (entry.order_id, entry.retailer_id) == (None, "")

    def test_a_refund_is_of_its_payment_and_itself(self, session):
        order = make_order(session, payment_id="pi_1")
        mine = {"payment_id": "pi_1", "order_id": order.id}
        make_refund(session, provider_id="re_0", **mine)
        refund = make_refund(session, provider_id="re_1", **mine)
        keep(session, line(kind="refund", payment_id="pi_1", source_id="re_1"))

        attribute_entries(session, "")

        (entry,) = kept(session)
        assert (entry.order_id, entry.refund_id) == (order.id, refund.id)

    def test_what_became_no_order_is_known_by_its_refund(self, session):
        refund = make_refund(session, payment_id="pi_late")
        keep(session, line(payment_id="pi_late"))

        attribute_entries(session, "")

        (entry,) = kept(session)
        assert (entry.order_id, entry.refund_id) == (None, None)
        assert entry.retailer_id == refund.retailer_id

    def test_what_became_no_order_is_known_by_its_hold(self, session):
        hold = make_hold(session, state=HoldState.REVIEW)
        keep(session, line(payment_id="pi_1", hold_id=hold.id))

        attribute_entries(session, "")

        (entry,) = kept(session)
        assert (entry.order_id, entry.retailer_id) == (None, hold.retailer_id)

    def test_a_hold_that_asked_another_account_proves_nothing(self, session):
        account = make_payment_account(session)
        hold = make_hold(session, state=HoldState.OPEN, account_id=account.id)
        keep(session, line(payment_id="pi_1", hold_id=hold.id))

        attribute_entries(session, "")

        assert kept(session)[0].retailer_id == ""

    def test_what_belongs_to_no_payment_stays_nobodys(self, session):
        make_order(session)
        keep(session, line(kind="payout", amount=-500))

        attribute_entries(session, "")

        assert kept(session)[0].retailer_id == ""


class TestBalances:
    def balance(self, session: Session) -> AccountBalance:
        session.expire_all()
        return session.exec(select(AccountBalance)).one()

    def test_are_kept_beside_the_sum_of_the_entries(self, session):
        keep(session, line(amount=500, fee=20))

        keep_balances(session, "", [Money(480, "eur")], now=NOON)

        balance = self.balance(session)
        assert (balance.amount, balance.listed_amount) == (480, 480)
        assert (balance.differs_since, balance.read_at) == (None, NOON)

    def test_that_differ_say_since_when(self, session):
        later = NOON + MINUTE

        keep_balances(session, "", [Money(5, "eur")], now=NOON)
        keep_balances(session, "", [Money(7, "eur")], now=later)

        balance = self.balance(session)
        assert (balance.amount, balance.listed_amount) == (7, 0)
        assert (balance.differs_since, balance.read_at) == (NOON, later)

    def test_that_agree_again_say_so(self, session):
        keep_balances(session, "", [Money(5, "eur")], now=NOON)
        keep_balances(session, "", [Money(0, "eur")], now=NOON + MINUTE)

        assert self.balance(session).differs_since is None

    def test_that_are_not_told_are_nothing(self, session):
        keep(session, line(amount=500))

        keep_balances(session, "", [], now=NOON)

        assert (self.balance(session).amount, self.balance(session).listed_amount) == (
            0,
            500,
        )


class TestListing:
    def test_an_orders_entries_come_first_first(self, session):
        order = make_order(session)
        make_entry(session, order, -500, kind="refund", happened_at=NOON + MINUTE)
        make_entry(session, order)
        make_entry(session, make_order(session))

        found = entries_of_order(session, order.retailer_id, order.id)

        assert [entry.kind for entry in found] == ["charge", "refund"]
        assert entries_of_order(session, make_retailer(session).id, order.id) == []

    def test_entries_are_paged_whatever_happened_at_once(self, session):
        retailer = north(session).id
        for number in range(5):
            at = NOON + timedelta(seconds=number // 2)
            make_entry(session, retailer_id=retailer, happened_at=at)

        pages, before = [], ""
        while page := entries(session, retailer, before=before, limit=2):
            pages.append(page)
            before = page[-1].id

        found = [entry.id for page in pages for entry in page]
        assert [len(page) for page in pages] == [2, 2, 1]
        assert len(set(found)) == 5

    def test_a_page_after_another_retailers_entry_is_the_first(self, session):
        mine = make_entry(session, retailer_id=north(session).id)
        theirs = make_entry(session, retailer_id=make_retailer(session).id)

        found = entries(session, mine.retailer_id, before=theirs.id)

        assert [entry.id for entry in found] == [mine.id]

    def test_kinds_are_those_there_are(self, session):
        order = make_order(session, make_deal(session))
        for kind in ("refund", "charge", "charge"):
            make_entry(session, order, kind=kind)
        make_entry(session, retailer_id=make_retailer(session).id, kind="payout")

        assert kinds(session, order.retailer_id) == ["charge", "refund"]
        (refund,) = entries(session, order.retailer_id, kind="refund")
        assert refund.paid == order.total
