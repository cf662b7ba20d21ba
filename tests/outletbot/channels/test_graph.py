"""
What the Graph API's refusals mean, and how its texts and moments are read.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from outletbot.channels import (
    ChannelError,
    Disowned,
    Limited,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import NotThere, Refusal
from outletbot.channels.facebook import Facebook
from outletbot.channels.graph import (
    PAUSE,
    Graph,
    judge_graph,
    means,
    proof_of,
    read_error,
    regains_access,
)
from outletbot.channels.graph_counts import Views
from outletbot.channels.graph_text import holds, moment, utf16_length
from outletbot.channels.instagram_errors import MEANINGS, judge_instagram
from tests.outletbot.channels.contract import LINK, NOON
from tests.outletbot.meta_server import OUTLET, TOKEN, meta_server

USAGE = "X-Business-Use-Case-Usage"
REGAIN = "estimated_time_to_regain_access"


def refusal(
    code: int = 100,
    subcode: int = 0,
    *,
    status: int = 400,
    headers: Mapping[str, str] | None = None,
    content: Any = None,
    **more: Any,
) -> Refusal:
    error = {"message": f"(#{code}) Something", "code": code, **more}
    if subcode:
        error["error_subcode"] = subcode
    content = {"error": error} if content is None else content
    return Refusal(
        "Facebook", status, "Bad Request", headers or {}, content, Unconfirmed, NOON
    )


@pytest.mark.parametrize(
    ("code", "subcode", "meaning"),
    [
        *((code, 0, Disowned) for code in (102, 190)),
        *((code, 0, Limited) for code in (4, 17, 32, 341, 613, 80001, 80014, 368)),
        *((code, 0, Unconfirmed) for code in (-2, -1, 1, 2, 506)),
        *((code, 0, Rejected) for code in (3, 10, 100, 200, 299, 1500, 1609005)),
        (100, 33, NotThere),
        (803, 0, NotThere),
        (190, 463, Disowned),
    ],
)
def test_a_code_has_a_meaning(
    code: int, subcode: int, meaning: type[ChannelError]
) -> None:
    error = judge_graph(refusal(code, subcode))

    assert type(error) is meaning
    assert "Facebook" in str(error)


@pytest.mark.parametrize("subcode", [0, 458, 459, 460, 463, 464, 467, 492])
def test_a_bad_token_is_told_in_our_words(subcode: int) -> None:
    """Theirs quote the token."""
    error = judge_graph(refusal(190, subcode, message="Malformed token EAAsecret"))

    assert "EAAsecret" not in str(error)
    assert "Connect the account again" in str(error)


def test_whatever_looks_like_a_token_is_left_out() -> None:
    error = judge_graph(refusal(100, message=f"Bad value EAA{'a' * 60} here"))

    assert str(error) == "Facebook says: Bad value … here [100] (400)."


def test_words_for_people_come_first() -> None:
    told = "Photos should be less than 4 MB."
    error = judge_graph(refusal(324, 1366046, error_user_msg=told))

    words = "Facebook says: Photos should be less than 4 MB [324/1366046] (400)."
    assert str(error) == words


def test_an_error_without_words_has_its_number() -> None:
    error = judge_graph(refusal(100, message=None))

    assert str(error) == "Facebook says: no reason [100] (400)."


def test_what_is_transient_is_a_failure_of_theirs() -> None:
    assert type(judge_graph(refusal(999, is_transient=True))) is Unconfirmed


def test_a_permission_is_named_if_it_is_known() -> None:
    words = "Requires both pages_read_engagement and pages_manage_posts permission"

    named = str(judge_graph(refusal(200, message=words)))
    unnamed = str(judge_graph(refusal(10)))

    assert "and allow pages_read_engagement and pages_manage_posts." in named
    assert "and allow everything that is asked for." in unnamed


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(502, Unconfirmed), (429, Limited), (401, Disowned), (404, NotThere)],
)
@pytest.mark.parametrize("content", [["no", "error"], {"error": "words"}])
def test_without_a_code_the_status_counts(
    status: int, meaning: type[ChannelError], content: Any
) -> None:
    error = judge_graph(refusal(status=status, content=content))

    assert type(error) is meaning


def test_a_network_has_meanings_of_its_own() -> None:
    own = {7: means(TryLater, "Wait."), 190: means(Rejected, "Never mind.")}

    assert str(judge_graph(refusal(100, 7), meanings=own)).endswith("(400). Wait.")
    assert type(judge_graph(refusal(190), meanings=own)) is Rejected


@pytest.mark.parametrize("subcode", MEANINGS)
def test_instagram_says_what_to_do(subcode: int) -> None:
    error = judge_instagram(refusal(-1, subcode))

    assert type(error) in {Rejected, TryLater, Limited}
    if isinstance(error, Limited):
        assert error.after == PAUSE


@pytest.mark.parametrize(
    "told", ["", "{}", "[]", "null", '{"1": [{}]}', '{"1": [{"a": 1}]}', "{"]
)
def test_a_wait_that_is_not_told_is_an_hour(told: str) -> None:
    assert regains_access({USAGE: told}) == PAUSE


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, PAUSE),
        ({"Retry-After": "30"}, timedelta(seconds=30)),
        ({USAGE: json.dumps({"1": [{REGAIN: 0}]})}, PAUSE),
        (
            {USAGE: json.dumps({"1": [{REGAIN: 5}, {REGAIN: 19}], "2": [{REGAIN: 0}]})},
            timedelta(minutes=19),
        ),
    ],
)
def test_how_long_to_wait_is_told_in_minutes(
    headers: Mapping[str, str], wait: timedelta
) -> None:
    assert regains_access(headers) == wait


def test_the_proof_is_a_keyed_hash_of_the_token() -> None:
    # printf token | openssl dgst -sha256 -hmac secret
    assert proof_of("token", "secret") == (
        "e941110e3d2bfe82621f0e3e1434730d7305d106c5f68c87165d0b27a4611a4a"
    )


def test_no_error_is_read_from_what_is_none() -> None:
    assert read_error({"error": {"code": "190"}}) is None
    assert read_error(None) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LINK, True),
        (f"See {LINK}.", True),
        (f"{LINK}\nNow", True),
        (f"{LINK}7", False),
        (f"{LINK}_7", False),
        (f"{LINK}/7", False),
        ("", False),
    ],
)
def test_a_link_is_found_whole(text: str, *, found: bool) -> None:
    assert holds(text, LINK) is found


def test_moments_are_read_as_meta_writes_them() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)

    assert moment("2026-03-02T12:00:00+0000") == noon
    assert moment("2026-03-02T12:00:00") == noon
    with pytest.raises(ValueError, match="yesterday"):
        moment("yesterday")


def test_characters_beyond_the_first_plane_are_two() -> None:
    assert utf16_length("a👍🏽é") == 6


async def test_who_is_locked_out_is_not_just_without_insights() -> None:
    account = replace(OUTLET, expires_at=NOON)
    async with meta_server(Facebook, account) as meta:
        graph = Graph(
            meta.http, f"{meta.url}/v26.0", TOKEN, clock=meta.clock, server="Facebook"
        )
        with pytest.raises(Disowned):
            await Views(graph, "post_media_view").of("1")


class _Pages(Graph):
    """Answers what is read with one page after another."""

    def __init__(self, *pages: dict[str, object]) -> None:
        self.pages = list(pages)

    async def read(self, path: str, **params: str) -> Any:
        assert params.get("after", "0") == str(3 - len(self.pages))
        return self.pages.pop(0)


async def test_an_empty_page_is_not_the_last_one() -> None:
    """Meta leaves out what a reader may not see, and a page may be empty for that."""

    def after(place: int) -> dict[str, object]:
        return {"next": f"https://graph.example/posts?after={place}&access_token=s"}

    graph = _Pages(
        {"data": [1], "paging": after(1)},
        {"data": [], "paging": after(2)},
        {"data": [2], "paging": {"cursors": {"after": "3"}}},
    )

    assert [one async for one in graph.each("/posts")] == [1, 2]
