"""Stepped markdowns: a deal's price falls by a plan that people made before.

A step says after how long since the opening the price becomes what, always or only if
less than a share of the units is sold by then. The prices of a plan fall from step to
step and are never under its floor, so a deal's price only ever falls: whoever claims a
unit pays what they were shown, or less. What people change of a plan is in
``markdown_plans``, how a step comes about in ``markdown_steps``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment, word
from offers.deals import Deal, Phase
from offers.money import Money

MOST_STEPS = 12
OVER = frozenset({Phase.SOLD_OUT, Phase.ENDED})


class StepState(StrEnum):
    """*unneeded*: enough was sold; *passed*: nobody could have bought at its price."""

    WAITING = "waiting"
    APPLIED = "applied"
    UNNEEDED = "unneeded"
    SKIPPED = "skipped"
    PASSED = "passed"


class MarkdownPlan(SQLModel, table=True):
    """Nothing happens by it unless it is armed."""

    __tablename__ = "markdown_plan"

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    deal_id: str = Field(foreign_key="deal.id", unique=True)
    floor_amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    changed_at: datetime = Field(sa_type=Moment)
    changed_by: str = ""
    armed_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def floor(self) -> Money:
        return Money(self.floor_amount, self.currency)


class MarkdownStep(SQLModel, table=True):
    """*sold_below* is a share in percent; *sold* is how many units were, once settled.

    Minutes count from the deal's opening, so that steps move with it.
    """

    __tablename__ = "markdown_step"
    __table_args__ = (
        CheckConstraint("price_amount > 0", name="markdown_step_costs_something"),
        Index("ix_markdown_step_plan", "plan_id", "after_minutes"),
        Index("ix_markdown_step_waiting", "state", "plan_id"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    plan_id: str = Field(foreign_key="markdown_plan.id")
    after_minutes: int
    price_amount: int = Field(sa_type=BigInteger)
    sold_below: int | None = None
    state: StepState = Field(default=StepState.WAITING, sa_type=word(StepState))
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    sold: int | None = None

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.after_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that is asked for."""

    after: timedelta
    price: Money
    sold_below: int | None = None


@dataclass(frozen=True, slots=True)
class Markdown:
    """A plan with all its steps, the earliest first."""

    plan: MarkdownPlan
    steps: tuple[MarkdownStep, ...]

    @property
    def waiting(self) -> list[MarkdownStep]:
        return [step for step in self.steps if step.state is StepState.WAITING]

    @property
    def settled(self) -> list[MarkdownStep]:
        return [step for step in self.steps if step.state is not StepState.WAITING]

    @property
    def is_armed(self) -> bool:
        return self.plan.armed_at is not None


def find_markdown(session: Session, retailer_id: str, deal_id: str) -> Markdown | None:
    """Return a deal's markdown, if it is to have one."""
    wanted = select(MarkdownPlan).where(
        MarkdownPlan.retailer_id == retailer_id, MarkdownPlan.deal_id == deal_id
    )
    plan = session.exec(wanted).one_or_none()
    return None if plan is None else Markdown(plan, tuple(steps_of(session, plan)))


def steps_of(session: Session, plan: MarkdownPlan) -> Sequence[MarkdownStep]:
    statement = (
        select(MarkdownStep)
        .where(MarkdownStep.plan_id == plan.id)
        .order_by(col(MarkdownStep.after_minutes), col(MarkdownStep.id))
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).all()


def settle(step: MarkdownStep, state: StepState, deal: Deal, *, now: datetime) -> None:
    step.state, step.settled_at, step.sold = state, now, deal.sold
