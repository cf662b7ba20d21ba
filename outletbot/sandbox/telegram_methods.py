"""The methods of the Bot API that the sandbox knows."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from outletbot.sandbox import telegram_rules as rules
from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.telegram_rules import Refusal, refuse
from outletbot.sandbox.telegram_state import RIGHTS, Account, TelegramSandbox


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what. In a form, whatever is no text is JSON."""

    sandbox: TelegramSandbox
    account: Account
    fields: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return str(self.fields.get(name) or "")

    def value(self, name: str) -> Any:
        value = self.fields.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            refuse(f"can't parse {name} JSON object")


def get_me(call: Call) -> Any:
    user = _bot(call.account)
    may = dict.fromkeys(("can_join_groups", "supports_inline_queries"), False)
    return user | may | {"can_read_all_group_messages": False}


def get_chat(call: Call) -> Any:
    call.sandbox.enter(call.account, call.fields.get("chat_id"))
    full = {"accent_color_id": 1, "max_reaction_count": 11}
    return _chat(call.account) | full | {"accepted_gift_types": _NO_GIFTS}


def get_chat_member(call: Call) -> Any:
    account = call.account
    call.sandbox.enter(account, call.fields.get("chat_id"))
    if str(call.fields.get("user_id")) != str(account.bot_id):
        refuse("PARTICIPANT_ID_INVALID")
    member = {"status": account.status, "user": _bot(account)}
    if account.status != "administrator":
        return member
    others = dict.fromkeys(_OTHER_RIGHTS, False)
    return member | others | {right: right in account.rights for right in RIGHTS}


def send_message(call: Call) -> Any:
    call.sandbox.enter_to_post(call.account, call.fields.get("chat_id"))
    message = {"text": rules.check_text(call.text("text")), **_answering(call)}
    preview = call.value("link_preview_options")
    more = {"link_preview_options": preview} if preview else {}
    kept = call.sandbox.keep(call.account, message | more)
    return message_json(call.account, kept)


def send_photo(call: Call) -> Any:
    call.sandbox.enter_to_post(call.account, call.fields.get("chat_id"))
    photo = _file(call, call.text("photo") or "attach://photo")
    message = {
        "caption": rules.check_caption(call.text("caption")),
        "photo": rules.check_photo(photo),
        **_answering(call),
    }
    return message_json(call.account, call.sandbox.keep(call.account, message, photo))


def send_media_group(call: Call) -> Any:
    """Post some photos as one message each; they are shown together."""
    call.sandbox.enter_to_post(call.account, call.fields.get("chat_id"))
    wanted = []
    for item in rules.check_album(call.value("media")):
        photo = _file(call, item["media"])
        caption = rules.check_caption(item.get("caption") or "")
        message = {"caption": caption, "photo": rules.check_photo(photo)}
        wanted.append((message, photo))
    group = {"media_group_id": str(call.sandbox.shelf.number()), **_answering(call)}
    return [
        message_json(
            call.account, call.sandbox.keep(call.account, message | group, photo)
        )
        for message, photo in wanted
    ]


def send_poll(call: Call) -> Any:
    call.sandbox.enter_to_post(call.account, call.fields.get("chat_id"))
    seconds = int(call.value("open_period") or rules.OPEN_PERIOD[-1])
    question = call.text("question")
    poll = {
        "question": question,
        "options": rules.check_poll(question, call.value("options"), seconds),
        "open_period": seconds,
        "description": rules.check_caption(call.text("description")),
    }
    message = {"poll": poll, **_answering(call)}
    return message_json(call.account, call.sandbox.keep(call.account, message))


def edit_message_text(call: Call) -> Any:
    return _edit(call, "text", rules.check_text(call.text("text")))


def edit_message_caption(call: Call) -> Any:
    return _edit(call, "caption", rules.check_caption(call.text("caption")))


def delete_message(call: Call) -> Any:
    call.sandbox.enter(call.account, call.fields.get("chat_id"))
    call.sandbox.delete(call.account, call.fields.get("message_id"))
    return True


METHODS: dict[str, Callable[[Call], Any]] = {
    "getMe": get_me,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendMediaGroup": send_media_group,
    "sendPoll": send_poll,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "deleteMessage": delete_message,
}

_OTHER_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
_NO_GIFTS = dict.fromkeys(
    (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    ),
    False,
)


def message_json(account: Account, kept: Thing) -> dict[str, Any]:
    """Describe a message in a channel as the Bot API does."""
    chat = _chat(account)
    said = {
        name: kept[name]
        for name in ("text", "caption", "edit_date", "media_group_id")
        if kept.get(name)
    }
    message = {
        "message_id": kept["message_id"],
        "date": kept["date"],
        "chat": chat,
        "sender_chat": chat,
        **said,
    }
    if kept.get("link_preview_options"):
        message["link_preview_options"] = kept["link_preview_options"]
    if "photo" in kept:
        file_id = f"photo{kept['message_id']}"
        ids = {"file_id": file_id, "file_unique_id": file_id}
        message["photo"] = [kept["photo"] | ids]
    if "poll" in kept:
        message["poll"] = _poll_json(kept["message_id"], kept["poll"])
    return message


def _poll_json(number: int, poll: Thing) -> dict[str, Any]:
    options = [
        {"persistent_id": str(place), "text": text, "voter_count": 0}
        for place, text in enumerate(poll["options"])
    ]
    no = ("is_closed", "allows_multiple_answers", "members_only")
    yes = ("is_anonymous", "allows_revoting")
    return {
        **poll,
        **dict.fromkeys(no, False),
        **dict.fromkeys(yes, True),
        "id": str(number),
        "type": "regular",
        "total_voter_count": 0,
        "options": options,
    }


def _edit(call: Call, part: str, words: str) -> Any:
    call.sandbox.enter(call.account, call.fields.get("chat_id"))
    kept = call.sandbox.message(call.account, call.fields.get("message_id"))
    if kept is None:
        refuse("message to edit not found")
    if part not in kept:
        refuse(f"there is no {part} in the message to edit")
    if not call.account.rights & {"can_post_messages", "can_edit_messages"}:
        refuse("message can't be edited")
    if kept[part] == words:
        refuse(
            "message is not modified: specified new message content and reply markup"
            " are exactly the same as a current content and reply markup of the message"
        )
    kept |= {part: words, "edit_date": call.sandbox.now}
    call.sandbox.shelf.keep("message", str(kept["message_id"]), kept)
    return message_json(call.account, kept)


def _answering(call: Call) -> dict[str, Any]:
    reply = call.value("reply_parameters")
    if not reply:
        return {}
    if call.sandbox.message(call.account, reply.get("message_id")):
        return {"answers": int(reply["message_id"])}
    if not reply.get("allow_sending_without_reply"):
        refuse("message to be replied not found")
    return {}


def _file(call: Call, where: str) -> bytes:
    """Return what was sent along; fetching from the internet is not practised here."""
    name = where.removeprefix("attach://")
    if name == where or name not in call.files:
        raise Refusal(400, "Bad Request: wrong remote file identifier specified")
    return call.files[name]


def _bot(account: Account) -> dict[str, Any]:
    name = f"{account.handle or 'private'}_bot"
    return {
        "id": account.bot_id,
        "is_bot": True,
        "first_name": "Outletbot",
        "username": name,
    }


def _chat(account: Account) -> dict[str, Any]:
    handle = {"username": account.handle} if account.handle else {}
    return {
        "id": account.channel_id,
        "title": account.title,
        "type": account.kind,
        **handle,
    }
