"""What X's failures mean.

X describes a problem as ``{title, detail, type, status}``; many have no type of their
own (``about:blank``) and are told apart by their words.

Facts: docs.x.com, "Response codes and errors" and "Rate limits" (``x-rate-limit-reset``
is a Unix time). Not documented, but as X was seen to answer in 2026: 402 or the type
``…/credits`` or ``…/credits-depleted`` without credits; ``…/usage-capped`` beyond the
spending cap, though it comes as a 429; 403 "You are not allowed to create a Tweet with
duplicate content."; 403 "Reply to this conversation is not allowed because you have not
been mentioned …" (changelog of 2026-02-23).
"""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from outletbot.channels import ChannelError, Rejected, Unconfirmed
from outletbot.channels.calls import Refusal, judge

_DAY = timedelta(days=1)
_WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")

RECONNECT = "Connect the account again."
_REMEDIES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "Change the post and send it again.",
    HTTPStatus.UNAUTHORIZED: f"{RECONNECT[:-1]}: its access has ended.",
    HTTPStatus.NOT_FOUND: "The post or the account is gone.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Take a smaller picture.",
}
_UNPAID = ("/credits", "/credits-depleted", "/usage-capped")
_PAY = (
    "The credits for X's API are used up, or its spending cap is reached. Buy credits"
    " or raise the cap in X's developer console, then send the post again."
)
_DUPLICATE = "duplicate content"
_NO_ANSWERS = (
    "X's self-serve plans may answer only who mentioned or quoted the account, and that"
    " seems to include its own posts. Ask X for a plan that may, or have sold out posts"
    " taken back instead of answered."
)
# What of X's words tells one 403 from another, and what to do about it.
_FORBIDDEN = (
    ("reply to this conversation", _NO_ANSWERS),
    ("too long", "Shorten the text."),
    ("suspended", "Look at the account on x.com: X has suspended it."),
    (" locked", "Log in to the account on x.com and unlock it."),
    (
        "attached to a project",
        "Whoever runs outletbot has to put its X app into a project with API access.",
    ),
)
_ALLOW = (
    "Connect the account again and allow everything that is asked for, or look on x.com"
    " whether the account may post."
)


def judge_x(refusal: Refusal) -> ChannelError:
    """Return what a refusal means.

    Text that is out already is in doubt, not refused: with our own link in it, it can
    only be a post of ours whose answer was lost, or one that was deleted.
    """
    problem = refusal.content if isinstance(refusal.content, dict) else {}
    words = words_of(problem)
    if refusal.status == HTTPStatus.FORBIDDEN and _DUPLICATE in words.lower():
        return Unconfirmed(f"{refusal.said(words)} The post may be out already.")
    if _is_unpaid(refusal.status, problem):
        return Rejected(f"{refusal.said(words)} {_PAY}")
    remedies = {**_REMEDIES, HTTPStatus.FORBIDDEN: _remedy_of_forbidden(words)}
    return judge(refusal, words, remedies=remedies, after=_until_reset(refusal))


def words_of(problem: Mapping[str, Any]) -> str:
    """Return the most telling words of a problem: what exactly was wrong, if known."""
    match problem:
        case {"errors": [{"message": str(words)}, *_]}:
            return words
        case {"errors": [{"detail": str(words)}, *_]}:
            return words
        case {"detail": str(words)} | {"title": str(words)}:
            return words
    return ""


def _is_unpaid(status: int, problem: Mapping[str, Any]) -> bool:
    kind = str(problem.get("type", ""))
    unpaid = status == HTTPStatus.PAYMENT_REQUIRED or kind.endswith(_UNPAID)
    return unpaid and status < HTTPStatus.INTERNAL_SERVER_ERROR


def _remedy_of_forbidden(words: str) -> str:
    said = words.lower()
    return next((remedy for sign, remedy in _FORBIDDEN if sign in said), _ALLOW)


def _until_reset(refusal: Refusal) -> timedelta | None:
    """Return how long until all that is spent is given anew.

    Which window is spent is told by what remains; if none is, it is the short one.
    """
    headers = refusal.headers
    spent = [name for name in _WINDOWS if headers.get(f"{name}-remaining") == "0"]
    resets = [headers.get(f"{name}-reset", "") for name in spent or _WINDOWS[:1]]
    times = [float(reset) for reset in resets if reset.isdecimal()]
    if not times:
        return None
    wait = max(times) - refusal.now.timestamp()
    return timedelta(seconds=min(max(wait, 1), _DAY.total_seconds()))
