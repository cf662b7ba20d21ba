"""The networks that are known here: where each is, who speaks to it, and its way in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from outletbot.channels import Channel
from outletbot.channels.bluesky import APP_URL as BLUESKY_APP_URL
from outletbot.channels.bluesky import Bluesky
from outletbot.channels.bluesky_entrance import BlueskyEntrance
from outletbot.channels.discord import APP_URL as DISCORD_APP_URL
from outletbot.channels.discord import BASE_URL as DISCORD_URL
from outletbot.channels.discord import Discord
from outletbot.channels.facebook import Facebook
from outletbot.channels.graph import GRAPH_URL
from outletbot.channels.instagram import Instagram
from outletbot.channels.linkedin import LinkedIn
from outletbot.channels.linkedin_oauth import (
    AUTHORIZE_URL,
    TOKEN_URL,
    LinkedInEntrance,
)
from outletbot.channels.mastodon import Mastodon
from outletbot.channels.meta_oauth import (
    DIALOG_URL,
    InstagramEntrance,
    MetaEntrance,
)
from outletbot.channels.telegram import APP_URL as TELEGRAM_APP_URL
from outletbot.channels.telegram import BASE_URL as TELEGRAM_URL
from outletbot.channels.telegram import Telegram
from outletbot.channels.threads import Threads
from outletbot.channels.threads_oauth import AUTHORIZE_URL as THREADS_AUTHORIZE_URL
from outletbot.channels.threads_oauth import ThreadsEntrance
from outletbot.channels.x import X
from outletbot.channels.x_oauth import AUTHORIZE_URL as X_AUTHORIZE_URL
from outletbot.channels.x_oauth import XEntrance
from outletbot.config import Settings


@dataclass(frozen=True, slots=True)
class App:
    """Whom a network knows this installation as."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Network:
    """*name* is how people call it; *base_url* is empty if each account has its own.

    *enter* makes its ``Entrance`` or ``Refresher``, *doors* are the other addresses
    that takes. *app* names the settings of the app that it lets in, if it wants one;
    with *proves* every call shows that the app makes it. Tokens that *renew_alone* need
    no refresh token. *app_url* is where people see posts, if a sandbox has to be told.
    """

    kind: str
    name: str
    base_url: str
    make: Callable[..., Channel]
    enter: Callable[..., Any] | None = None
    doors: Mapping[str, str] = field(default_factory=dict)
    app: tuple[str, str] | None = None
    proves: bool = False
    renew_alone: bool = False
    app_url: str = ""


META_APP = ("meta_app_id", "meta_app_secret")

NETWORKS = {
    network.kind: network
    for network in (
        Network("mastodon", "Mastodon", "", Mastodon),
        Network(
            "bluesky",
            "Bluesky",
            "https://bsky.social",
            Bluesky,
            BlueskyEntrance,
            app_url=BLUESKY_APP_URL,
        ),
        Network(
            "telegram",
            "Telegram",
            TELEGRAM_URL,
            Telegram,
            app_url=TELEGRAM_APP_URL,
        ),
        Network("discord", "Discord", DISCORD_URL, Discord, app_url=DISCORD_APP_URL),
        Network(
            "x",
            "X",
            "https://api.x.com",
            X,
            XEntrance,
            {"authorize_url": X_AUTHORIZE_URL},
            app=("x_client_id", "x_client_secret"),
        ),
        Network(
            "facebook",
            "Facebook",
            GRAPH_URL,
            Facebook,
            MetaEntrance,
            {"authorize_url": DIALOG_URL},
            app=META_APP,
            proves=True,
        ),
        Network(
            "instagram",
            "Instagram",
            GRAPH_URL,
            Instagram,
            InstagramEntrance,
            {"authorize_url": DIALOG_URL},
            app=META_APP,
            proves=True,
        ),
        Network(
            "threads",
            "Threads",
            "https://graph.threads.net",
            Threads,
            ThreadsEntrance,
            {"authorize_url": THREADS_AUTHORIZE_URL},
            app=("threads_app_id", "threads_app_secret"),
            renew_alone=True,
        ),
        Network(
            "linkedin",
            "LinkedIn",
            "https://api.linkedin.com",
            LinkedIn,
            LinkedInEntrance,
            {"authorize_url": AUTHORIZE_URL, "token_url": TOKEN_URL},
            app=("linkedin_client_id", "linkedin_client_secret"),
        ),
    )
}
"""The networks that a retailer can connect, by kind."""


def network_name(kind: str) -> str:
    """Return how people call a kind of channel."""
    network = NETWORKS.get(kind)
    return network.name if network else kind.capitalize()


def apps_of(settings: Settings) -> dict[str, App]:
    """Return the apps that this installation has, by kind of network."""
    found = {}
    for network in NETWORKS.values():
        if network.app is not None:
            client_id, secret = (getattr(settings, name) for name in network.app)
            if client_id and secret.get_secret_value():
                found[network.kind] = App(client_id, secret.get_secret_value())
    return found
