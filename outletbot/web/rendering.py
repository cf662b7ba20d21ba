"""Rendering: templates, in the reader's language."""

import secrets
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from aiohttp import hdrs, web
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from offers.money import Money
from offers.sentences import Sentence
from outletbot import printing
from outletbot.keys import LANGUAGE, MERCHANT, NONCE, RETAILER
from outletbot.known_networks import network_name
from outletbot.languages import translations
from outletbot.post_alarms import BANNER
from outletbot.web.static_files import static


def render(template: str, language: str, **context: Any) -> str:
    """Return *template* in *language*; ``zone`` in *context* is for its moments."""
    return (
        environment(language)
        .get_template(template)
        .render(language=language, **context)
    )


def page(
    request: web.Request, template: str, *, status: int = 200, **context: Any
) -> web.Response:
    """Answer with a page for whoever asks: in their language, with their name on it."""
    retailer = request.get(RETAILER)
    zone = context.pop("zone", None) or (retailer and retailer.zone)
    text = render(
        template,
        request[LANGUAGE],
        nonce=_nonce(request),
        merchant=request.get(MERCHANT),
        retailer=context.pop("retailer", retailer),
        path=request.path,
        banner=request.get(BANNER),
        zone=zone,
        **context,
    )
    response = web.Response(text=text, content_type="text/html", status=status)
    response.headers[hdrs.CONTENT_LANGUAGE] = request[LANGUAGE]
    return response


def _nonce(request: web.Request) -> str:
    """Return the word by which the browser knows this page's own script."""
    if NONCE not in request:
        request[NONCE] = secrets.token_urlsafe(16)
    return request[NONCE]


@cache
def environment(language: str) -> Environment:
    """Return the templates of one language."""
    made = Environment(
        loader=PackageLoader("outletbot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(  # type: ignore[attr-defined]  # the extension's
        translations(language), newstyle=True
    )
    made.filters |= {
        "money": _money,
        "number": _number,
        "percent": _percent,
        "time": _time,
        "moment": _moment,
        "day": _day,
        "network": network_name,
        "duration": _duration,
        "say": _say,
    }
    made.globals["static"] = static
    return made


@pass_context
def _money(context: Context, money: Money) -> str:
    return printing.print_money(money, context["language"])


@pass_context
def _number(context: Context, number: float) -> str:
    return printing.print_number(number, context["language"])


@pass_context
def _percent(context: Context, share: float) -> str:
    return printing.print_percent(share, context["language"])


@pass_context
def _time(context: Context, moment: datetime) -> str:
    return printing.print_time(moment, context["zone"], context["language"])


@pass_context
def _moment(context: Context, moment: datetime) -> str:
    return printing.print_moment(moment, context["zone"], context["language"])


@pass_context
def _day(context: Context, day: date) -> str:
    return printing.print_calendar_day(day, context["language"])


@pass_context
def _duration(context: Context, duration: timedelta) -> str:
    return printing.print_duration(duration, context["language"])


@pass_context
def _say(context: Context, sentence: Sentence) -> str:
    return printing.say(sentence, context["language"])
