"""
A line that cannot be served now is served later; nobody hears of it but the log.
"""

import pytest
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from structlog.testing import capture_logs

from offers.lines import Turn
from outletbot.lines import Lines
from outletbot.payments import PaymentError, Unknown


class Paying:
    """Cannot begin."""

    def __init__(self, trouble: PaymentError | SQLAlchemyError) -> None:
        self.trouble = trouble

    async def begin_next(self, account_id: str, *, limit: int) -> list[Turn]:
        raise self.trouble


@pytest.mark.parametrize(
    "trouble", [Unknown("no answer"), NoConnectionFree("all of them wait")], ids=repr
)
async def test_is_left_while_nobody_can_be_asked(
    trouble: PaymentError | SQLAlchemyError,
) -> None:
    with capture_logs() as logs:
        opened = await Lines(Paying(trouble)).serve("")  # type: ignore[arg-type]

    assert opened == 0
    assert [(one["event"], one["reason"]) for one in logs] == [
        ("line_not_served", str(trouble))
    ]


async def test_a_bug_is_not_covered_up() -> None:
    bug = ProgrammingError("SELECT nothing", None, OSError())

    with pytest.raises(ProgrammingError):
        await Lines(Paying(bug)).serve("")  # type: ignore[arg-type]
