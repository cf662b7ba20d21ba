"""How LinkedIn's API is called, what names look like in it, and what its failures mean.

Every call names the version of the API, a month, which LinkedIn keeps for a year; then
it answers 426. Names ("urn:li:share:1") are percent-encoded wherever they stand in an
address, since colons, commas and brackets have a meaning there (Rest.li 2.0).

Facts: learn.microsoft.com/linkedin, "LinkedIn API versioning" (202608 was the newest in
August 2026), "Rate limiting" (a day of UTC; nothing says how much is left), "Error
handling" (``serviceErrorCode``, ``message``, ``errorDetails``).
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from outletbot.channels import (
    ChannelError,
    Limited,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import Calls, Refusal, Unclear, judge, retry_after

VERSION = "202608"
SERVER = "LinkedIn"
RECONNECT = "Connect the page again."
PAGE = 100

_COMMENT = re.compile(r"urn:li:comment:\((?P<thread>.+),(?P<id>[^,]+)\)")

_REMEDIES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: f"The access token is no longer good. {RECONNECT}",
    HTTPStatus.FORBIDDEN: (
        "Whoever connected the page has to be its administrator there, and to allow"
        f" everything that is asked for. {RECONNECT}"
    ),
    HTTPStatus.NOT_FOUND: "The post or page is gone.",
    HTTPStatus.BAD_REQUEST: "Change the post and send it again.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Change the post and send it again.",
}


def api_headers(token: str, version: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token.strip()}",
        "LinkedIn-Version": version,
        "X-Restli-Protocol-Version": "2.0.0",
    }


def method(name: str) -> dict[str, str]:
    """Name what a call does where its HTTP method alone does not tell."""
    return {"X-RestLi-Method": name}


def in_path(urn: str) -> str:
    return quote(urn, safe="")


def list_of(urns: Iterable[str]) -> str:
    """Write names as one parameter of a query."""
    return f"List({','.join(map(in_path, urns))})"


def comments_of(urn: str) -> str:
    return f"/rest/socialActions/{in_path(urn)}/comments"


def is_comment(urn: str) -> bool:
    return _COMMENT.fullmatch(urn) is not None


def path_of(urn: str, *, actor: str) -> str:
    """Return where a post or a comment is; *actor* is who acts on a comment."""
    comment = _COMMENT.fullmatch(urn)
    if comment is None:
        return f"/rest/posts/{in_path(urn)}"
    path = f"{comments_of(comment['thread'])}/{in_path(comment['id'])}"
    return f"{path}?actor={in_path(actor)}"


async def read_handle(api: Calls, urn: str) -> str:
    """Return the last word of a page's address, or its name if it has none."""
    path = f"/rest/organizations/{urn.rpartition(':')[2]}"
    match (await api.read(path)).content:
        case {"vanityName": str(handle)} | {"localizedName": str(handle)}:
            return handle
    raise Unclear(path)


async def pages(
    api: Calls,
    path: str,
    dated: Callable[[Any], int],
    *,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[tuple[Any, datetime]]:
    """Yield what is listed at *path* and when it was made, page by page.

    A page may hold fewer than were asked for, so only an empty one is the last.
    *dated* picks the moment out of a thing, in milliseconds.
    """
    start, joint = 0, "&" if "?" in path else "?"
    while True:
        address = f"{path}{joint}start={start}&count={PAGE}"
        answer = await api.call("GET", address, lost=TryLater, headers=headers)
        try:
            things = [(one, _moment(dated(one))) for one in answer.content["elements"]]
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise Unclear(path.partition("?")[0]) from error
        for thing in things:
            yield thing
        if not things:
            return
        start += len(things)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def judge_linkedin(refusal: Refusal) -> ChannelError:
    """Return what a refusal means; a duplicate means that the post is there already."""
    words, codes = _read_error(refusal.content)
    if "DUPLICATE_POST" in codes:
        return Unconfirmed(f"{refusal.said(words)} Look for the post on the page.")
    if refusal.status == HTTPStatus.UPGRADE_REQUIRED:
        return Rejected(
            f"{refusal.said(words)} This installation speaks a version of LinkedIn's"
            " interface that has ended: it must be updated. Ask whoever runs it."
        )
    if refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = retry_after(refusal.headers) or _until_midnight(refusal.now)
        return Limited(refusal.said(words), after=wait)
    return judge(refusal, words, remedies=_REMEDIES)


def _read_error(content: Any) -> tuple[str, set[str]]:
    """Return the words of an error and its codes, the detailed ones too."""
    match content:
        case {"message": str(words), **more}:
            codes = {str(more.get("code", ""))}
        case _:
            return "", set()
    match more.get("errorDetails"):
        case {"inputErrors": [*details]}:
            codes |= {str(one.get("code")) for one in details if isinstance(one, dict)}
    return words, codes


def _until_midnight(now: datetime) -> timedelta:
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1) - now
