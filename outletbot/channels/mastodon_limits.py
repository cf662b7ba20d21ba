"""What a Mastodon server takes, as it says itself.

Every server sets its own limits and tells them at ``/api/v2/instance``; what it does
not tell is as in Mastodon's own default configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outletbot.channels import Ability, Capabilities
from outletbot.channels.mastodon_text import URL_LENGTH

DEFAULTS = Capabilities(
    max_length=500,
    max_images=4,
    max_image_bytes=16 * 1024 * 1024,
    max_alt_length=1500,
    abilities=frozenset(Ability),
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
    return Limits(
        Capabilities(
            max_length=_number(statuses, "max_characters", DEFAULTS.max_length),
            max_images=_number(statuses, "max_media_attachments", DEFAULTS.max_images),
            max_image_bytes=_number(
                media, "image_size_limit", DEFAULTS.max_image_bytes
            ),
            max_alt_length=_number(media, "description_limit", DEFAULTS.max_alt_length),
            abilities=DEFAULTS.abilities,
        ),
        _number(statuses, "characters_reserved_per_url", URL_LENGTH),
    )


def _part(content: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _number(part: Mapping[str, Any], name: str, default: int) -> int:
    value = part.get(name)
    return value if isinstance(value, int) and value > 0 else default
