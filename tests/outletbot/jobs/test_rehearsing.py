"""
Rehearsals that were asked for are played by a command of their own: it is heard, kept
within its time, and ended with all that it began.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from offers.rehearsals import (
    Progress,
    Rehearsal,
    RehearsalState,
    Stage,
    ask_rehearsal,
    dump_progress,
    load_progress,
)
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.jobs.rehearsing import Players, rehearse
from tests.factories import NOON, make_deal

BOTH_DATABASES = True
SOON = timedelta(seconds=0.5)
PATIENT = 20.0  # seconds for what a busy machine does at once
SELLING = Progress(stage=Stage.SELLING, seconds=3.5, units=10, held=4, sold=2)
ASLEEP = "import time; time.sleep(600)"
DEAF = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path("{ready}").touch()
time.sleep(600)
"""
PARENT = """
import pathlib, subprocess, sys, time
asleep = [sys.executable, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(asleep, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
pathlib.Path("{ready}.new").write_text(str(child.pid))
pathlib.Path("{ready}.new").rename("{ready}")
time.sleep(600)
"""

Cast = Callable[..., Players]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "DATABASE_URL": f"sqlite:///{tmp_path}/theirs.db"}


@pytest.fixture
async def cast(database: Database, environment: dict[str, str]) -> AsyncIterator[Cast]:
    """Makes players whose command is a Python *program*; they finish with the test."""
    made: list[Players] = []

    def players(program: str, **facts: Any) -> Players:
        def command(rehearsal: Rehearsal) -> Sequence[str]:
            return [sys.executable, "-c", program, rehearsal.id]

        made.append(
            Players(database, lambda: NOON, environment, command=command, **facts)
        )
        return made[-1]

    yield players
    for one in made:
        await one.finish()


@pytest.fixture
def ask(session: Session) -> Callable[[], Rehearsal]:
    def rehearsal() -> Rehearsal:
        deal = make_deal(session)
        asked = ask_rehearsal(
            session, deal.retailer_id, deal.id, shoppers=40, faults=True, now=NOON
        )
        session.commit()
        return asked

    return rehearsal


@pytest.fixture
def asked(ask) -> Rehearsal:
    return ask()


def again(database: Database, rehearsal: Rehearsal) -> Rehearsal:
    with Session(database.engine) as fresh:
        return fresh.get_one(Rehearsal, rehearsal.id)


async def play(players: Players) -> None:
    assert await players.play_next() == 1
    await players.wait()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENT):
        while not true():  # noqa: ASYNC110  (another process makes it true)
            await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether a process runs; who is dead and not yet fetched does not."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except FileNotFoundError:
        return False


class TestPlaying:
    async def test_keeps_the_report(self, database, cast, asked):
        await play(cast('print(\'{"sold": 7, "more": {"title": "Caf\\u00e9"}}\')'))

        done = again(database, asked)
        assert done.state is RehearsalState.DONE
        assert done.report == {"sold": 7, "more": {"title": "Caf\u00e9"}}
        assert (done.attempts, done.finished_at, done.failure) == (1, NOON, "")

    async def test_keeps_the_report_of_one_that_was_not_passed(
        self, database, cast, asked
    ):
        await play(cast("""print('{"oversold": 1}'); raise SystemExit(1)"""))

        done = again(database, asked)
        assert (done.state, done.report) == (RehearsalState.DONE, {"oversold": 1})

    async def test_plays_the_one_that_was_asked_for(self, database, cast, asked):
        program = "import json, sys; print(json.dumps({'id': sys.argv[1]}))"

        await play(cast(program))

        assert again(database, asked).report == {"id": asked.id}

    async def test_notes_each_stage_while_it_is_played(
        self, database, cast, asked, tmp_path
    ):
        ready = tmp_path / "go"
        said = dump_progress(SELLING)
        players = cast(
            "import pathlib, sys, time\n"
            f"print('A warning', {said!r}, sep='\\n', file=sys.stderr, flush=True)\n"
            f"while not pathlib.Path({str(ready)!r}).exists(): time.sleep(0.02)\n"
            "print('{}')"
        )

        await players.play_next()
        await until(lambda: load_progress(again(database, asked).stage) == SELLING)
        assert again(database, asked).state is RehearsalState.PLAYING
        ready.touch()
        await players.wait()

        assert again(database, asked).state is RehearsalState.DONE

    async def test_begins_with_copying(self, database, cast, asked):
        await cast(ASLEEP).play_next()

        begun = again(database, asked)
        assert load_progress(begun.stage) == Progress(stage=Stage.COPYING)

    async def test_has_nothing_to_do_where_nothing_was_asked_for(self, cast):
        players = cast("raise AssertionError")

        assert await players.play_next() == 0
        await players.wait()
        await players.finish()

    async def test_plays_nothing_twice_at_once(self, database, cast, ask):
        first, second = ask(), ask()
        players, others = cast(ASLEEP), cast(ASLEEP)

        begun = [await one.play_next() for one in (players, others, players, others)]

        assert begun == [1, 0, 0, 0]
        states = {again(database, one).state for one in (first, second)}
        assert states == {RehearsalState.PLAYING, RehearsalState.WAITING}

    async def test_plays_one_after_the_other(self, database, cast, ask):
        both, players = (ask(), ask()), cast("print('{}')")

        await play(players)
        await play(players)

        assert await players.play_next() == 0
        done = {again(database, one).state for one in both}
        assert done == {RehearsalState.DONE}


class TestFailing:
    async def test_says_the_commands_last_words(self, database, cast, asked):
        words = "\\n".join(f"word {number}" for number in range(8))

        await play(cast(f"raise SystemExit('{words}')"))

        failed = again(database, asked)
        assert failed.state is RehearsalState.FAILED
        assert failed.failure.splitlines() == [f"word {n}" for n in range(3, 8)]
        assert (failed.report, failed.finished_at) == ({}, NOON)

    async def test_does_not_call_a_stage_last_words(self, database, cast, asked):
        said = f"No room on the disk.\n{dump_progress(SELLING)}"

        await play(cast(f"raise SystemExit({said!r})"))

        assert again(database, asked).failure == "No room on the disk."

    @pytest.mark.parametrize("said", ["", "Hello", "[1, 2]", '"done"', '{"sold": '])
    async def test_takes_no_rubbish_for_a_report(self, database, cast, asked, said):
        await play(cast(f"print({said!r}); raise SystemExit(3)"))

        failed = again(database, asked)
        assert failed.state is RehearsalState.FAILED
        assert (failed.failure, failed.report) == ("It ended with 3.", {})

    async def test_reads_what_is_no_text(self, database, cast, asked):
        await play(cast("import os; os.write(2, b'\\xff!\\n'); os.write(1, b'\\xff')"))

        failed = again(database, asked)
        assert (failed.state, failed.failure) == (RehearsalState.FAILED, "\ufffd!")

    async def test_survives_a_line_without_an_end(self, database, cast, asked):
        await play(cast("import sys; sys.stderr.write('x' * (3 << 20))"))

        assert again(database, asked).state is RehearsalState.FAILED

    async def test_survives_a_command_that_does_not_exist(
        self, database, environment, asked
    ):
        players = Players(
            database, lambda: NOON, environment, command=lambda _: ["/no/such/thing"]
        )

        await play(players)

        failed = again(database, asked)
        assert failed.state is RehearsalState.FAILED
        assert failed.failure == "FileNotFoundError"

    async def test_breaks_off_what_takes_too_long(
        self, database, cast, asked, tmp_path
    ):
        players = cast(ASLEEP, patience=SOON)

        async with asyncio.timeout(PATIENT):
            await play(players)

        failed = again(database, asked)
        assert failed.state is RehearsalState.FAILED
        assert failed.failure == "It took longer than 0 min and was broken off."

    async def test_goes_on_with_the_next(self, database, cast, ask):
        first, second = ask(), ask()
        players = cast(
            f"import sys\nif sys.argv[1] == {first.id!r}: raise SystemExit('Bad')\n"
            "print('{}')"
        )

        await play(players)
        await play(players)

        states = [again(database, one).state for one in (first, second)]
        assert states == [RehearsalState.FAILED, RehearsalState.DONE]


class TestFinishing:
    async def test_puts_it_back_for_the_next_process(
        self, database, cast, asked, tmp_path
    ):
        ready = tmp_path / "ready"
        players = cast(PARENT.format(ready=ready))
        await players.play_next()
        await until(ready.exists)

        await players.finish()

        back = again(database, asked)
        assert (back.state, back.stage) == (RehearsalState.WAITING, "")
        await play(cast("print('{}')"))
        done = again(database, asked)
        assert (done.state, done.attempts) == (RehearsalState.DONE, 2)

    async def test_puts_back_what_has_hardly_begun(self, database, cast, asked):
        players = cast(ASLEEP)
        await players.play_next()

        await players.finish()

        assert again(database, asked).state is RehearsalState.WAITING

    async def test_ends_all_that_the_command_began(self, cast, asked, tmp_path):
        ready = tmp_path / "ready"
        players = cast(PARENT.format(ready=ready))
        await players.play_next()
        await until(ready.exists)
        child = int(ready.read_text())
        assert lives(child)

        await players.finish()

        await until(lambda: not lives(child))

    async def test_insists_where_it_is_not_heard(self, database, cast, asked, tmp_path):
        ready = tmp_path / "ready"
        players = cast(DEAF.format(ready=ready), ends_within=SOON)
        await players.play_next()
        await until(ready.exists)

        async with asyncio.timeout(PATIENT):
            await players.finish()

        assert again(database, asked).state is RehearsalState.WAITING

    async def test_leaves_what_is_done_as_it_is(self, database, cast, asked):
        players = cast("print('{}')")
        await play(players)

        await players.finish()

        assert again(database, asked).state is RehearsalState.DONE


class TestCommand:
    async def test_has_the_environment_it_was_given_and_no_other(
        self, database, cast, asked, environment, monkeypatch
    ):
        monkeypatch.setenv("DATABASE_URL", "sqlite:///ours.db")
        monkeypatch.setenv("OURS", "1")

        await play(cast("import json, os; print(json.dumps(dict(os.environ)))"))

        had = again(database, asked).report
        assert had["DATABASE_URL"] == environment["DATABASE_URL"]
        assert had["PATH"] == environment["PATH"]
        assert "OURS" not in had

    async def test_reads_the_settings_of_its_worker(
        self, database, settings, asked, monkeypatch
    ):
        monkeypatch.delenv("DATABASE_URL", raising=False)
        program = """
import json
from outletbot.config import Settings
print(json.dumps(Settings.from_env().model_dump(mode="json")))
"""
        players = Players(
            database,
            lambda: NOON,
            settings.environment(),
            command=lambda _: [sys.executable, "-c", program],
        )

        await play(players)

        read = Settings(**again(database, asked).report)
        assert read.database_url == settings.database_url
        assert read.public_url == settings.public_url

    def test_is_ours_with_what_was_asked_for(self):
        asked = Rehearsal(deal_id="deal_1", shoppers=40, faults=True)
        plain = Rehearsal(deal_id="deal_1", shoppers=7, faults=False)

        ours = [sys.executable, "-m", "outletbot", "rehearse", "deal_1"]
        quietly = ["--gently", "--json"]
        assert rehearse(asked) == [*ours, "--shoppers", "40", "--faults", *quietly]
        assert rehearse(plain) == [*ours, "--shoppers", "7", *quietly]
