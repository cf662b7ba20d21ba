"""How posts on LinkedIn do: reactions, comments, who saw them, who passed them on.

Reactions and comments are "social metadata", asked for in one call for many; what is
gone has no result there. Views and reposts are statistics of the page, which know the
last twelve months and nothing of comments, and are for its administrators alone: where
they are refused, the rest is told without them.

Facts: learn.microsoft.com/linkedin, "Social Metadata API", "Organization Share
Statistics"; how their answers look was read off clients in use.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from outletbot.channels import Disowned, Numbers, Rejected, TryLater
from outletbot.channels.calls import Calls, Unclear
from outletbot.channels.linkedin_api import in_path, list_of, method

AT_ONCE = 20

_METADATA = "/rest/socialMetadata"
_STATISTICS = "/rest/organizationalEntityShareStatistics"
_KINDS = {"shares": "urn:li:share:", "ugcPosts": "urn:li:ugcPost:"}


async def read_numbers(
    api: Calls, owner: str, urns: Sequence[str]
) -> dict[str, Numbers]:
    """Return how the posts and comments of *owner* do that are still there."""
    numbers: dict[str, Numbers] = {}
    for start in range(0, len(urns), AT_ONCE):
        numbers |= await _read_metadata(api, urns[start : start + AT_ONCE])
    for parameter, prefix in _KINDS.items():
        posts = [urn for urn in numbers if urn.startswith(prefix)]
        for start in range(0, len(posts), AT_ONCE):
            some = posts[start : start + AT_ONCE]
            for urn, seen in (await _statistics(api, owner, parameter, some)).items():
                numbers[urn] = replace(
                    numbers[urn],
                    views=_count(seen, "impressionCount"),
                    reposts=_count(seen, "shareCount"),
                )
    return numbers


async def _read_metadata(api: Calls, urns: Sequence[str]) -> dict[str, Numbers]:
    address = f"{_METADATA}?ids={list_of(urns)}"
    batch = method("BATCH_GET")
    match (await api.call("GET", address, lost=TryLater, headers=batch)).content:
        case {"results": {**results}}:
            return {urn: _told(results[urn]) for urn in urns if urn in results}
    raise Unclear(_METADATA)


async def _statistics(
    api: Calls, owner: str, parameter: str, urns: Sequence[str]
) -> dict[str, Any]:
    """Return the statistics of those of *urns* that have any, if we may see them."""
    query = f"q=organizationalEntity&organizationalEntity={in_path(owner)}"
    address = f"{_STATISTICS}?{query}&{parameter}={list_of(urns)}"
    finder = method("FINDER")
    try:
        answer = await api.call("GET", address, lost=TryLater, headers=finder)
    except Disowned:
        raise
    except Rejected:
        return {}
    match answer.content:
        case {"elements": [*elements]}:
            return dict(filter(None, (_seen(one, urns) for one in elements)))
    raise Unclear(_STATISTICS)


def _seen(element: Any, urns: Sequence[str]) -> tuple[str, Any] | None:
    match element:
        case {"totalShareStatistics": {**counts}, **about}:
            urn = str(about.get("share") or about.get("ugcPost"))
            return (urn, counts) if urn in urns else None
    return None


def _told(metadata: Any) -> Numbers:
    likes: int | None = None
    match metadata:
        case {"reactionSummaries": {**summaries}}:
            likes = sum(_count(one, "count") or 0 for one in summaries.values())
    match metadata:
        case {"commentSummary": summary}:
            return Numbers(likes=likes, replies=_count(summary, "count"))
    return Numbers(likes=likes)


def _count(counts: Any, name: str) -> int | None:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) else None
