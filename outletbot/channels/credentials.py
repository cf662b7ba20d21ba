"""Credentials: what opens an account at its network, and until when.

They are kept as one sealed text. An account that was connected with a bare token has
just that; what a network calls the account is known wherever it has to be named.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, Self

LONGEST = timedelta(days=36_500)
"""What is said to last longer is not known to end."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """*account_id* is the network's own name of the account: page, DID, chat, urn.

    An access token without *expires_at* is good until it is revoked.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    account_id: str = ""
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None

    @classmethod
    def load(cls, text: str) -> Self:
        """Read what ``dump`` wrote, or a bare token."""
        if not text.startswith("{"):
            return cls(text)
        facts = json.loads(text)
        for name in ("expires_at", "refresh_expires_at"):
            facts[name] = facts[name] and datetime.fromisoformat(facts[name])
        return cls(**facts)

    def dump(self) -> str:
        return json.dumps(asdict(self), default=lambda moment: moment.isoformat())

    def renewed(self, newer: "Credentials") -> "Credentials":
        """Return *newer* with what it lacks: an empty value never replaces a token.

        An access token that was just given comes with its own end, or none.
        """
        return replace(
            newer,
            access_token=newer.access_token or self.access_token,
            refresh_token=newer.refresh_token or self.refresh_token,
            account_id=newer.account_id or self.account_id,
            expires_at=newer.expires_at if newer.access_token else self.expires_at,
            refresh_expires_at=newer.refresh_expires_at or self.refresh_expires_at,
        )

    def expired(self, *, now: datetime, margin: timedelta = timedelta()) -> bool:
        return self.expires_at is not None and self.expires_at <= now + margin


def ends_after(seconds: object, *, now: datetime) -> datetime | None:
    """Return when something ends that lasts so many *seconds*; None if never."""
    if not isinstance(seconds, int) or not 0 <= seconds <= LONGEST.total_seconds():
        return None
    return now + timedelta(seconds=seconds)


class Refresher(Protocol):
    """A network whose access tokens end and can be had anew."""

    async def refresh(self, credentials: Credentials) -> Credentials:
        """Return fresh credentials; what is empty in them stays as it was.

        Raises:
            TryLater: If the network did nothing, or it is as good as nothing.
            Unconfirmed: If the answer was lost: the old refresh token may be spent.
            Disowned: If the refresh token is no longer good: connect again.
        """
        ...
