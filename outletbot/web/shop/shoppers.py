"""Shoppers: known by a cookie, and told apart by the network that they ask from.

Of the network we keep a mark that only this installation can make, so that a limit can
be kept to; it says nothing to who reads the table.
"""

import ipaddress
import re
from functools import lru_cache

from aiohttp import web

from offers.ids import new_dated_code
from outletbot.clock import Clock
from outletbot.config import Settings
from outletbot.sealing import Seal
from outletbot.web.guard import address_behind, pinned

COOKIE = "shopper"
COOKIE_AGE = 30 * 86_400
ID = re.compile(r"[0-9a-z]{26}|[0-9a-z]{34}")
INSIDE = [
    ipaddress.ip_network(block)
    for block in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
]
HOME = 64  # bits: what a provider hands out to one household in IPv6


class Shoppers:
    """How this installation knows them."""

    def __init__(self, settings: Settings, seal: Seal, clock: Clock) -> None:
        self._clock = clock
        self._cookie = pinned(settings, COOKIE)
        self._flags = "; HttpOnly; Path=/; SameSite=Lax"
        self._flags += "; Secure" if settings.secure else ""
        self._proxies = settings.trusted_proxies
        self._mark = lru_cache(maxsize=4096)(seal.mark)

    def id_of(self, request: web.BaseRequest) -> str:
        """Return the shopper's id by their cookie; who has none gets a new one."""
        known = request.cookies.get(self._cookie, "")
        return known if ID.fullmatch(known) else new_dated_code(self._clock())

    def mark_of(self, request: web.BaseRequest) -> str:
        """Return the mark of the network that asks; empty if it is not known.

        An address of our own house is that of a proxy which nobody told us to trust:
        it stands for everybody.
        """
        address = address_behind(request, self._proxies)
        if not self._proxies and is_inside(address):
            return ""
        network = network_of(address)
        return self._mark(network) if network else ""

    def cookie(self, shopper: str) -> str:
        """Return the header by which a browser remembers who it is."""
        return f"{self._cookie}={shopper}; Max-Age={COOKIE_AGE}{self._flags}"


@lru_cache(maxsize=4096)
def is_inside(address: str) -> bool:
    """Whether an address is one that nobody has on the Internet."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in INSIDE)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return an IPv4 address as it is, and of an IPv6 address the household's part."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, HOME), strict=False))
