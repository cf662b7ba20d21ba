"""
The short form of ``make chaos``: a minute or so on each database. What was told to
shoppers was kept, and nothing was sold twice, however often everything was killed.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.history import SHORT, SHORT_IN_A_FILE, Plan, Report
from tests.chaos.playing import play
from tests.postgres import CannotRun

# Shoppers hang up wherever they are when a history is over.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(600),
]


@pytest.fixture
def cluster() -> Iterator[Path]:
    """Where whoever runs PostgreSQL may look, which pytest's own folders do not let."""
    folder = Path(tempfile.mkdtemp(prefix="outletbot-chaos-"))
    folder.chmod(0o755)
    yield folder / "cluster"
    shutil.rmtree(folder, ignore_errors=True)


async def played(plan: Plan, folder: Path, cluster: Path | None = None) -> Report:
    try:
        return await play(
            plan, folder, in_a_file=cluster is None, cluster=cluster, say=print
        )
    except CannotRun as reason:
        if os.getenv("OUTLETBOT_REQUIRE_POSTGRES"):
            raise
        pytest.skip(str(reason))


async def test_many_processes_on_postgresql(tmp_path: Path, cluster: Path) -> None:
    report = await played(SHORT, tmp_path, cluster)

    assert report.wrong == {}
    assert report.kills == SHORT.kills
    assert report.database_crashes == SHORT.crashes
    assert min(report.acknowledged, report.payments, report.redeemed) > 0
    assert report.looks > 0


async def test_one_process_on_a_file(tmp_path: Path) -> None:
    report = await played(SHORT_IN_A_FILE, tmp_path)

    assert report.wrong == {}
    assert report.kills == SHORT_IN_A_FILE.kills
    assert min(report.acknowledged, report.payments) > 0
