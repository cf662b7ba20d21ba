"""
A worker whose reader has every fault that fuzzing is to find, to see that it does.
"""

import os
import sys
from pathlib import Path
from random import Random

from tests.fuzz.running import MOST_MEMORY, labour
from tests.fuzz.tasting import Tasted

HANGS, RAISES, EATS, DIES = 3, 5, 7, 9


class Reader:
    """Goes wrong in its own way at some of the inputs, which are numbered from 0."""

    def __init__(self, first: int) -> None:
        self._next = first

    def __call__(self, _dice: Random, _data: bytes) -> Tasted:
        number, self._next = self._next, self._next + 1
        match number:
            case 3:
                while True:
                    pass
            case 5:
                raise KeyError(number)
            case 7:
                bytearray(MOST_MEMORY * 1024)
            case 9:
                os.abort()
        return Tasted("read")


if __name__ == "__main__":
    _, *numbers, mark = sys.argv[1:]
    seed, start, stop = map(int, numbers)
    labour(seed, start, stop, Path(mark), read=Reader(start))
