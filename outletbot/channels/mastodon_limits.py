"""What a Mastodon server takes, as it says itself.

Every server sets its own limits and tells them at ``/api/v2/instance``; what it does
not tell is as in Mastodon's own default configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from outletbot.channels import (
    MOST_COUNTED,
    Capabilities,
    Counting,
    ImageRules,
    PollRules,
    Rate,
)
from outletbot.channels.mastodon_text import URL_LENGTH

SHORTEST_POLL = timedelta(minutes=5)
LONGEST_POLL = timedelta(seconds=2_629_746)
DEFAULT_POLL = PollRules(2, 4, 50, SHORTEST_POLL, LONGEST_POLL)
DEFAULTS = Capabilities(
    max_length=500,
    counting=Counting.GRAPHEMES,
    images=ImageRules(
        most=4,
        max_bytes=16 * 1024 * 1024,
        max_alt_length=1500,
        formats=("image/jpeg", "image/png", "image/webp"),
    ),
    posts=(Rate(300, timedelta(minutes=5)),),
    deletes=(Rate(30, timedelta(minutes=30)),),
    poll=DEFAULT_POLL,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """*url_length* is how long every address counts."""

    capabilities: Capabilities = DEFAULTS
    url_length: int = URL_LENGTH


def read_limits(instance: Any) -> Limits:
    """Return the limits in a server's description of itself, wherever it has any."""
    statuses = _part(instance, "configuration", "statuses")
    media = _part(instance, "configuration", "media_attachments")
    rules = DEFAULTS.images
    images = replace(
        rules,
        most=_number(statuses, "max_media_attachments", rules.most),
        max_bytes=_number(media, "image_size_limit", rules.max_bytes),
        max_alt_length=_number(media, "description_limit", rules.max_alt_length),
    )
    length = _number(statuses, "max_characters", DEFAULTS.max_length)
    poll = _read_poll(_part(instance, "configuration", "polls"))
    return Limits(
        replace(DEFAULTS, max_length=length, images=images, poll=poll),
        _number(statuses, "characters_reserved_per_url", URL_LENGTH),
    )


def _read_poll(part: Mapping[str, Any]) -> PollRules:
    rules = DEFAULT_POLL
    shortest = _number(part, "min_expiration", int(SHORTEST_POLL.total_seconds()))
    longest = _number(part, "max_expiration", int(LONGEST_POLL.total_seconds()))
    return replace(
        rules,
        max_options=_number(part, "max_options", rules.max_options),
        max_option_length=_number(
            part, "max_characters_per_option", rules.max_option_length
        ),
        min_duration=timedelta(seconds=shortest),
        max_duration=timedelta(seconds=longest),
    )


def _part(content: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _number(part: Mapping[str, Any], name: str, default: int) -> int:
    value = part.get(name)
    if isinstance(value, int) and 0 < value <= MOST_COUNTED:
        return value
    return default
