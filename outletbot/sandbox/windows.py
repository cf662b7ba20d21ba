"""Windows: how many calls may be made in a time, counted as the companies count."""

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
    def left(self) -> int:
        return max(0, self.budget.calls - self.used)


@dataclass
class Windows:
    """The calls counted so far; a window begins at a round time."""

    _used: Counter[tuple[str, datetime]] = field(default_factory=Counter)

    def spend(
        self, who: str, budget: Budget, *, now: datetime, calls: int = 1
    ) -> Spent:
        """Count *calls* of *who* against *budget* and return what that leaves."""
        seconds = int(budget.window.total_seconds())
        ends = (int(now.timestamp()) // seconds + 1) * seconds
        resets_at = datetime.fromtimestamp(ends, UTC)
        self._used[who, resets_at] += calls
        return Spent(budget, self._used[who, resets_at], resets_at)
