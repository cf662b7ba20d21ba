"""What Instagram's own refusals mean, by their subcodes.

Facts: developers.facebook.com, "Error Codes" of the Instagram Platform (2 June 2026).
"""

import re
from collections.abc import Mapping

from outletbot.channels import ChannelError, Limited, Rejected, TryLater
from outletbot.channels.calls import Refusal
from outletbot.channels.graph import PAUSE, Meaning, judge_graph, means


def _limited(said: str) -> ChannelError:
    return Limited(said, after=PAUSE)


_TAKES = "Instagram takes JPEG pictures of up to 8 MB, from 4:5 to 1.91:1."
_AGAIN = means(TryLater, "The picture is sent again.")
_PICTURE = means(Rejected, f"{_TAKES} Take another picture.")

MEANINGS: Mapping[int, Meaning] = {
    2207003: _AGAIN,  # it took too long to fetch
    2207004: _PICTURE,  # too large
    2207005: _PICTURE,  # no JPEG
    2207006: _AGAIN,  # the container is not found
    2207008: _AGAIN,  # the container cannot be published for the moment
    2207009: _PICTURE,  # too wide or too tall
    2207010: means(
        Rejected, "Shorten the text: 2,200 characters, 5 hashtags and 20 @ fit."
    ),
    2207020: _AGAIN,  # the container is older than a day
    2207027: _AGAIN,  # the container is not ready
    2207042: means(
        _limited, "That is as many posts as Instagram takes from an app in a day."
    ),
    2207050: means(
        Rejected, "Open the Instagram app and do what it asks to free the account."
    ),
    2207051: means(
        _limited, "Instagram takes this for spam: post less often, and other texts."
    ),
    2207052: means(
        TryLater,
        "Instagram fetches pictures from here: this shop's address has to be open to"
        " everybody.",
    ),
}
_SUBCODE = re.compile(r"\b22070\d\d\b")


def judge_instagram(refusal: Refusal) -> ChannelError:
    return judge_graph(refusal, meanings=MEANINGS)


def judge_picture(status: str) -> ChannelError:
    """Return what is wrong with a picture that came to nothing, as *status* tells."""
    words = status.removeprefix("Error: ").rstrip(".")
    said = f"Instagram says of the picture: {words or 'it cannot be used'}."
    found = _SUBCODE.search(status)
    meaning = MEANINGS.get(int(found[0])) if found else None
    return (meaning or _PICTURE)(said)
