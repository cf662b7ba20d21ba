"""
A server's own limits go before Mastodon's defaults, as far as they make sense.
"""

from typing import Any

import pytest

from outletbot.channels.mastodon_limits import DEFAULTS, Limits, read_limits


def describe(**configuration: object) -> dict[str, Any]:
    return {"configuration": configuration}


def test_reads_what_the_server_says() -> None:
    statuses = {
        "max_characters": 5000,
        "max_media_attachments": 6,
        "characters_reserved_per_url": 30,
    }
    media = {"image_size_limit": 1_000_000, "description_limit": 800}

    limits = read_limits(describe(statuses=statuses, media_attachments=media))

    taken = limits.capabilities
    assert (taken.max_length, taken.images.most) == (5000, 6)
    assert (taken.images.max_bytes, taken.images.max_alt_length) == (1_000_000, 800)
    assert taken.abilities == DEFAULTS.abilities
    assert limits.url_length == 30


def test_keeps_the_default_for_what_it_does_not_say() -> None:
    limits = read_limits(describe(statuses={"max_characters": 5000}))

    assert limits.capabilities.max_length == 5000
    assert limits.capabilities.images == DEFAULTS.images


@pytest.mark.parametrize(
    "instance",
    [
        None,
        [],
        {},
        describe(),
        describe(statuses=None, media_attachments=[]),
        describe(statuses={"max_characters": 0, "max_media_attachments": -1}),
        describe(statuses={"max_characters": "many"}),
        describe(media_attachments={"description_limit": None}),
    ],
)
def test_bears_what_makes_no_sense(instance: object) -> None:
    assert read_limits(instance) == Limits()
