"""Shapes: outlines as lists of points, on a sheet of 1000 by 1000 units.

Pure arithmetic: x grows to the right, y grows downwards, angles are degrees clockwise
from the right. What is symmetric is so about the middle of the sheet, x = 500.
"""

from collections.abc import Sequence
from math import cos, hypot, pi, radians, sin

Point = tuple[float, float]
Shape = list[Point]

MIDDLE = 500.0
_STEPS = 12


def points(text: str) -> Shape:
    """Return the points in *text*, written as in SVG: ``"10,20 30,40"``."""
    pairs = (pair.split(",") for pair in text.split())
    return [(float(x), float(y)) for x, y in pairs]


def arc(centre: Point, radii: Point, start: float, end: float) -> Shape:
    """Return the open line along an oval from the angle *start* to *end*."""
    steps = max(8, int(abs(end - start) / 4))
    angles = [radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [
        (centre[0] + radii[0] * cos(angle), centre[1] + radii[1] * sin(angle))
        for angle in angles
    ]


def oval(x: float, y: float, rx: float, ry: float | None = None) -> Shape:
    """Return an oval about its middle; a circle if one radius is given."""
    return arc((x, y), (rx, rx if ry is None else ry), 0, 360)


def box(left: float, top: float, right: float, bottom: float, r: float = 0) -> Shape:
    """Return a rectangle whose corners have the radius *r*."""
    return soft([(left, top), (right, top), (right, bottom), (left, bottom)], r)


def soft(corners: Sequence[Point], r: float) -> Shape:
    """Return the polygon of *corners*, rounded by *r* as far as its sides allow."""
    if r == 0:
        return list(corners)
    shape: Shape = []
    for i, corner in enumerate(corners):
        before, after = corners[i - 1], corners[(i + 1) % len(corners)]
        shape += _bend(_towards(corner, before, r), corner, _towards(corner, after, r))
    return shape


def curve(line: Sequence[Point]) -> Shape:
    """Return an open line that runs smoothly through *line* (Catmull-Rom)."""
    first, last = line[0], line[-1]
    return [*_through([first, *line, last]), last]


def loop(line: Sequence[Point]) -> Shape:
    """Return a closed outline that runs smoothly through *line*."""
    return _through([line[-1], *line, line[0], line[1]])


def mirrored(shape: Sequence[Point]) -> Shape:
    """Return the mirror image on the other half of the sheet."""
    return [(2 * MIDDLE - x, y) for x, y in shape]


def whole(half: Sequence[Point]) -> Shape:
    """Return a symmetric outline of which *half* is the right side, top to bottom."""
    return [*half, *reversed(mirrored(half))]


def leaf(root: Point, tip: Point, width: float) -> Shape:
    """Return a pointed oval from *root* to *tip*."""
    dx, dy = tip[0] - root[0], tip[1] - root[1]
    length = hypot(dx, dy)
    nx, ny = -dy / length * width / 2, dx / length * width / 2
    steps = [i / 16 for i in range(17)]
    sides = [
        [
            (
                root[0] + dx * t + side * nx * sin(pi * t),
                root[1] + dy * t + side * ny * sin(pi * t),
            )
            for t in steps
        ]
        for side in (1, -1)
    ]
    return [*sides[0], *reversed(sides[1])]


def zigzag(left: float, right: float, y: float, height: float, teeth: int) -> Shape:
    """Return an open line of *teeth* teeth from *left* to *right* about *y*."""
    step = (right - left) / (2 * teeth)
    return [
        (left + i * step, y + (height / 2 if i % 2 else -height / 2))
        for i in range(2 * teeth + 1)
    ]


def _towards(corner: Point, other: Point, distance: float) -> Point:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = hypot(dx, dy)
    part = min(distance / length, 0.5) if length else 0
    return corner[0] + dx * part, corner[1] + dy * part


def _bend(start: Point, corner: Point, end: Point) -> Shape:
    """Go from *start* to *end* by a quadratic curve drawn towards *corner*."""
    steps = [i / _STEPS for i in range(_STEPS + 1)]
    return [
        (
            (1 - t) ** 2 * start[0] + 2 * (1 - t) * t * corner[0] + t**2 * end[0],
            (1 - t) ** 2 * start[1] + 2 * (1 - t) * t * corner[1] + t**2 * end[1],
        )
        for t in steps
    ]


def _through(line: Sequence[Point]) -> Shape:
    """Go from the second point to the last but one; the outer two only lean."""
    shape: Shape = []
    for i in range(1, len(line) - 2):
        p0, p1, p2, p3 = line[i - 1 : i + 3]
        for step in range(_STEPS):
            t = step / _STEPS
            x = _spline((p0[0], p1[0], p2[0], p3[0]), t)
            y = _spline((p0[1], p1[1], p2[1], p3[1]), t)
            shape.append((x, y))
    return shape


def _spline(p: tuple[float, float, float, float], t: float) -> float:
    return 0.5 * (
        2 * p[1]
        + (p[2] - p[0]) * t
        + (2 * p[0] - 5 * p[1] + 4 * p[2] - p[3]) * t**2
        + (3 * p[1] - p[0] - 3 * p[2] + p[3]) * t**3
    )
