"""The client of a shop that is connected, by what was kept sealed of it."""

import aiohttp

from offers.shops import ShopConnection, ShopKind
from outletbot.channels.calls import PATIENCE, Patience
from outletbot.clock import Clock
from outletbot.sealing import CannotOpen, Seal
from outletbot.shops import Rejected, Shop
from outletbot.shops.shopify import Shopify
from outletbot.shops.woocommerce import WooCommerce

KINDS: dict[str, type[Shopify] | type[WooCommerce]] = {
    ShopKind.SHOPIFY: Shopify,
    ShopKind.WOOCOMMERCE: WooCommerce,
}


class Shops:
    """Opens connections' shops; *http* is a session for addresses of others."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        seal: Seal,
        clock: Clock,
        patience: Patience = PATIENCE,
    ) -> None:
        self._http = http
        self._seal = seal
        self._clock = clock
        self._patience = patience

    def open(self, connection: ShopConnection) -> Shop:
        """Return the shop of a connection.

        Raises:
            Rejected: If it cannot be opened: a person has to connect it again.
        """
        try:
            token = self._seal.open(connection.sealed_token)
        except CannotOpen as error:
            msg = f"{str(error).capitalize()}."
            raise Rejected(msg) from error
        kind = KINDS.get(connection.kind)
        if kind is None or not token or not connection.address:
            msg = "The shop's address or the key to its stock is missing."
            raise Rejected(msg)
        return kind(
            self._http,
            connection.address,
            token,
            clock=self._clock,
            patience=self._patience,
        )
