"""Discord's side of the sandbox: webhooks and the messages that they posted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from outletbot.clock import Clock
from outletbot.sandbox.discord_rules import Refusal, check_message, check_not_empty
from outletbot.sandbox.shelf import Shelf, Thing
from outletbot.sandbox.windows import Windows

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_NO_USER = {
    "avatar": None,
    "discriminator": "0000",
    "public_flags": 0,
    "flags": 0,
    "bot": True,
    "global_name": None,
    "primary_guild": None,
}


@dataclass(frozen=True, slots=True)
class Account:
    """A webhook in a channel of a server ("guild"); people see it under *handle*."""

    handle: str
    webhook_id: str
    token: str = field(repr=False)
    name: str = "North Outlet"
    channel_id: str = "1177000000000000001"
    guild_id: str = "1177000000000000002"

    @property
    def access_token(self) -> str:
        return f"{self.webhook_id}/{self.token}"


class DiscordSandbox:
    """All that is known; *accounts* by id, to be taken away as a test likes."""

    def __init__(
        self,
        *,
        clock: Clock,
        public_url: str,
        accounts: Iterable[Account],
        state_path: Path | None,
    ) -> None:
        self.clock = clock
        self.public_url = public_url.rstrip("/")
        self.accounts = {account.webhook_id: account for account in accounts}
        self.shelf = Shelf(state_path)
        self.windows = Windows()

    def account_of(self, webhook_id: str, token: str) -> Account:
        account = self.accounts.get(webhook_id)
        if account is None:
            raise Refusal(404, 10015, "Unknown Webhook")
        if token != account.token:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        return account

    def post(
        self, account: Account, wish: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> Thing:
        check_message(wish, files)
        message: Thing = {
            "id": self._new_id(),
            "webhook_id": account.webhook_id,
            "content": wish.get("content") or "",
            "embeds": wish.get("embeds") or [],
            "attachments": self._attach(account, wish, files),
            "poll": wish.get("poll"),
            "timestamp": self.clock().isoformat(),
            "edited_timestamp": None,
            "reactions": {},
        }
        check_not_empty(message)
        return self._keep(message)

    def edit(
        self,
        account: Account,
        message_id: str,
        wish: Mapping[str, Any],
        files: Mapping[str, bytes],
    ) -> Thing:
        """Change what is named; of pictures that are named, the others go."""
        message = self.message(account, message_id)
        if message["poll"]:
            raise Refusal(403, 520003, "Cannot edit a poll message")
        check_message(wish, files)
        for name in ("content", "embeds"):
            if name in wish:
                message[name] = wish[name] or type(message[name])()
        if wish.get("attachments") is not None or files:
            wanted = {str(one["id"]) for one in wish.get("attachments") or ()}
            kept = [one for one in message["attachments"] if one["id"] in wanted]
            message["attachments"] = kept + self._attach(account, wish, files)
        check_not_empty(message)
        message["edited_timestamp"] = self.clock().isoformat()
        return self._keep(message)

    def message(self, account: Account, message_id: str) -> Thing:
        message = self.shelf.get("message", message_id)
        if message is None or message["webhook_id"] != account.webhook_id:
            raise Refusal(404, 10008, "Unknown Message")
        return message

    def messages(self, account: Account) -> Iterator[Thing]:
        """Yield what a webhook has posted, oldest first."""
        for _, message in self.shelf.all("message"):
            if message["webhook_id"] == account.webhook_id:
                yield message

    def react(self, message_id: str, emoji: str, times: int) -> None:
        """Let so many people react to a message."""
        message = self.shelf.get("message", message_id)
        if message is not None:
            message["reactions"][emoji] = times
            self._keep(message)

    def _keep(self, message: Thing) -> Thing:
        self.shelf.keep("message", message["id"], message)
        return message

    def _new_id(self) -> str:
        """Make a snowflake: milliseconds since 2015, and a number."""
        age = (self.clock() - EPOCH) // timedelta(milliseconds=1)
        return str((age << 22) + self.shelf.number())

    def _attach(
        self, account: Account, wish: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> list[Thing]:
        described = {
            f"files[{one['id']}]": one for one in wish.get("attachments") or ()
        }
        attached = []
        for name, content in files.items():
            one = described.get(name, {})
            attachment = self._attachment(account, one, content)
            self.shelf.keep("attachment", attachment["id"], attachment, content)
            attached.append(attachment)
        return attached

    def _attachment(
        self, account: Account, one: Mapping[str, Any], content: bytes
    ) -> Thing:
        filename = one.get("filename") or "unknown"
        attachment_id = self._new_id()
        path = f"/attachments/{account.channel_id}/{attachment_id}/{filename}"
        url = self.public_url + path
        alt = {"description": one["description"]} if one.get("description") else {}
        return {
            "id": attachment_id,
            "filename": filename,
            "size": len(content),
            "url": url,
            "proxy_url": url,
            **alt,
            **_picture(content),
        }


def _picture(content: bytes) -> Thing:
    """Say how large a picture is; other files are taken as well."""
    try:
        with Pillow.open(BytesIO(content)) as picture:
            width, height = picture.size
            kind = Pillow.MIME[picture.format or ""]
    except (UnidentifiedImageError, KeyError):
        return {}
    return {"width": width, "height": height, "content_type": kind}


def webhook_json(account: Account) -> Thing:
    return {
        "application_id": None,
        "avatar": None,
        "channel_id": account.channel_id,
        "guild_id": account.guild_id,
        "id": account.webhook_id,
        "name": account.name,
        "type": 1,
        "token": account.token,
        "url": f"https://discord.com/api/webhooks/{account.access_token}",
    }


def message_json(account: Account, message: Thing) -> Thing:
    author = {"id": account.webhook_id, "username": account.name, **_NO_USER}
    described = {
        **{
            name: message[name]
            for name in ("id", "webhook_id", "content", "timestamp", "edited_timestamp")
        },
        "attachments": message["attachments"],
        "embeds": [{**embed, "type": "rich"} for embed in message["embeds"]],
        "type": 0,
        "channel_id": account.channel_id,
        "author": author,
        "flags": 0,
        **{name: [] for name in ("mentions", "mention_roles", "components")},
        **dict.fromkeys(("pinned", "mention_everyone", "tts"), False),
    }
    if message["poll"]:
        described["poll"] = _poll_json(message)
    if message["reactions"]:
        described["reactions"] = [
            _reaction_json(*one) for one in message["reactions"].items()
        ]
    return described


def _poll_json(message: Thing) -> Thing:
    poll = message["poll"]
    posted = datetime.fromisoformat(message["timestamp"])
    expiry = posted + timedelta(hours=poll.get("duration") or 24)
    return {
        "question": poll["question"],
        "answers": [
            {"answer_id": number, "poll_media": answer["poll_media"]}
            for number, answer in enumerate(poll["answers"], start=1)
        ],
        "expiry": expiry.isoformat(),
        "allow_multiselect": bool(poll.get("allow_multiselect")),
        "layout_type": 1,
        "results": {"answer_counts": [], "is_finalized": False},
    }


def _reaction_json(emoji: str, times: int) -> Thing:
    return {
        "emoji": {"id": None, "name": emoji},
        "count": times,
        "count_details": {"burst": 0, "normal": times},
        "burst_colors": [],
        "me_burst": False,
        "me": False,
    }
