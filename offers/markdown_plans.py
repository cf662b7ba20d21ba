"""Markdown plans: what people decide that a deal's price is to do.

Everything that is wrong with a plan is told at once. Whoever changes a plan locks it,
and then the deal; a step that is being taken does the same.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from sqlmodel import Session, col, delete, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.errors import InvalidField, InvalidFields, WrongState
from offers.honesty_costs import compare_cost
from offers.ids import new_id
from offers.markdowns import (
    MOST_STEPS,
    OVER,
    Markdown,
    MarkdownPlan,
    MarkdownStep,
    Step,
    StepState,
    settle,
    steps_of,
)
from offers.money import Money
from offers.retailers import Retailer, get_retailer
from offers.scope import get_own
from offers.sentences import Sentence


def plan_markdown(
    session: Session,
    retailer_id: str,
    deal_id: str,
    floor: Money,
    steps: Sequence[Step],
    *,
    by: str,
    arm: bool,
    now: datetime,
) -> Markdown:
    """Keep what a deal's price is to do; steps that are settled stay as they are.

    Raises:
        Missing: If the deal is not this retailer's.
        WrongState: If it is over.
        InvalidFields: With everything that cannot be; see ``check_markdown``.
    """
    deal = _locked(session, retailer_id, deal_id, now)
    problems = check_markdown(session, deal, floor, steps, now=now)
    if problems:
        raise InvalidFields(problems)
    plan = _kept(session, deal, floor, by, now)
    plan.armed_at = (plan.armed_at or now) if arm else None
    _replace_waiting(session, plan, steps, now)
    return Markdown(plan, tuple(steps_of(session, plan)))


def check_markdown(
    session: Session,
    deal: Deal,
    floor: Money,
    steps: Sequence[Step],
    *,
    now: datetime,
) -> list[InvalidField]:
    """Return everything that is wrong with a plan; fields are numbered by the step."""
    retailer = get_retailer(session, deal.retailer_id)
    offer = session.get_one(Offer, deal.offer_id)
    problems = [*_check_floor(deal, retailer, offer, floor), *_check_number(steps)]
    for number, step in enumerate(steps):
        problems += _check_step(deal, floor, step, number, now)
    for number, (before, step) in enumerate(pairwise(steps), start=1):
        problems += _check_order(before, step, number)
    return problems


def disarm(
    session: Session, retailer_id: str, deal_id: str, *, by: str, now: datetime
) -> None:
    """Let the price stay where it is until somebody arms the plan again.

    Raises:
        Missing: If the deal is not this retailer's.
    """
    get_own(session, Deal, retailer_id, deal_id)
    plan = _lock_plan(session, retailer_id, deal_id)
    if plan is not None:
        plan.armed_at, plan.changed_at, plan.changed_by = None, now, by
        session.flush()


def skip_next(
    session: Session, retailer_id: str, deal_id: str, step_id: str, *, now: datetime
) -> bool:
    """Leave a step out if it is still the next one. Return whether it was.

    Raises:
        Missing: If the deal is not this retailer's.
    """
    deal = get_own(session, Deal, retailer_id, deal_id)
    plan = _lock_plan(session, retailer_id, deal_id)
    waiting = Markdown(plan, tuple(steps_of(session, plan))).waiting if plan else []
    if not waiting or waiting[0].id != step_id:
        return False
    settle(waiting[0], StepState.SKIPPED, deal, now=now)
    session.flush()
    return True


def _check_floor(
    deal: Deal, retailer: Retailer, offer: Offer, floor: Money
) -> list[InvalidField]:
    typed = str(floor.value)
    if floor.amount <= 0:
        return [InvalidField("floor", Sentence("Enter a price above zero."), typed)]
    check = compare_cost(retailer, offer, floor)
    if check is not None and check.under:
        problem = Sentence(
            "A price that falls by itself stays above your cost. {compared}",
            compared=check.sentence,
        )
        return [InvalidField("floor", problem, typed)]
    if floor >= deal.price:
        problem = Sentence(
            "The floor is under the price now, {price}.", price=deal.price
        )
        return [InvalidField("floor", problem, typed)]
    return []


def _check_number(steps: Sequence[Step]) -> list[InvalidField]:
    if 1 <= len(steps) <= MOST_STEPS:
        return []
    problem = Sentence("Enter between 1 and {most} steps.", most=MOST_STEPS)
    return [InvalidField("steps", problem, str(len(steps)))]


def _check_step(
    deal: Deal, floor: Money, step: Step, number: int, now: datetime
) -> list[InvalidField]:
    found = []
    at = deal.opens_at + step.after
    if not deal.opens_at < at < deal.closes_at:
        problem = Sentence("Choose a time between the opening and the end.")
        found.append(InvalidField(f"at-{number}", problem))
    elif at <= now:
        found.append(InvalidField(f"at-{number}", Sentence("This time is past.")))
    typed = str(step.price.value)
    if step.price.currency != deal.currency or step.price < floor:
        problem = Sentence("This is under the floor of {floor}.", floor=floor)
        found.append(InvalidField(f"price-{number}", problem, typed))
    elif step.price >= deal.price:
        problem = Sentence("It has to be less than {price}.", price=deal.price)
        found.append(InvalidField(f"price-{number}", problem, typed))
    if step.sold_below is not None and not 1 <= step.sold_below <= 100:
        problem = Sentence("Choose between 1 and 100, or leave it empty.")
        found.append(InvalidField(f"below-{number}", problem, str(step.sold_below)))
    return found


def _check_order(before: Step, step: Step, number: int) -> list[InvalidField]:
    found = []
    if step.after <= before.after:
        problem = Sentence("Each step comes after the one before it.")
        found.append(InvalidField(f"at-{number}", problem))
    if step.price >= before.price:
        problem = Sentence("Each step is cheaper than the one before it.")
        found.append(InvalidField(f"price-{number}", problem, str(step.price.value)))
    return found


def _locked(session: Session, retailer_id: str, deal_id: str, now: datetime) -> Deal:
    """Return a deal whose plan nobody else changes meanwhile: the plan before the deal.

    Who makes the first plan of a deal has only the deal to lock.
    """
    deal = get_own(session, Deal, retailer_id, deal_id)
    _lock_plan(session, retailer_id, deal_id)
    session.refresh(deal, with_for_update={"key_share": True})
    if deal.phase(now) in OVER:
        raise WrongState(Sentence("This deal is over already."))
    return deal


def _lock_plan(session: Session, retailer_id: str, deal_id: str) -> MarkdownPlan | None:
    statement = (
        select(MarkdownPlan)
        .where(MarkdownPlan.retailer_id == retailer_id, MarkdownPlan.deal_id == deal_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).one_or_none()


def _kept(
    session: Session, deal: Deal, floor: Money, by: str, now: datetime
) -> MarkdownPlan:
    wanted = select(MarkdownPlan).where(MarkdownPlan.deal_id == deal.id)
    plan = session.exec(wanted).one_or_none() or MarkdownPlan(
        id=new_id("markdown", now),
        retailer_id=deal.retailer_id,
        deal_id=deal.id,
        floor_amount=floor.amount,
        currency=deal.currency,
        changed_at=now,
    )
    plan.floor_amount, plan.changed_at, plan.changed_by = floor.amount, now, by
    session.add(plan)
    session.flush()
    return plan


def _replace_waiting(
    session: Session, plan: MarkdownPlan, steps: Sequence[Step], now: datetime
) -> None:
    session.exec(
        delete(MarkdownStep).where(
            col(MarkdownStep.plan_id) == plan.id,
            col(MarkdownStep.state) == StepState.WAITING,
        )
    )
    session.add_all(
        MarkdownStep(
            id=new_id("step", now),
            retailer_id=plan.retailer_id,
            plan_id=plan.id,
            after_minutes=step.after // timedelta(minutes=1),
            price_amount=step.price.amount,
            sold_below=step.sold_below,
        )
        for step in steps
    )
    session.flush()
