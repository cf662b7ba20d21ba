"""The feed in a gzip or zip file, and what is refused of archives."""

import gzip
import io
import struct
import zipfile

import pytest

from offers.feed import NotAFeed
from offers.feed.archives import (
    MEGABYTE,
    MOST_ENTRIES,
    MOST_EXPANDED,
    check_workbook,
    gunzip,
    refuse_bomb,
    unzip,
)
from tests.offers.feed.packed import unpacked

FEED = b"sku,title,price,quantity\nA-1,Parka,99.00,3\n"


def zipped(**entries: bytes) -> bytes:
    return zip_of(dict(entries))


def zip_of(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def taken_out(data: bytes) -> bytes:
    target = io.BytesIO()
    unzip(io.BytesIO(data), target)
    return target.read()


def refusal(data: bytes) -> str:
    with pytest.raises(NotAFeed) as refused:
        unpacked(data)
    return str(refused.value)


class TestGzip:
    def test_is_unpacked(self) -> None:
        target = io.BytesIO()

        gunzip(io.BytesIO(gzip.compress(FEED)), target)

        assert target.read() == FEED

    def test_may_have_several_parts(self) -> None:
        data = gzip.compress(FEED) + gzip.compress(b"A-2,Scarf,9.00,1\n")

        assert unpacked(data).stream.read() == FEED + b"A-2,Scarf,9.00,1\n"

    def test_that_breaks_off_is_refused(self) -> None:
        cut = gzip.compress(FEED * 100)[:-12]

        assert "breaks off before its end" in refusal(cut)

    def test_that_is_damaged_is_refused(self) -> None:
        data = bytearray(gzip.compress(FEED * 100))
        data[20:40] = b"\xff" * 20

        assert "damaged" in refusal(bytes(data))

    def test_that_grows_without_end_is_refused(self) -> None:
        bomb = gzip.compress(b"0" * 30 * MEGABYTE)

        assert "unpacks to more than 200 MB" in refusal(bomb)

    def test_within_another_is_refused(self) -> None:
        assert "another archive" in refusal(gzip.compress(gzip.compress(FEED)))


class TestZip:
    def test_of_one_file_is_unpacked_whatever_its_name(self) -> None:
        assert taken_out(zip_of({"export.dat": FEED})) == FEED

    def test_says_what_was_taken_out(self) -> None:
        (note,) = unpacked(zip_of({"stock/mars.csv": FEED})).notes

        assert str(note) == "Taken out of the archive: stock/mars.csv."

    @pytest.mark.parametrize(
        "litter",
        ["__MACOSX/._feed.csv", ".DS_Store", "pictures/", "readme.txt", "a.jpg"],
    )
    def test_may_hold_what_is_no_feed_beside_it(self, litter) -> None:
        assert taken_out(zip_of({litter: b"", "feed.csv": FEED})) == FEED

    def test_of_several_feeds_is_refused_and_names_them(self) -> None:
        told = refusal(zip_of({"a.csv": FEED, "b.xlsx": b"x", "c.jpg": b"x"}))

        assert told.startswith("The archive holds several feeds: a.csv, b.xlsx.")

    @pytest.mark.parametrize(
        ("entries", "named"),
        [({}, "-"), ({"a.jpg": b"", "b.jpg": b""}, "a.jpg, b.jpg")],
    )
    def test_of_no_feed_is_refused(self, entries, named) -> None:
        assert refusal(zip_of(entries)).startswith(
            f"The archive holds no feed: {named}."
        )

    def test_within_another_is_refused(self) -> None:
        inner = zip_of({"feed.csv": FEED})

        assert "another archive" in refusal(zip_of({"inner.zip": inner}))
        assert "another archive" in refusal(gzip.compress(inner))
        assert "another archive" in refusal(zip_of({"feed.csv": gzip.compress(FEED)}))

    def test_bomb_is_refused_before_it_is_unpacked(self) -> None:
        bomb = zip_of({"feed.csv": b"0" * 30 * MEGABYTE})

        assert "unpacks to more than 200 MB" in refusal(bomb)

    def test_bomb_that_lies_about_its_size_is_refused(self) -> None:
        data = bytearray(zip_of({"feed.csv": b"0" * 30 * MEGABYTE}))
        entry = data.rfind(b"PK\x01\x02")
        struct.pack_into("<L", data, entry + 24, 1_000)  # said to be 1,000 bytes

        assert "damaged" in refusal(bytes(data))

    def test_that_is_damaged_is_refused(self) -> None:
        data = zip_of({"feed.csv": FEED * 50})

        assert "damaged" in refusal(data[:-30])
        assert "damaged" in refusal(b"PK\x03\x04" + b"junk" * 10)
        broken = bytearray(data)
        broken[40:60] = b"\xff" * 20
        assert "damaged" in refusal(bytes(broken))

    def test_with_a_password_is_refused(self) -> None:
        data = bytearray(zip_of({"feed.csv": FEED}))
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.find(signature) + offset] |= 1

        assert "protected by a password" in refusal(bytes(data))

    def test_packed_in_an_unusual_way_is_refused(self) -> None:
        data = zip_of({"feed.csv": FEED}, zipfile.ZIP_LZMA)

        assert "unusual way" in refusal(data)

    def test_of_many_files_is_refused(self) -> None:
        many = {f"{number}.csv": b"" for number in range(MOST_ENTRIES + 1)}

        assert f"more than {MOST_ENTRIES} files" in refusal(zip_of(many))

    def test_whose_list_claims_to_be_short_is_refused(self) -> None:
        data = bytearray(zip_of({f"{n}.csv": b"" for n in range(MOST_ENTRIES + 1)}))
        end = data.rfind(b"PK\x05\x06")
        struct.pack_into("<2H", data, end + 8, 1, 1)

        assert f"more than {MOST_ENTRIES} files" in refusal(bytes(data))


class TestLimits:
    def test_are_no_matter_for_small_files(self) -> None:
        refuse_bomb(MEGABYTE, 10)

    @pytest.mark.parametrize(
        ("expanded", "packed"),
        [(MOST_EXPANDED + 1, MOST_EXPANDED), (2 * MEGABYTE, 2 * MEGABYTE // 101)],
    )
    def test_are_of_size_and_of_ratio(self, expanded, packed) -> None:
        with pytest.raises(NotAFeed):
            refuse_bomb(expanded, packed)

    def test_are_of_all_parts_of_a_workbook_together(self) -> None:
        parts = {f"xl/worksheets/sheet{n}.xml": b"0" * 3 * MEGABYTE for n in range(9)}

        with pytest.raises(NotAFeed, match="unpacks to more"):
            check_workbook(io.BytesIO(zip_of(parts)))
