"""``make chaos``: a history of some minutes, or of the length that is asked for."""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

import uvloop

from tests.chaos.history import Plan
from tests.chaos.playing import play


def main() -> int:
    """Play, and print the report; 1 if anything was wrong."""
    asked = _parser().parse_args()
    if not (asked.folder / "town.json").exists():  # a history's cluster goes with it
        shutil.rmtree(asked.cluster, ignore_errors=True)
    plan = Plan(
        seconds=asked.seconds,
        claims=asked.claims,
        kills=asked.kills,
        crashes=0 if asked.sqlite else asked.crashes,
        seed=asked.seed,
        shoppers=asked.shoppers,
        payers=asked.payers,
        openings=asked.openings,
        settle_within=600,
    )
    # Whoever ends it by SIGTERM wants what it started ended, too.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(
            play(
                plan,
                asked.folder.absolute(),
                in_a_file=asked.sqlite,
                cluster=asked.cluster,
                say=_say,
            )
        )
    text = json.dumps(report.as_json() | {"wrong": report.wrong}, indent=2)
    (asked.folder / "report.json").write_text(text + "\n")
    print(text)  # noqa: T201  (that is what it was asked for)
    return 1 if report.wrong else 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201  (as above)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    add = parser.add_argument
    add("--folder", type=Path, default=Path("var/chaos"), help="what is there goes on")
    cluster = Path(tempfile.gettempdir()) / "outletbot-chaos"
    add("--cluster", type=Path, default=cluster, help="PostgreSQL's, kept beside it")
    add("--sqlite", action="store_true", help="one process on a file")
    add("--seconds", type=float, default=480)
    add("--claims", type=int, default=10_000_000)
    add("--kills", type=int, default=100)
    add("--crashes", type=int, default=10)
    add("--shoppers", type=int, default=64)
    add("--payers", type=float, default=0.06)
    add("--openings", type=int, default=20)
    add("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
