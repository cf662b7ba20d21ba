"""How Telegram's Bot API is called, and what its refusals mean.

The token of a bot is part of every address, and aiohttp's exceptions name addresses: so
what went wrong is told without its cause, which a log would print.

Telegram documents only that a refusal has a ``description`` and sometimes
``parameters`` (core.telegram.org/bots/api, "Making requests", "ResponseParameters");
the descriptions below are those of its open server (github.com/tdlib/telegram-bot-api),
and are looked for inside what it says, in either case.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import quote

import aiohttp

from outletbot.channels import (
    ChannelError,
    Disowned,
    Image,
    Rejected,
    TryLater,
)
from outletbot.channels.calls import Calls, NotThere, Patience, Refusal, judge
from outletbot.clock import Clock


class NotModified(Rejected):
    """The post already says just that."""


class OtherKind(Rejected):
    """A caption was to be changed where there is a text, or the other way round."""


@dataclass(frozen=True, slots=True)
class Meaning:
    phrase: str
    kind: type[Rejected]
    remedy: str = ""


_BACK = (
    "Open the channel in Telegram, then Administrators, and add the bot there with the"
    " rights to post, edit and delete messages."
)
_MEANINGS = (
    Meaning(
        "chat not found",
        Disowned,
        "Check the channel's name: @name, or the number that begins with -100. A bot"
        " knows a private channel only once it is an administrator there.",
    ),
    Meaning("bot was kicked", Disowned, _BACK),
    Meaning("bot is not a member", Disowned, _BACK),
    Meaning("member list is inaccessible", Disowned, _BACK),
    Meaning("need administrator rights", Disowned, _BACK),
    Meaning("not enough rights", Disowned, _BACK),
    Meaning("no rights to send", Disowned, _BACK),
    Meaning("chat_write_forbidden", Disowned, _BACK),
    Meaning("message is not modified", NotModified),
    Meaning("there is no text in the message", OtherKind, "A poll stays as it is."),
    Meaning("there is no caption in the message", OtherKind, "A poll stays as it is."),
    Meaning("message to edit not found", NotThere, "The post is gone."),
    Meaning("message to delete not found", NotThere, "The post is gone."),
    Meaning("message to be replied not found", NotThere, "The post is gone."),
    Meaning("message_id_invalid", NotThere, "The post is gone."),
    Meaning(
        "message can't be deleted",
        Rejected,
        "A bot can delete a post for 48 hours only. Delete it by hand in Telegram.",
    ),
    Meaning("message can't be edited", Rejected, "Change it by hand in Telegram."),
    Meaning("caption is too long", Rejected, "With a picture, 1024 characters fit."),
    Meaning("message is too long", Rejected, "Shorten it to 4096 characters."),
    Meaning("photo_invalid_dimensions", Rejected, "Take another picture."),
    Meaning("image_process_failed", Rejected, "Take another picture."),
)
_NEW_TOKEN = (
    "Ask @BotFather on Telegram for the bot's token (/mybots, then API Token), and"  # noqa: S105 - advice
    " connect the channel again."
)


def judge_telegram(refusal: Refusal) -> ChannelError:
    """Return what a refusal means."""
    words, parameters = _said(refusal.content)
    match parameters:
        case {"migrate_to_chat_id": int(chat_id)}:
            msg = f"The group has a new number: connect it again as {chat_id}."
            return Disowned(msg)
        case {"retry_after": int(seconds)}:
            return judge(refusal, words, after=timedelta(seconds=max(1, seconds)))
    if refusal.status < HTTPStatus.BAD_REQUEST or _is_not_telegram(refusal, words):
        # Where it may have moved is not said: the token is in it.
        msg = "Telegram's address may be wrong. It should be https://api.telegram.org."
        return Rejected(msg)
    if refusal.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
        return Disowned(f"{refusal.said(words)} {_NEW_TOKEN}")
    return _by_words(refusal, words) or judge(refusal, words)


def _is_not_telegram(refusal: Refusal, words: str) -> bool:
    """Telegram has words for a token that it does not know; proxies have a page."""
    return refusal.status == HTTPStatus.NOT_FOUND and not words


def _by_words(refusal: Refusal, words: str) -> ChannelError | None:
    for meaning in _MEANINGS:
        if meaning.phrase in words.lower():
            return meaning.kind(f"{refusal.said(words)} {meaning.remedy}".strip())
    if refusal.status == HTTPStatus.FORBIDDEN:
        return Disowned(f"{refusal.said(words)} {_BACK}")
    return None


def _said(content: Any) -> tuple[str, Any]:
    match content:
        case {"description": str(words), **more}:
            return words, more.get("parameters")
    return "", None


class TelegramApi:
    """One bot's way to Telegram."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        token: str,
        *,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._calls = Calls(
            http,
            base_url,
            headers={},
            judge=judge_telegram,
            clock=clock,
            patience=patience,
            server="Telegram",
        )
        self._bot = f"/bot{quote(token, safe=':')}"

    async def call(
        self,
        method: str,
        fields: Mapping[str, object],
        files: Mapping[str, Image] | None = None,
        *,
        lost: type[ChannelError] = TryLater,
        broken: type[ChannelError] = TryLater,
    ) -> Any:
        """Call a method and return its result; *files* are sent beside the fields.

        Raises:
            ChannelError: As ``Calls.call``; *lost* if the answer makes no sense, too.
        """
        body: dict[str, Any] = {"data": _form(fields, files)} if files else {}
        try:
            answer = await self._calls.call(
                "POST",
                f"{self._bot}/{method}",
                lost=lost,
                broken=broken,
                **(body or {"json": dict(fields)}),
            )
        except ChannelError as error:
            raise error from None
        match answer.content:
            case {"ok": True, "result": result}:
                return result
        msg = f"Telegram's answer to {method} makes no sense."
        raise lost(msg)


def _form(fields: Mapping[str, object], files: Mapping[str, Image]) -> aiohttp.FormData:
    """Telegram wants what is no text in a form as JSON."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    for name, image in files.items():
        form.add_field(
            name,
            BytesIO(image.content),  # bytes, if many, would block the loop
            filename=f"{name}.{image.content_type.partition('/')[2]}",
            content_type=image.content_type,
        )
    return form
