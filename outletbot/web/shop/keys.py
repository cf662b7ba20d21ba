"""What the shop carries, beside what the whole application does."""

from aiohttp import web

from outletbot.web.shop.answers import Pages
from outletbot.web.shop.click_buffer import ClickBuffer
from outletbot.web.shop.deal_view import DealView, Refused
from outletbot.web.shop.live import Live
from outletbot.web.shop.openings import Openings
from outletbot.web.shop.pictures import Pictures
from outletbot.web.shop.shoppers import Shoppers
from outletbot.web.shop.snapshots import Snapshots
from outletbot.web.shop.wall import Wall

DEALS: web.AppKey[Snapshots[DealView]] = web.AppKey("DEALS")
REFUSED_PAGES: web.AppKey[Pages[Refused]] = web.AppKey("REFUSED_PAGES")
DEAL_PAGES: web.AppKey[Pages[DealView]] = web.AppKey("DEAL_PAGES")
WALLS: web.AppKey[Snapshots[Wall]] = web.AppKey("WALLS")
WALL_PAGES: web.AppKey[Pages[Wall]] = web.AppKey("WALL_PAGES")
LIVE: web.AppKey[Live] = web.AppKey("LIVE")
CLICKS: web.AppKey[ClickBuffer] = web.AppKey("CLICKS")
SHOPPERS: web.AppKey[Shoppers] = web.AppKey("SHOPPERS")
PICTURES: web.AppKey[Pictures] = web.AppKey("PICTURES")
OPENINGS: web.AppKey[Openings] = web.AppKey("OPENINGS")
