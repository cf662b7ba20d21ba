"""
What fuzzing found stays mended.
"""

import io
import time
import zipfile
from random import Random

import pytest

from tests.fuzz.running import PATIENCE
from tests.fuzz.tasting import Tasted, taste
from tests.offers.feed.feeds import opened

HEADER = "sku,title,price,ean\n"
PLACES = "store code,id,quantity,price,availability\n"


def tasted(data: bytes) -> Tasted:
    """Read *data*, and not for longer than fuzzing allows."""
    begun = time.process_time()
    result = taste(Random(4), data)  # noqa: S311 — the same every time
    assert time.process_time() - begun < PATIENCE
    return result


def test_a_code_of_thousands_of_digits_is_none() -> None:
    assert tasted(f"{HEADER}A,Box,1.00,{'9' * 5_000}\n".encode()).good == 1


def test_a_far_too_wide_row_makes_no_columns() -> None:
    rows = [f"A-{n},Teddy bear,Soft.,26.95,{n}\n" for n in range(40)]
    rows[24] = f"A-24,Teddy{',' * 80_000}\n"

    assert tasted("".join(rows).encode()).verdict in ("read", "refused")


def test_thousands_of_rows_of_one_sku_are_brought_together_in_time() -> None:
    rows = "".join(f"PLACE-{n},A,1,5.00 EUR,in stock\n" for n in range(4_000))

    assert tasted(f"{PLACES}{rows}".encode()).good == 1


@pytest.mark.parametrize("flag", [0x01, 0x20, 0x40])
def test_an_archive_in_an_unusual_way_is_refused(flag: int) -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("feed.csv", f"{HEADER}A,Box,1.00,\n")
    data = bytearray(kept.getvalue())
    data[6] |= flag
    data[data.rfind(b"PK\x01\x02") + 8] |= flag

    assert tasted(bytes(data)).verdict == "refused"


def test_an_entry_without_a_name_is_passed_over() -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), "nothing")
        archive.writestr("feed.csv", f"{HEADER}A,Box,1.00,\n")

    assert tasted(kept.getvalue()).good == 1


def test_a_file_known_by_its_id_alone_is_read() -> None:
    rows = "sku,quantityOnStock,supplyChannel\n1111,1,\n2222,46,\n"

    feed = opened(rows, mapping={"sku": "id"})

    assert [getattr(row, "sku", "") for row in feed.rows()] == ["1111", "2222"]
