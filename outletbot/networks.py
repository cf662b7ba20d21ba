"""Networks: a channel account as a channel that can be called, and the ways in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import aiohttp

from offers.accounts import OUTLET, ChannelAccount
from outletbot.channels import Capabilities, Channel, Rejected
from outletbot.channels.bluesky import APP_URL as BLUESKY_APP_URL
from outletbot.channels.bluesky import Bluesky
from outletbot.channels.bluesky_entrance import BlueskyEntrance
from outletbot.channels.credentials import Credentials, Refresher
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
from outletbot.channels.mastodon_oauth import MastodonEntrance
from outletbot.channels.meta_oauth import (
    DIALOG_URL,
    InstagramEntrance,
    MetaEntrance,
)
from outletbot.channels.oauth import Entrance
from outletbot.channels.outlet import OutletPage
from outletbot.channels.telegram import APP_URL as TELEGRAM_APP_URL
from outletbot.channels.telegram import BASE_URL as TELEGRAM_URL
from outletbot.channels.telegram import Telegram
from outletbot.channels.threads import Threads
from outletbot.channels.threads_oauth import AUTHORIZE_URL as THREADS_AUTHORIZE_URL
from outletbot.channels.threads_oauth import ThreadsEntrance
from outletbot.channels.x import X
from outletbot.channels.x_oauth import AUTHORIZE_URL as X_AUTHORIZE_URL
from outletbot.channels.x_oauth import XEntrance
from outletbot.clock import Clock
from outletbot.config import Settings
from outletbot.sealing import Seal


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


class Opener(Protocol):
    """Who opens an account's channel."""

    async def channel(self, account: ChannelAccount) -> Channel:
        """Return the channel of an account, with credentials that are good now.

        Raises:
            ChannelError: If there are none, or not just now.
            CannotOpen: If they were sealed with another key.
        """
        ...


class Networks:
    """Makes a channel of an account; the credentials are opened here and only here.

    With *sandbox* the networks that have one address are not asked at theirs, but at
    this one, each under its kind. *apps* are as ``apps_of`` returns them.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        seal: Seal,
        *,
        public_url: str,
        clock: Clock,
        sandbox: str = "",
        apps: Mapping[str, App] | None = None,
    ) -> None:
        self._http = http
        self._seal = seal
        self._public_url = public_url
        self._clock = clock
        self._sandbox = sandbox
        self._apps = apps or {}

    @classmethod
    def of(
        cls, settings: Settings, http: aiohttp.ClientSession, seal: Seal, clock: Clock
    ) -> Self:
        """Return the networks as an installation has them."""
        return cls(
            http,
            seal,
            public_url=settings.public_url,
            clock=clock,
            sandbox=settings.networks_sandbox,
            apps=apps_of(settings),
        )

    def channel(self, account: ChannelAccount) -> Channel:
        """Return the channel of an account.

        Raises:
            CannotOpen: If its token was sealed with another key.
        """
        return self.connect(account.kind, account.base_url, self.credentials(account))

    def credentials(self, account: ChannelAccount) -> Credentials:
        return Credentials.load(self._seal.open(account.sealed_token))

    def connect(self, kind: str, base_url: str, credentials: Credentials) -> Channel:
        """Return a channel for credentials that are not kept yet.

        Raises:
            Rejected: If it is a network that this installation no longer posts to.
        """
        if kind == OUTLET:
            return OutletPage(self._public_url)
        if kind not in NETWORKS:
            msg = f"Nothing is posted on {kind.capitalize()} from here any more."
            raise Rejected(msg)
        network, app = NETWORKS[kind], self.app(kind)
        more = {"app_secret": app.client_secret} if app and network.proves else {}
        if network.app_url and not base_url:
            more["app_url"] = self._moved(kind, network.app_url)
        address = self.address(kind, base_url)
        return network.make(self._http, address, credentials, clock=self._clock, **more)

    def capabilities(self, kind: str) -> Capabilities:
        """Return what a network takes, as far as is known without asking it."""
        return self.connect(kind, "", Credentials("")).capabilities

    def app(self, kind: str) -> App | None:
        """Return whom the network knows us as, if it wants to and we have told."""
        return self._apps.get(kind)

    def entrance(self, kind: str, base_url: str = "") -> Any:
        """Return the way into a network, as ``Entrance`` or of its own kind.

        Raises:
            LookupError: If it has none, or only for an app that there is not.
        """
        network, app = NETWORKS[kind], self.app(kind)
        if network.enter is None or (network.app is not None and app is None):
            raise LookupError(kind)
        names = (app.client_id, app.client_secret) if app and network.app else ()
        doors = {name: self._moved(kind, url) for name, url in network.doors.items()}
        address = self.address(kind, base_url)
        return network.enter(self._http, address, *names, clock=self._clock, **doors)

    def oauth(self, kind: str) -> Entrance:
        """Return the network's own page as the way in."""
        entrance: Entrance = self.entrance(kind)
        return entrance

    def server(self, base_url: str) -> MastodonEntrance:
        """Return the way into a Mastodon server, which wants an app of its own."""
        return MastodonEntrance(self._http, base_url, clock=self._clock)

    def refresher(self, kind: str, base_url: str = "") -> Refresher | None:
        """Return who renews a network's tokens; None if nobody can."""
        if kind not in NETWORKS:
            return None
        try:
            refresher: Refresher = self.entrance(kind, base_url)
        except LookupError:
            return None
        return refresher

    def address(self, kind: str, base_url: str = "") -> str:
        """Return where a network is called."""
        return base_url or self._moved(kind, NETWORKS[kind].base_url)

    def _moved(self, kind: str, address: str) -> str:
        """Return *address*, or its like in the sandbox."""
        if not self._sandbox:
            return address
        return f"{self._sandbox}/{kind}{urlsplit(address).path}"
