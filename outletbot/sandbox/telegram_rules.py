"""What Telegram takes, and how it says that it does not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NoReturn

from PIL import Image as Pillow

MAX_TEXT, MAX_CAPTION = 4096, 1024
MAX_PHOTO = 10_000_000
MAX_SIDES, MAX_RATIO = 10_000, 20
ALBUM = range(2, 11)
OPEN_PERIOD = range(5, 2_628_001)
TOKEN = re.compile(r"\d+:[\w-]+")


@dataclass
class Refusal(Exception):
    """An answer that is no success, in Telegram's words."""

    status: int
    description: str
    parameters: Mapping[str, int] = field(default_factory=dict)


def refuse(words: str) -> NoReturn:
    raise Refusal(400, f"Bad Request: {words}")


def units(text: str) -> int:
    """Count as JavaScript does: what is beyond the first 65,536 signs counts twice."""
    return len(text) + sum(ord(sign) > 0xFFFF for sign in text)


def check_text(text: str) -> str:
    if not text.strip():
        refuse("message text is empty")
    if units(text) > MAX_TEXT:
        refuse("message is too long")
    return text


def check_caption(caption: str) -> str:
    if units(caption) > MAX_CAPTION:
        refuse("message caption is too long")
    return caption


def check_photo(content: bytes) -> dict[str, Any]:
    """Return the size of a photo."""
    if len(content) > MAX_PHOTO:
        raise Refusal(413, "Request Entity Too Large")
    try:
        with Pillow.open(BytesIO(content)) as picture:
            width, height = picture.size
    except OSError:
        refuse("IMAGE_PROCESS_FAILED")
    if width + height > MAX_SIDES or max(width, height) > MAX_RATIO * min(
        width, height
    ):
        refuse("PHOTO_INVALID_DIMENSIONS")
    return {"width": width, "height": height, "file_size": len(content)}


def check_album(media: Any) -> Sequence[Mapping[str, Any]]:
    match media:
        case [*items] if len(items) in ALBUM and all(_is_photo(item) for item in items):
            return items
    refuse("album must have from 2 to 10 photos")


def _is_photo(item: Any) -> bool:
    match item:
        case {"type": "photo", "media": str(where)}:
            return where.startswith("attach://")
    return False


def check_poll(question: str, options: Any, seconds: int) -> list[str]:
    """Return what can be voted for."""
    texts = [_option(option) for option in options or ()]
    if not 1 <= units(question) <= 300:
        refuse("poll question must have from 1 to 300 characters")
    if not 1 <= len(texts) <= 12:
        refuse("poll must have from 1 to 12 options")
    if not all(1 <= units(text) <= 100 for text in texts):
        refuse("poll options length must not exceed 100")
    if seconds not in OPEN_PERIOD:
        refuse("invalid poll open period specified")
    return texts


def _option(option: Any) -> str:
    match option:
        case str(text) | {"text": str(text)}:
            return text
    refuse("option must have a text")
