"""The benchmark: what the service does, as ratios to bare baselines in the same run.

Writes ``bench/latest.json``. The service runs on a PostgreSQL of its own that keeps
what it says (``fsync`` is on), and once on SQLite (``synchronous=FULL``). Rounds of the
thing and of its baseline alternate, and the median counts: machines are noisy.
``QUICK=1`` is a smoke test of two minutes: its figures are good for nothing.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # for the tests' PostgreSQL

from feeds import import_figures  # noqa: E402
from loading import WrongAnswers, name_of_load  # noqa: E402
from machine import machine  # noqa: E402
from pgbench import CLIENTS  # noqa: E402
from posting import posting_figures  # noqa: E402
from rounds import Bench, Case  # noqa: E402
from towns import NotDurable, build_town, facts, fill_with_holds  # noqa: E402

from outletbot.clock import utc_now  # noqa: E402
from tests.postgres import PRIVATE, running  # noqa: E402

TARGET = HERE / "latest.json"
POSTING = (
    "post_lateness_p99_ms",
    "post_lateness_all_p99_ms",
    "posts_per_second",
    "post_baseline_per_second",
    "posts_vs_bare",
)

Figures = dict[str, object]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: full, or a smoke test of it."""

    seconds: float
    rounds: int
    import_rows: int
    holds: tuple[int, ...]
    posts: int
    deals: tuple[int, ...] = (1, 10, 100)
    processes: tuple[int, ...] = (1, 2, 4)


FULL = Size(4.0, 3, 1_000_000, (10_000, 100_000, 1_000_000), 1_000)
QUICK = Size(1.0, 1, 20_000, (1_000, 10_000), 200)


def main() -> None:
    quick = bool(os.environ.get("QUICK"))
    size = QUICK if quick else FULL
    with _bench(size) as bench:
        # First: a process begins as large as who started it has grown.
        imports = import_figures(bench.folder, bench.server, size.import_rows)
        figures = {
            "taken_at": utc_now().isoformat(timespec="seconds"),
            "quick": quick,
            "machine": machine(),
            "postgres": facts(bench.server.url("postgres")),
            "load": name_of_load(),
            "rounds": {"number": size.rounds, "seconds": size.seconds},
            **_one_process(bench),
            **_two_processes(bench),
            **_on_sqlite(bench),
            **_posting(bench, size),
            "growth": {
                "holds": _with_holds(bench, size),
                "deals": _with_deals(bench, size),
                "processes": _with_processes(bench, size),
            },
            **imports,
            "per_second": bench.rates,
            "p99_ms": bench.p99_ms,
            "audit": {"claims_answered": bench.answered, "holds_lost": 0},
        }
    TARGET.write_text(json.dumps(figures, indent=2) + "\n")
    print(TARGET.read_text())


@contextmanager
def _bench(size: Size) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as name, running(PRIVATE) as server:
        bench = Bench(Path(name), server, size.seconds, size.rounds)
        try:
            yield bench
        except (WrongAnswers, NotDurable) as failure:
            log = bench.folder / "log"
            said = log.read_text()[-2000:] if log.exists() else ""
            raise SystemExit(f"{failure}\n{said}") from failure


def _one_process(bench: Bench) -> Figures:
    """Claims, pages and events of one process, each beside its baseline."""
    town, page = bench.town("one"), bench.town("page")
    path, alone = page.deals[0].path, bench.town("pgbench")
    with bench.shop(town) as shop, bench.shop(page) as pages:
        bench.keep_page(pages[0], path)
        with bench.bare() as bare:
            bench.measure(
                {
                    "claim": bench.claims(town, shop, 64),
                    "noop": bench.noops(bare, 64),
                    **{
                        f"pgbench_{clients}": bench.transactions(alone, clients)
                        for clients in CLIENTS
                    },
                    "claim_256": bench.claims(town, shop, 256),
                    "noop_256": bench.noops(bare, 256),
                    "page": bench.pages(pages, path, 64),
                    "static": bench.pages(bare, "/", 64),
                    "page_256": bench.pages(pages, path, 256),
                    "static_256": bench.pages(bare, "/", 256),
                    "webhook": bench.events(town, shop, 64),
                    "verify": bench.verifications(bare, 64),
                }
            )
    best = max(
        (f"pgbench_{clients}" for clients in CLIENTS), key=bench.rates.__getitem__
    )
    return {
        "claim_vs_noop": bench.ratio("claim", "noop"),
        "claim_256c_vs_noop": bench.ratio("claim_256", "noop_256"),
        "claim_vs_pgbench": bench.ratio("claim", best),
        "page_vs_static": bench.ratio("page", "static"),
        "page_256c_vs_static": bench.ratio("page_256", "static_256"),
        "webhook_vs_noop": bench.ratio("webhook", "verify"),
        "claim_p99_ms": bench.p99_ms["claim"],
        "page_p99_ms": bench.p99_ms["page"],
    }


def _two_processes(bench: Bench) -> Figures:
    """Claims of two processes that want the same row, at many connections and few."""
    town = bench.town("two")
    with bench.shop(town, 2) as shop, bench.bare(2) as bare:
        bench.measure(
            {
                "claim_2p": bench.claims(town, shop, 256),
                "noop_2p": bench.noops(bare, 256),
                "claim_2p_16c": bench.claims(town, shop, 16),
                "noop_2p_16c": bench.noops(bare, 16),
            }
        )
    return {
        "claim_2p_vs_noop": bench.ratio("claim_2p", "noop_2p"),
        "claim_2p_16c_vs_noop": bench.ratio("claim_2p_16c", "noop_2p_16c"),
    }


def _on_sqlite(bench: Bench) -> Figures:
    town = build_town(f"sqlite:///{bench.folder / 'town.db'}")
    with bench.shop(town) as shop, bench.bare() as bare:
        bench.measure(
            {
                "claim_sqlite": bench.claims(town, shop, 64),
                "noop_sqlite": bench.noops(bare, 64),
            }
        )
    return {"claim_sqlite_vs_noop": bench.ratio("claim_sqlite", "noop_sqlite")}


def _posting(bench: Bench, size: Size) -> Figures:
    """Posts that are due at one instant, over all networks."""
    urls = {
        "postgresql": bench.server.create("posting"),
        "sqlite": f"sqlite:///{bench.folder / 'posting.db'}",
    }
    found = {
        name: posting_figures(bench.folder, url, posts=size.posts)
        for name, url in urls.items()
    }
    told = {name: found["postgresql"][name] for name in POSTING}
    return {**told, "posting": found}


def _with_holds(bench: Bench, size: Size) -> dict[int, int]:
    """Claims a second with so many holds of the deal in the table already."""
    towns = {number: bench.town(f"holds_{number}") for number in size.holds}
    for number, town in towns.items():
        fill_with_holds(town, number)
    with ExitStack() as stack:
        cases = {
            number: bench.claims(town, stack.enter_context(bench.shop(town)), 64)
            for number, town in towns.items()
        }
        return _grown(bench, "holds", cases)


def _with_deals(bench: Bench, size: Size) -> dict[int, int]:
    """Claims a second on so many deals at once."""
    town = bench.town("deals", deals=max(size.deals))
    with bench.shop(town) as shop:
        cases = {
            number: bench.claims(town, shop, 64, deals=number) for number in size.deals
        }
        return _grown(bench, "deals", cases)


def _with_processes(bench: Bench, size: Size) -> dict[int, int]:
    """Claims a second of so many processes, 256 shoppers in all."""
    town = bench.town("processes")
    with ExitStack() as stack:
        cases = {
            number: bench.claims(
                town, stack.enter_context(bench.shop(town, number)), 256
            )
            for number in size.processes
        }
        return _grown(bench, "processes", cases)


def _grown(bench: Bench, of: str, cases: dict[int, Case]) -> dict[int, int]:
    names = {number: f"claim_{number}_{of}" for number in cases}
    bench.measure({names[number]: case for number, case in cases.items()})
    return {number: bench.rates[name] for number, name in names.items()}


if __name__ == "__main__":
    main()
