"""A deal's opening as an event for a calendar (RFC 5545)."""

from datetime import datetime

from outletbot.web.shop.deal_view import DealView


def calendar_event(view: DealView, url: str, *, now: datetime) -> str:
    """Return the event, with an alarm five minutes before it."""
    title = _escaped(f"{view.card.title} · {view.seller.name}")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//outletbot//deals//EN",
        "BEGIN:VEVENT",
        f"UID:{view.deal_id}@outletbot",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(view.card.opens_at)}",
        f"DTEND:{_utc(view.card.closes_at)}",
        f"SUMMARY:{title}",
        f"DESCRIPTION:{_escaped(url)}",
        f"URL:{url}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT5M",
        f"DESCRIPTION:{title}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(plain, written)
    return text.replace("\r", "")


def _folded(line: str) -> str:
    """Break a line after at most 75 octets, never within a character."""
    parts, part = [], ""
    for character in line:
        if len((part + character).encode()) > 74:
            parts.append(part)
            part = ""
        part += character
    return "\r\n ".join([*parts, part])
