"""
A Mastodon sandbox in a process of its own, so that it can be killed.

Says that it is there by a line, once it can be talked to.
"""

import sys
from pathlib import Path

from aiohttp import web

from outletbot.clock import utc_now
from outletbot.sandbox.mastodon import build_mastodon_sandbox
from tests.outletbot.mastodon_server import OUTLET


def main(state_path: str, port: str) -> None:
    app = build_mastodon_sandbox(
        clock=utc_now,
        public_url=f"http://127.0.0.1:{port}",
        accounts=[OUTLET],
        looks_until_ready=0,
        state_path=Path(state_path),
    )
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
