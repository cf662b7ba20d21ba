"""What Threads' own answers mean: refusals, failed containers, numbers.

Facts: developers.facebook.com/docs/threads, "Troubleshooting" (the states of a
container and its errors), "Posts" (``THREADS_API__LINK_LIMIT_EXCEEDED``), "Insights";
subcode 4279009 is what clients report for what Threads does not find.
"""

from collections.abc import Mapping
from typing import Any

from outletbot.channels import ChannelError, Limited, Numbers, Rejected, TryLater
from outletbot.channels.calls import NotThere, Refusal, Unclear
from outletbot.channels.graph import PAUSE, Meaning, judge_graph, means

SERVER = "Threads"
VERSION = "/v1.0"
NOT_FOUND = 4279009
TOO_MANY_POSTS = 2207042

_PICTURE = (
    "Threads takes JPEG and PNG pictures of up to 8 MB, no more than ten times as wide"
    " as they are tall. Take another picture."
)


def _limited(said: str) -> ChannelError:
    return Limited(said, after=PAUSE)


_MEANINGS: Mapping[int, Meaning] = {
    NOT_FOUND: NotThere,
    TOO_MANY_POSTS: means(_limited, "That is as many posts as Threads takes in a day."),
    2207003: means(TryLater, "It took Threads too long to fetch the picture."),
    2207004: means(Rejected, _PICTURE),
    2207005: means(Rejected, _PICTURE),
    2207009: means(Rejected, _PICTURE),
    2207052: means(
        TryLater,
        "Threads fetches pictures from here: this shop's address has to be open to"
        " everybody.",
    ),
}


def judge_threads(refusal: Refusal) -> ChannelError:
    """Return what a refusal means."""
    meant = judge_graph(refusal, meanings=_MEANINGS)
    if "LINK_LIMIT_EXCEEDED" in str(meant):
        return Rejected(f"{meant} Five different links fit in a post: take some out.")
    return meant


def judge_container(words: str) -> ChannelError:
    """Return what is wrong with a post that came to nothing before it was published."""
    if words == "UNKNOWN" or not words:
        return TryLater("Threads could not make the post and does not say why.")
    return Rejected(f"Threads says of the picture: {words}. {_PICTURE}")


def read_numbers(told: Any, path: str) -> Numbers:
    """Read insights; what is not among them is not told."""
    if not isinstance(told, dict) or not isinstance(told.get("data"), list):
        raise Unclear(path)
    values = dict(filter(None, map(_value, told["data"])))
    passed_on = [values[name] for name in ("reposts", "quotes") if name in values]
    return Numbers(
        likes=values.get("likes"),
        reposts=sum(passed_on) if passed_on else None,
        replies=values.get("replies"),
        views=values.get("views"),
    )


def _value(metric: Any) -> tuple[str, int] | None:
    match metric:
        case {"name": str(name), "values": [{"value": int(value)}, *_]}:
            return name, value
    return None
