"""The pen: fills, strokes, fades and shadows on a sheet of 1000 by 1000 units.

The sheet is drawn larger than it is shown and scaled down at the end, which is what
makes the edges smooth; Pillow's own drawing has hard ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, cos, floor, hypot, radians, sin
from typing import Literal, Self

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from outletbot.samples.colours import INK, Colour
from outletbot.samples.shapes import MIDDLE, Point, oval

SHEET = 1000
_BLUR_AT = 8

Direction = Literal["left", "right", "up", "down"]
_Box = tuple[int, int, int, int]

# Pillow's gradient gets stronger downwards; this turns it.
_TURNS = {
    "up": Image.Transpose.FLIP_TOP_BOTTOM,
    "right": Image.Transpose.ROTATE_90,
    "left": Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws on *image*; *matrix* takes units of the sheet to pixels."""

    image: Image.Image
    matrix: tuple[float, float, float, float, float, float]

    @classmethod
    def on(cls, image: Image.Image) -> Self:
        scale = image.width / SHEET
        return cls(image, (scale, 0, 0, 0, scale, 0))

    def moved(self, dx: float, dy: float) -> Self:
        """Return a pen that draws everything *dx* to the right and *dy* lower."""
        a, b, c, d, e, f = self.matrix
        return type(self)(
            self.image, (a, b, a * dx + b * dy + c, d, e, d * dx + e * dy + f)
        )

    def scaled(self, by: float, about: Point = (MIDDLE, MIDDLE)) -> Self:
        """Return a pen that draws everything *by* times as large."""
        x, y = about
        there = self.moved(x, y)
        a, b, c, d, e, f = there.matrix
        grown = type(self)(self.image, (a * by, b * by, c, d * by, e * by, f))
        return grown.moved(-x, -y)

    def turned(self, degrees: float, about: Point = (MIDDLE, MIDDLE)) -> Self:
        """Return a pen that draws everything turned clockwise."""
        x, y = about
        a, b, c, d, e, f = self.moved(x, y).matrix
        u, v = cos(radians(degrees)), sin(radians(degrees))
        spun = (a * u + b * v, b * u - a * v, c, d * u + e * v, e * u - d * v, f)
        return type(self)(self.image, spun).moved(-x, -y)

    def fill(
        self,
        shape: Sequence[Point],
        colour: Colour,
        *,
        inside: Sequence[Point] | None = None,
        opacity: float = 1,
    ) -> None:
        """Fill *shape*, or that part of it which lies *inside* another."""
        points = self._placed(shape)
        if inside is None and opacity == 1:
            ImageDraw.Draw(self.image).polygon(points, fill=colour)
            return
        area = self._around(points)
        mask = _mask(points, area, opacity)
        self._paste(colour, area, self._clipped(mask, area, inside))

    def stroke(
        self,
        line: Sequence[Point],
        width: float,
        colour: Colour,
        *,
        inside: Sequence[Point] | None = None,
    ) -> None:
        """Draw along *line* with round ends and joints, *width* units wide."""
        points, thick = self._placed(line), width * self._scale
        if inside is None:
            _trace(ImageDraw.Draw(self.image), points, thick, colour)
            return
        area = self._around(points, margin=thick)
        mask = Image.new("L", _size(area))
        _trace(ImageDraw.Draw(mask), _shifted(points, area), thick, 255)
        self._paste(colour, area, self._clipped(mask, area, inside))

    def fade(
        self,
        shape: Sequence[Point],
        colour: Colour,
        towards: Direction,
        *,
        inside: Sequence[Point] | None = None,
        opacity: float = 0.35,
    ) -> None:
        """Glaze *shape* with *colour*, from nothing to *opacity* in one direction."""
        points = self._placed(shape)
        area = self._around(points)
        fading = Image.linear_gradient("L")
        if towards in _TURNS:
            fading = fading.transpose(_TURNS[towards])
        fading = fading.resize(_size(area), Image.Resampling.BILINEAR)
        mask = ImageChops.multiply(_mask(points, area, opacity), fading)
        self._paste(colour, area, self._clipped(mask, area, inside))

    def shadow(
        self, x: float, y: float, rx: float, ry: float, *, opacity: float = 0.3
    ) -> None:
        """Lay a soft oval shadow on the ground."""
        self.haze(oval(x, y, rx, ry), INK, blur=min(14 + ry * 0.1, 26), opacity=opacity)

    def haze(
        self, shape: Sequence[Point], colour: Colour, *, blur: float, opacity: float
    ) -> None:
        """Fill *shape* with edges that are *blur* units soft."""
        points, blur = self._placed(shape), blur * self._scale
        area = self._around(points, margin=3 * blur)
        # Blurred small and enlarged: the same to the eye, and some fifty times faster.
        mask = _mask(points, area, opacity).reduce(_BLUR_AT)
        mask = mask.filter(ImageFilter.GaussianBlur(blur / _BLUR_AT))
        self._paste(colour, area, mask.resize(_size(area), Image.Resampling.BICUBIC))

    @property
    def _scale(self) -> float:
        return hypot(self.matrix[0], self.matrix[3])

    def _placed(self, points: Sequence[Point]) -> list[Point]:
        a, b, c, d, e, f = self.matrix
        return [(a * x + b * y + c, d * x + e * y + f) for x, y in points]

    def _around(self, points: Sequence[Point], margin: float = 0) -> _Box:
        """Return the pixels about *points*, as far as they are on the sheet."""
        across, down = [x for x, _ in points], [y for _, y in points]
        return (
            max(floor(min(across) - margin), 0),
            max(floor(min(down) - margin), 0),
            min(ceil(max(across) + margin) + 1, self.image.width),
            min(ceil(max(down) + margin) + 1, self.image.height),
        )

    def _clipped(
        self, mask: Image.Image, area: _Box, inside: Sequence[Point] | None
    ) -> Image.Image:
        if inside is None:
            return mask
        return ImageChops.darker(mask, _mask(self._placed(inside), area, 1))

    def _paste(self, colour: Colour, area: _Box, mask: Image.Image) -> None:
        self.image.paste(colour, area, mask)


def _mask(points: Sequence[Point], area: _Box, opacity: float) -> Image.Image:
    mask = Image.new("L", _size(area))
    ImageDraw.Draw(mask).polygon(_shifted(points, area), fill=round(255 * opacity))
    return mask


def _trace(
    draw: ImageDraw.ImageDraw,
    points: Sequence[Point],
    width: float,
    ink: Colour | int,
) -> None:
    # Pillow's own thick lines lose a pixel or two where they are slanted or bent; a
    # rectangle along each piece and a disc on each point do not.
    for start, end in pairwise(points):
        draw.polygon(_beside(start, end, width / 2), fill=ink)
    for point in points:
        draw.circle(point, width / 2, fill=ink)


def _beside(start: Point, end: Point, distance: float) -> list[Point]:
    """Return the rectangle about a piece of line, *distance* to either side."""
    (x0, y0), (x1, y1) = start, end
    length = hypot(x1 - x0, y1 - y0) or 1
    dx, dy = (y0 - y1) / length * distance, (x1 - x0) / length * distance
    return [
        (x0 + dx, y0 + dy),
        (x1 + dx, y1 + dy),
        (x1 - dx, y1 - dy),
        (x0 - dx, y0 - dy),
    ]


def _shifted(points: Sequence[Point], area: _Box) -> list[Point]:
    return [(x - area[0], y - area[1]) for x, y in points]


def _size(area: _Box) -> tuple[int, int]:
    return area[2] - area[0], area[3] - area[1]
