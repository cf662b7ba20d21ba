"""Outdoor motifs: tent, backpack, helmet, lantern, bottle, suitcase and so on."""

from outletbot.samples.colours import (
    CREAM,
    GLOW,
    INK,
    LEATHER,
    STEEL,
    WHITE,
    WOOD,
    Colours,
    mixed,
)
from outletbot.samples.pen import Pen
from outletbot.samples.shapes import (
    Shape,
    arc,
    box,
    curve,
    leaf,
    loop,
    mirrored,
    oval,
    points,
    soft,
    whole,
)


def tent(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 742, 370, 22)
    for x in (150, 850):
        pen.stroke([(500 + (x - 500) * 0.26, 462), (x, 738)], 4, colours.deep)
        pen.stroke([(x - 6, 746), (x + 4, 722)], 9, WOOD)
    pen.stroke([(470, 262), (530, 320)], 10, INK)
    pen.stroke([(530, 262), (470, 320)], 10, INK)
    left = [(500, 292), *curve(points("500,292 390,500 196,740")), (500, 740)]
    pen.fill(left, colours.main)
    pen.fill(mirrored(left), colours.dark)
    pen.fade(left, colours.light, "left", opacity=0.6)
    for side in (left, mirrored(left)):
        pen.fill(box(150, 660, 850, 690), colours.accent, inside=side)
    pen.fade(mirrored(left), colours.deep, "down", opacity=0.6)
    door = [
        (500, 380),
        *curve(points("500,380 566,560 634,742")),
        *curve(points("366,742 434,560 500,380")),
    ]
    pen.fill(door, mixed(colours.deep, INK, 0.6))
    pen.fade(door, GLOW, "down", opacity=0.75)
    flap = [
        (500, 380),
        *curve(points("500,380 404,560 346,742")),
        (420, 742),
        (452, 640),
    ]
    pen.fill(flap, colours.pale)
    pen.fade(flap, colours.main, "down", opacity=0.8)
    pen.stroke([(392, 640), (452, 640)], 8, colours.accent)


def backpack(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 744, 210, 22)
    pen.stroke(arc((500, 306), (48, 44), 180, 360), 18, INK)
    for x in (322, 678):
        pen.fill(box(x - 42, 540, x + 42, 716, 26), colours.deep)
    pen.fill(box(284, 470, 336, 600, 18), STEEL)
    pen.fill(box(294, 448, 326, 476, 8), INK)
    body = box(322, 318, 678, 742, 80)
    pen.fill(body, colours.main)
    pen.fade(body, colours.deep, "right", opacity=0.45)
    pocket = box(364, 548, 636, 724, 40)
    pen.fill(pocket, colours.dark)
    pen.stroke([(392, 584), (608, 584)], 8, colours.accent)
    pen.fill(box(590, 582, 602, 618, 5), colours.accent)
    pen.fill(
        soft(points("450,690 490,636 512,664 530,646 556,690"), 6),
        colours.light,
    )
    lid = soft(points("310,300 690,300 694,450 640,486 360,486 306,450"), 56)
    pen.fill(lid, colours.light)
    pen.fade(lid, colours.deep, "down", opacity=0.45)
    for x in (410, 590):
        pen.fill(box(x - 13, 400, x + 13, 560, 4), LEATHER)
        pen.fill(box(x - 22, 506, x + 22, 538, 6), STEEL)
        pen.fill(box(x - 10, 514, x + 10, 530, 3), LEATHER)
    _mat(pen, colours)


def _mat(pen: Pen, colours: Colours) -> None:
    """Roll a mat up and strap it on top."""
    pen.fill(box(296, 250, 704, 330, 40), colours.accent)
    pen.fade(box(296, 250, 704, 330, 40), INK, "down", opacity=0.3)
    pen.fill(oval(326, 290, 38, 40), mixed(colours.accent, INK, 0.2))
    pen.stroke(arc((326, 290), (22, 24), 0, 300), 6, colours.accent)
    for x in (410, 590):
        pen.fill(box(x - 11, 246, x + 11, 338, 4), LEATHER)


def bike_helmet(pen: Pen, colours: Colours) -> None:
    pen.shadow(490, 740, 230, 20)
    pen.stroke(curve(points("330,600 430,680 520,730")), 13, INK)
    pen.stroke(curve(points("610,610 580,680 520,730")), 13, INK)
    pen.fill(box(496, 704, 552, 740, 8), colours.accent)
    shell = soft(
        points(
            "210,600 214,400 350,268 560,262 740,370 800,560 "
            "690,588 590,620 420,590 330,640"
        ),
        120,
    )
    pen.fill(shell, colours.main)
    pen.fade(shell, colours.deep, "down", opacity=0.55)
    vents = [
        ((330, 380), (290, 560)),
        ((430, 330), (400, 540)),
        ((540, 320), (530, 540)),
        ((640, 360), (660, 530)),
    ]
    for root, tip in vents:
        pen.fill(leaf(root, tip, 62), mixed(colours.deep, INK, 0.6))
    pen.stroke(curve(points("380,330 345,440 345,570")), 14, colours.accent)
    pen.stroke(curve(points("590,320 604,420 598,540")), 14, colours.accent)
    pen.fill(
        soft(points("660,560 800,530 860,590 850,606 700,600"), 16),
        colours.deep,
    )
    pen.stroke(
        curve(points("420,292 500,280 580,290")),
        12,
        mixed(colours.light, WHITE, 0.6),
    )


def lantern(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 742, 170, 22)
    pen.haze(oval(500, 545, 190, 160), GLOW, blur=50, opacity=0.75)
    pen.stroke(arc((500, 400), (150, 146), 186, 354), 14, INK)
    for x in (384, 616):
        pen.fill(box(x - 9, 420, x + 9, 680), colours.deep)
    glass = box(392, 440, 608, 660, 40)
    pen.fill(glass, mixed(GLOW, WHITE, 0.35))
    pen.fade(glass, (244, 170, 60), "down", opacity=0.6)
    flame = loop(points("500,486 536,566 522,624 478,624 464,566"))
    pen.fill(flame, (244, 140, 50))
    pen.fill(loop(points("500,546 518,592 500,622 482,592")), CREAM)
    pen.fill(box(414, 460, 430, 630, 8), WHITE, opacity=0.6)
    for y in (508, 590):
        pen.stroke([(384, y), (616, y)], 6, colours.deep)
    cap = soft(whole(points("556,346 640,420 640,448")), 16)
    base = soft(whole([(630, 652), (660, 746)]), 18)
    for part in (cap, base):
        pen.fill(part, colours.main)
        pen.fade(part, colours.deep, "right", opacity=0.6)
    pen.fill(box(452, 326, 548, 352, 10), colours.deep)
    pen.fill(oval(500, 700, 22), colours.accent)


def bottle(pen: Pen, colours: Colours) -> None:
    pen.shadow(520, 744, 190, 20)
    body = soft(whole(points("540,356 546,390 598,450 598,746")), 34)
    body = [(x - 50, y) for x, y in body]
    pen.fill(body, colours.main)
    band = box(340, 560, 560, 640)
    pen.fill(band, colours.accent, inside=body)
    pen.fill(
        soft(points("400,624 438,576 458,600 474,586 504,624"), 4),
        colours.main,
    )
    pen.fade(body, colours.deep, "right", opacity=0.6)
    pen.fill(box(372, 470, 390, 716, 9), WHITE, opacity=0.35)
    pen.stroke(arc((450, 292), (44, 34), 180, 360), 15, INK)
    cap = box(400, 286, 500, 366, 16)
    pen.fill(cap, INK)
    pen.fill(box(400, 340, 500, 352), STEEL)
    cup = soft(points("590,602 726,602 712,746 604,746"), 18)
    pen.fill(cup, colours.light)
    pen.fade(cup, colours.deep, "right", opacity=0.55)
    pen.fill(box(584, 594, 732, 618, 12), STEEL)


def suitcase(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 744, 220, 20)
    pen.stroke(points("436,380 436,258 564,258 564,380"), 16, STEEL)
    pen.stroke([(428, 256), (572, 256)], 28, INK)
    for x in (370, 630):
        pen.fill(box(x - 22, 700, x + 22, 730, 6), INK)
        pen.fill(oval(x, 732, 18), mixed(INK, STEEL, 0.25))
    body = box(308, 336, 692, 714, 54)
    pen.fill(body, colours.main)
    for x in (358, 426, 494, 562, 630):
        pen.fill(box(x - 10, 352, x + 26, 700, 18), colours.light)
        pen.fill(box(x + 18, 352, x + 26, 700, 4), colours.deep, opacity=0.5)
    pen.fade(body, colours.deep, "right", opacity=0.5)
    corner = oval(308, 336, 74)
    for shape in (corner, mirrored(corner), oval(308, 714, 74), oval(692, 714, 74)):
        pen.fill(shape, colours.deep, inside=body)
    pen.stroke(points("452,336 452,318 548,318 548,336"), 14, INK)
    tag = pen.turned(14, (592, 330))
    tag.stroke([(548, 330), (600, 380)], 5, INK)
    tag.fill(box(570, 376, 640, 480, 12), colours.accent)
    tag.fill(box(586, 410, 624, 456, 4), CREAM)


def umbrella(pen: Pen, colours: Colours) -> None:
    pen.shadow(520, 746, 110, 14)
    pen.stroke([(500, 250), (500, 690)], 13, INK)
    pen.stroke(arc((540, 690), (40, 48), 180, 0), 22, WOOD)
    dome = arc((500, 520), (300, 252), 180, 360)
    scallops = [
        point
        for middle in (725, 575, 425, 275)
        for point in arc((middle, 520), (75, 34), 0, -180)
    ]
    canopy = [*dome, *scallops]
    pen.fill(canopy, colours.main)
    outer = [*points("500,268 150,268 150,600"), *reversed(_rib(350))]
    inner = [*_rib(500), *reversed(_rib(650))]
    for panel in (outer, inner):
        pen.fill(panel, colours.accent, inside=canopy)
    pen.fade(canopy, colours.deep, "right", opacity=0.4)
    for x in (350, 500, 650):
        pen.stroke(_rib(x), 4, colours.deep)
    pen.fill(oval(500, 256, 12), INK)


def _rib(x: float) -> Shape:
    """Return the line of a rib from the top to the hem at *x*."""
    return curve([(500, 268), (500 + (x - 500) * 0.78, 372), (x, 520)])


def cool_box(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 744, 300, 22)
    pen.stroke(soft(points("290,520 290,300 710,300 710,520"), 60)[13:-13], 26, INK)
    body = soft(points("236,470 764,470 742,746 258,746"), 32)
    pen.fill(body, colours.main)
    pen.fill(box(230, 590, 770, 630), colours.accent, inside=body)
    pen.fade(body, colours.deep, "right", opacity=0.5)
    pen.fill(box(290, 690, 420, 712, 11), colours.deep, opacity=0.5)
    pen.fill(box(580, 690, 710, 712, 11), colours.deep, opacity=0.5)
    lid = box(216, 404, 784, 492, 34)
    pen.fill(lid, CREAM)
    pen.fade(lid, STEEL, "down", opacity=0.8)
    for x in (290, 710):
        pen.fill(oval(x, 470, 24), INK)
        pen.fill(oval(x, 470, 9), STEEL)
    pen.fill(box(458, 464, 542, 536, 12), colours.deep)
    pen.fill(box(474, 510, 526, 522, 6), colours.pale)
