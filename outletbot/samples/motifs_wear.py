"""Things to wear: a parka, a beanie, boots, sneakers, sunglasses, a watch."""

from outletbot.samples.colours import (
    CREAM,
    INK,
    LEATHER,
    STEEL,
    WHITE,
    Colours,
    mixed,
)
from outletbot.samples.pen import Pen
from outletbot.samples.shapes import (
    arc,
    box,
    curve,
    loop,
    mirrored,
    oval,
    points,
    soft,
    whole,
    zigzag,
)


def parka(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 748, 200, 18)
    sleeve = soft(points("408,384 352,404 318,470 274,664 350,690 420,540"), 24)
    for arm in (sleeve, mirrored(sleeve)):
        pen.fill(arm, colours.dark)
        pen.fade(arm, colours.deep, "down", opacity=0.7)
    cuff = soft(points("272,640 352,662 342,704 262,682"), 10)
    for end in (cuff, mirrored(cuff)):
        pen.fill(end, colours.deep)
    body = soft(whole(points("596,372 640,430 640,600 664,744")), 30)
    pen.fill(body, colours.main)
    pen.fade(body, colours.deep, "down", opacity=0.4)
    pen.fill(box(500, 372, 700, 760), colours.deep, inside=body, opacity=0.16)
    _hood(pen, colours)
    _front(pen, colours)


def _hood(pen: Pen, colours: Colours) -> None:
    pen.fill(
        loop(points("500,244 606,296 624,390 500,448 376,390 394,296")),
        colours.dark,
    )
    fur = mixed(CREAM, LEATHER, 0.22)
    rim = oval(500, 358, 92, 88)
    for x, y in rim[::4]:
        pen.fill(oval(x, y, 24), fur)
    pen.fill(oval(500, 358, 78, 74), colours.deep)
    pen.fill(oval(500, 376, 64, 56), mixed(colours.deep, INK, 0.5))
    pen.fill(soft(points("426,400 574,400 530,470 470,470"), 20), colours.main)


def _front(pen: Pen, colours: Colours) -> None:
    pen.fill(box(478, 452, 522, 742, 6), colours.dark)
    for y in (486, 546, 606, 666, 716):
        pen.fill(oval(500, y, 8), colours.accent)
    for x in (462, 538):
        pen.stroke([(x, 446), (x, 508)], 6, colours.accent)
        pen.fill(box(x - 7, 504, x + 7, 530, 6), INK)
    for left in (376, 542):
        pen.fill(box(left, 610, left + 82, 700, 12), colours.dark)
        pen.fill(box(left - 4, 600, left + 86, 634, 10), colours.light)
        pen.fill(oval(left + 41, 622, 6), colours.accent)
    pen.fill(box(556, 500, 610, 530, 5), colours.accent)


def beanie(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 738, 250, 24)
    dome = loop(
        points("500,326 640,372 716,500 728,640 500,690 272,640 284,500 360,372")
    )
    pen.fill(dome, colours.main)
    for row, colour in ((430, colours.accent), (486, WHITE), (542, colours.accent)):
        pen.stroke(zigzag(250, 750, row, 34, 9), 16, colour, inside=dome)
    pen.fade(dome, colours.deep, "right", opacity=0.55)
    cuff = box(250, 592, 750, 740, 40)
    pen.fill(cuff, colours.dark)
    for rib in range(276, 750, 30):
        pen.stroke([(rib, 604), (rib, 730)], 7, colours.deep)
    pen.fade(cuff, colours.deep, "right", opacity=0.5)
    pen.fill(box(560, 640, 660, 694, 6), LEATHER)
    pen.fill(soft(points("580,682 606,650 622,668 634,658 646,682"), 3), CREAM)
    for x, y in oval(500, 318, 48)[::5]:
        pen.fill(oval(x, y, 24), mixed(colours.accent, INK, 0.08))
    pen.fill(oval(500, 318, 54), colours.accent)
    pen.fill(oval(482, 300, 22), WHITE, opacity=0.3)


def hiking_boots(pen: Pen, colours: Colours) -> None:
    pen.shadow(510, 744, 310, 24)
    _boot(pen.moved(-64, -22), Colours(colours.dark, colours.accent, colours.wall))
    _boot(pen.moved(30, 0), colours)


def _boot(pen: Pen, colours: Colours) -> None:
    upper = loop(
        points(
            "330,296 420,276 500,290 512,360 530,450 610,520 "
            "720,570 770,640 760,700 540,704 330,704 316,600 "
            "338,470 322,370"
        )
    )
    pen.fill(soft(points("470,300 520,262 556,290 560,440 500,440"), 20), LEATHER)
    pen.fill(upper, colours.main)
    pen.fade(upper, colours.deep, "down", opacity=0.55)
    toe = loop(points("660,560 770,580 800,720 640,720 622,640"))
    pen.fill(toe, colours.deep, inside=upper)
    heel = loop(points("300,540 400,590 420,720 290,720"))
    pen.fill(heel, colours.deep, inside=upper)
    pen.stroke(curve(points("330,470 420,500 440,600 430,690")), 7, colours.light)
    pen.stroke(
        curve(points("326,312 410,292 498,304")),
        34,
        mixed(colours.deep, INK, 0.3),
        inside=upper,
    )
    for x, y in ((500, 346), (508, 400), (526, 452), (566, 496), (616, 530)):
        pen.stroke([(x - 62, y + 26), (x + 8, y - 4)], 11, colours.accent)
        pen.fill(oval(x - 64, y + 28, 10), STEEL)
    rubber = mixed(INK, LEATHER, 0.12)
    pen.fill(box(300, 684, 794, 734, 16), rubber)
    pen.fill(box(304, 684, 790, 702, 8), colours.accent)
    for x in range(312, 780, 44):
        pen.fill(
            soft([(x, 720), (x + 32, 720), (x + 27, 746), (x + 5, 746)], 4), rubber
        )


def sneakers(pen: Pen, colours: Colours) -> None:
    pen.shadow(510, 716, 330, 24)
    _sneaker(pen.moved(64, -58), Colours(colours.dark, colours.accent, colours.wall))
    _sneaker(pen.moved(-30, 8), colours)


def _sneaker(pen: Pen, colours: Colours) -> None:
    pen.fill(
        soft(points("400,470 452,380 520,404 540,490 440,540"), 26),
        colours.deep,
    )
    upper = [
        *curve(points("226,690 214,560 214,452 252,416 320,462")),
        *curve(points("320,462 400,470 470,424 520,440")),
        *curve(points("520,440 600,520 720,566 796,620 806,690")),
    ]
    pen.fill(upper, colours.main)
    pen.fade(upper, colours.deep, "down", opacity=0.4)
    toe = loop(points("690,560 800,590 830,700 660,700 650,620"))
    pen.fill(toe, colours.light, inside=upper)
    heel = loop(points("190,400 262,410 300,560 270,700 190,700"))
    pen.fill(heel, colours.deep, inside=upper)
    for x in (340, 410):
        stripe = [(x, 680), (x + 84, 520), (x + 126, 520), (x + 46, 680)]
        pen.fill(stripe, colours.accent)
    pen.stroke(curve(points("560,664 566,590 530,520 470,480")), 6, colours.deep)
    for x, y in ((500, 452), (540, 492), (582, 522), (630, 546)):
        pen.stroke([(x - 30, y + 34), (x + 14, y - 10)], 11, CREAM)
    sole = soft(points("208,650 812,650 836,688 810,722 218,722"), 26)
    pen.fill(sole, CREAM)
    pen.fade(sole, STEEL, "down", opacity=0.7)
    pen.fill(box(222, 676, 822, 687, 5), colours.accent)


def sunglasses(pen: Pen, colours: Colours) -> None:
    pen.shadow(500, 640, 320, 22, opacity=0.24)
    temple = points("214,420 260,372 420,340")
    for arm in (temple, mirrored(temple)):
        pen.stroke(arm, 20, colours.deep)
    pen.stroke(curve(points("446,448 500,424 554,448")), 24, colours.main)
    frame = soft(points("196,400 462,412 456,560 400,622 270,622 210,540"), 60)
    glass = soft(points("224,424 438,434 432,552 386,596 284,596 236,528"), 50)
    for mirror in (list, mirrored):
        pen.fill(mirror(frame), colours.main)
        pen.fade(mirror(frame), colours.deep, "down", opacity=0.5)
        pen.fill(mirror(glass), mixed(INK, colours.accent, 0.15))
        pen.fade(mirror(glass), colours.accent, "down", opacity=0.9)
    for x in (0, 320):
        shine = [(270 + x, 420), (316 + x, 420), (250 + x, 600), (204 + x, 600)]
        inside = glass if x == 0 else mirrored(glass)
        pen.fill(shine, WHITE, inside=inside, opacity=0.28)


def watch(pen: Pen, colours: Colours) -> None:
    pen.shadow(518, 520, 140, 250, opacity=0.22)
    strap = soft(whole(points("562,244 588,420 588,580 562,756")), 26)
    pen.fill(strap, colours.main)
    pen.fade(strap, colours.deep, "right", opacity=0.6)
    for x in (432, 568):
        stitch = curve([(x + (8 if x < 500 else -8), 266), (x, 400)])
        pen.stroke(stitch, 4, colours.pale)
        pen.stroke([(px, 1000 - py) for px, py in stitch], 4, colours.pale)
    for y in (676, 704, 732):
        pen.fill(oval(500, y, 8, 6), colours.deep)
    pen.fill(box(646, 480, 676, 520, 8), STEEL)
    pen.fill(oval(500, 500, 152), STEEL)
    pen.fade(oval(500, 500, 152), INK, "down", opacity=0.5)
    pen.fill(oval(500, 500, 126), mixed(CREAM, WHITE, 0.4))
    pen.fill(oval(500, 556, 34), mixed(colours.wall, STEEL, 0.3))
    for start in range(0, 360, 30):
        outer, inner = (
            arc((500, 500), (112, 112), start, start + 1),
            arc((500, 500), (94, 94), start, start + 1),
        )
        pen.stroke([outer[0], inner[0]], 7, INK)
    pen.stroke([(500, 500), (444, 452)], 11, INK)
    pen.stroke([(500, 500), (568, 432)], 8, INK)
    pen.stroke([(500, 556), (500, 530)], 5, colours.accent)
    pen.stroke([(486, 520), (540, 420)], 4, colours.accent)
    pen.fill(oval(500, 500, 11), colours.accent)
