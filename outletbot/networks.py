"""Networks: a channel account as a channel that can be called, and the ways in."""

from collections.abc import Mapping
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import aiohttp

from offers.accounts import OUTLET, ChannelAccount
from outletbot.channels import Capabilities, Channel, Rejected
from outletbot.channels.credentials import Credentials, Refresher
from outletbot.channels.mastodon_oauth import MastodonEntrance
from outletbot.channels.oauth import Entrance
from outletbot.channels.outlet import OutletPage
from outletbot.clock import Clock
from outletbot.config import Settings
from outletbot.known_networks import NETWORKS, App, apps_of
from outletbot.sealing import Seal


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
