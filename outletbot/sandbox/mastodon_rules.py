"""What a Mastodon server refuses, and how it words it.

The limits are its defaults (docs.joinmastodon.org); the sentences are those of its
source, as of 4.4.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from typing import NoReturn

from PIL import Image

from outletbot.channels.graphemes import count_graphemes

MAX_CHARACTERS = 500
MAX_ATTACHMENTS = 4
MAX_DESCRIPTION = 1500
MAX_FILE = 16 * 1024 * 1024
MAX_MATRIX = 33_177_600
URL_LENGTH = 23
MAX_OPTIONS = 4
MAX_OPTION = 50
SHORTEST_POLL = timedelta(minutes=5)
LONGEST_POLL = timedelta(seconds=2_629_746)
MEDIA_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")

_ADDRESS = re.compile(r"https?://\S+")
_REMOTE_MENTION = re.compile(r"(?<![\w/])(@\w+)@[\w.-]+\w")


class Refusal(Exception):
    """What Mastodon answers instead: a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def refuse(why: str) -> NoReturn:
    msg = f"Validation failed: {why}"
    raise Refusal(422, msg)


def not_found() -> Refusal:
    return Refusal(404, "Record not found")


def check_text(text: str) -> None:
    if countable_length(text) > MAX_CHARACTERS:
        refuse(f"Text character limit of {MAX_CHARACTERS} exceeded")


def countable_length(text: str) -> int:
    """Return how long *text* counts: addresses 23 each, mentions without a server."""
    shortened = _ADDRESS.sub("x" * URL_LENGTH, text)
    return count_graphemes(_REMOTE_MENTION.sub(r"\1", shortened))


def check_file(content: bytes, description: str | None) -> None:
    if len(content) > MAX_FILE:
        refuse("File file size must be less than 16 MB")
    if len(description or "") > MAX_DESCRIPTION:
        refuse(f"Description is too long (maximum is {MAX_DESCRIPTION} characters)")


def check_poll(options: Sequence[str], lasts: timedelta | None) -> None:
    """Refuse a poll; without an end it would be too long."""
    if len(options) < 2 or not all(options):
        refuse("Options must have more than one item")
    if len(options) > MAX_OPTIONS:
        refuse(f"Options can't contain more than {MAX_OPTIONS} items")
    if max(map(count_graphemes, options)) > MAX_OPTION:
        refuse(f"Options cannot be longer than {MAX_OPTION} characters each")
    if len(set(options)) < len(options):
        refuse("Options contain duplicate items")
    if lasts is None or lasts > LONGEST_POLL:
        refuse("Expires at is too far into the future")
    if lasts < SHORTEST_POLL:
        refuse("Expires at is too soon")


def look_at(content: bytes) -> tuple[str, tuple[int, int]]:
    try:
        with Image.open(BytesIO(content)) as picture:
            content_type, size = Image.MIME[picture.format or ""], picture.size
            picture.load()
    except (OSError, SyntaxError, ValueError, KeyError):
        refuse("File content type is invalid")
    if content_type not in MEDIA_TYPES:
        refuse("File content type is invalid")
    if size[0] * size[1] > MAX_MATRIX:
        refuse(f"{size[0]}x{size[1]} images are not supported")
    return content_type, size
