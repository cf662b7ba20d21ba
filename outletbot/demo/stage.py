"""The stage: a clock that is set by the story and then runs like any other."""

from datetime import datetime, timedelta

from outletbot.clock import utc_now


class Stage:
    """Call it for the time; it stands *ago* behind the real one."""

    def __init__(self, ago: timedelta) -> None:
        self.now = utc_now() - ago

    def __call__(self) -> datetime:
        return self.now

    def later(self, by: timedelta) -> datetime:
        """Let time pass. Return what time it is then."""
        self.now += by
        return self.now
