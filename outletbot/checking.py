"""Checking: whether this installation is configured right, in plain words."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from offers.accounts import ChannelAccount, connected_accounts
from offers.retailers import Retailer, retailers
from outletbot.channels import ChannelError
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.payments import PaymentError
from outletbot.revisions import is_current
from outletbot.sealing import NO_KEY, CannotOpen, Seal
from outletbot.stripe_client import stripe_gateways


class Verdict(StrEnum):
    FINE = "fine"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """*what* was looked at, how it is, and what to do about it."""

    what: str
    verdict: Verdict
    words: str


async def check(settings: Settings) -> AsyncIterator[Finding]:
    """Look at everything that an installation needs, one finding at a time."""
    for finding in check_settings(settings):
        yield finding
    async for finding in _check_inside(settings):
        yield finding
    yield await _check_stripe(settings)
    yield await _check_address(settings)


def check_settings(settings: Settings) -> list[Finding]:
    """Return what is missing or malformed, or that nothing is."""
    problems = settings.missing()
    if settings.secret_key.get_secret_value() and _seal(settings) is None:
        problems.append(NO_KEY)
    if not problems:
        return [Finding("settings", Verdict.FINE, "all set")]
    return [Finding("settings", Verdict.WRONG, words) for words in problems]


def _seal(settings: Settings) -> Seal | None:
    try:
        return Seal(settings.secret_key.get_secret_value())
    except ValueError:
        return None


async def _check_inside(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the database, and if it can be read at what is in it."""
    try:
        database = Database.connect(settings.database_url)
    except (SQLAlchemyError, OSError) as error:
        yield Finding("database", Verdict.WRONG, f"cannot be opened: {error}")
        return
    try:
        finding = await asyncio.to_thread(check_database, database)
        yield finding
        seal = _seal(settings)
        if finding.verdict is Verdict.FINE and seal is not None:
            async for other in _check_accounts(settings, database, seal):
                yield other
    finally:
        database.close()


def check_database(database: Database) -> Finding:
    kind = database.engine.dialect.name
    try:
        current = is_current(database.engine)
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        return Finding("database", Verdict.WRONG, f"{kind} does not answer: {reason}")
    if not current:
        words = f"{kind} is not at the newest schema: run outletbot migrate"
        return Finding("database", Verdict.WRONG, words)
    return Finding("database", Verdict.FINE, f"{kind}, at the newest schema")


async def _check_accounts(
    settings: Settings, database: Database, seal: Seal
) -> AsyncIterator[Finding]:
    sellers = await database.read(retailers)
    if not sellers:
        words = "there is none yet: outletbot add-retailer SLUG NAME --owner E-MAIL"
        yield Finding("retailers", Verdict.LOOK, words)
    async with guarded_session(allow_private=settings.allow_private_addresses) as http:
        networks = Networks.of(settings, http, seal, utc_now)
        for seller, account in await database.read(connected_accounts):
            yield await _check_account(networks, seller, account)


async def _check_account(
    networks: Networks, seller: Retailer, account: ChannelAccount
) -> Finding:
    what = f"{account.kind} of {seller.slug}"
    try:
        handle = await networks.channel(account).check()
    except (ChannelError, CannotOpen, ValueError) as error:
        words = f"{str(error).rstrip('.')}. Reconnect it under Channels."
        return Finding(what, Verdict.WRONG, words)
    return Finding(what, Verdict.FINE, f"signed in as {handle}")


async def _check_stripe(settings: Settings) -> Finding:
    if not settings.stripe_api_key.get_secret_value():
        return Finding("Stripe", Verdict.WRONG, "no key, so nothing can be sold")
    mode = "live: real money" if settings.livemode else "test mode: no real money"
    try:
        async with stripe_gateways(settings) as gateways:
            account = await gateways.house.check()
    except PaymentError as error:
        return Finding("Stripe", Verdict.WRONG, f"the key does not work: {error}")
    return Finding("Stripe", Verdict.FINE, f"account {account}, {mode}")


async def _check_address(settings: Settings) -> Finding:
    url = settings.public_url
    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(f"{url}/healthz") as response,
        ):
            answered = response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        answered = False
    if not answered:
        words = f"{url} does not answer: is the service running, and PUBLIC_URL right?"
        return Finding("public address", Verdict.LOOK, words)
    if not settings.secure:
        words = f"{url} answers, but shoppers and Stripe need https"
        return Finding("public address", Verdict.LOOK, words)
    return Finding("public address", Verdict.FINE, f"{url} answers")
