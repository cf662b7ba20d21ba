"""The outside: one way to call addresses that other people gave us.

The address is checked where the socket is made, after every name was resolved, so no
name, redirect or number in disguise leads to our own network. No redirect is followed
and no proxy of the environment is used.
"""

import ipaddress
import socket
from functools import partial

import aiohttp
from aiohappyeyeballs import AddrInfoType

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)

# Python 3.11 takes some of these for public addresses; those of IPv6 have one of IPv4
# inside, which may be anything.
ALSO_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",
        "100.64.0.0/10",
        "198.18.0.0/15",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "fec0::/10",
    )
)


class NotOutside(OSError):
    """The address is inside our own network."""


def guarded_session(*, allow_private: bool) -> aiohttp.ClientSession:
    """Return a session for addresses of others; close it when done."""
    connector = aiohttp.TCPConnector(
        socket_factory=partial(make_socket, allow_private=allow_private),
        limit_per_host=32,
        # A server that hangs up between two calls looks as if it lost the second one.
        force_close=True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=TIMEOUT,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),  # what strangers want kept, is not
    )


def make_socket(info: AddrInfoType, *, allow_private: bool) -> socket.socket:
    """Open a socket for *info*.

    Raises:
        NotOutside: If it leads to a private, local or reserved address.
    """
    family, kind, protocol, _, address = info
    if not allow_private and not is_public(str(address[0])):
        msg = "this address is inside our own network"
        raise NotOutside(msg)
    return socket.socket(family, kind, protocol)


def is_public(address: str) -> bool:
    """Whether a numeric *address* is one of the open internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return (
        ip.is_global
        and not ip.is_multicast
        and not any(
            ip in network for network in ALSO_PRIVATE if network.version == ip.version
        )
    )
