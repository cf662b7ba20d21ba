"""How often a Bluesky server lets itself be asked.

Records cost points of an account: one made 3, one put 2, one deleted 1. What is nearest
to its end is told in the headers of every answer (docs.bsky.app, "Rate Limits", and
@atproto/pds 0.5.35).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from outletbot.sandbox.windows import Budget, Spent, Windows

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MINUTES = timedelta(minutes=5)


@dataclass
class Rates:
    """The budgets, which may be made smaller, and what was spent of them."""

    calls: tuple[Budget, ...] = (Budget(3_000, _MINUTES),)
    points: tuple[Budget, ...] = (Budget(5_000, _HOUR), Budget(35_000, _DAY))
    uploads: tuple[Budget, ...] = (Budget(1_000, _DAY),)
    sign_ins: tuple[Budget, ...] = (Budget(30, _MINUTES), Budget(300, _DAY))
    _windows: Windows = field(default_factory=Windows, repr=False)

    def spend(
        self, who: str, budgets: tuple[Budget, ...], *, now: datetime, cost: int = 1
    ) -> Spent:
        """Count *cost* of *who* and return the budget that is nearest to its end."""
        spent = [
            self._windows.spend(f"{who} {number}", budget, now=now, calls=cost)
            for number, budget in enumerate(budgets)
        ]
        return min(spent, key=lambda one: (not one.over, one.left))


def headers_of(spent: Spent, *, now: datetime) -> dict[str, str]:
    window = int(spent.budget.window.total_seconds())
    headers = {
        "RateLimit-Limit": str(spent.budget.calls),
        "RateLimit-Remaining": str(spent.left),
        "RateLimit-Reset": str(int(spent.resets_at.timestamp())),
        "RateLimit-Policy": f"{spent.budget.calls};w={window}",
    }
    if spent.over:
        wait = max(1, int((spent.resets_at - now).total_seconds()))
        headers["Retry-After"] = str(wait)
    return headers
