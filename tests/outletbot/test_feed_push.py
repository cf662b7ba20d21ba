"""
A retailer's program brings feeds with a token; what is wrong is told so that a program
can act on it.
"""

import gzip
import io

import pytest
from sqlmodel import select

from offers.bringing import HOURLY
from offers.imports import FeedImport, ImportState
from offers.pieces import pieces
from offers.sentences import Sentence
from offers.source_tokens import add_token, renew_token
from offers.sources import (
    FeedSource,
    Halt,
    SourceImport,
    SourceKind,
    delete_source,
    halt,
)
from outletbot.importing import work_on_import
from tests.factories import NOON, make_import, make_retailer, make_source, north

CSV = b"sku,title,price,quantity\nA-1,Parka,99.00,3\n"


@pytest.fixture
def till(session) -> tuple[FeedSource, str]:
    """A source, and the token of the program that brings its files."""
    made = add_token(session, north(session).id, name="Till", currency="eur", now=NOON)
    session.commit()
    return made


@pytest.fixture
def source(till) -> FeedSource:
    return till[0]


@pytest.fixture
def bearer(till) -> dict[str, str]:
    return {"Authorization": f"Bearer {till[1]}"}


def imports(session) -> list[FeedImport]:
    session.rollback()
    return list(session.exec(select(FeedImport)))


async def test_a_file_becomes_an_import(service, session, bearer):
    answer = await service.put(
        "/feeds/north?name=a/stock.csv", data=CSV, headers=bearer
    )

    told = await answer.json()
    (entry,) = imports(session)
    assert answer.status == 202
    assert (told["import"], told["state"], told["new"]) == (entry.id, "uploaded", True)
    assert told["status"] == f"http://outlet.example/feeds/north/{entry.id}"
    assert told["look"] == f"http://outlet.example/feeds/{entry.id}"
    assert (entry.file_name, entry.currency, entry.size) == (
        "stock.csv",
        "eur",
        len(CSV),
    )
    assert b"".join(pieces(session, entry.id)) == CSV


async def test_the_same_file_is_the_same_import(service, session, bearer):
    first = await (await service.put("/feeds/north", data=CSV, headers=bearer)).json()

    answer = await service.put("/feeds/north", data=CSV, headers=bearer)

    told = await answer.json()
    assert answer.status == 202
    assert (told["import"], told["new"]) == (first["import"], False)
    assert len(imports(session)) == 1


async def test_how_far_it_is_can_be_asked(service, database, bearer):
    told = await (await service.put("/feeds/north", data=CSV, headers=bearer)).json()
    path = f"/feeds/north/{told['import']}"
    before = await (await service.get(path, headers=bearer)).json()

    work_on_import(database, now=NOON)

    after = await (await service.get(path, headers=bearer)).json()
    assert (before["state"], after["state"]) == ("uploaded", "checked")
    assert after["counts"]["good"] == 1


async def test_a_refusal_is_told_with_its_reason(service, database, bearer):
    sent = await service.put("/feeds/north", data=b"%PDF-1.7 ...", headers=bearer)
    work_on_import(database, now=NOON)

    told = await (
        await service.get(
            f"/feeds/north/{(await sent.json())['import']}", headers=bearer
        )
    ).json()

    assert told["state"] == "refused"
    assert "a PDF document" in told["message"]


async def test_a_file_may_be_packed(service, database, session, bearer):
    await service.put("/feeds/north", data=gzip.compress(CSV), headers=bearer)

    work_on_import(database, now=NOON)

    assert imports(session)[0].state is ImportState.CHECKED


async def test_what_is_not_packed_as_it_says_is_told(service, session, bearer):
    headers = {**bearer, "Content-Encoding": "gzip"}

    answer = await service.put("/feeds/north", data=CSV, headers=headers)

    told = await answer.json()
    assert (answer.status, told["error"], told["field"]) == (400, "broken", "body")
    assert imports(session) == []


class TestToken:
    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "Bearer",
            "Bearer obf_no",
            "Basic {token}",
            "{token}",
            "Bearer é",
            "Bearer \udcff",  # as a byte that is no UTF-8 arrives
        ],
    )
    async def test_must_be_there_and_right(self, service, session, till, header):
        headers = {"Authorization": header.format(token=till[1])} if header else {}

        answer = await service.put("/feeds/north", data=CSV, headers=headers)

        told = await answer.json()
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (told["error"], told["field"]) == ("unauthorized", "Authorization")
        assert told["remedy"]
        assert imports(session) == []

    async def test_of_another_retailer_is_worth_nothing(self, service, session, bearer):
        make_retailer(session, "south")

        answer = await service.put("/feeds/south", data=CSV, headers=bearer)
        nobody = await service.put("/feeds/nobody", data=CSV, headers=bearer)

        assert (answer.status, nobody.status) == (401, 401)
        assert await answer.json() == await nobody.json()

    async def test_that_was_replaced_is_worth_nothing(
        self, service, session, source, bearer
    ):
        renew_token(session, source.retailer_id, source.id)
        session.commit()

        answer = await service.put("/feeds/north", data=CSV, headers=bearer)

        assert answer.status == 401

    async def test_that_was_revoked_is_worth_nothing(
        self, service, session, source, bearer
    ):
        delete_source(session, source.retailer_id, source.id)
        session.commit()

        assert (
            await service.put("/feeds/north", data=CSV, headers=bearer)
        ).status == 401

    async def test_cannot_be_guessed_all_day(self, service, bearer):
        wrong = {"Authorization": "Bearer obf_wrong"}
        for _ in range(10):
            await service.put("/feeds/north", data=CSV, headers=wrong)

        answer = await service.put("/feeds/north", data=CSV, headers=bearer)

        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0

    async def test_tells_nothing_of_what_others_brought(self, service, session, bearer):
        uploaded = make_import(session)
        other = make_source(session, kind=SourceKind.TOKEN)
        brought = make_import(session)
        session.add(
            SourceImport(
                import_id=brought.id,
                retailer_id=other.retailer_id,
                source_id=other.id,
                came_at=NOON,
            )
        )
        session.commit()

        for entry in (uploaded, brought):
            answer = await service.get(f"/feeds/north/{entry.id}", headers=bearer)
            assert answer.status == 404
            assert (await answer.json())["error"] == "not_found"


class TestRefusals:
    async def test_of_what_is_empty(self, service, bearer):
        answer = await service.put("/feeds/north", data=b"", headers=bearer)

        assert answer.status == 422
        assert (await answer.json())["error"] == "empty"

    async def test_of_what_is_too_large(self, service, session, settings, bearer):
        data = io.BytesIO(b"x" * (settings.max_upload_mb * 1024 * 1024 + 1))

        answer = await service.put("/feeds/north", data=data, headers=bearer)

        told = await answer.json()
        assert answer.status == 413
        assert (told["error"], told["field"]) == ("too_large", "body")
        assert imports(session) == []

    async def test_of_what_unpacks_to_too_much(
        self, service, session, settings, bearer
    ):
        data = gzip.compress(b"x" * (settings.max_upload_mb * 1024 * 1024 + 1))
        packed = {**bearer, "Content-Encoding": "gzip"}

        answer = await service.put("/feeds/north", data=data, headers=packed)

        assert answer.status in {400, 413}
        assert imports(session) == []

    async def test_of_forms(self, service, bearer):
        form = {**bearer, "Content-Type": "multipart/form-data; boundary=x"}

        answer = await service.put("/feeds/north", data=b"--x--", headers=form)

        assert answer.status == 415
        assert "curl -T" in (await answer.json())["remedy"]

    async def test_of_currencies_that_are_none(self, service, bearer):
        answer = await service.put(
            "/feeds/north?currency=euros", data=CSV, headers=bearer
        )

        assert answer.status == 422
        assert (await answer.json())["field"] == "currency"

    async def test_of_a_source_that_halts_but_for_the_same_file(
        self, service, session, source, bearer
    ):
        sent = await (
            await service.put("/feeds/north", data=CSV, headers=bearer)
        ).json()
        session.refresh(source)
        halt(source, Halt.DOUBT, Sentence("It has 1 row."), now=NOON)
        session.add(source)
        session.commit()

        other = await service.put("/feeds/north", data=CSV + b"\n", headers=bearer)
        same = await service.put("/feeds/north", data=CSV, headers=bearer)

        told = await other.json()
        assert (other.status, told["error"]) == (409, "halted")
        assert "It has 1 row." in told["message"]
        assert f"/feeds/{sent['import']}" in told["remedy"]
        assert same.status == 202
        assert (await same.json())["halted"] == "It has 1 row."

    async def test_of_floods(self, service, session, source, bearer):
        for _ in range(HOURLY):
            entry = make_import(session)
            session.add(
                SourceImport(
                    import_id=entry.id,
                    retailer_id=source.retailer_id,
                    source_id=source.id,
                    came_at=NOON,
                )
            )
        session.commit()

        answer = await service.put("/feeds/north", data=CSV, headers=bearer)

        assert answer.status == 429

    async def test_of_other_ways(self, service, bearer):
        assert (await service.delete("/feeds/north", headers=bearer)).status in {
            403,
            405,
        }
