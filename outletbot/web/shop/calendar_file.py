"""A moment not to be missed as an event for a calendar (RFC 5545)."""

from dataclasses import dataclass
from datetime import datetime

from outletbot.web.shop.deal_view import DealView


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is on, with an alarm *minutes_before* it."""

    id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    url: str
    minutes_before: int = 5


def calendar_event(view: DealView, url: str, *, now: datetime) -> str:
    """Return a deal's opening."""
    event = Event(
        id=view.deal_id,
        title=f"{view.card.title} · {view.seller.name}",
        starts_at=view.card.opens_at,
        ends_at=view.card.closes_at,
        url=url,
    )
    return write_event(event, now=now)


def write_event(event: Event, *, now: datetime) -> str:
    """Return *event* as a file with one event in it."""
    title = _escaped(event.title)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//outletbot//deals//EN",
        "BEGIN:VEVENT",
        f"UID:{event.id}@outletbot",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(event.starts_at)}",
        f"DTEND:{_utc(event.ends_at)}",
        f"SUMMARY:{title}",
        f"DESCRIPTION:{_escaped(event.url)}",
        f"URL:{event.url}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"TRIGGER:-PT{event.minutes_before}M",
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
