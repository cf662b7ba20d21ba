"""Kitchen motifs: a kettle, a mug, a casserole and a pan."""

from outletbot.samples.colours import CREAM, GLOW, INK, STEEL, WHITE, Colours, mixed
from outletbot.samples.pen import Pen
from outletbot.samples.shapes import (
    Shape,
    arc,
    box,
    curve,
    loop,
    oval,
    points,
    soft,
    whole,
)

COFFEE = (92, 58, 40)
YOLK = (244, 168, 44)


def kettle(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 742, 260, 26)
    spout = soft(
        points("600,560 690,520 742,396 806,384 812,412 768,440 730,600 620,690"),
        26,
    )
    pen.fill(spout, colours.dark)
    pen.fade(spout, colours.deep, "left")
    pen.stroke(arc((500, 452), (168, 190), 146, 394), 24, INK)
    pen.stroke(arc((500, 452), (168, 190), 218, 322), 42, colours.accent)
    body = soft(
        whole(points("600,442 668,560 720,700 708,742")),
        46,
    )
    pen.fill(body, colours.main)
    pen.fade(body, colours.deep, "right", opacity=0.55)
    pen.fill(box(250, 712, 750, 760), colours.deep, inside=body, opacity=0.5)
    pen.fill(oval(372, 600, 22, 96), WHITE, inside=body, opacity=0.35)
    pen.fill(box(380, 432, 620, 456, 12), colours.deep)
    lid = soft(whole(points("530,392 592,410 604,440")), 18)
    pen.fill(lid, colours.light)
    pen.fade(lid, colours.dark, "right")
    pen.fill(box(488, 372, 512, 398), INK)
    pen.fill(oval(500, 366, 26, 20), colours.accent)


def mug(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 742, 210, 24)
    for x in (420, 490):
        steam = curve([(x, 346), (x + 22, 316), (x - 14, 286), (x + 10, 250)])
        pen.stroke(steam, 12, mixed(colours.wall, WHITE, 0.8))
    handle = arc((630, 556), (92, 98), -112, 112)
    pen.stroke(handle, 40, colours.dark)
    pen.stroke(handle, 20, colours.light)
    body = soft(points("300,380 640,380 632,744 308,744"), 40)
    pen.fill(body, colours.main)
    _landscape(pen, body, colours)
    pen.fade(body, INK, "right", opacity=0.28)
    pen.fill(box(326, 430, 346, 690, 10), WHITE, opacity=0.3)
    pen.fill(oval(470, 394, 172, 34), INK)
    pen.fill(oval(470, 394, 160, 26), colours.deep)
    pen.fill(oval(470, 402, 146, 17), COFFEE)


def _landscape(pen: Pen, body: Shape, colours: Colours) -> None:
    """Draw hills and a sun around the mug."""
    pen.fill(oval(556, 512, 40), colours.accent, inside=body)
    far = points("280,680 370,540 430,610 510,560 660,690")
    pen.fill(far, colours.pale, inside=body)
    near = points("280,690 330,640 420,690 520,610 660,700")
    pen.fill([*near, (660, 760), (280, 760)], colours.deep, inside=body)


def casserole(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 740, 290, 28)
    for x in (236, 764):
        ear = box(x - 46, 528, x + 46, 590, 28)
        pen.stroke([*ear, ear[0]], 26, colours.dark)
    body = [*points("240,486 760,486"), *_base_of_casserole()]
    pen.fill(body, colours.main)
    pen.fade(body, colours.deep, "right", opacity=0.6)
    pen.fill(box(240, 486, 760, 512), colours.deep, opacity=0.5)
    pen.fill(oval(318, 610, 22, 70), WHITE, opacity=0.35)
    lid = whole(curve(points("500,370 610,388 704,424 740,470")))
    pen.fill(lid, colours.light)
    pen.fade(lid, colours.dark, "right", opacity=0.7)
    pen.fill(box(222, 462, 778, 494, 16), colours.dark)
    shine = curve(points("330,434 390,408 460,396"))
    pen.stroke(shine, 14, mixed(colours.light, WHITE, 0.5))
    pen.fill(box(482, 334, 518, 376), mixed(INK, STEEL, 0.3))
    pen.fill(oval(500, 330, 50, 24), colours.accent)


def _base_of_casserole() -> Shape:
    """Return the round lower corners, from the right to the left."""
    return [
        *arc((656, 654), (88, 88), 8, 90),
        *arc((344, 654), (88, 88), 90, 172),
    ]


def pan(pen: Pen, colours: Colours) -> None:
    """Draw a pan from above, with an egg in it."""
    pen.shadow(446, 540, 250, 232, opacity=0.28)
    pen.shadow(700, 400, 120, 30, opacity=0.15)
    turned = pen.turned(-32, (420, 520))
    turned.fill(box(640, 494, 720, 546, 8), STEEL)
    turned.fill(
        soft(points("690,490 900,480 912,520 900,560 690,550"), 24),
        colours.accent,
    )
    turned.fill(oval(880, 520, 11), mixed(colours.accent, INK, 0.5))
    pen.fill(oval(420, 520, 240), colours.main)
    pen.fade(oval(420, 520, 240), colours.deep, "down", opacity=0.7)
    pen.fill(oval(420, 520, 208), mixed(INK, STEEL, 0.12))
    pen.fade(oval(420, 520, 208), mixed(INK, STEEL, 0.5), "up", opacity=0.6)
    white = loop(
        points(
            "400,400 480,404 520,460 560,520 510,600 430,610 "
            "350,640 296,570 320,500 340,430"
        )
    )
    pen.moved(4, 8).fill(white, INK, opacity=0.35)
    pen.fill(white, CREAM)
    pen.fill(oval(424, 510, 62), YOLK)
    pen.fill(oval(406, 490, 20, 14), GLOW)
