"""Declaring: a merchant says what was charged before we kept a log, or takes it back.

Whoever declares answers for it, so it is kept who, when, of which days and on what
basis. Nothing that was declared is ever changed. What a declaration proved of a deal
that runs is looked at again when it is revoked.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, and_, exists, insert, literal, or_
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.declarations import DeclaredPrice, PriceDeclaration, Scope
from offers.errors import InvalidField, WrongState
from offers.ids import new_id
from offers.imports import FeedImport, ImportState
from offers.merchants import Merchant
from offers.money import Money
from offers.prices import PricePoint, find_reduction, price_log
from offers.retailers import get_retailer, take_turns
from offers.scope import get_own
from offers.sentences import Sentence

DAY = timedelta(days=1)
SHORTEST_OF_FILE = 30
OLDEST = timedelta(days=3 * 365)
SHORTEST_BASIS, LONGEST_BASIS = 10, 1_000


def declare_offer(
    session: Session,
    merchant: Merchant,
    offer_id: str,
    price: Money,
    *,
    from_on: date,
    to_on: date,
    basis: str,
    now: datetime,
) -> PriceDeclaration:
    """Say that an offer cost *price* from the one day to the other, both included.

    Raises:
        Missing: If the offer is not of the merchant's retailer.
        InvalidField: If the days, the price or the basis cannot be.
    """
    offer = get_own(session, Offer, merchant.retailer_id, offer_id)
    if price.amount <= 0 or price.currency != offer.currency:
        problem = Sentence("Enter a price above zero.")
        raise InvalidField("price", problem, str(price.value))
    _check_days(session, merchant, from_on, to_on, now=now)
    _check_basis(basis)
    _check_log(session, offer, from_on)
    days = (from_on, to_on)
    take_turns(session, merchant.retailer_id)
    for same in _said_already(session, merchant, Scope.OFFER, offer.id, days, basis):
        if session.get_one(DeclaredPrice, (same.id, offer.id)).price == price:
            return same
    declaration = _declare(session, merchant, Scope.OFFER, offer.id, days, basis, now)
    said = DeclaredPrice(
        declaration_id=declaration.id,
        offer_id=offer.id,
        retailer_id=offer.retailer_id,
        price_amount=price.amount,
        currency=price.currency,
        tax=offer.tax,
    )
    session.add(said)
    session.flush()
    _look_again(session, declaration)
    return declaration


def declare_file(
    session: Session,
    merchant: Merchant,
    import_id: str,
    *,
    from_on: date,
    to_on: date,
    basis: str,
    now: datetime,
) -> PriceDeclaration:
    """Say that the prices of a file were charged on these days, of each of its offers.

    That is of those that this file was the first to bring: of others we have a log.

    Raises:
        Missing: If the file is not of the merchant's retailer.
        WrongState: If it was not imported, or brought no price that was new to us.
        InvalidField: If the days or the basis cannot be.
    """
    entry = get_own(session, FeedImport, merchant.retailer_id, import_id)
    if entry.state in {ImportState.UNDOING, ImportState.UNDONE}:
        raise WrongState(Sentence("This file's import was undone."))
    if entry.state is not ImportState.IMPORTED:
        raise WrongState(Sentence("This file is not imported yet."))
    _check_days(session, merchant, from_on, to_on, now=now)
    if (to_on - from_on).days + 1 < SHORTEST_OF_FILE:
        problem = Sentence("Choose at least {days} days.", days=SHORTEST_OF_FILE)
        raise InvalidField("from_on", problem, from_on.isoformat())
    _check_basis(basis)
    days = (from_on, to_on)
    take_turns(session, merchant.retailer_id)
    for same in _said_already(session, merchant, Scope.FILE, entry.id, days, basis):
        return same
    declaration = _declare(session, merchant, Scope.FILE, entry.id, days, basis, now)
    names = ("declaration_id", *_SAID)
    prices = _first_prices(entry, declaration.id)
    session.connection().execute(insert(DeclaredPrice).from_select(names, prices))
    said = DeclaredPrice.declaration_id == declaration.id
    if session.exec(select(DeclaredPrice.offer_id).where(said)).first() is None:
        raise WrongState(Sentence("This file brought no price that was new to us."))
    _look_again(session, declaration)
    return declaration


def revoke_declaration(
    session: Session,
    merchant: Merchant,
    declaration_id: str,
    reason: str,
    *,
    now: datetime,
) -> PriceDeclaration:
    """Take a declaration back, by another one that says so.

    Raises:
        Missing: If it is not of the merchant's retailer.
        WrongState: If it was taken back already, or takes another one back.
        InvalidField: If no reason is given.
    """
    wrong = get_own(session, PriceDeclaration, merchant.retailer_id, declaration_id)
    _check_basis(reason, "reason")
    take_turns(session, merchant.retailer_id)
    revoked = select(PriceDeclaration.id).where(
        PriceDeclaration.revokes_id == declaration_id
    )
    if wrong.scope is Scope.REVOCATION or session.exec(revoked).first():
        raise WrongState(Sentence("This declaration was taken back already."))
    days = (wrong.from_on, wrong.to_on)
    revocation = _declare(
        session,
        merchant,
        Scope.REVOCATION,
        wrong.subject_id,
        days,
        reason,
        now,
        revokes_id=wrong.id,
    )
    _look_again(session, wrong)
    return revocation


_SAID = ("offer_id", "retailer_id", "price_amount", "currency", "tax")


def _said_already(
    session: Session,
    merchant: Merchant,
    scope: Scope,
    subject_id: str,
    days: tuple[date, date],
    basis: str,
) -> Sequence[PriceDeclaration]:
    """Return the same, word for word, that still counts: a double click is two."""
    revoked = select(PriceDeclaration.revokes_id).where(
        PriceDeclaration.retailer_id == merchant.retailer_id,
        col(PriceDeclaration.revokes_id).is_not(None),
    )
    statement = select(PriceDeclaration).where(
        PriceDeclaration.retailer_id == merchant.retailer_id,
        PriceDeclaration.scope == scope,
        PriceDeclaration.subject_id == subject_id,
        PriceDeclaration.from_on == days[0],
        PriceDeclaration.to_on == days[1],
        PriceDeclaration.basis == basis.strip(),
        PriceDeclaration.declared_by == merchant.id,
        col(PriceDeclaration.id).not_in(revoked),
    )
    return session.exec(statement).all()


def _declare(
    session: Session,
    merchant: Merchant,
    scope: Scope,
    subject_id: str,
    days: tuple[date, date],
    basis: str,
    now: datetime,
    *,
    revokes_id: str | None = None,
) -> PriceDeclaration:
    declaration = PriceDeclaration(
        id=new_id("declaration", now),
        retailer_id=merchant.retailer_id,
        scope=scope,
        subject_id=subject_id,
        from_on=days[0],
        to_on=days[1],
        basis=basis.strip(),
        declared_by=merchant.id,
        name=merchant.name,
        declared_at=now,
        revokes_id=revokes_id,
    )
    session.add(declaration)
    session.flush()
    return declaration


def _first_prices(entry: FeedImport, declaration_id: str) -> Select[tuple[object, ...]]:
    """Select what the log begins with, of the offers whose log this import began."""
    earlier = aliased(PricePoint)
    came_first = or_(
        col(earlier.applied_at) < col(PricePoint.applied_at),
        and_(
            col(earlier.applied_at) == col(PricePoint.applied_at),
            col(earlier.id) < col(PricePoint.id),
        ),
    )
    columns = [getattr(PricePoint, name) for name in _SAID]
    before = exists().where(
        col(earlier.retailer_id) == col(PricePoint.retailer_id),
        col(earlier.offer_id) == col(PricePoint.offer_id),
        came_first,
    )
    return sql_select(literal(declaration_id), *columns).where(
        col(PricePoint.retailer_id) == entry.retailer_id,
        col(PricePoint.source) == entry.id,
        ~before,
    )


def _look_again(session: Session, declaration: PriceDeclaration) -> None:
    """Announce no more of deals that run than is proven now."""
    said = select(DeclaredPrice.offer_id).where(
        DeclaredPrice.declaration_id == declaration.id
    )
    # One that opens just now is waited for: it may not know of this yet.
    waiting_or_running = (
        select(Deal)
        .where(
            Deal.retailer_id == declaration.retailer_id,
            col(Deal.closed_at).is_(None),
            col(Deal.offer_id).in_(said),
        )
        .order_by(col(Deal.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for deal in session.exec(waiting_or_running).all():
        if deal.opened_at is None or deal.prior_amount is None:
            continue
        found = find_reduction(
            session, deal.retailer_id, deal.offer_id, deal.price, at=deal.opens_at
        )
        if found is None:
            deal.prior_amount = None
        elif deal.prior_amount is not None:
            deal.prior_amount = min(deal.prior_amount, found.prior.amount)
        session.add(deal)
    session.flush()


def _check_days(
    session: Session, merchant: Merchant, from_on: date, to_on: date, *, now: datetime
) -> None:
    zone = get_retailer(session, merchant.retailer_id).zone
    today = now.astimezone(zone).date()
    if to_on < from_on:
        problem = Sentence("The last day must not be before the first.")
        raise InvalidField("to_on", problem, to_on.isoformat())
    if to_on > today:
        problem = Sentence("This day is yet to come.")
        raise InvalidField("to_on", problem, to_on.isoformat())
    if from_on < today - OLDEST:
        problem = Sentence("Choose a day within the last three years.")
        raise InvalidField("from_on", problem, from_on.isoformat())


def _check_basis(basis: str, field: str = "basis") -> None:
    if len(basis.strip()) < SHORTEST_BASIS:
        problem = Sentence("Say in a sentence how you know.")
        raise InvalidField(field, problem, basis)
    if len(basis) > LONGEST_BASIS:
        problem = Sentence("Use {longest} characters at most.", longest=LONGEST_BASIS)
        raise InvalidField(field, problem, basis)


def _check_log(session: Session, offer: Offer, from_on: date) -> None:
    """Refuse days of which we have a log: it knows better."""
    zone = get_retailer(session, offer.retailer_id).zone
    begins = datetime.combine(from_on, time(), zone)
    for first in price_log(session, offer.retailer_id, offer.id)[:1]:
        if begins >= first.applied_at:
            day = first.applied_at.astimezone(zone).date()
            problem = Sentence(
                "Our own log begins on {day}: begin before that day, and end on it.",
                day=day.isoformat(),
            )
            raise InvalidField("from_on", problem, from_on.isoformat())
