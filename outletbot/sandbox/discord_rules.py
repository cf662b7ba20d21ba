"""What Discord takes of a message, and how it says that it does not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_FILE = 10 * 1024 * 1024
MAX_EMBEDS = 6000  # of all texts in them together


@dataclass
class Refusal(Exception):
    """An answer that is no success, in Discord's words and with its own code."""

    status: int
    code: int
    message: str
    errors: Mapping[str, Any] = field(default_factory=dict)


def invalid(place: str, code: str, message: str) -> Refusal:
    """Return what is wrong with the field at *place*, a path with dots."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(place.split(".")):
        errors = {name: errors}
    return Refusal(400, 50035, "Invalid Form Body", errors)


def check_message(wish: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Refuse a message that Discord would not take."""
    for place, text, most in _texts(wish):
        if len(text.encode("utf-32-le")) > 4 * most:
            words = f"Must be {most} or fewer in length."
            raise invalid(place, "BASE_TYPE_MAX_LENGTH", words)
    for name in ("embeds", "attachments"):
        if len(wish.get(name) or ()) > 10:
            words = "Must be 10 or fewer in length."
            raise invalid(name, "BASE_TYPE_BAD_LENGTH", words)
    _check_embeds(wish.get("embeds") or ())
    if any(len(content) > MAX_FILE for content in files.values()):
        raise Refusal(413, 40005, "Request entity too large")
    if wish.get("poll"):
        _check_poll(wish["poll"])


def check_not_empty(message: Mapping[str, Any]) -> None:
    if not any(message.get(n) for n in ("content", "embeds", "attachments", "poll")):
        raise Refusal(400, 50006, "Cannot send an empty message")


def _texts(wish: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield where there are texts, the texts, and how long each may be."""
    yield "content", wish.get("content") or "", 2000
    for number, embed in enumerate(wish.get("embeds") or ()):
        yield f"embeds.{number}.title", embed.get("title") or "", 256
        yield f"embeds.{number}.description", embed.get("description") or "", 4096
    for number, one in enumerate(wish.get("attachments") or ()):
        yield f"attachments.{number}.description", one.get("description") or "", 1024


def _check_embeds(embeds: Any) -> None:
    texts = (
        str(embed.get(name) or "")
        for embed in embeds
        for name in ("title", "description")
    )
    if sum(map(len, texts)) > MAX_EMBEDS:
        words = f"Embed size exceeds maximum size of {MAX_EMBEDS}"
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", words)


def _check_poll(poll: Mapping[str, Any]) -> None:
    answers = [one["poll_media"]["text"] for one in poll.get("answers") or ()]
    if not 1 <= len(answers) <= 10:
        words = "Must be between 1 and 10 in length."
        raise invalid("poll.answers", "BASE_TYPE_BAD_LENGTH", words)
    for number, text in enumerate(answers):
        if not 1 <= len(text) <= 55:
            words = "Must be between 1 and 55 in length."
            place = f"poll.answers.{number}.poll_media.text"
            raise invalid(place, "BASE_TYPE_BAD_LENGTH", words)
    if not 1 <= len(poll["question"].get("text") or "") <= 300:
        words = "Must be between 1 and 300 in length."
        raise invalid("poll.question.text", "BASE_TYPE_BAD_LENGTH", words)
    if not 1 <= (poll.get("duration") or 24) <= 768:
        words = "int value should be between 1 and 768."
        raise invalid("poll.duration", "NUMBER_TYPE_MAX", words)
