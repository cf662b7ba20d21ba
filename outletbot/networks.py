"""Networks: a channel account as a channel that can be called."""

import aiohttp

from offers.accounts import OUTLET, ChannelAccount
from outletbot.channels import Channel
from outletbot.channels.mastodon import Mastodon
from outletbot.channels.outlet import OutletPage
from outletbot.clock import Clock
from outletbot.sealing import Seal

KINDS = ("mastodon",)
"""The networks that a retailer can connect."""


class Networks:
    """Makes a channel of an account; the credentials are opened here and only here."""

    def __init__(
        self, http: aiohttp.ClientSession, seal: Seal, *, public_url: str, clock: Clock
    ) -> None:
        self._http = http
        self._seal = seal
        self._public_url = public_url
        self._clock = clock

    def channel(self, account: ChannelAccount) -> Channel:
        token = self._seal.open(account.sealed_token)
        return self.connect(account.kind, account.base_url, token)

    def connect(self, kind: str, base_url: str, token: str) -> Channel:
        """Return a channel for credentials that are not kept yet."""
        if kind == OUTLET:
            return OutletPage(self._public_url)
        return Mastodon(self._http, base_url, token, clock=self._clock)
