"""The errors of the sandbox's Graph API, in Meta's own form."""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import NoReturn

from aiohttp import web

BUSINESS_USE = "X-Business-Use-Case-Usage"
REGAIN = timedelta(minutes=12)


class GraphFault(Exception):
    """What Meta refuses, and how it says so."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int = 0,
        told: str = "",
        status: int = HTTPStatus.BAD_REQUEST,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.told = told
        self.status = status

    def answer(self) -> web.Response:
        error: dict[str, object] = {
            "message": f"(#{self.code}) {self.message}",
            "type": "OAuthException",
            "code": self.code,
            "fbtrace_id": "A6LJylpZRKw2xKLFsAP",
        }
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.told:
            error |= {"error_user_title": "Sorry", "error_user_msg": self.told}
        return web.json_response({"error": error}, status=self.status)


def bad_token(subcode: int, message: str) -> GraphFault:
    return GraphFault(190, message, subcode=subcode, status=HTTPStatus.UNAUTHORIZED)


def lacks(*scopes: str) -> GraphFault:
    message = f"This requires {' and '.join(scopes)} permission(s)."
    return GraphFault(200, message, status=HTTPStatus.FORBIDDEN)


def refuse(message: str) -> NoReturn:
    """Refuse a parameter."""
    raise GraphFault(100, message)


def unknown(thing_id: str) -> GraphFault:
    message = (
        f"Unsupported request. Object with ID '{thing_id}' does not exist, cannot be"
        " loaded due to missing permissions, or does not support this operation."
    )
    return GraphFault(100, message, subcode=33)


def usage(percent: int, *, regain: timedelta = timedelta()) -> str:
    """Return the header that tells how much of its calls an account has used."""
    use = {
        "type": "pages",
        "call_count": percent,
        "total_cputime": 1,
        "total_time": 1,
        "estimated_time_to_regain_access": int(regain.total_seconds() // 60),
    }
    return json.dumps({"100200300": [use]})


def too_many(_request: web.Request) -> web.Response:
    message = (
        "There have been too many calls to this account. Wait a bit and try again."
    )
    answer = GraphFault(80001, message).answer()
    answer.headers[BUSINESS_USE] = usage(100, regain=REGAIN)
    return answer


def broken(_request: web.Request) -> web.Response:
    message = "An unexpected error has occurred. Please retry your request later."
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return GraphFault(2, message, status=status).answer()


def blocked(_request: web.Request) -> web.Response:
    message = "The action attempted has been deemed abusive or is otherwise disallowed."
    return GraphFault(368, message, subcode=1390008).answer()
