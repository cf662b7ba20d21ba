"""Mastodon's rate limits: how many calls an account may make in a window.

The budgets are those of docs.joinmastodon.org, "Rate limits". As in its source, a
window begins at a round time, not at the first call.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from outletbot.sandbox.windows import Budget, Spent, Windows

BUDGETS = {
    "api": Budget(300, timedelta(minutes=5)),
    "media": Budget(30, timedelta(minutes=30)),
    "delete": Budget(30, timedelta(minutes=30)),
}


def budgets_of(method: str, path: str) -> list[str]:
    """Return the names of the budgets that a call draws on, the tightest last."""
    if method == "POST" and path in {"/api/v1/media", "/api/v2/media"}:
        return ["api", "media"]
    if method == "DELETE" and path.startswith("/api/v1/statuses/"):
        return ["api", "delete"]
    return ["api"]


@dataclass
class RateLimits:
    """The calls counted so far, by who made them; *budgets* may be changed."""

    budgets: dict[str, Budget] = field(default_factory=lambda: dict(BUDGETS))
    _windows: Windows = field(default_factory=Windows)

    def spend(self, who: str, method: str, path: str, *, now: datetime) -> Spent:
        """Count a call and return what it leaves; the worst if it draws on two."""
        drawn = [
            self._windows.spend(f"{name} {who}", self.budgets[name], now=now)
            for name in budgets_of(method, path)
        ]
        return next((spent for spent in drawn if spent.over), drawn[-1])


def headers_of(spent: Spent) -> dict[str, str]:
    """Return what Mastodon says of a budget with each answer."""
    return {
        "X-RateLimit-Limit": str(spent.budget.calls),
        "X-RateLimit-Remaining": str(spent.left),
        "X-RateLimit-Reset": spent.resets_at.isoformat(timespec="microseconds"),
    }
