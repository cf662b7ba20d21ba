"""Where everything in the calendar is: a style sheet of the page's own.

The policy allows no styles in the markup, but one sheet that bears the page's nonce.
"""

from collections.abc import Iterator

from outletbot.web.desk.calendar_view import Calendar, Day

HEAD = 1.3  # rem, for the hours
LANE = 3.25  # rem


def style_of(calendar: Calendar) -> str:
    """Return where everything is, as rules of a style sheet."""
    return "\n".join(rule for day in calendar.days for rule in _rules(day))


def _rules(day: Day) -> Iterator[str]:
    yield f"#d{day.on:%m%d}{{height:{HEAD + day.lanes * LANE:g}rem}}"
    for number, (left, _) in enumerate(day.ticks):
        yield f"#d{day.on:%m%d} .t{number}{{left:{left:.3f}%}}"
    if day.now is not None:
        yield f"#d{day.on:%m%d} .now{{left:{day.now:.3f}%}}"
    for block in day.blocks:
        top = HEAD + block.lane * LANE
        place = f"left:{block.left:.3f}%;width:{block.width:.3f}%;top:{top:g}rem"
        yield f"#{block.name}{{{place}}}"
        if block.bar is not None:
            left, width = block.bar
            yield f"#{block.name} .run{{left:{left:.3f}%;width:{width:.3f}%}}"
        for number, mark in enumerate(block.marks):
            yield f"#{block.name} .m{number}{{left:{mark:.3f}%}}"
