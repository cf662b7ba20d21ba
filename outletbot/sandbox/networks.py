"""All networks to practise on, at one address: each under its kind.

A network's sandbox answers at the paths of the real one, after ``/{kind}``, with an
account for one shop on each. Mastodon is not among them, since every account there has
a server of its own. Facebook and Instagram are two here, though Meta's are one.
"""

import json
import secrets
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web
from jinja2 import Environment

from outletbot.channels.credentials import Credentials
from outletbot.clock import Clock
from outletbot.samples import RETAILER as NAME
from outletbot.sandbox import bluesky, discord, linkedin, meta, telegram, threads, x
from outletbot.sandbox.meta_books import MetaAccount
from outletbot.sandbox.meta_calls import MetaApp

SHOP = "fjordlight"
BLUESKY_HANDLE = "fjordlight.example.com"
PAGE_ID = "100200300400500"
INSTAGRAM_ID = "17841400000000042"
THREADS_ID = "17841400000000043"
X_ID = "2244994945"
CHAT_ID = -1001234567890
WEBHOOK_ID = "1177000000000000042"
ORGANIZATION_ID = "2414183"
KEYS_FILE = "keys.json"
MAX_BODY = 64 * 1024 * 1024

APPS: Final[Mapping[str, tuple[str, str]]] = {
    "x": (x.CLIENT_ID, x.CLIENT_SECRET),
    "meta": (MetaApp().client_id, MetaApp().client_secret),
    "threads": ("threads-sandbox-app", "threads-sandbox-secret"),
    "linkedin": ("linkedin-sandbox-app", "linkedin-sandbox-secret"),
}
"""The id and the secret of the app that each of these networks lets in."""

NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "bluesky": ("Bluesky", BLUESKY_HANDLE),
    "discord": ("Discord", SHOP),
    "facebook": ("Facebook", SHOP),
    "instagram": ("Instagram", SHOP),
    "linkedin": ("LinkedIn", SHOP),
    "telegram": ("Telegram", SHOP),
    "threads": ("Threads", SHOP),
    "x": ("X", SHOP),
}
"""How people call each network, and the shop's handle there."""

_INDEX = Environment(autoescape=True, trim_blocks=True).from_string(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Networks to practise on</title>
<style>:root { color-scheme: light dark }
body { margin: 0 auto; max-width: 600px; padding: 20px;
  font: 16px/1.6 system-ui, sans-serif }
</style>
<h1>Networks to practise on</h1>
<p>Nothing here reaches anybody. Each shows what the shop has posted there.</p>
<ul>
{% for kind, (name, handle) in names.items() %}
<li><a href="{{ place }}/{{ kind }}/@{{ handle }}">{{ name }}</a></li>
{% endfor %}
</ul>
<p>Connect Bluesky by hand as <code>{{ handle }}</code> with the app password
<code>{{ keys["bluesky"] }}</code>, Telegram as <code>@{{ shop }}</code> with the
bot token <code>{{ keys["telegram"] }}</code>, Discord by the webhook
<code>https://discord.com/api/webhooks/{{ webhook }}/{{ keys["discord"] }}</code>. The
others ask on a page of their own.</p>
</html>
"""
)


def build_networks_sandbox(
    *, clock: Clock, public_url: str, state_folder: Path
) -> web.Application:
    """Build them all; *public_url* is how people and clients reach this one.

    What is posted and who may do so is kept in *state_folder*, and goes on after a
    restart.
    """
    place, keys = public_url.rstrip("/"), read_keys(state_folder)
    app = web.Application(client_max_size=MAX_BODY)

    async def show_index(_request: web.Request) -> web.Response:
        page = _INDEX.render(
            place=place,
            names=NAMES,
            keys=keys,
            shop=SHOP,
            handle=BLUESKY_HANDLE,
            webhook=WEBHOOK_ID,
        )
        return web.Response(text=page, content_type="text/html")

    app.router.add_get("/", show_index)
    networks = _networks(clock, place, state_folder, keys)
    for kind, network in networks.items():
        app.add_subapp(f"/{kind}", network)
    return app


def credentials(state_folder: Path) -> dict[str, Credentials]:
    """Return what opens the shop's account on each network; Bluesky wants a sign-in."""
    keys = read_keys(state_folder)
    ids = {
        "discord": WEBHOOK_ID,
        "facebook": PAGE_ID,
        "instagram": INSTAGRAM_ID,
        "linkedin": f"urn:li:organization:{ORGANIZATION_ID}",
        "telegram": f"@{SHOP}",
        "threads": THREADS_ID,
        "x": X_ID,
    }
    tokens = {**keys, "discord": f"{WEBHOOK_ID}/{keys['discord']}"}
    return {kind: Credentials(tokens[kind], account_id=ids[kind]) for kind in ids}


def read_keys(state_folder: Path) -> dict[str, str]:
    """Return the secret of each network's account, made once and kept."""
    path = state_folder / KEYS_FILE
    kept = json.loads(path.read_text() or "{}") if path.exists() else {}
    keys = _new_keys() | kept
    if keys != kept:
        state_folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(keys))
    return keys


def _new_keys() -> dict[str, str]:
    """Make secrets that look like those of the networks."""
    letters = string.ascii_lowercase + "234567"
    word = ["".join(secrets.choice(letters) for _ in range(4)) for _ in range(4)]
    return {
        "bluesky": "-".join(word),
        "discord": secrets.token_urlsafe(51),
        "facebook": f"EAA{secrets.token_hex(24)}",
        "instagram": f"EAA{secrets.token_hex(24)}",
        "linkedin": secrets.token_urlsafe(32),
        "telegram": f"4242424242:AA{secrets.token_hex(16)}w",
        "threads": f"THAA{secrets.token_hex(24)}",
        "x": secrets.token_urlsafe(32),
    }


def _networks(
    clock: Clock, place: str, folder: Path, keys: Mapping[str, str]
) -> dict[str, web.Application]:
    """Build each network; a picture is ready at once, as it would be for its people."""
    return {
        "bluesky": bluesky.build_bluesky_sandbox(
            clock=clock,
            public_url=f"{place}/bluesky",
            accounts=[bluesky.Account(BLUESKY_HANDLE, keys["bluesky"])],
            state_path=folder / "bluesky.db",
        ),
        "discord": discord.build_discord_sandbox(
            clock=clock,
            public_url=f"{place}/discord",
            accounts=[discord.Account(SHOP, WEBHOOK_ID, keys["discord"], NAME)],
            state_path=folder / "discord.db",
        ),
        "facebook": _meta("facebook", clock, place, folder, keys),
        "instagram": _meta("instagram", clock, place, folder, keys),
        "linkedin": linkedin.build_linkedin_sandbox(
            clock=clock,
            public_url=f"{place}/linkedin",
            accounts=[
                linkedin.Account(SHOP, keys["linkedin"], ORGANIZATION_ID, NAME),
            ],
            looks_until_ready=0,
            state_path=folder / "linkedin.db",
        ),
        "telegram": telegram.build_telegram_sandbox(
            clock=clock,
            public_url=f"{place}/telegram",
            accounts=[telegram.Account(SHOP, keys["telegram"], CHAT_ID, NAME)],
            state_path=folder / "telegram.db",
        ),
        "threads": threads.build_threads_sandbox(
            clock=clock,
            public_url=f"{place}/threads",
            accounts=[threads.Account(SHOP, keys["threads"], THREADS_ID)],
            looks_until_finished=0,
            state_path=folder / "threads.db",
        ),
        "x": x.build_x_sandbox(
            clock=clock,
            public_url=f"{place}/x",
            accounts=[x.Account(SHOP, keys["x"], id=X_ID, name=NAME)],
            state_path=folder / "x.db",
        ),
    }


def _meta(
    kind: str, clock: Clock, place: str, folder: Path, keys: Mapping[str, str]
) -> web.Application:
    account = MetaAccount(SHOP, keys[kind], PAGE_ID, NAME, INSTAGRAM_ID)
    app = meta.build_meta_sandbox(
        clock=clock,
        public_url=f"{place}/{kind}",
        accounts=[account],
        state_path=folder / f"{kind}.db",
    )
    app[meta.BOOKS].looks_until_finished = 0
    return app
