"""What LinkedIn refuses, and how it words it; and how it reads little text.

Limits are those of its documentation ("Posts API", "Images API", "Poll API") and of
what others report (5 MB, 3,000 characters); errors have the fields of its "Error
handling", and the words of answers that people have shown.
"""

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, NoReturn

from PIL import Image

MAX_COMMENTARY = 3000
MAX_COMMENT = 1250
MAX_IMAGES = 20
MAX_FILE = 5_000_000
MAX_PIXELS = 36_152_320
MAX_ALT = 4086
MAX_QUESTION = 140
MAX_OPTION = 30
DURATIONS = ("ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS")
RESERVED = "\\|{}@[]()<>#*_~"

_MENTION = re.compile(r"@\[([^\]]*)\]\(urn:li:[^)]*\)")
_TAG = re.compile(r"\{hashtag\|\\#\|((?:[^\\}]|\\.)*)\}")
_PLAIN_TAG = re.compile(r"#\w+")


class Refusal(Exception):
    """What LinkedIn answers instead."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"status": status, "code": code, "message": message, **more}


def wrong(field: str, why: str) -> NoReturn:
    """Refuse a *field* as LinkedIn's schemas do."""
    code, message = "UNPROCESSABLE_ENTITY", f"ERROR :: {field} :: {why}\n"
    raise Refusal(422, code, message)


def denied(method: str) -> Refusal:
    message = f"Not enough permissions to access: {method}"
    return Refusal(403, "ACCESS_DENIED", message, serviceErrorCode=100)


def not_found(what: str) -> Refusal:
    return Refusal(404, "NOT_FOUND", f"Entity {what} not found")


def duplicate(urn: str) -> Refusal:
    error = {"code": "DUPLICATE_POST", "description": "Duplicate post is detected"}
    return Refusal(
        422,
        "UNPROCESSABLE_ENTITY",
        f"Content is a duplicate of {urn}",
        errorDetailType="com.linkedin.common.error.BadRequest",
        errorDetails={"inputErrors": [{**error, "input": {}}]},
    )


def too_many() -> Refusal:
    message = "Resource level throttle limit for calls to this resource is reached."
    return Refusal(429, "TOO_MANY_REQUESTS", message, serviceErrorCode=101)


def read_little(little: str) -> str:
    """Return what readers see: all up to the first mark that is none, and no more."""
    shown, at = "", 0
    while at < len(little):
        for pattern, reading in (
            (_TAG, lambda found: "#" + re.sub(r"\\(.)", r"\1", found[1])),
            (_MENTION, lambda found: found[1]),
            (_PLAIN_TAG, lambda found: found[0]),
        ):
            if mark := pattern.match(little, at):
                shown, at = shown + reading(mark), mark.end()
                break
        else:
            if little[at] == "\\" and little[at + 1 : at + 2] in set(RESERVED):
                at += 1
            elif little[at] in RESERVED:
                return shown
            shown, at = shown + little[at], at + 1
    return shown


def check_commentary(little: str) -> None:
    if (length := len(read_little(little))) > MAX_COMMENTARY:
        wrong("/commentary", f"length of {length} is out of range 0-{MAX_COMMENTARY}")


def check_post(post: Mapping[str, Any]) -> None:
    required = (
        "author",
        "commentary",
        "visibility",
        "distribution",
        "lifecycleState",
    )
    for field in required:
        if field not in post:
            wrong(f"/{field}", "field is required but not found and has no default")
    check_commentary(post["commentary"])
    if len(post.get("content", {})) > 1:
        wrong("/content", "more than one member of a union")


def check_poll(poll: Mapping[str, Any]) -> None:
    texts = [option["text"] for option in poll["options"]]
    if len(poll["question"]) > MAX_QUESTION:
        wrong("/content/poll/question", f"length is out of range 0-{MAX_QUESTION}")
    if not 2 <= len(texts) <= 4 or any(not 0 < len(t) <= MAX_OPTION for t in texts):
        wrong("/content/poll/options", f"2 to 4 options of 1 to {MAX_OPTION}")
    if poll["settings"]["duration"] not in DURATIONS:
        wrong("/content/poll/settings/duration", "is not an enum symbol")


def images_in(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the images that a post shows, by their ``id`` and ``altText``."""
    match content:
        case {"media": image}:
            return [image]
        case {"multiImage": {"images": images}}:
            if not 2 <= len(images) <= MAX_IMAGES:
                wrong("/content/multiImage/images", f"2 to {MAX_IMAGES} images")
            return list(images)
        case {"article": {"source": str(), "title": str(), **more}}:
            return [{"id": more["thumbnail"]}] if "thumbnail" in more else []
        case {"article": _}:
            wrong("/content/article/title", "field is required")
    return []


def is_usable(content: bytes) -> bool:
    """Say whether LinkedIn can make something of a file."""
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "GIF")) as picture:
            pixels = picture.width * picture.height
            picture.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return len(content) <= MAX_FILE and pixels < MAX_PIXELS
