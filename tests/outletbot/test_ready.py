"""
A ready answer is a head that was made before, the date, and a body.
"""

import pytest
from aiohttp import web

from outletbot.web.ready import Ready, head_of, http_date


def test_the_date_is_written_as_http_wants_it() -> None:
    assert http_date(784_111_777) == b"Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb"])
def test_a_header_stays_one(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        head_of(303, "See Other", [("Location", value)])


async def test_is_sent_whole_on_a_connection_that_stays(aiohttp_client) -> None:
    head = head_of(200, "OK", [("Content-Length", "5"), ("X-Note", "é")])

    async def answer(_request: web.Request) -> web.StreamResponse:
        return Ready(200, head, b"hello")

    app = web.Application()
    app.router.add_get("/", answer)
    client = await aiohttp_client(app)
    answers = [await client.get("/") for _ in range(2)]

    assert [await answer.text() for answer in answers] == ["hello", "hello"]
    assert answers[0].headers["X-Note"] == "é"
    assert "Date" in answers[0].headers
    assert "aiohttp" in answers[0].headers["Server"]
