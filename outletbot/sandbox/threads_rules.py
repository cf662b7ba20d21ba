"""What Threads refuses, in Meta's form, and how it counts.

Limits are those of its documentation ("Posts", "Polls", "Media", "Overview"). What is
not there is answered as clients report it: 24 with the subcode 4279009.
"""

import re
from collections.abc import Mapping
from io import BytesIO

from PIL import Image

from outletbot.sandbox.meta_errors import GraphFault, refuse

MAX_TEXT = 500
MAX_LINKS = 5
MAX_ALT = 1000
MAX_OPTION = 25
MAX_BYTES = 8_000_000
MAX_SHAPE = 10
CHILDREN = range(2, 21)

# Emoji, joiners, tags and what turns a sign into a picture (Unicode, annex 51).
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2600-\u27bf\u2b00-\u2bff"
    "\u231a-\u23ff\u200d\ufe0f\u20e3\u00a9\u00ae\u2122\u2139\u203c\u2049\u3030\u303d]"
)
_LINK = re.compile(r"https?://[^\s<>\"]+")


def missing() -> GraphFault:
    message = "The requested resource does not exist"
    return GraphFault(24, message, subcode=4279009)


def spent(what: str) -> GraphFault:
    message = f"Application request limit reached: {what}"
    told = "You reached the maximum number that is allowed in 24 hours."
    return GraphFault(9, message, subcode=2207042, told=told)


def counted(text: str) -> int:
    """Return how long *text* is: emoji are as long as they have bytes."""
    emoji = "".join(_EMOJI.findall(text))
    return len(text) - len(emoji) + len(emoji.encode())


def check_form(form: Mapping[str, str]) -> None:
    """Refuse a text that is too long, has too many links or none of its words."""
    text, kind = form.get("text", ""), form.get("media_type", "")
    if kind not in {"TEXT", "IMAGE", "CAROUSEL"}:
        refuse("Param media_type must be one of {TEXT, IMAGE, CAROUSEL}")
    if kind == "TEXT" and not text:
        refuse("The parameter text is required")
    if counted(text) > MAX_TEXT:
        refuse(f"Param text must be at most {MAX_TEXT} characters long.")
    links = {*_LINK.findall(text), form.get("link_attachment", "")} - {""}
    if len(links) > MAX_LINKS:
        refuse("THREADS_API__LINK_LIMIT_EXCEEDED")
    if kind != "TEXT" and ("link_attachment" in form or "poll_attachment" in form):
        refuse("Links and polls can only be attached to text posts.")
    if len(form.get("alt_text", "")) > MAX_ALT:
        refuse(f"Param alt_text must be at most {MAX_ALT} characters long.")


def check_poll(options: Mapping[str, str]) -> None:
    names = ("option_a", "option_b", "option_c", "option_d")
    if list(options) != list(names[: len(options)]) or len(options) < len(names) // 2:
        refuse("A poll has two to four options.")
    if not all(0 < len(option) <= MAX_OPTION for option in options.values()):
        refuse(f"A poll's options have 1 to {MAX_OPTION} characters.")


def look_at(content: bytes) -> str:
    """Return what becomes of a picture: the state of its container."""
    if len(content) > MAX_BYTES:
        message = "The image size is too large."
        raise GraphFault(36000, message, subcode=2207004)
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as picture:
            shape = picture.width / picture.height
            picture.load()
    except (OSError, SyntaxError, ValueError):
        message = "Unsupported image format"
        raise GraphFault(36001, message, subcode=2207005) from None
    return "IN_PROGRESS" if 1 / MAX_SHAPE <= shape <= MAX_SHAPE else "ERROR"
