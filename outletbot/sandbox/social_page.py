"""What people see of a sandbox network: one account's posts, newest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web
from jinja2 import Environment, PackageLoader

_PAGES = Environment(
    loader=PackageLoader("outletbot.sandbox"), autoescape=True, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A post as its readers see it; *pictures* are addresses with their alt texts.

    *card* is an address with a title, shown as a box; *note* is anything else worth
    saying ("edited", "answers …").
    """

    text: str
    made_at: datetime
    address: str = ""
    pictures: Sequence[tuple[str, str]] = ()
    card: tuple[str, str] | None = None
    note: str = ""
    answers: Sequence["Shown"] = field(default_factory=tuple)


def show_posts(network: str, handle: str, posts: Iterable[Shown]) -> web.Response:
    """Return the page of one account."""
    template = _PAGES.get_template("social.html")
    page = template.render(network=network, handle=handle, posts=list(posts))
    return web.Response(text=page, content_type="text/html")
