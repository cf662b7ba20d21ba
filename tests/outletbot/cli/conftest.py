"""Commands as somebody types them, in this process or in one of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from outletbot.cli import build
from outletbot.db import Database
from tests.factories import KEY

Type = Callable[..., Any]


@pytest.fixture
def environment(tmp_path: Path, database_kind: str) -> dict[str, str]:
    """An installation on a migrated SQLite file that lacks nothing."""
    assert database_kind == "sqlite"
    return {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'test.db'}",
        "PUBLIC_URL": "http://127.0.0.1:1",
        "SECRET_KEY": KEY,
        "STRIPE_API_KEY": "sk_test_51north",
        "STRIPE_WEBHOOK_SECRET": "whsec_north",
        "STRIPE_API_BASE": "http://127.0.0.1:1",
        "LOG_FORMAT": "json",
    }


@pytest.fixture
def type_in(environment: dict[str, str], database: Database) -> Type:
    """Run a command in this process, on this test's database."""
    assert environment["DATABASE_URL"].endswith(str(database.engine.url.database))

    def run(*words: str, **settings: str) -> Any:
        return CliRunner().invoke(build(), words, env={**environment, **settings})

    return run


def outletbot(
    *words: str, env: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, in *folder*."""
    return subprocess.run(  # noqa: S603  (it is our own)
        [sys.executable, "-m", "outletbot", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
        env={"PATH": os.defpath, **env},
    )
