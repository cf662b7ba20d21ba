"""
Faults happen once, to the call they were asked for, before or after its effect.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from outletbot.sandbox.faults import Fault, Faults, inject

CALL = "POST /things/{id}"
WORKS = (200, "a whole answer")


class Company:
    """Counts what was done; spoils what it is told to."""

    def __init__(self) -> None:
        self.faults = Faults(hold_for=timedelta(milliseconds=50))
        self.done = 0
        self.url = ""

    def build_app(self) -> web.Application:
        app = web.Application(
            middlewares=[
                inject(
                    self.faults,
                    too_many=lambda _: web.Response(status=429),
                    error=lambda _: web.Response(status=500),
                    locked=lambda _: web.Response(status=409),
                )
            ]
        )
        app.router.add_post("/things/{id}", self.do)
        app.router.add_get("/things/{id}", self.do)
        return app

    async def do(self, request: web.Request) -> web.Response:
        self.done += 1
        return web.Response(text="a whole answer")


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    company = Company()
    async with TestServer(company.build_app(), host="127.0.0.1") as server:
        company.url = str(server.make_url("/things/7"))
        yield company


async def post(url: str, *, timeout: float = 5) -> tuple[int, str]:  # noqa: ASYNC109 - it is the client's own that is tried
    wait = aiohttp.ClientTimeout(total=timeout)
    async with (
        aiohttp.ClientSession(timeout=wait) as http,
        http.post(url) as response,
    ):
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("fault", "status", "done"),
    [
        (Fault.ERROR_BEFORE, 500, 0),
        (Fault.ERROR_AFTER, 500, 1),
        (Fault.TOO_MANY, 429, 0),
        (Fault.LOCKED, 409, 0),
        (Fault.SLOW, 200, 1),
    ],
)
async def test_answers_as_the_company_would(
    company: Company, fault: Fault, status: int, done: int
) -> None:
    company.faults.next(CALL, fault)

    answered, _ = await post(company.url)

    assert (answered, company.done) == (status, done)


@pytest.mark.parametrize(
    ("fault", "done"), [(Fault.TIMEOUT_BEFORE, 0), (Fault.TIMEOUT_AFTER, 1)]
)
async def test_a_time_out_hangs_up_without_an_answer(
    company: Company, fault: Fault, done: int
) -> None:
    company.faults.next(CALL, fault)

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(company.url)

    assert company.done == done


async def test_a_time_out_outlasts_an_impatient_client(company: Company) -> None:
    company.faults.hold_for = timedelta(minutes=5)
    company.faults.next(CALL, Fault.TIMEOUT_AFTER)

    with pytest.raises(TimeoutError):
        await post(company.url, timeout=0.1)

    assert company.done == 1


async def test_a_slow_answer_is_late(company: Company) -> None:
    company.faults.slow_by = timedelta(seconds=2)
    company.faults.next(CALL, Fault.SLOW)

    with pytest.raises(TimeoutError):
        await post(company.url, timeout=0.1)


async def test_a_cut_body_breaks_off_half_way(company: Company) -> None:
    company.faults.next(CALL, Fault.CUT_BODY)

    with pytest.raises(aiohttp.ClientPayloadError):
        await post(company.url)

    assert company.done == 1


async def test_faults_happen_once_and_in_order(company: Company) -> None:
    company.faults.next(CALL, Fault.TOO_MANY, Fault.ERROR_BEFORE)

    answers = [await post(company.url) for _ in range(3)]

    assert [status for status, _ in answers] == [429, 500, 200]
    assert answers[2] == WORKS


async def test_other_calls_are_left_alone(company: Company) -> None:
    company.faults.next("GET /things/{id}", Fault.ERROR_BEFORE)

    assert await post(company.url) == WORKS
    assert company.faults.waiting == {"GET /things/{id}": [Fault.ERROR_BEFORE]}


async def test_a_company_without_locks_gives_its_error() -> None:
    company = Company()
    app = web.Application(
        middlewares=[
            inject(
                company.faults,
                too_many=lambda _: web.Response(status=429),
                error=lambda _: web.Response(status=500),
            )
        ]
    )
    app.router.add_post("/things/{id}", company.do)
    company.faults.next(CALL, Fault.LOCKED)

    async with TestServer(app, host="127.0.0.1") as server:
        status, _ = await post(str(server.make_url("/things/7")))

    assert (status, company.done) == (500, 0)
