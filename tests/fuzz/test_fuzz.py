"""
Whatever a file holds, it is read or refused, in little time and memory.

``make fuzz`` does this a million times; here are the first of those inputs.
"""

from pathlib import Path

from tests.fuzz.broken import DIES, EATS, HANGS, RAISES
from tests.fuzz.corpus import seeds
from tests.fuzz.running import Report, Worker, spoilt

INPUTS = 2_000


def through(worker: Worker) -> Report:
    while worker.step():
        pass
    return worker.report


def test_spoilt_files_are_read_or_refused(tmp_path: Path) -> None:
    report = through(Worker(1, range(INPUTS), tmp_path))

    assert report.faults == {}
    assert report.inputs == INPUTS
    assert report.verdicts["read"] > INPUTS // 5
    assert report.rows["good"] > INPUTS


def test_the_input_of_a_number_is_always_the_same() -> None:
    corpus = seeds()
    first = [spoilt(corpus, 1, number)[1] for number in range(50)]

    again = [spoilt(seeds(), 1, number)[1] for number in range(50)]

    assert first == again
    assert len(set(first)) > 45
    assert [spoilt(corpus, 2, number)[1] for number in range(50)] != first


def test_every_kind_of_fault_is_found_and_passed(tmp_path: Path) -> None:
    report = through(Worker(1, range(12), tmp_path, "tests.fuzz.broken"))

    assert sorted(report.faults) == [HANGS, RAISES, EATS, DIES]
    assert report.inputs == 12
    assert "SIGVTALRM" in report.faults[HANGS]
    assert "KeyError" in report.faults[RAISES]
    assert "MB" in report.faults[EATS]
    assert "SIGABRT" in report.faults[DIES]


def test_every_kind_of_file_is_there_to_begin_with() -> None:
    assert {seed.kind for seed in seeds()} == {"text", "xml", "zip", "gzip", "xls"}
