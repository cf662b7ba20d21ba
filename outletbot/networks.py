"""Networks: a channel account as a channel that can be called."""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from offers.accounts import OUTLET, ChannelAccount
from outletbot.channels import Channel
from outletbot.channels.credentials import Credentials
from outletbot.channels.mastodon import Mastodon
from outletbot.channels.outlet import OutletPage
from outletbot.clock import Clock
from outletbot.sealing import Seal


@dataclass(frozen=True, slots=True)
class Network:
    """*name* is how people call it; *base_url* is empty if each account has its own."""

    kind: str
    name: str
    base_url: str
    make: Callable[..., Channel]


NETWORKS = {
    network.kind: network
    for network in (Network("mastodon", "Mastodon", "", Mastodon),)
}
"""The networks that a retailer can connect, by kind."""


class Networks:
    """Makes a channel of an account; the credentials are opened here and only here.

    With *sandbox* the networks that have one address are not asked at theirs, but at
    this one, each under its kind.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        seal: Seal,
        *,
        public_url: str,
        clock: Clock,
        sandbox: str = "",
    ) -> None:
        self._http = http
        self._seal = seal
        self._public_url = public_url
        self._clock = clock
        self._sandbox = sandbox

    def channel(self, account: ChannelAccount) -> Channel:
        """Return the channel of an account.

        Raises:
            CannotOpen: If its token was sealed with another key.
        """
        return self.connect(account.kind, account.base_url, self.credentials(account))

    def credentials(self, account: ChannelAccount) -> Credentials:
        return Credentials.load(self._seal.open(account.sealed_token))

    def connect(self, kind: str, base_url: str, credentials: Credentials) -> Channel:
        """Return a channel for credentials that are not kept yet."""
        if kind == OUTLET:
            return OutletPage(self._public_url)
        address = self.address(kind, base_url)
        return NETWORKS[kind].make(self._http, address, credentials, clock=self._clock)

    def address(self, kind: str, base_url: str = "") -> str:
        """Return where a network is called."""
        if base_url:
            return base_url
        return f"{self._sandbox}/{kind}" if self._sandbox else NETWORKS[kind].base_url
