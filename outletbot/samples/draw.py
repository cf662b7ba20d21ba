"""Pictures of the sample goods, drawn when they are first wanted.

The same name always gives the same bytes (of one version of Pillow), so nothing
binary is kept in the repository. What matters in a picture lies within its middle
band, so that a social network's crop to 1200 by 630 loses nothing.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType

from PIL import Image

from outletbot.samples import (
    motifs_home,
    motifs_kitchen,
    motifs_outdoor,
    motifs_sound,
    motifs_wear,
)
from outletbot.samples.colours import WHITE, Colours, mixed
from outletbot.samples.pen import Pen
from outletbot.samples.shapes import oval

SIZE = 1200
_OVERSAMPLING = 2
_QUALITY = 80

Motif = Callable[[Pen, Colours], None]

MOTIFS: Mapping[str, Motif] = MappingProxyType(
    {
        "armchair": motifs_home.armchair,
        "backpack": motifs_outdoor.backpack,
        "beanie": motifs_wear.beanie,
        "bike-helmet": motifs_outdoor.bike_helmet,
        "blanket": motifs_home.blanket,
        "bottle": motifs_outdoor.bottle,
        "casserole": motifs_kitchen.casserole,
        "cool-box": motifs_outdoor.cool_box,
        "cushion": motifs_home.cushion,
        "desk-lamp": motifs_home.desk_lamp,
        "headphones": motifs_sound.headphones,
        "hiking-boots": motifs_wear.hiking_boots,
        "kettle": motifs_kitchen.kettle,
        "lantern": motifs_outdoor.lantern,
        "mug": motifs_kitchen.mug,
        "pan": motifs_kitchen.pan,
        "parka": motifs_wear.parka,
        "plant-pot": motifs_home.plant_pot,
        "sneakers": motifs_wear.sneakers,
        "speaker": motifs_sound.speaker,
        "suitcase": motifs_outdoor.suitcase,
        "sunglasses": motifs_wear.sunglasses,
        "tent": motifs_outdoor.tent,
        "umbrella": motifs_outdoor.umbrella,
        "wall-clock": motifs_home.wall_clock,
        "watch": motifs_wear.watch,
    }
)


def picture(name: str) -> bytes:
    """Return the JPEG called *name*: a motif, a colourway, as in ``mug-moss.jpg``.

    Raises:
        KeyError: If there is no such motif or colourway.
    """
    motif, _, colourway = name.removesuffix(".jpg").rpartition("-")
    file = BytesIO()
    draw(motif, Colours.named(colourway)).save(
        file, "JPEG", quality=_QUALITY, optimize=True, progressive=True
    )
    return file.getvalue()


def draw(motif: str, colours: Colours, size: int = SIZE) -> Image.Image:
    """Return a square picture of *motif*, *size* pixels wide.

    Raises:
        KeyError: If there is no such motif.
    """
    paint = MOTIFS[motif]
    sheet = _wall(size * _OVERSAMPLING, colours)
    pen = Pen.on(sheet)
    pen.fill(oval(500, 500, 380), mixed(colours.wall, WHITE, 0.5))
    paint(pen, colours)
    return sheet.reduce(_OVERSAMPLING)


def _wall(size: int, colours: Colours) -> Image.Image:
    """Return the wall behind the product, taking on its colour towards the floor."""
    # One column is enough to reckon; enlarging it sideways costs next to nothing.
    column = (1, size)
    floor = Image.new("RGB", column, mixed(colours.wall, colours.main, 0.2))
    wall = Image.new("RGB", column, colours.wall)
    shaded = Image.composite(floor, wall, Image.linear_gradient("L").resize(column))
    return shaded.resize((size, size), Image.Resampling.NEAREST)
