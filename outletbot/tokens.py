"""Tokens: what opens an account is renewed before it ends, by one at a time.

A refresh token may be good for one use, so an account is taken in the database before
its network is asked, and what is given is kept before anything else is done. A network
that cannot be reached says nothing of our token; only its refusal does.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from offers.accounts import ChannelAccount
from offers.keeping import (
    find_account,
    lease_account,
    let_go,
    note_disowned,
    note_proof,
    note_silence,
    put_off_refreshing,
    renew,
    stop_refreshing,
)
from offers.sentences import Sentence
from outletbot.channels import (
    Channel,
    ChannelError,
    Disowned,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.credentials import Credentials, Refresher
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.networks import Networks
from outletbot.renewing import AT_LEAST, seal_key
from outletbot.sealing import CannotOpen, Seal

log = structlog.get_logger(__name__)

GOOD_FOR = timedelta(minutes=1)
"""A token that ends within this is renewed before it is used."""

MOST_BACKOFF = timedelta(hours=1)
REFUSED = timedelta(hours=1)

SEALED_OTHERWISE = Sentence(
    "The token cannot be opened with this installation's key. Connect again."
)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait for somebody else who renews a token, and how often to look."""

    times: int = 50
    glance: timedelta = timedelta(milliseconds=200)


WAIT = Wait()


class Keeper:
    """Gives channels whose credentials are good now, and keeps them so.

    Any number of keepers may be about the same accounts, in this process or others.
    """

    def __init__(
        self,
        database: Database,
        networks: Networks,
        seal: Seal,
        clock: Clock,
        *,
        wait: Wait = WAIT,
    ) -> None:
        self._database = database
        self._networks = networks
        self._seal = seal
        self._clock = clock
        self._wait = wait
        self._under_way: dict[str, asyncio.Task[ChannelAccount]] = {}

    async def channel(self, account: ChannelAccount) -> Channel:
        """Return the channel of an account, with its token renewed if it ends.

        Raises:
            TryLater: If the token has ended and cannot be renewed just now.
            Disowned: If the network will not renew it: connect it again.
            CannotOpen: If it was sealed with another key.
        """
        if not self._ends(account):
            return self._networks.channel(account)
        newest = await self._database.read(find_account, account.id)
        if newest is None or newest.refresh_at is None or not self._ends(newest):
            return self._networks.channel(newest or account)
        try:
            newest = await self._renewed(newest)
        except TryLater:
            if newest.expires_at is None or newest.expires_at <= self._clock():
                raise
        return self._networks.channel(newest)

    async def refresh(self, account: ChannelAccount) -> None:
        """Renew the token of an account that was leased, and note how that went."""
        try:
            await self._once(account.id, account)
        except (ChannelError, CannotOpen) as error:
            log.info("token_not_renewed", account=account.id, reason=str(error))

    async def check(self, account: ChannelAccount) -> ChannelError | None:
        """Ask the network whether it knows us, and note what that proves.

        Return what it said instead, if it did not say yes.
        """
        try:
            handle = await self._handle(account)
        except Disowned as refusal:
            await self._disowned(account, str(refusal))
            return refusal
        except CannotOpen:
            await self._disowned(account, str(SEALED_OTHERWISE))
            return Disowned(str(SEALED_OTHERWISE))
        except ChannelError as error:
            newest = await self._newest(account)
            await self._database.transact(note_silence, newest, now=self._clock())
            log.info("account_not_proved", account=account.id, reason=str(error))
            return error
        newest = await self._newest(account)
        await self._database.transact(note_proof, newest, handle, now=self._clock())
        return None

    async def finish(self) -> None:
        """Wait for what is under way: what a network gives then would be lost."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _handle(self, account: ChannelAccount) -> str:
        """Return by which handle the network knows us, by a new token if need be.

        It may have ended one before its time, and renew it all the same.
        """
        channel = await self.channel(account)
        try:
            return await channel.check()
        except Disowned:
            newest = await self._newest(account)
            same = newest.sealed_token == account.sealed_token
            if newest.refresh_at is None or not same:
                raise
            channel = self._networks.channel(await self._renewed(newest))
            return await channel.check()

    def _ends(self, account: ChannelAccount) -> bool:
        ends_at = account.expires_at
        return ends_at is not None and ends_at <= self._clock() + GOOD_FOR

    async def _renewed(self, account: ChannelAccount) -> ChannelAccount:
        """Take the account and renew its token, or wait for whoever is about it."""
        if account.id in self._under_way:
            return await self._once(account.id, account)
        for _ in range(self._wait.times):
            leased = await self._database.transact(
                lease_account, account.id, now=self._clock()
            )
            if leased is not None and leased.sealed_token == account.sealed_token:
                return await self._once(account.id, leased)
            if leased is not None:
                await self._database.transact(let_go, leased)
                return leased
            await asyncio.sleep(self._wait.glance.total_seconds())
            newest = await self._newest(account)
            if newest.sealed_token != account.sealed_token:
                return newest
        msg = f"The token of {account.handle} is being renewed."
        raise TryLater(msg, after=timedelta(seconds=15))

    async def _once(self, account_id: str, leased: ChannelAccount) -> ChannelAccount:
        """Renew once, for all who ask meanwhile; who goes away stops nothing."""
        task = self._under_way.get(account_id)
        if task is None:
            task = asyncio.create_task(self._refresh(leased))
            self._under_way[account_id] = task
            task.add_done_callback(lambda done: self._end(account_id, done))
        return await asyncio.shield(task)

    def _end(self, account_id: str, task: asyncio.Task[ChannelAccount]) -> None:
        self._under_way.pop(account_id, None)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone away

    async def _refresh(self, account: ChannelAccount) -> ChannelAccount:
        try:
            old = self._networks.credentials(account)
        except CannotOpen:
            await self._stop(account, str(SEALED_OTHERWISE))
            raise
        refresher = self._networks.refresher(account.kind, account.base_url)
        if refresher is None:
            await self._stop(account)
            return await self._newest(account)
        try:
            fresh = await _ask(refresher, old)
        except Disowned as refusal:
            await self._refused(account, refusal)
            raise
        except ChannelError as error:
            until = self._clock() + _pause(account, error)
            await self._database.transact(put_off_refreshing, account, until=until)
            name = "token_renewal_put_off"
            log.warning(name, account=account.id, reason=str(error), until=str(until))
            raise _as_delay(error) from error
        await self._keep(account, old.renewed(fresh))
        return await self._newest(account)

    async def _keep(self, account: ChannelAccount, renewed: Credentials) -> None:
        now = self._clock()
        key = seal_key(self._seal, account.kind, renewed, now=now)
        if await self._database.transact(renew, account, key, now=now):
            log.info("token_renewed", account=account.id, until=str(key.expires_at))
        else:
            log.info("token_replaced_meanwhile", account=account.id)

    async def _refused(self, account: ChannelAccount, refusal: Disowned) -> None:
        """A token that is still good is used to its end; its owner is told before."""
        ends_at, now = account.expires_at, self._clock()
        lasts = ends_at is not None and ends_at > now + AT_LEAST * 2
        await self._stop(account, "" if lasts else str(refusal))

    async def _stop(self, account: ChannelAccount, trouble: str = "") -> None:
        await self._database.transact(stop_refreshing, account, trouble)
        facts = {"account": account.id, "retailer": account.retailer_id}
        log.error("owner_needed", **facts, until=str(account.expires_at), why=trouble)

    async def _disowned(self, account: ChannelAccount, trouble: str) -> None:
        newest = await self._newest(account)
        news = await self._database.transact(
            note_disowned, newest, trouble, now=self._clock()
        )
        if news:
            facts = {"account": account.id, "retailer": account.retailer_id}
            log.error("account_disowned", **facts, why=trouble)

    async def _newest(self, account: ChannelAccount) -> ChannelAccount:
        return await self._database.read(find_account, account.id) or account


async def _ask(refresher: Refresher, old: Credentials) -> Credentials:
    """Ask for fresh credentials, once more with the old ones if the answer is lost.

    Raises:
        ChannelError: As ``Refresher.refresh``; ``TryLater`` too if nothing is given.
    """
    try:
        fresh = await refresher.refresh(old)
    except Unconfirmed as doubt:
        log.warning("token_answer_lost", reason=str(doubt))
        fresh = await refresher.refresh(old)
    if not (fresh.access_token or fresh.refresh_token):
        msg = "The network answered without a token."
        raise TryLater(msg)
    return fresh


def _pause(account: ChannelAccount, error: ChannelError) -> timedelta:
    if isinstance(error, TryLater) and error.after:
        return error.after
    if isinstance(error, Rejected):
        return REFUSED
    minutes = 1 << min(account.refresh_attempts, 6)
    return min(timedelta(minutes=minutes), MOST_BACKOFF)


def _as_delay(error: ChannelError) -> TryLater:
    """What was refused for a reason of this installation's may work later."""
    return error if isinstance(error, TryLater) else TryLater(str(error))
