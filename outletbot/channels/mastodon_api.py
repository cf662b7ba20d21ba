"""What the failures of a Mastodon server mean.

Facts: docs.joinmastodon.org, "Rate limits" and the errors of each method.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from outletbot.channels import ChannelError
from outletbot.channels.calls import Refusal, judge, retry_after

_REMEDIES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: (
        "Connect the account again: its access token is no longer good."
    ),
    HTTPStatus.FORBIDDEN: (
        "Connect the account again and allow reading the account and writing posts and"
        " media, or ask the server's moderators."
    ),
    HTTPStatus.NOT_FOUND: (
        "The post or account is gone, or the server's address is wrong."
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Take a smaller picture.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Change the post and send it again.",
}


def judge_mastodon(refusal: Refusal) -> ChannelError:
    """Return what a refusal means: one sentence is under ``error``, if any."""
    words = ""
    match refusal.content:
        case {"error": str(sentence)}:
            words = sentence
    return judge(refusal, words, remedies=_REMEDIES, after=until_free(refusal))


def until_free(refusal: Refusal) -> timedelta | None:
    """Return how long the server wants us to wait, if it says.

    ``X-RateLimit-Reset`` is a moment in ISO 8601; proxies use ``Retry-After``.
    """
    if wait := retry_after(refusal.headers):
        return wait
    try:
        reset = datetime.fromisoformat(refusal.headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return None
    reset = reset if reset.tzinfo else reset.replace(tzinfo=UTC)
    return max(reset - refusal.now, timedelta(seconds=1))
