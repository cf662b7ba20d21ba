"""A process of its own that reads a workbook: in by stdin, its sheet out by stdout.

Both are files. What is to be said of it leaves by stderr, as JSON. The reader takes a
whole sheet into memory, and a few bytes can claim to be a sheet of a million rows: that
this process may die of it is what it is for.
"""

import json
import resource
import sys

from offers.feed.errors import NotAFeed
from offers.feed.workbooks import DAMAGED, write_sheet
from offers.sentences import dump_sentence

MOST_DATA = 200 * 1024 * 1024
MOST_MEMORY = 512 * 1024 * 1024  # with programs and libraries, wherever that is counted
MOST_SECONDS = 60


def main() -> None:
    _limit()
    try:
        with open(0, "rb") as stream, open(1, "w+b") as target:
            sheet = write_sheet(stream, target)
        said = {"sheet": sheet.name, "notes": [*map(dump_sentence, sheet.notes)]}
    except NotAFeed as refusal:
        said = {"refused": dump_sentence(refusal.sentence)}
    except BaseException as panic:  # the reader's own, of a kind that is no Exception
        if type(panic).__name__ != "PanicException":
            raise
        said = {"refused": dump_sentence(DAMAGED)}
    sys.stderr.write("\n")  # a panic has said something, too
    json.dump(said, sys.stderr)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


if __name__ == "__main__":
    main()
