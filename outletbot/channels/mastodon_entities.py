"""What a Mastodon server answers, read: posts, polls, and how they do."""

from datetime import UTC, datetime
from typing import Any

from outletbot.channels import Numbers, Poll, Published
from outletbot.channels.mastodon_limits import SHORTEST_POLL


def made_at(status: Any) -> datetime:
    return _moment(status["created_at"])


def kept(status: Any, *, now: datetime) -> dict[str, object] | None:
    """Return what of a post is to be sent again, lest an edit takes it away."""
    try:
        media_ids = [one["id"] for one in status["media_attachments"] if "id" in one]
        known = {"language": status.get("language"), "poll": _kept_poll(status, now)}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return {"media_ids": media_ids, **{k: v for k, v in known.items() if v}}


def _kept_poll(status: Any, now: datetime) -> dict[str, object] | None:
    """Return a poll so that its votes stay: with the same options.

    One that has ended has to go on for the shortest time that there is.
    """
    match status.get("poll"):
        case {"options": [*options], "expires_at": str(ends_at), **more}:
            left = max(_moment(ends_at) - now, SHORTEST_POLL)
            return {
                "options": [option["title"] for option in options],
                "expires_in": int(left.total_seconds()),
                "multiple": more.get("multiple") is True,
            }
    return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def published(status: Any) -> Published | None:
    match status:
        case {"id": str(remote_id), "url": str(url)}:
            return Published(remote_id, url)
        case {"id": str(remote_id), "uri": str(url)}:
            return Published(remote_id, url)
    return None


def poll_body(poll: Poll) -> dict[str, object]:
    seconds = int(poll.duration.total_seconds())
    return {"options": list(poll.options), "expires_in": seconds}


def numbers(status: Any) -> Numbers:
    def count(name: str) -> int | None:
        value = status.get(name) if isinstance(status, dict) else None
        return value if isinstance(value, int) else None

    return Numbers(
        likes=count("favourites_count"),
        reposts=count("reblogs_count"),
        replies=count("replies_count"),
    )
