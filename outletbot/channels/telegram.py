"""Posting to a Telegram channel through a bot.

A merchant makes a bot with @BotFather, makes it an administrator of the channel, and
gives us its token and the channel's name. A bot cannot read a channel, so a post whose
answer was lost cannot be looked for, and nothing can be measured. Telegram knows no
idempotency keys and no alt texts: pictures go out without theirs.

Facts: core.telegram.org/bots/api (Bot API 10.1): methods, fields, lengths, sizes of
photos, the 48 hours of ``deleteMessage``; core.telegram.org/bots/faq: about one message
a second in a chat and 20 a minute in a group, which we keep to in channels too. Lengths
are documented as "characters after entities parsing". How they are counted is not;
UTF-16 code units, in which Telegram counts entities, are never fewer than characters.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import aiohttp

from outletbot.channels import (
    Ability,
    CannotLook,
    Capabilities,
    Counting,
    Disowned,
    Draft,
    Go,
    Image,
    ImageRules,
    Numbers,
    Poll,
    PollRules,
    Published,
    Rate,
    Rejected,
    TryLater,
    Unconfirmed,
    at_once,
)
from outletbot.channels.calls import PATIENCE, NotThere, Patience
from outletbot.channels.credentials import Credentials
from outletbot.channels.images import fit_image
from outletbot.channels.telegram_api import NotModified, OtherKind, TelegramApi
from outletbot.clock import Clock

BASE_URL = "https://api.telegram.org"
APP_URL = "https://t.me"
CAPABILITIES = Capabilities(
    max_length=4096,
    max_caption=1024,
    counting=Counting.UTF16,
    images=ImageRules(
        most=10,
        max_bytes=10_000_000,
        max_alt_length=0,
        min_shape=1 / 19,  # 20 is refused; scaling down rounds
        max_shape=19,
    ),
    abilities=frozenset({Ability.EDIT, Ability.DELETE, Ability.ANSWER}),
    delete_window=timedelta(hours=48),
    posts=(Rate(1, timedelta(seconds=1)), Rate(20, timedelta(minutes=1))),
    poll=PollRules(2, 12, 100, timedelta(seconds=5), timedelta(seconds=2_628_000)),
)
_RIGHTS = {
    "can_post_messages": "Post Messages",
    "can_edit_messages": "Edit Messages of Others",
    "can_delete_messages": "Delete Messages of Others",
}
# Of a channel or a post in it; with s/, of what a browser shows of it.
_ADDRESS = re.compile(r"^(https?://)?(t|telegram)\.me/(s/)?")


class Telegram:
    """One channel. A post of several pictures is several messages to Telegram.

    Its id is then the ids of them all with commas between; the first has the text.
    *app_url* is where people see them.
    """

    name = "telegram"
    capabilities = CAPABILITIES

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
        app_url: str = APP_URL,
    ) -> None:
        token = credentials.access_token.strip()
        self._api = TelegramApi(http, base_url, token, clock=clock, patience=patience)
        self._chat = chat_of(credentials.account_id)
        self._app_url = app_url.rstrip("/")

    def length(self, text: str) -> int:
        """Return the number of UTF-16 code units."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    async def check(self) -> str:
        """Return the channel's handle, or its title if it is private.

        Raises:
            Rejected: If the bot may not post, edit and delete there; it says how to
                let it.
        """
        bot_id, bot = await self._bot()
        channel = await self._channel()
        member = await self._api.call(
            "getChatMember", {"chat_id": self._chat, "user_id": bot_id}
        )
        _check_rights(member, bot, channel)
        return channel

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*. Telegram has no use for *key*.

        The text of a post with a poll stands above it, and it has no pictures. Pictures
        travel with the post, after *go*.
        """
        method, fields, files = await self._planned(draft)
        await go()
        return await self._post(method, fields | _answering(draft), files)

    async def find(self, draft: Draft) -> Published | None:
        msg = (
            "A bot cannot read a Telegram channel. Open the channel and look whether"
            " the post is there."
        )
        raise CannotLook(msg)

    async def edit(self, remote_id: str, draft: Draft) -> None:
        """Replace the text; which of the two kinds the post is, Telegram knows best."""
        edits: list[tuple[str, dict[str, object]]] = [
            ("editMessageText", _text(draft)),
            ("editMessageCaption", {"caption": draft.text}),
        ]
        if draft.images:
            edits.reverse()
        try:
            await self._edit(remote_id, *edits[0])
        except OtherKind:
            await self._edit(remote_id, *edits[1])

    async def delete(self, remote_id: str) -> None:
        for message_id in remote_id.split(","):
            message = {"chat_id": self._chat, "message_id": int(message_id)}
            try:
                await self._api.call("deleteMessage", message, lost=Unconfirmed)
            except NotThere:
                continue

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        """Return nothing: bots are not told how a channel's posts do."""
        return {}

    async def _bot(self) -> tuple[int, str]:
        match await self._api.call("getMe", {}):
            case {"id": int(bot_id), "username": str(username)}:
                return bot_id, f"@{username}"
        msg = "Telegram does not tell who the bot is."
        raise TryLater(msg)

    async def _channel(self) -> str:
        match await self._api.call("getChat", {"chat_id": self._chat}):
            case {"type": "channel", "username": str(username)}:
                return f"@{username}"
            case {"type": "channel", "title": str(title)}:
                return title
            case {"type": str(kind)}:
                msg = f"This is a {kind} chat. Give the name of a channel."
                raise Rejected(msg)
        msg = "Telegram does not tell which channel this is."
        raise TryLater(msg)

    async def _edit(
        self, remote_id: str, method: str, change: Mapping[str, object]
    ) -> None:
        message = {"chat_id": self._chat, "message_id": _first(remote_id), **change}
        try:
            await self._api.call(method, message, lost=Unconfirmed)
        except NotModified:
            return

    async def _planned(
        self, draft: Draft
    ) -> tuple[str, dict[str, object], dict[str, Image]]:
        """Return the method that posts *draft*, its fields, and the files with them."""
        if draft.poll:
            return "sendPoll", _poll(draft.poll) | {"description": draft.text}, {}
        if not draft.images:
            return "sendMessage", _text(draft), {}
        rules = self.capabilities.images
        fitted = [
            await asyncio.to_thread(fit_image, image, rules) for image in draft.images
        ]
        if len(fitted) == 1:
            return "sendPhoto", {"caption": draft.text}, {"photo": fitted[0]}
        files = {f"photo{number}": image for number, image in enumerate(fitted)}
        media = [{"type": "photo", "media": f"attach://{name}"} for name in files]
        media[0]["caption"] = draft.text
        return "sendMediaGroup", {"media": media}, files

    async def _post(
        self,
        method: str,
        fields: Mapping[str, object],
        files: Mapping[str, Image],
    ) -> Published:
        result = await self._api.call(
            method,
            {"chat_id": self._chat, **fields},
            files,
            lost=Unconfirmed,
            broken=Unconfirmed,
        )
        sent = result if isinstance(result, list) else [result]
        published = _published(sent, self._app_url)
        if published is None:
            msg = "Telegram answered the post with something else."
            raise Unconfirmed(msg)
        return published


def chat_of(account_id: str) -> str:
    """Return what Telegram calls a channel: ``@name``, or its number.

    People write it as they find it: ``name``, ``https://t.me/name/12``.
    """
    name = _ADDRESS.sub("", account_id.strip())
    if name.startswith("c/"):
        return f"-100{name.split('/')[1]}"
    name = name.split("/")[0]
    return name if name.startswith(("@", "-")) else f"@{name}"


def _check_rights(member: Any, bot: str, channel: str) -> None:
    place = f"Open {channel} in Telegram, then Administrators, then {bot}, and turn on:"
    match member:
        case {"status": "creator"}:
            return
        case {"status": "administrator", **rights}:
            missing = [right for right in _RIGHTS if not rights.get(right)]
        case _:
            wanted = ", ".join(_RIGHTS.values())
            msg = f"{bot} is no administrator of {channel}. {place} {wanted}."
            raise Disowned(msg)
    if missing:
        named = ", ".join(_RIGHTS[right] for right in missing)
        meaning = Disowned if "can_post_messages" in missing else Rejected
        msg = f"{bot} lacks rights in {channel}. {place} {named}."
        raise meaning(msg)


def _text(draft: Draft) -> dict[str, object]:
    preview = {"url": draft.link, "prefer_large_media": True}
    return {"text": draft.text, "link_preview_options": preview}


def _answering(draft: Draft) -> dict[str, object]:
    if not draft.answers:
        return {}
    return {"reply_parameters": {"message_id": _first(draft.answers)}}


def _poll(poll: Poll) -> dict[str, object]:
    return {
        "question": poll.question,
        "options": [{"text": option} for option in poll.options],
        "open_period": int(poll.duration.total_seconds()),
    }


def _first(remote_id: str) -> int:
    return int(remote_id.partition(",")[0])


def _published(messages: Sequence[Any], app_url: str) -> Published | None:
    match messages:
        case [{"message_id": int(first), "chat": {"id": int(chat_id), **chat}}, *_]:
            ids = ",".join(str(message.get("message_id")) for message in messages)
            name = chat.get("username") or f"c/{str(chat_id).removeprefix('-100')}"
            return Published(ids, f"{app_url}/{name}/{first}")
    return None
