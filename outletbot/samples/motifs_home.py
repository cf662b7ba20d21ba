"""Home motifs: an armchair, a lamp, a blanket, a cushion, a plant, a clock."""

from math import cos, radians, sin

from outletbot.samples.colours import (
    CREAM,
    GLOW,
    INK,
    LEAF,
    WHITE,
    WOOD,
    Colours,
    mixed,
)
from outletbot.samples.pen import Pen
from outletbot.samples.shapes import (
    Point,
    Shape,
    box,
    leaf,
    loop,
    mirrored,
    oval,
    points,
    soft,
    whole,
    zigzag,
)


def armchair(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 744, 290, 24)
    for leg in (
        (leg_shape := points("300,680 340,680 322,746 304,746")),
        mirrored(leg_shape),
    ):
        pen.fill(leg, WOOD)
    back = box(292, 286, 708, 640, 96)
    pen.fill(back, colours.dark)
    pen.fade(back, colours.deep, "down", opacity=0.8)
    for x in (410, 500, 590):
        pen.fill(oval(x, 400, 9), colours.deep)
    for x in (455, 545):
        pen.fill(oval(x, 350, 9), colours.deep)
    pillow = pen.turned(-10, (452, 470))
    pillow.fill(box(380, 410, 530, 548, 34), colours.accent)
    for x in (416, 448, 480):
        pillow.fill(box(x, 410, x + 10, 548), WHITE, opacity=0.45)
    pen.fill(box(310, 532, 690, 640, 42), colours.light)
    pen.fill(box(300, 610, 700, 702, 20), colours.main)
    pen.fill(box(330, 604, 670, 618, 7), colours.deep, opacity=0.4)
    for arm in (arm_shape := box(226, 460, 342, 704, 50)), mirrored(arm_shape):
        pen.fill(arm, colours.main)
        pen.fade(arm, colours.deep, "down", opacity=0.55)
    pen.fill(box(246, 476, 322, 492, 8), WHITE, opacity=0.25)
    pen.fill(box(678, 476, 754, 492, 8), WHITE, opacity=0.25)


def desk_lamp(pen: Pen, colours: Colours) -> None:
    light = points("560,420 700,352 810,746 420,746")
    pen.fade(light, GLOW, "up", opacity=0.85)
    pen.shadow(420, 742, 170, 18)
    pen.stroke([(410, 716), (330, 520)], 24, colours.deep)
    pen.stroke([(330, 520), (520, 360)], 24, colours.dark)
    pen.fill(oval(330, 520, 27), colours.accent)
    pen.fill(oval(330, 520, 11), INK)
    base = box(296, 702, 526, 746, 22)
    pen.fill(base, colours.main)
    pen.fade(base, colours.deep, "down")
    head = pen.turned(-26, (560, 350))
    head.fill(oval(566, 410, 42, 34), GLOW)
    shade = soft(points("520,270 600,270 690,408 690,424 430,424 430,408"), 22)
    head.fill(box(528, 248, 592, 290, 14), colours.deep)
    head.fill(shade, colours.main)
    head.fade(shade, colours.deep, "right", opacity=0.6)
    head.fill(soft(points("520,300 536,300 486,396 462,396"), 6), WHITE, opacity=0.35)


def blanket(pen: Pen, colours: Colours) -> None:
    """Draw a folded plaid, three folds high."""
    pen.shadow(500, 744, 310, 24)
    for top, inset in ((612, 0), (486, 10), (360, 4)):
        fold = box(216 + inset, top, 770 - inset, top + 134, 64)
        pen.fill(fold, colours.main)
        _plaid(pen, fold, top, colours)
        pen.fade(fold, INK, "down", opacity=0.4)
    flap = points("470,372 690,372 690,640 470,640")
    for x in range(478, 690, 18):
        pen.stroke([(x, 636), (x, 676)], 7, colours.pale)
    pen.fill(flap, colours.light)
    for top in (372, 498):
        _plaid(pen, flap, top, colours)
    pen.fade(flap, INK, "down", opacity=0.18)
    pen.fill(box(458, 372, 472, 640), INK, opacity=0.16)


def _plaid(pen: Pen, inside: Shape, top: float, colours: Colours) -> None:
    for x in range(240, 780, 110):
        pen.fill(
            box(x, top, x + 42, top + 142), colours.deep, inside=inside, opacity=0.5
        )
        pen.fill(box(x + 66, top, x + 74, top + 142), colours.accent, inside=inside)
    pen.fill(
        box(200, top + 34, 790, top + 66), colours.deep, inside=inside, opacity=0.4
    )
    pen.fill(box(200, top + 88, 790, top + 95), colours.accent, inside=inside)


def cushion(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 730, 250, 28)
    outline = loop(
        points("262,256 500,286 738,256 722,500 746,746 500,722 254,746 278,500")
    )
    pen.fill(outline, colours.main)
    for y in (330, 500, 670):
        pen.stroke(zigzag(230, 770, y, 60, 5), 22, colours.accent, inside=outline)
    for y in (415, 585):
        pen.stroke(zigzag(230, 770, y, 60, 5), 10, colours.pale, inside=outline)
    pen.fade(outline, INK, "down", opacity=0.3)
    pen.fade(outline, INK, "right", opacity=0.2)
    for x, y in ((270, 264), (730, 264), (738, 738), (262, 738)):
        pen.fill(oval(x, y, 17), colours.accent)


def plant_pot(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 744, 170, 20)
    tips: list[tuple[Point, float]] = [
        ((330, 330), 92),
        ((670, 330), 92),
        ((250, 450), 84),
        ((750, 450), 84),
        ((420, 252), 92),
        ((584, 256), 92),
        ((500, 300), 100),
    ]
    for i, (tip, width) in enumerate(tips):
        green = mixed(LEAF, (34, 72, 60) if i % 2 else (190, 214, 140), 0.25)
        pen.fill(leaf((500, 590), tip, width), green)
        pen.stroke([(500, 590), _part(tip, 0.92)], 5, mixed(green, WHITE, 0.35))
    pot = soft(whole([(628, 560), (590, 746)]), 22)
    pen.fill(pot, colours.main)
    for y in (636, 676):
        pen.stroke(zigzag(360, 640, y, 22, 7), 8, colours.accent, inside=pot)
    pen.fade(pot, colours.deep, "right", opacity=0.6)
    rim = box(356, 536, 644, 592, 16)
    pen.fill(rim, colours.light)
    pen.fade(rim, colours.deep, "right", opacity=0.5)
    pen.fill(box(372, 592, 628, 606), INK, inside=pot, opacity=0.22)


def _part(tip: Point, part: float) -> Point:
    return 500 + (tip[0] - 500) * part, 590 + (tip[1] - 590) * part


def wall_clock(pen: Pen, colours: Colours) -> None:
    pen.shadow(516, 532, 244, 240, opacity=0.26)
    pen.fill(oval(500, 500, 250), colours.main)
    pen.fade(oval(500, 500, 250), colours.deep, "down", opacity=0.5)
    pen.fill(oval(500, 500, 208), mixed(colours.deep, INK, 0.2))
    pen.fill(oval(500, 504, 204), CREAM)
    for hour in range(12):
        long = 34 if hour % 3 == 0 else 16
        line = [_on_dial(hour * 30, 180), _on_dial(hour * 30, 180 - long)]
        pen.stroke(line, 12 if hour % 3 == 0 else 7, INK)
    pen.stroke([(500, 500), _on_dial(305, 96)], 16, INK)
    pen.stroke([(500, 500), _on_dial(54, 146)], 11, INK)
    pen.stroke([_on_dial(350, 36), _on_dial(170, 150)], 5, colours.main)
    pen.fill(oval(500, 500, 17), colours.main)


def _on_dial(degrees: float, radius: float) -> Point:
    """Return the point *radius* from the middle, *degrees* past twelve o'clock."""
    angle = radians(degrees)
    return 500 + radius * sin(angle), 500 - radius * cos(angle)
