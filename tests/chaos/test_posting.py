"""
The short form of ``make chaos-posts``: killed at any instant, the worker posts nothing
twice and loses nothing; and an audit that can find what it looks for.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.posting_audit import Row, audit, codes_on
from tests.chaos.posting_fakes import BUILD
from tests.postgres import CannotRun, find_programs, whoever_may

REPOSITORY = Path(__file__).parents[2]
KILLS, POSTS = 30, 300


def played(*asked: str) -> dict[str, Any]:
    """Play in a process of its own, which forks; print what was wrong with it."""
    ended = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "tests.chaos.posting", "--retailers", "6", *asked],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert ended.stdout, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def needs(database: str) -> None:
    try:
        if database == "postgresql":
            find_programs()
            whoever_may()
    except CannotRun as reason:
        if os.getenv("OUTLETBOT_REQUIRE_POSTGRES"):
            raise
        pytest.skip(str(reason))


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_posted_twice_or_lost(database: str) -> None:
    needs(database)

    report = played(
        "--kills", str(KILLS), "--posts", str(POSTS), "--database", database
    )

    assert report["wrong"] == {}
    assert report["kills"] == KILLS
    assert report["while_sending"] > 0
    assert report["published"] + report["unconfirmed"] == report["posts"] == POSTS
    assert len(report["networks"]) == len(BUILD) + 1  # Meta is two


def test_a_saboteur_is_found_out() -> None:
    """Who repeats without looking posts twice, where no key of the network's helps."""
    report = played("--kills", "12", "--posts", "120", "--blind")

    assert report["wrong"]["doubled"] > 0
    kept = report["networks"]["bluesky"]  # a record has one place
    assert kept["seen"] == kept["published"]


@pytest.mark.parametrize(
    ("state", "channel", "failure", "seen", "wrong"),
    [
        ("published", "mastodon", "", 1, {}),
        ("retired", "mastodon", "", 1, {}),
        ("published", "mastodon", "", 2, {"doubled": 1}),
        ("published", "mastodon", "", 0, {"lost": 1}),
        ("failed", "mastodon", "no room", 0, {"lost": 1}),
        ("skipped", "mastodon", "over", 0, {"lost": 1}),
        ("scheduled", "mastodon", "", 0, {"stuck": 1}),
        ("sending", "mastodon", "", 1, {"stuck": 1}),
        ("unconfirmed", "mastodon", "look", 1, {"unsure": 1}),
        ("unconfirmed", "telegram", "look", 1, {}),
        ("unconfirmed", "telegram", "look", 0, {}),
        ("unconfirmed", "telegram", "look", 2, {"doubled": 1}),
        ("unconfirmed", "discord", "", 0, {"unasked": 1}),
    ],
)
def test_what_an_audit_finds(
    state: str, channel: str, failure: str, seen: int, wrong: dict[str, int]
) -> None:
    row = Row("k7Qx2mZp9LwT", channel, state, failure, 1)

    found = audit([row], {row.code: seen} if seen else {})

    assert found.wrong == wrong


def test_what_nobody_planned_is_strange() -> None:
    assert audit([], {"k7Qx2mZp9LwT": 1}).wrong == {"strange": 1}


def test_reads_a_page_as_people_do() -> None:
    """A post says its link twice, or hides a part; two posts are two."""
    twice = '<article>x/d/abc-1 <a href="http://x/d/abc-1">x/d/abc-1</a></article>'
    hidden = '<article><p><span>x/d/ab</span><span class="i">c-1</span></p></article>'

    page = f"<head>http://x/d/none</head>{twice}{hidden}<article>x/d/other</article>"

    assert codes_on(page) == {"abc-1": 2, "other": 1}
