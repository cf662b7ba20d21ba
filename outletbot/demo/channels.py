"""The sample outlet's accounts on the networks: well, about to end, and broken.

They are connected as a merchant would, by what each network gave them. X has taken its
token back, and LinkedIn's ends in two days; both are mended by connecting them again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from offers.accounts import (
    Afterwards,
    ChannelAccount,
    Standing,
    accounts,
    connect_account,
    note_trouble,
)
from offers.keeping import Key, keep_key
from outletbot.channels import Disowned
from outletbot.channels.credentials import Credentials
from outletbot.channels.oauth import Candidate
from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.networks import Networks
from outletbot.renewing import seal_key
from outletbot.sandbox.networks import (
    BLUESKY_HANDLE,
    NAMES,
    credentials,
    read_keys,
)
from outletbot.sealing import CannotOpen, Seal
from outletbot.web.desk.channels_view import possible_afterwards

ENDING = "linkedin"
ENDS_IN = timedelta(days=2)
REVOKED = "x"


@dataclass(frozen=True, slots=True)
class Channels:
    """Where the accounts are, and what opens them; *folder* is the sandboxes'."""

    database: Database
    networks: Networks
    seal: Seal
    folder: Path

    async def connect(self, retailer_id: str) -> None:
        """Connect whatever was never connected, and let the ending one end later."""
        known = await self.database.read(accounts, retailer_id)
        kinds = {account.kind for account in known}
        for kind in sorted(NAMES.keys() - kinds):
            await self._connect(retailer_id, kind)
        for account in known:
            if account.kind == ENDING and self._ends_too_soon(account):
                await self._connect(retailer_id, ENDING)

    async def _connect(self, retailer_id: str, kind: str) -> None:
        candidate, now = await self._candidate(kind), utc_now()
        kept = candidate.credentials
        if kind == ENDING:
            kept = replace(kept, expires_at=now + ENDS_IN)
        if kind == REVOKED:
            kept = replace(kept, access_token="revoked")  # noqa: S106 - no longer one
        key = seal_key(self.seal, kind, kept, now=now)
        account = await self.database.transact(
            _keep,
            retailer_id,
            kind,
            candidate,
            key,
            afterwards=possible_afterwards(self.networks.capabilities(kind))[0],
            now=now,
        )
        await self._look(account)

    async def _candidate(self, kind: str) -> Candidate:
        if kind == "bluesky":
            password = read_keys(self.folder)[kind]
            entrance = self.networks.entrance(kind)
            found: Candidate = await entrance.sign_in(BLUESKY_HANDLE, password)
            return found
        known = credentials(self.folder)[kind]
        handle = await self.networks.connect(kind, "", known).check()
        return Candidate(handle, known)

    async def _look(self, account: ChannelAccount) -> None:
        """Note that the network does not know the token, if so."""
        try:
            await self.networks.channel(account).check()
        except Disowned as refusal:
            await self.database.transact(
                note_trouble,
                account.retailer_id,
                account.id,
                str(refusal),
                now=utc_now(),
            )

    def _ends_too_soon(self, account: ChannelAccount) -> bool:
        """Whether it is still the demo's own token, with less than a day to go."""
        if account.expires_at is None or account.expires_at > utc_now() + ENDS_IN / 2:
            return False
        try:
            token = Credentials.load(self.seal.open(account.sealed_token)).access_token
        except CannotOpen:
            return False
        return token == credentials(self.folder)[ENDING].access_token


def usable_accounts(
    session: Session, retailer_id: str, *, now: datetime
) -> list[ChannelAccount]:
    """Return the accounts that a person would plan posts on."""
    useless = {Standing.BROKEN, Standing.PAUSED, Standing.DISCONNECTED}
    found = accounts(session, retailer_id)
    return [one for one in found if one.standing(now=now) not in useless]


def _keep(
    session: Session,
    retailer_id: str,
    kind: str,
    candidate: Candidate,
    key: Key,
    *,
    afterwards: Afterwards,
    now: datetime,
) -> ChannelAccount:
    """Keep an account; its old posts become what its network can make of them."""
    account_id = candidate.credentials.account_id
    account = connect_account(
        session,
        retailer_id,
        kind,
        base_url="",
        handle=candidate.handle,
        sealed_token=key.sealed_token,
        remote_id="" if account_id.startswith("@") else account_id,
        now=now,
    )
    keep_key(session, account, key)
    account.afterwards = afterwards
    return account
