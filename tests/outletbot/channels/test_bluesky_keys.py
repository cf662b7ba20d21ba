"""
Record keys are the protocol's, the same for the same, and sort as time goes by.
"""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outletbot.channels.bluesky_keys import first_key, record_key

TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
MOMENTS = st.floats(1_600_000_000, 7_200_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


@given(MOMENTS, st.text())
def test_a_key_is_a_timestamp_identifier(since: datetime, key: str) -> None:
    rkey = record_key(since, key)

    assert TID.fullmatch(rkey)
    assert rkey == record_key(since, key)


@given(MOMENTS, st.text())
def test_a_key_lies_in_its_second(since: datetime, key: str) -> None:
    rkey = record_key(since, key)

    assert first_key(since) <= rkey < first_key(since + timedelta(seconds=1))


def test_keys_of_the_same_second_differ() -> None:
    since = datetime(2026, 3, 2, 12, tzinfo=UTC)

    assert len({record_key(since, f"post_{number}") for number in range(1000)}) == 1000


def test_a_known_moment() -> None:
    """The example of atproto.com/specs/tid: the zero of all times."""
    assert first_key(datetime(1970, 1, 1, tzinfo=UTC)) == "2222222222222"
