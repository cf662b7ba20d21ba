"""Domain errors become HTTP answers here and nowhere else."""

from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import SQLAlchemyError

from offers.errors import (
    InvalidField,
    NotFound,
    OfferError,
    Refused,
    TooMany,
    Unavailable,
)
from offers.sentences import Sentence
from outletbot.away import is_away
from outletbot.claim_lines import Busy
from outletbot.keys import LANGUAGE
from outletbot.printing import say
from outletbot.web.rendering import page

log = structlog.get_logger(__name__)

STATUSES: dict[type[OfferError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Unavailable: HTTPStatus.CONFLICT,
    Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
}
GONE = Sentence("There is nothing at this address.")
BROKEN = Sentence("Something went wrong on our side. It was noted; please try again.")
AWAY = Sentence(
    "We cannot get at our records just now. Nothing is lost; please try again in a "
    "few seconds."
)
COME_BACK = 3  # seconds
NUL = "\0"


def busy_sentence(busy: Busy) -> Sentence:
    return Sentence(
        "Very busy just now: your turn in about {seconds} s.", seconds=busy.seconds
    )


def status_of(error: OfferError) -> HTTPStatus:
    for branch in type(error).__mro__:
        if branch in STATUSES:
            return STATUSES[branch]
    return HTTPStatus.INTERNAL_SERVER_ERROR


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer in the form that was asked for; nobody sees a traceback."""
    try:
        _check_address(request)
        return await handler(request)
    except OfferError as error:
        log.info("request_refused", code=error.code, path=request.path)
        field = error.field if isinstance(error, InvalidField) else ""
        status = status_of(error)
        response = explain(request, error.sentence, status, error.code, field=field)
        if isinstance(error, TooMany):
            response.headers["Retry-After"] = str(int(error.after.total_seconds()))
        return response
    except Busy as busy:
        unavailable = HTTPStatus.SERVICE_UNAVAILABLE
        response = explain(request, busy_sentence(busy), unavailable, "busy")
        response.headers["Retry-After"] = str(busy.seconds)
        return response
    except SQLAlchemyError as error:
        return _excuse(request, error) if is_away(error) else _own_up(request, error)
    except web.HTTPNotFound:
        return explain(request, GONE, HTTPStatus.NOT_FOUND, "not_found")
    except (web.HTTPException, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001  (it is logged there)
        return _own_up(request, error)


def _check_address(request: web.Request) -> None:
    """Nothing has a NUL in its name, and PostgreSQL takes the question for a fault."""
    if NUL in request.path or NUL in request.query_string:
        raise web.HTTPNotFound


def _own_up(request: web.Request, bug: Exception) -> web.Response:
    """It is a bug of ours."""
    where = {"path": request.path, "method": request.method}
    log.error("request_failed", **where, exc_info=bug)
    failed = HTTPStatus.INTERNAL_SERVER_ERROR
    return explain(request, BROKEN, failed, "internal_error")


def _excuse(request: web.Request, error: SQLAlchemyError) -> web.Response:
    """Who cannot be served without the database is asked to come back soon."""
    reason = str(error).splitlines()[0]
    log.warning("database_away", path=request.path, reason=reason)
    response = explain(request, AWAY, HTTPStatus.SERVICE_UNAVAILABLE, "away")
    response.headers["Retry-After"] = str(COME_BACK)
    return response


def wants_json(request: web.Request) -> bool:
    """Whether who asks takes JSON and no page."""
    accepted = request.headers.get("Accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def explain(
    request: web.Request,
    sentence: Sentence,
    status: HTTPStatus,
    code: str,
    *,
    field: str = "",
) -> web.Response:
    """Say what went wrong: as a page to people, as JSON to machines.

    Machines are told the *field* it went wrong with too, if it is one.
    """
    text = say(sentence, request[LANGUAGE])
    if "text/html" in request.headers.get("Accept", ""):
        return page(request, "error.html", status=status, message=text, code=code)
    body = {"error": code, "message": text} | ({"field": field} if field else {})
    return web.json_response(body, status=status)
