"""Mastodon's rate limits: how many calls an account may make in a window.

The budgets are those of docs.joinmastodon.org, "Rate limits". As in its source, a
window begins at a round time, not at the first call.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Budget:
    calls: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left of *budget* until *resets_at*."""

    budget: Budget
    used: int
    resets_at: datetime

    @property
    def over(self) -> bool:
        return self.used > self.budget.calls

    @property
    def headers(self) -> dict[str, str]:
        left = max(0, self.budget.calls - self.used)
        return {
            "X-RateLimit-Limit": str(self.budget.calls),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": self.resets_at.isoformat(timespec="microseconds"),
        }


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
    _used: Counter[tuple[str, str, datetime]] = field(default_factory=Counter)

    def spend(self, who: str, method: str, path: str, *, now: datetime) -> Spent:
        """Count a call and return what it leaves; the worst if it draws on two."""
        drawn = [self._draw(who, name, now) for name in budgets_of(method, path)]
        return next((spent for spent in drawn if spent.over), drawn[-1])

    def _draw(self, who: str, name: str, now: datetime) -> Spent:
        budget = self.budgets[name]
        seconds = int(budget.window.total_seconds())
        ends = (int(now.timestamp()) // seconds + 1) * seconds
        resets_at = datetime.fromtimestamp(ends, UTC)
        self._used[who, name, resets_at] += 1
        return Spent(budget, self._used[who, name, resets_at], resets_at)
