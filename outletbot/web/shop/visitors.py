"""Visitors: who is a person, and who only fetches a link to draw its preview.

Told by ``User-Agent``: imperfect, and good enough for statistics. The networks' in-app
browsers (``FBAN``, ``Instagram``, ``LinkedInApp`` …) are people.
"""

import re
from functools import lru_cache

from aiohttp import hdrs, web
from multidict import istr

from offers.clicks import Visitor

# A telephone's brand is called Cubot.
ROBOTS = re.compile(
    r"(?<!cu)bot\b|bots?[/;-]|crawl|spider|slurp|preview|\+https?:|headless|lighthouse"
    r"|facebookexternalhit|facebookcatalog|meta-externala|mastodon|pleroma|akkoma"
    r"|misskey|cardyb|slack-imgproxy|embedly|iframely|whatsapp/|skypeuripreview|vkshare"
    r"|curl/|wget/|python|aiohttp|httpx|go-http-client|okhttp|java/|libwww|node-fetch"
    r"|axios|^ruby|http\.rb|apache-httpclient|feed(?:ly|bin|fetch|burner|parser|demon)",
    re.IGNORECASE,
)
PURPOSES = tuple(map(istr, ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")))


def visitor_of(request: web.BaseRequest) -> Visitor:
    """Say who asks; a browser that fetches ahead of its user is no visitor yet."""
    headers = request.headers
    robot = request.method == hdrs.METH_HEAD or is_robot(
        headers.get(hdrs.USER_AGENT, "")
    )
    for name in PURPOSES:
        if name in headers:
            purpose = headers[name]
            robot = robot or "prefetch" in purpose or "preview" in purpose
    return Visitor.ROBOT if robot else Visitor.PERSON


@lru_cache(maxsize=4096)
def is_robot(agent: str) -> bool:
    """Whether *agent* is a robot's. Most shoppers share a few hundred agents."""
    return not agent or ROBOTS.search(agent) is not None
