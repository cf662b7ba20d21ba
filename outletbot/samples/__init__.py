"""The sample outlet: overstock of a retailer that does not exist, with its pictures.

The goods, the brands and the retailer (Fjordlight Outlet) are invented, and so are the
bar codes: they begin with 24, which GS1 leaves to every shop's own use, so that they
belong to nobody. The pictures are drawn, not stored.
"""

import csv
from importlib.resources import files

from outletbot.samples.draw import picture

RETAILER = "Fjordlight Outlet"


def sample_feed() -> bytes:
    """Return the retailer's feed: a CSV in UTF-8, prices in euros."""
    return files("outletbot.samples").joinpath("overstock.csv").read_bytes()


def picture_names() -> list[str]:
    """Return the file names of the pictures, in the order of the feed."""
    lines = sample_feed().decode().splitlines()
    return [row["image"] for row in csv.DictReader(lines)]


def sample_picture(file_name: str) -> bytes:
    """Return the JPEG of that name, 1200 pixels square; it takes a tenth of a second.

    Nothing is read from disk, so the name may come from a request.

    Raises:
        KeyError: If there is no such picture.
    """
    return picture(file_name)
