"""
The four trials in short: seconds instead of a minute and an hour. What must hold is in
the report's ``wrong``; here is what makes a trial one.

``python -m tests.chaos.trials`` does them at length.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.trials import (
    OFF,
    SHORT,
    try_clock,
    try_database,
    try_disk,
    try_stripe,
)
from tests.postgres import CannotRun

SOON = 60.0  # nowhere near ten minutes, however busy this machine is

# Shoppers hang up wherever they are when a trial is over.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


async def tried(trial: Any) -> Mapping[str, Any]:
    """Return the report of a trial, where this machine allows it."""
    try:
        report: Mapping[str, Any] = await trial
    except CannotRun as reason:
        pytest.skip(str(reason))
    return report


def answers(report: Mapping[str, Any], phase: str) -> Mapping[str, int]:
    seen: Mapping[str, int] = report["seen"][phase]["answers"]
    return seen


async def test_a_full_disk(tmp_path: Path) -> None:
    report = await tried(try_disk(tmp_path, SHORT))

    full, later = answers(report, "full"), answers(report, "room again")
    assert report["wrong"] == {}
    assert full["claim 503 come back"] > full.get("claim 303", 0)
    assert full["readyz 503 the database has no room left"] > 0
    assert full["page 200"] > 0
    assert report["integrity"] == "ok"
    assert later["claim 303"] > 0


async def test_a_database_that_is_gone(tmp_path: Path) -> None:
    report = await tried(try_database(tmp_path, SHORT))

    gone, later = answers(report, "gone"), answers(report, "back")
    assert report["wrong"] == {}
    assert gone["claim 503 come back"] > 0
    assert gone["readyz 503 the database does not answer"] > 0
    assert gone["page 200"] > 0  # until a deal beside it opens, which nobody can read
    assert later["claim 303"] > 0


@pytest.mark.parametrize("ahead", [OFF, -OFF])
async def test_a_clock_that_is_not_the_databases(tmp_path: Path, ahead: float) -> None:
    report = await tried(try_clock(tmp_path, SHORT, ahead=ahead))

    assert report["wrong"] == {}
    assert 0 <= report["opened_after_its_hour_seconds"] < SOON
    assert report["page_opened_after_seconds"] < SHORT.after
    assert report["log"]["warning: clock_is_off"] > 0
    assert "warning: webhook_refused" not in report["log"]


async def test_a_stripe_that_is_gone(tmp_path: Path) -> None:
    report = await tried(try_stripe(tmp_path, SHORT, away=60 * SHORT.during))

    assert report["wrong"] == {}
    assert report["released_while_gone"] == 0
    assert report["payments"] >= len(("paid", "meanwhile"))
