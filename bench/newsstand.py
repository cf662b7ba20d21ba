"""A newsstand: every network in one process, which takes posts at once and notes when.

newsstand.py PORT    ends with its input

``/{kind}/…`` answers as the company does that the kind names, in canned JSON. A post is
out with one decisive call; when the last byte of that is here is its arrival.
``/arrivals`` lists them, ``/keep`` writes what was sent into a file for a bare client,
``/clear`` forgets everything. ``/stripe/…`` is a Stripe where nothing happens.
"""

import asyncio
import base64
import itertools
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvloop
from aiohttp import web

LINK = re.compile(rb"outlet\.example(?:/|%2F)d(?:/|%2F)([0-9a-z]{26})")
DECISIVE = re.compile(
    r"/mastodon/api/v1/statuses|/bluesky/xrpc/com\.atproto\.repo\.putRecord"
    r"|/x/2/tweets|/facebook/.*/feed|/(?:instagram|threads)/.*_?publish"
    r"|/telegram/bot.*/send\w+|/discord/.*webhooks/.*|/linkedin/rest/posts"
)
CONTAINER = re.compile("/(?:instagram|threads)/.*/(?:media|threads)")
LARGEST = 64 * 1024 * 1024
# Each network is a host of its own to its clients.
HOSTS = ("127.0.0.1", *(f"127.0.0.{number}" for number in range(10, 20)))


@dataclass(slots=True)
class Sent:
    """What a worker sent; *code* is that of a post that is out with it."""

    method: str
    path: str
    content_type: str
    body: bytes
    code: str = ""
    at: float = 0.0


@dataclass(slots=True)
class Newsstand:
    sent: list[Sent] = field(default_factory=list)
    containers: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        now = time.time()
        made = str(next(self.numbers))
        if request.method != "GET":
            self._note(request, body, made, now)
        return _answer(request, made)

    def _note(self, request: web.Request, body: bytes, made: str, now: float) -> None:
        path, code = request.path, _code(body)
        headers = request.headers.get("Content-Type", "")
        sent = Sent(request.method, request.raw_path, headers, body)
        if CONTAINER.fullmatch(path):
            self.containers[made] = code
        elif DECISIVE.fullmatch(path):
            sent.code = code or self.containers.get(_container(body), "unknown")
            sent.at = now
        self.sent.append(sent)

    async def arrivals(self, _request: web.Request) -> web.Response:
        found = [[sent.code, sent.at] for sent in self.sent if sent.code]
        return web.json_response(found)

    async def keep(self, request: web.Request) -> web.Response:
        calls = [
            [one.method, one.path, one.content_type, _text(one.body), one.code]
            for one in self.sent
        ]
        Path(request.query["file"]).write_text(json.dumps(calls))  # noqa: ASYNC240
        return web.Response()

    async def clear(self, _request: web.Request) -> web.Response:
        self.sent.clear()
        self.containers.clear()
        return web.Response()


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _code(body: bytes) -> str:
    found = LINK.search(body)
    return found[1].decode() if found else ""


def _container(body: bytes) -> str:
    return parse_qs(body.decode()).get("creation_id", [""])[0]


def _answer(request: web.Request, made: str) -> web.Response:
    kind = request.path.split("/")[1]
    headers, status = {}, 200
    if kind == "linkedin" and request.path.endswith("/rest/posts"):
        headers, status = {"x-restli-id": f"urn:li:share:{made}"}, 201
    if kind == "linkedin" and request.method == "PUT":
        return web.Response(status=201)
    return web.json_response(
        ANSWERS[kind](request, made), status=status, headers=headers
    )


def _mastodon(request: web.Request, made: str) -> Any:
    if request.path.endswith("/instance"):
        return {"configuration": {"statuses": {"max_characters": 500}}}
    return {"id": made, "url": f"https://mastodon.example/@outlet/{made}"}


def _bluesky(request: web.Request, made: str) -> Any:
    if request.path.endswith("uploadBlob"):
        blob = {"$link": f"bafkrei{made}"}
        return {"blob": {"$type": "blob", "ref": blob, "mimeType": "image/jpeg"}}
    return {"uri": f"at://did:plc:outlet/app.bsky.feed.post/{made}", "cid": made}


def _x(_request: web.Request, made: str) -> Any:
    return {"data": {"id": made}}


def _graph(request: web.Request, made: str) -> Any:
    """Whatever is asked of Facebook, Instagram or Threads is among these."""
    if request.path.endswith("publishing_limit"):
        return {"data": [{"quota_usage": 0, "config": {"quota_total": 250}}]}
    more = {"permalink": f"https://www.example/{made}", "status_code": "FINISHED"}
    address = {"permalink_url": f"https://www.example/{made}", "status": "FINISHED"}
    return {"id": made, **more, **address}


def _telegram(_request: web.Request, made: str) -> Any:
    chat = {"id": -1001, "type": "channel", "username": "outlet"}
    return {"ok": True, "result": {"message_id": int(made), "date": 1, "chat": chat}}


def _discord(_request: web.Request, made: str) -> Any:
    return {"id": made, "name": "Outlet", "channel_id": "1", "guild_id": "2"}


def _linkedin(request: web.Request, made: str) -> Any:
    if request.query.get("action") == "initializeUpload":
        address = f"http://{request.host}/linkedin/upload/{made}"
        return {"value": {"uploadUrl": address, "image": f"urn:li:image:{made}"}}
    return {"status": "AVAILABLE"}


def _stripe(_request: web.Request, _made: str) -> Any:
    return {"object": "list", "data": [], "has_more": False, "url": "/v1"}


ANSWERS = {
    "mastodon": _mastodon,
    "bluesky": _bluesky,
    "x": _x,
    "facebook": _graph,
    "instagram": _graph,
    "threads": _graph,
    "telegram": _telegram,
    "discord": _discord,
    "linkedin": _linkedin,
    "stripe": _stripe,
}


async def main(port: int) -> None:
    stand, app = Newsstand(), web.Application(client_max_size=LARGEST)
    app.add_routes(
        [
            web.get("/arrivals", stand.arrivals),
            web.post("/keep", stand.keep),
            web.post("/clear", stand.clear),
            web.route("*", "/{rest:.*}", stand.take),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for host in HOSTS:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
