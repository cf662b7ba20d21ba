"""Colours: what the sample goods come in, and the shades made of them."""

from dataclasses import dataclass
from typing import Self

Colour = tuple[int, int, int]

INK: Colour = (43, 45, 58)
WHITE: Colour = (255, 255, 255)
CREAM: Colour = (250, 243, 229)
STEEL: Colour = (176, 186, 196)
WOOD: Colour = (196, 142, 92)
LEATHER: Colour = (150, 96, 60)
GLOW: Colour = (255, 222, 130)
LEAF: Colour = (78, 138, 96)


@dataclass(frozen=True, slots=True)
class Colours:
    """What one picture is drawn in: the product, its details, the wall behind it."""

    main: Colour
    accent: Colour
    wall: Colour

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the colours of the colourway *name*.

        Raises:
            KeyError: If nothing comes in that colour.
        """
        main, accent, wall = _COLOURWAYS[name]
        return cls(_parsed(main), _parsed(accent), _parsed(wall))

    @property
    def light(self) -> Colour:
        return mixed(self.main, WHITE, 0.22)

    @property
    def pale(self) -> Colour:
        return mixed(self.main, WHITE, 0.6)

    @property
    def dark(self) -> Colour:
        return mixed(self.main, INK, 0.22)

    @property
    def deep(self) -> Colour:
        return mixed(self.main, INK, 0.5)


def mixed(one: Colour, other: Colour, part: float) -> Colour:
    """Return *one* with *part* (0 to 1) of it replaced by *other*."""
    red, green, blue = (
        round(a + (b - a) * part) for a, b in zip(one, other, strict=True)
    )
    return red, green, blue


def _parsed(code: str) -> Colour:
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


# The product, its details, the wall.
_COLOURWAYS = {
    "amber": ("e59a2f", "7a4a2b", "dfe8ea"),
    "berry": ("a63a5b", "f1b7a8", "f5dfd6"),
    "charcoal": ("4a4f5c", "f0a34a", "e3e6ea"),
    "clay": ("c8714f", "f3d9b5", "dbe6e1"),
    "copper": ("c67c4e", "3b3f4a", "dde9e6"),
    "coral": ("ee7762", "fde3c8", "d8ecea"),
    "cream": ("eadcc2", "b9724a", "cfdcd6"),
    "fjord": ("2f6f8f", "f4b860", "d9e9f0"),
    "forest": ("2f6b50", "e8b44f", "e4ecdc"),
    "midnight": ("2c3e66", "ec8b5e", "dbe2f0"),
    "moss": ("74875a", "f2c879", "eee7d3"),
    "mustard": ("e0ad3b", "3f5f6b", "dde7e4"),
    "plum": ("70487c", "f2b6c1", "e9dff0"),
    "rust": ("b9552f", "f1cf95", "f3e4d3"),
    "sage": ("9db49a", "e07a5f", "f3e9dc"),
    "sand": ("d2b48c", "5a6f73", "e0e8e8"),
    "sky": ("7fb3d5", "f6d06f", "f6e8dc"),
    "slate": ("6b7f8e", "f2a65a", "e6ebee"),
    "snow": ("eef1f2", "6d93a8", "c5d8e3"),
    "teal": ("2a8c82", "f7c59f", "f4e7d6"),
}
