"""How a Discord webhook is called, and what its refusals mean.

The address of a webhook is its secret, and aiohttp's exceptions name addresses: so what
went wrong is told without its cause, which a log would print.

Facts: docs.discord.com: "Rate Limits" (429: ``retry_after`` in seconds, a fraction),
"Opcodes and Status Codes" (JSON error codes), "API Reference" (error messages, user
agent).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp

from outletbot import __version__
from outletbot.channels import ChannelError, Disowned, Limited, Rejected, TryLater
from outletbot.channels.calls import Answer, Calls, NotThere, Patience, Refusal, judge
from outletbot.clock import Clock

UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
INVALID_TOKEN = 50027
POLL_STAYS = 520003

MAKE_ANOTHER = (
    "Make a new one: in Discord, open the channel's settings, then Integrations, then"
    " Webhooks, then New Webhook. Copy its URL and connect the channel again."
)
_ADDRESS = "Discord's address may be wrong. It should be https://discord.com/api/v10."
_REMEDIES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "Change the post and send it again.",
    HTTPStatus.FORBIDDEN: "Ask who looks after the Discord server.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Take a smaller picture.",
}


def judge_discord(refusal: Refusal) -> ChannelError:
    """Return what a refusal means, by Discord's own code before HTTP's."""
    said = refusal.said(": ".join(_words(refusal.content)))
    code = refusal.content.get("code") if isinstance(refusal.content, dict) else None
    if refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Limited(said, after=_wait(refusal))
    if code in {UNKNOWN_WEBHOOK, UNKNOWN_CHANNEL, INVALID_TOKEN}:
        return Disowned(f"{said} {MAKE_ANOTHER}")
    if code == UNKNOWN_MESSAGE:
        return NotThere(f"{said} The post is gone.")
    if code == POLL_STAYS:
        return Rejected(f"{said} A poll stays as it is.")
    return _by_status(refusal, said)


def _by_status(refusal: Refusal, said: str) -> ChannelError:
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        return Disowned(f"{said} {MAKE_ANOTHER}")
    if refusal.status < HTTPStatus.BAD_REQUEST:
        return Rejected(_ADDRESS)  # where it has moved is not said: the secret is in it
    if refusal.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return Rejected(f"{said} {_ADDRESS}")
    return judge(refusal, ": ".join(_words(refusal.content)), remedies=_REMEDIES)


def _words(content: Any) -> Iterator[str]:
    """Yield what Discord says, and of which fields."""
    match content:
        case {"message": str(message), **more}:
            yield message.rstrip(".")
            yield from _details(more.get("errors"), "")


def _details(errors: Any, place: str) -> Iterator[str]:
    match errors:
        case {"_errors": [{"message": str(message)}, *_]}:
            yield f"{place}: {message.rstrip('.')}".removeprefix(": ")
        case dict():
            for name, inner in errors.items():
                yield from _details(inner, f"{place}.{name}".removeprefix("."))


def _wait(refusal: Refusal) -> timedelta | None:
    """Discord tells it in the body; what stands before Discord, in a header."""
    content = refusal.content if isinstance(refusal.content, dict) else {}
    for said in (
        content.get("retry_after"),
        refusal.headers.get("Retry-After"),
        refusal.headers.get("X-RateLimit-Reset-After"),
    ):
        try:
            return timedelta(seconds=max(1.0, float(said or "")))
        except (TypeError, ValueError, OverflowError):
            continue
    return None


class DiscordApi:
    """The way to one webhook, whose id and token are its *secret*."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        secret: str,
        *,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._calls = Calls(
            http,
            base_url,
            headers={"User-Agent": f"DiscordBot (outletbot, {__version__})"},
            judge=judge_discord,
            clock=clock,
            patience=patience,
            server="Discord",
        )
        self._webhook = f"/webhooks/{quote(secret)}"

    async def call(
        self,
        method: str,
        path: str = "",
        *,
        lost: type[ChannelError] = TryLater,
        broken: type[ChannelError] = TryLater,
        params: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Answer:
        """Make a call below the webhook's address; see ``Calls.call``."""
        try:
            return await self._calls.call(
                method,
                self._webhook + path,
                lost=lost,
                broken=broken,
                params=params,
                **body,
            )
        except ChannelError as error:
            raise error from None
