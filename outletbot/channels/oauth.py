"""OAuth 2 with PKCE: a network's own page lets us into an account.

The merchant is sent to ``authorization_url`` and comes back to our *redirect_uri* with
a code, which is exchanged for credentials of the accounts that may be posted on.

Facts: RFC 6749 (section 4.1), RFC 7636; what each network does otherwise is in its own
file.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from outletbot.channels.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that the merchant can connect: a page, a profile, an organization."""

    handle: str
    credentials: Credentials


class Entrance(Protocol):
    """One network's way in."""

    def authorization_url(
        self, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Return the network's page that asks whether we may."""
        ...

    async def exchange(
        self, code: str, *, redirect_uri: str, verifier: str
    ) -> Sequence[Candidate]:
        """Return the accounts that *code* lets us into.

        Raises:
            Rejected: If the code is no longer good, or lets us into none.
            TryLater: If the network cannot be reached, limits us, or is down.
        """
        ...


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE *verifier* (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def with_query(address: str, **parameters: str) -> str:
    """Return *address* with *parameters* as its query; empty ones are left out."""
    return f"{address}?{urlencode({k: v for k, v in parameters.items() if v})}"
