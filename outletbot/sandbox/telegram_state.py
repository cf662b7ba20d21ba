"""Telegram's side of the sandbox: bots, their channels, and what was posted there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from outletbot.clock import Clock
from outletbot.sandbox.shelf import Shelf, Thing
from outletbot.sandbox.telegram_rules import TOKEN, Refusal, refuse
from outletbot.sandbox.windows import Budget, Windows

RIGHTS = frozenset({"can_post_messages", "can_edit_messages", "can_delete_messages"})
DELETE_WITHIN = timedelta(hours=48)
# About one a second is what it asks for, and short bursts are let through.
POSTS = Budget(20, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Account:
    """A bot, and the channel that it is in as *status*, with *rights*.

    A private channel has no *handle*. What is no channel has another *kind*, and a
    group that has moved the number it *moved_to*.
    """

    handle: str
    access_token: str = field(repr=False)
    channel_id: int
    title: str = "North Outlet"
    status: str = "administrator"
    rights: frozenset[str] = RIGHTS
    kind: str = "channel"
    moved_to: int | None = None

    @property
    def bot_id(self) -> int:
        return int(self.access_token.partition(":")[0])


class TelegramSandbox:
    """All that is known; *accounts* by token, to be replaced as a test likes."""

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
        self.accounts = {account.access_token: account for account in accounts}
        self.shelf = Shelf(state_path)
        self._windows = Windows()

    @property
    def now(self) -> int:
        return int(self.clock().timestamp())

    def account_of(self, token: str) -> Account:
        if not TOKEN.fullmatch(token):
            raise Refusal(404, "Not Found")
        if token not in self.accounts:
            raise Refusal(401, "Unauthorized")
        return self.accounts[token]

    def enter(self, account: Account, chat_id: Any) -> None:
        """See that a bot is in the chat that it names."""
        known = next(
            (one for one in self.accounts.values() if _is_called(one, str(chat_id))),
            None,
        )
        if known is None:
            refuse("chat not found")
        if account.moved_to is not None:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, words, {"migrate_to_chat_id": account.moved_to})
        if account.status == "kicked":
            raise Refusal(403, "Forbidden: bot was kicked from the channel chat")
        if known is not account or account.status == "left":
            raise Refusal(403, "Forbidden: bot is not a member of the channel chat")

    def enter_to_post(self, account: Account, chat_id: Any) -> None:
        """See that a bot may post there, and has not posted too much."""
        self.enter(account, chat_id)
        if account.status != "administrator" or "can_post_messages" not in (
            account.rights
        ):
            refuse("need administrator rights in the channel chat")
        spent = self._windows.spend(str(account.channel_id), POSTS, now=self.clock())
        if spent.over:
            raise too_many(spent.resets_at - self.clock())

    def keep(
        self, account: Account, message: Mapping[str, Any], photo: bytes | None = None
    ) -> Thing:
        number = self.shelf.number()
        kept = {
            "message_id": number,
            "channel": account.channel_id,
            "date": self.now,
            **message,
        }
        self.shelf.keep("message", str(number), kept, photo)
        return kept

    def message(self, account: Account, message_id: Any) -> Thing | None:
        kept = self.shelf.get("message", str(message_id))
        return kept if kept and kept["channel"] == account.channel_id else None

    def messages(self, account: Account) -> Iterator[Thing]:
        """Yield what is in a channel, oldest first."""
        for _, kept in self.shelf.all("message"):
            if kept["channel"] == account.channel_id:
                yield kept

    def delete(self, account: Account, message_id: Any) -> None:
        kept = self.message(account, message_id)
        if kept is None:
            refuse("message to delete not found")
        age = self.clock() - datetime.fromtimestamp(kept["date"], UTC)
        if age >= DELETE_WITHIN or not account.rights & {
            "can_post_messages",
            "can_delete_messages",
        }:
            refuse("message can't be deleted for everyone")
        self.shelf.drop("message", str(message_id))


def too_many(wait: timedelta) -> Refusal:
    seconds = max(1, int(wait.total_seconds()))
    words = f"Too Many Requests: retry after {seconds}"
    return Refusal(429, words, {"retry_after": seconds})


def _is_called(account: Account, name: str) -> bool:
    handle = f"@{account.handle}" if account.handle else None
    return name in {handle, str(account.channel_id)}
