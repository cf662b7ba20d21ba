"""
What went wrong is said in the form and language of whoever asked; nobody sees how the
service is made.
"""

from datetime import timedelta

import pytest
from aiohttp import web
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from structlog.testing import capture_logs

from offers.errors import (
    InvalidField,
    Missing,
    NotFound,
    OfferError,
    Refused,
    SoldOut,
    TooManyAttempts,
    Unavailable,
)
from offers.sentences import Sentence
from outletbot.app import build_app
from outletbot.claim_lines import Busy
from outletbot.web.errors import status_of
from outletbot.web.guard import public
from tests.factories import NOON

TROUBLES: dict[str, Exception] = {
    "missing": Missing("deal_1", "deal"),
    "sold_out": SoldOut("deal_1", wanted=2, left=1),
    "invalid": InvalidField("price", Sentence("Enter a price above zero."), "-1"),
    "attempts": TooManyAttempts(after=timedelta(minutes=15)),
    "busy": Busy(seconds=2),
    "bug": KeyError("the secret ingredient"),
    "gone": web.HTTPGone(text="no coffee"),
    "away": NoConnectionFree("all of them wait"),
    "mistaken": ProgrammingError("SELECT", {}, Exception("no such table: secrets")),
}


@pytest.fixture
async def client(aiohttp_client, settings, database, payments):
    app = build_app(settings, database, payments, clock=lambda: NOON)

    @public
    async def trouble(request: web.Request) -> web.Response:
        raise TROUBLES[request.match_info["name"]]

    app.router.add_get("/trouble/{name}", trouble)
    return await aiohttp_client(app)


async def ask(client, name: str, **headers: str) -> tuple[int, str, web.Response]:
    answer = await client.get(f"/trouble/{name}", headers=headers)
    return answer.status, await answer.text(), answer


class TestMachines:
    @pytest.mark.parametrize(
        ("name", "status", "said"),
        [
            (
                "missing",
                404,
                {"error": "not_found", "message": "There is no deal deal_1."},
            ),
            ("sold_out", 409, {"error": "sold_out", "message": "Only 1 left."}),
            (
                "invalid",
                422,
                {
                    "error": "invalid_field",
                    "message": "Enter a price above zero.",
                    "field": "price",
                },
            ),
            (
                "attempts",
                429,
                {
                    "error": "too_many_attempts",
                    "message": "Too many attempts. Try again in 15 min.",
                },
            ),
        ],
    )
    async def test_are_told_in_json(self, client, name, status, said) -> None:
        got, _, answer = await ask(client, name)

        assert got == status
        assert await answer.json() == said

    @pytest.mark.parametrize(("name", "seconds"), [("attempts", "900"), ("busy", "2")])
    async def test_are_told_when_to_come_back(self, client, name, seconds) -> None:
        _, _, answer = await ask(client, name)

        assert answer.headers["Retry-After"] == seconds

    async def test_hear_of_busy_times(self, client) -> None:
        status, _, answer = await ask(client, "busy")

        assert status == 503
        assert (await answer.json())["error"] == "busy"


class TestPeople:
    async def test_are_told_on_a_page(self, client) -> None:
        status, page, answer = await ask(client, "sold_out", Accept="text/html,*/*")

        assert status == 409
        assert answer.content_type == "text/html"
        assert "Only 1 left." in page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]

    async def test_are_told_in_their_language(self, client) -> None:
        _, english, _ = await ask(client, "bug", Accept="text/html")
        _, french, _ = await ask(
            client, "bug", Accept="text/html", **{"Accept-Language": "fr"}
        )

        assert '<html lang="en"' in english
        assert '<html lang="fr"' in french

    async def test_are_told_that_there_is_nothing(self, client) -> None:
        answer = await client.get("/no/such/page", headers={"Accept": "text/html"})

        assert answer.status == 404
        assert "There is nothing at this address." in await answer.text()

    async def test_are_told_nothing_that_is_code(self, client) -> None:
        hostile = "/<script>alert(1)</script>"

        answer = await client.get(hostile, headers={"Accept": "text/html"})

        assert "<script>alert" not in await answer.text()


class TestBugs:
    @pytest.mark.parametrize("accept", ["text/html", "application/json"])
    async def test_show_nobody_a_traceback(self, client, accept) -> None:
        with capture_logs() as logs:
            status, text, _ = await ask(client, "bug", Accept=accept)

        assert status == 500
        assert "went wrong" in text
        for secret in ("Traceback", "KeyError", "ingredient", ".py"):
            assert secret not in text
        assert [log["event"] for log in logs] == ["request_failed"]
        assert logs[0]["path"] == "/trouble/bug"

    async def test_a_refusal_is_none(self, client) -> None:
        with capture_logs() as logs:
            await ask(client, "sold_out")

        assert [(log["event"], log["log_level"]) for log in logs] == [
            ("request_refused", "info")
        ]

    async def test_what_aiohttp_says_stays_what_it_is(self, client) -> None:
        status, text, answer = await ask(client, "gone")

        assert (status, text) == (410, "no coffee")
        assert "Content-Security-Policy" in answer.headers

    async def test_a_wrong_method_is_named(self, client) -> None:
        answer = await client.delete(
            "/healthz", headers={"Sec-Fetch-Site": "same-origin"}
        )

        assert answer.status == 405


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound, 404),
        (Unavailable, 409),
        (Refused, 422),
        (OfferError, 500),
    ],
)
def test_a_new_refusal_has_the_status_of_its_kind(error, status) -> None:
    class Fresh(error):
        """A refusal that nobody has thought of yet."""

    assert status_of(Fresh(Sentence("No."))) == status


class TestWithoutTheDatabase:
    async def test_people_are_asked_to_come_back(self, client) -> None:
        status, text, answer = await ask(client, "away", Accept="text/html")

        assert status == 503
        assert answer.headers["Retry-After"] == "3"
        assert "Nothing is lost" in text
        assert "Traceback" not in text

    async def test_machines_are_told_the_same(self, client) -> None:
        status, text, _ = await ask(client, "away")

        assert status == 503
        assert '"away"' in text

    async def test_a_question_that_is_wrong_is_a_bug(self, client) -> None:
        with capture_logs() as logs:
            status, text, _ = await ask(client, "mistaken")

        assert status == 500
        assert "secrets" not in text
        assert [one["event"] for one in logs] == ["request_failed"]
