"""What X refuses, and how it words it.

The limits are documented (docs.x.com); most of the words are not, and are those that X
was seen to answer in 2026. Most of its problems have no type of their own.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

from PIL import Image

MAX_LENGTH = 280
MAX_MEDIA = 4
MAX_FILE = 5 * 1024 * 1024
MAX_ALT = 1000
URL_LENGTH = 23
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
FEES = {
    "post": Decimal("0.015"),
    "post_with_link": Decimal("0.20"),
    "delete": Decimal("0.010"),
}

_PROBLEMS = "https://api.x.com/2/problems"
_ADDRESS = re.compile(r"https?://[^\s<>\"]+[\w/=#-]")
# Roughly: a joined family, a flag or a sign made a picture is one emoji.
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[#*0-9]\ufe0f?\u20e3"
    "|[\u2190-\u2bff\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]?"
    "(?:\u200d[\u2190-\u2bff\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]?)*"
)


class Refusal(Exception):
    """What X answers instead: a status and a problem."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        super().__init__(content.get("detail"))
        self.status = status
        self.content = content


def problem(status: int, title: str, detail: str = "", **more: Any) -> Refusal:
    content = {
        "title": title,
        "detail": detail or title,
        "type": "about:blank",
        "status": status,
        **more,
    }
    return Refusal(status, content)


def unauthorized() -> Refusal:
    return problem(401, "Unauthorized")


def forbidden(detail: str) -> Refusal:
    return problem(403, "Forbidden", detail)


def invalid(name: str, message: str, value: object = "") -> Refusal:
    """Return the refusal of a request that is not what the description wants."""
    words = "One or more parameters to your request was invalid."
    errors = [{"message": message, "parameters": {name: [str(value)]}}]
    kind = f"{_PROBLEMS}/invalid-request"
    return Refusal(
        400,
        {"title": "Invalid Request", "detail": words, "type": kind, "errors": errors},
    )


def no_credits() -> Refusal:
    kind = f"{_PROBLEMS}/credits-depleted"
    return problem(402, "Payment Required", "credits depleted", type=kind)


def not_found(post_id: str, parameter: str) -> dict[str, str]:
    """Return the error of a post that is not there, as it stands beside others."""
    return {
        "value": post_id,
        "detail": f"Could not find tweet with {parameter}: [{post_id}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": parameter,
        "resource_id": post_id,
        "type": f"{_PROBLEMS}/resource-not-found",
    }


def addresses(text: str) -> Iterator[re.Match[str]]:
    """Yield what is replaced by X's own addresses."""
    return _ADDRESS.finditer(text)


def weighted_length(text: str) -> int:
    """Return how long *text* is by X's weights."""
    text = unicodedata.normalize("NFC", text)
    links = len(list(addresses(text)))
    plain, emoji = _EMOJI.subn("", _ADDRESS.sub("", text))
    return links * URL_LENGTH + 2 * emoji + sum(map(_weight, plain))


def _weight(char: str) -> int:
    point = ord(char)
    light = point <= 4351 or 8192 <= point <= 8205 or 8208 <= point <= 8223
    return 1 if light or 8242 <= point <= 8247 else 2


def check_text(text: str) -> None:
    if weighted_length(text) > MAX_LENGTH:
        detail = "Your Tweet text is too long."
        raise forbidden(detail)


def check_poll(options: Sequence[str], minutes: int, *, pictured: bool) -> None:
    if pictured:
        raise invalid("poll", "media and poll are mutually exclusive", options)
    if not 2 <= len(options) <= 4:
        raise invalid("options", "size must be between 2 and 4", options)
    if not all(1 <= len(option) <= 25 for option in options):
        raise invalid("options", "length must be between 1 and 25", options)
    if not 5 <= minutes <= 10_080:
        raise invalid("duration_minutes", "must be between 5 and 10080", minutes)


def check_file(content: bytes) -> str:
    """Return the content type of a picture."""
    if len(content) > MAX_FILE:
        raise invalid("media", "File size exceeds 5242880 bytes.", len(content))
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            picture.load()
            return Image.MIME[picture.format or ""]
    except (OSError, SyntaxError, ValueError, KeyError) as error:
        raise invalid("media", "Your media IDs are invalid.", "media") from error
