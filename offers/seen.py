"""Seen: which skus a file has, in eight bytes each.

A million of them take 8 MB, in whatever order they come. Two skus with the same 64 bits
would be taken for one, about once in 40 million files of a million rows; then an offer
that is missing is left alone.
"""

from array import array
from bisect import bisect_left

BUCKETS = 256


class Seen:
    """Skus to be added first, and asked for afterwards."""

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(BUCKETS)]
        self._sorted = False

    def add(self, sku: str) -> None:
        number = hash(sku)
        self._buckets[number % BUCKETS].append(number)
        self._sorted = False

    def __contains__(self, sku: str) -> bool:
        if not self._sorted:
            self._buckets = [array("q", sorted(bucket)) for bucket in self._buckets]
            self._sorted = True
        number = hash(sku)
        bucket = self._buckets[number % BUCKETS]
        place = bisect_left(bucket, number)
        return place < len(bucket) and bucket[place] == number

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets)
