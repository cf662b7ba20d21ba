"""What the failures of a Bluesky server (a PDS) mean.

A token that has ended is answered with 400, not 401; the code under ``error`` tells.

Facts: the answers of @atproto/pds 0.5.35, and docs.bsky.app, "Rate Limits".
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from outletbot.channels import ChannelError, Disowned, Rejected, TryLater
from outletbot.channels.calls import NotThere, Refusal, judge, retry_after

CONNECT_AGAIN = "Connect the account again, with its handle and an app password."
HELP_IN = (
    "Check the handle, and use an app password: on Bluesky, under Settings, Privacy and"
    " security, App passwords."
)

_DISOWNED = {
    "AccountDeactivated": "Activate the account on Bluesky, then connect it again.",
    "AccountNotFound": "The account is not on this server. Connect it again.",
    "AccountTakedown": "Bluesky has closed the account: ask its support why.",
    "AuthMissing": CONNECT_AGAIN,
    "AuthenticationRequired": CONNECT_AGAIN,
    "ExpiredToken": CONNECT_AGAIN,
    "InvalidToken": CONNECT_AGAIN,
}
_NOT_LET_IN = {"AuthenticationRequired", "AuthFactorTokenRequired"}
_REMEDIES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "Change the post and send it again.",
    HTTPStatus.UNAUTHORIZED: CONNECT_AGAIN,
    HTTPStatus.FORBIDDEN: CONNECT_AGAIN,
    HTTPStatus.NOT_FOUND: "The server's address is wrong: no Bluesky account is there.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Take a smaller picture.",
}


def judge_bluesky(refusal: Refusal) -> ChannelError:
    """Return what a refusal means: ``error`` is a code, ``message`` a sentence."""
    code, words = _said(refusal)
    if refusal.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        if remedy := _DISOWNED.get(code):
            return Disowned(f"{refusal.said(words)} {remedy}")
        if code == "RecordNotFound":
            return NotThere(f"{refusal.said(words)} The post is gone.")
        if code == "BlobNotFound":  # it keeps pictures without a post for some hours
            return TryLater(refusal.said(words))
    wait = retry_after(refusal.headers) or _until_reset(
        refusal.headers, now=refusal.now
    )
    return judge(refusal, words, remedies=_REMEDIES, after=wait)


def judge_sign_in(refusal: Refusal) -> ChannelError:
    """Return what a refusal to let us in means: the password may be wrong."""
    code, words = _said(refusal)
    if code in _NOT_LET_IN or refusal.status == HTTPStatus.BAD_REQUEST:
        return Rejected(f"{refusal.said(words)} {HELP_IN}")
    return judge_bluesky(refusal)


def not_active(handle: str) -> str:
    return f"@{handle} is not active. {_DISOWNED['AccountDeactivated']}"


def _said(refusal: Refusal) -> tuple[str, str]:
    match refusal.content:
        case {"error": str(code), "message": str(words)}:
            return code, words
        case {"error": str(code)}:
            return code, code
    return "", ""


def _until_reset(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """``RateLimit-Reset`` is a moment in seconds since 1970."""
    try:
        reset = datetime.fromtimestamp(int(headers.get("RateLimit-Reset", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return max(reset - now, timedelta(seconds=1))
