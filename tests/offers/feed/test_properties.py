"""
Whatever a file holds, it is read or refused; and how it is written changes nothing.
"""

import csv
import io
import subprocess
import sys
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offers.feed import FeedRow, NotAFeed, RowError, Skipped
from tests.offers.feed.feeds import opened

PEAK_GROWTH = 40 * 1024  # kilobytes

# A feed of fifty thousand rows in a process of its own, whose memory can be measured.
MEASURED = """
import io, resource
from datetime import date
from offers.feed import FeedRow, open_feed
rows = (f"S{n},Thing number {n},{n % 900 + 1}.99,{n % 9},{'long ' * 30}\\n"
        for n in range(50_000))
data = io.BytesIO(("sku,title,price,stock,description\\n" + "".join(rows)).encode())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
feed = open_feed(data, currency="eur", today=date(2026, 3, 2))
count = sum(isinstance(row, FeedRow) for row in feed.rows())
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(count, after - before)
"""

relaxed = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow]
)

LETTERS = st.characters(
    codec="cp1252", exclude_categories=("Cc", "Cs"), exclude_characters="'\u00a0\u00ad"
)
TITLES = st.text(LETTERS, min_size=1, max_size=20).filter(
    lambda text: text.strip() and not set("<&=") & set(text)
)
GOODS = st.lists(
    st.tuples(TITLES, st.integers(1, 10**8), st.none() | st.integers(0, 10**6)),
    min_size=1,
    max_size=8,
)


def fate(data: bytes, **how: Any) -> list[FeedRow | RowError | Skipped] | None:
    try:
        return list(opened(data, **how).rows())
    except NotAFeed:
        return None


@relaxed
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    fate(data)


@relaxed
@given(
    st.text(
        st.sampled_from(list("sku,title;price\n\r\"|\t=\x00é€10.5-'")),
        max_size=300,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_any_rows_after_a_header_are_read_or_refused(text: str, codec: str) -> None:
    data = ("sku,title,price,stock\nA,Box,1,1\n" + text).encode(codec)

    results = fate(data)

    for result in results or []:
        assert isinstance(result, FeedRow | RowError | Skipped)
        assert result.line > 1


@relaxed
@given(
    goods=GOODS,
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    mark=st.sampled_from([".", ","]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_how_a_file_is_written_changes_nothing(
    goods: list[tuple[str, int, int | None]],
    codec: str,
    delimiter: str,
    mark: str,
    end: str,
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(["sku", "title", "price", "stock", "brand"])
    for number, (title, cents, stock) in enumerate(goods):
        price = f"{cents // 100}{mark}{cents % 100:02}"
        writer.writerow([f"S{number}", title, price, stock, "Acme"])

    results = fate(text.getvalue().encode(codec), delimiter=delimiter, encoding=codec)

    assert results is not None
    read = [(r.title, r.price.amount, r.quantity) for r in results if _good(r)]
    assert read == [(" ".join(t.split()), cents, stock) for t, cents, stock in goods]


def _good(result: object) -> Any:
    assert isinstance(result, FeedRow), result
    return result


def test_reading_keeps_next_to_nothing_in_memory() -> None:
    run = subprocess.run(  # noqa: S603 — our own text, run by our own Python
        [sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True
    )

    count, growth = map(int, run.stdout.split())

    assert count == 50_000
    assert growth < PEAK_GROWTH
