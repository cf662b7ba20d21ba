"""What the web application carries, by type."""

from aiohttp import web

from offers.merchants import Merchant
from offers.retailers import Retailer
from outletbot.arrivals import Arrivals
from outletbot.claims import ClaimQueue
from outletbot.clock import Clock
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.hints import Hints
from outletbot.networks import Networks
from outletbot.passwords import Passwords
from outletbot.paying import Paying
from outletbot.payments import Gateways
from outletbot.sealing import Seal
from outletbot.stopping import Stop

SETTINGS = web.AppKey("SETTINGS", Settings)
DATABASE = web.AppKey("DATABASE", Database)
CLOCK: web.AppKey[Clock] = web.AppKey("CLOCK")
GATEWAYS: web.AppKey[Gateways] = web.AppKey("GATEWAYS")
HINTS = web.AppKey("HINTS", Hints)
CLAIMS = web.AppKey("CLAIMS", ClaimQueue)
ARRIVALS = web.AppKey("ARRIVALS", Arrivals)
PAYING = web.AppKey("PAYING", Paying)
SEAL = web.AppKey("SEAL", Seal)
PASSWORDS = web.AppKey("PASSWORDS", Passwords)
NETWORKS = web.AppKey("NETWORKS", Networks)
STOP = web.AppKey("STOP", Stop)
"""Set once the process is asked to stop; absent where nobody asks."""

LANGUAGE = web.RequestKey("LANGUAGE", str)
NONCE = web.RequestKey("NONCE", str)
MERCHANT = web.RequestKey("MERCHANT", Merchant)
RETAILER = web.RequestKey("RETAILER", Retailer)
