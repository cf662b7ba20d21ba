"""Sound motifs: headphones and a speaker."""

from outletbot.samples.colours import CREAM, INK, LEATHER, STEEL, WHITE, Colours, mixed
from outletbot.samples.pen import Pen
from outletbot.samples.shapes import arc, box, mirrored, oval


def headphones(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 744, 270, 20)
    pen.stroke(arc((500, 520), (226, 246), 180, 360), 44, colours.main)
    pen.stroke(arc((500, 520), (226, 246), 220, 320), 44, colours.deep)
    pen.stroke(arc((500, 520), (196, 214), 222, 318), 20, colours.accent)
    for x in (274, 726):
        pen.fill(box(x - 12, 450, x + 12, 580, 10), STEEL)
    pad = box(300, 524, 372, 722, 34)
    for shape in (pad, mirrored(pad)):
        pen.fill(shape, mixed(INK, colours.deep, 0.3))
    cup = box(222, 508, 330, 738, 52)
    for shape in (cup, mirrored(cup)):
        pen.fill(shape, colours.main)
        pen.fade(shape, colours.deep, "down", opacity=0.6)
    for ring in (ring_shape := box(244, 566, 290, 680, 22)), mirrored(ring_shape):
        pen.fill(ring, colours.accent)
    pen.stroke(
        arc((500, 520), (236, 256), 200, 246), 8, mixed(colours.light, WHITE, 0.4)
    )


def speaker(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 742, 300, 24)
    pen.stroke(arc((500, 400), (170, 112), 180, 360), 24, LEATHER)
    for x in (330, 670):
        pen.fill(box(x - 20, 372, x + 20, 412, 6), STEEL)
    body = box(206, 392, 794, 738, 58)
    pen.fill(body, colours.main)
    pen.fade(body, colours.deep, "down", opacity=0.45)
    panel = box(236, 422, 764, 708, 38)
    pen.fill(panel, mixed(colours.deep, INK, 0.25))
    for row in range(13):
        for column in range(23):
            x = 258 + column * 22 + (11 if row % 2 else 0)
            pen.fill(oval(x, 440 + row * 21, 5), colours.dark)
    for x, radius in ((384, 112), (640, 76)):
        pen.fill(oval(x, 565, radius), colours.accent)
        pen.fill(oval(x, 565, radius - 14), INK)
        pen.fade(oval(x, 565, radius - 14), STEEL, "up", opacity=0.5)
        pen.fill(oval(x, 565, radius * 0.42), mixed(INK, STEEL, 0.25))
        pen.fill(
            oval(x - radius * 0.14, 565 - radius * 0.16, radius * 0.12),
            CREAM,
            opacity=0.6,
        )
