"""
Static files: kept for ever under a name that changes with them, small on the way.
"""

import gzip
import re

import pytest
from aiohttp import web

from outletbot.web import static_files
from outletbot.web.static_files import FOLDER, static


@pytest.fixture
async def client(aiohttp_client):
    app = web.Application()
    app.add_routes(static_files.routes)
    return await aiohttp_client(app, auto_decompress=False)


@pytest.mark.parametrize("name", ["outletbot.css", "outletbot.js", "icon.svg"])
async def test_sends_each_file_by_its_hashed_name_for_ever(client, name):
    answer = await client.get(static(name))

    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]
    body = await answer.read()
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    assert body == (FOLDER / name).read_bytes()


async def test_sends_no_gzip_to_who_cannot_read_it(client):
    answer = await client.get(
        static("outletbot.css"), headers={"Accept-Encoding": "identity"}
    )

    assert "Content-Encoding" not in answer.headers
    assert await answer.read() == (FOLDER / "outletbot.css").read_bytes()
    assert answer.headers["Vary"] == "Accept-Encoding"


async def test_sends_a_plain_name_for_a_while_only(client):
    answer = await client.get("/static/icon.svg")

    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.content_type == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "/static/outletbot.00000000.css",
        "/static/nothing.css",
        "/static/..%2Fguard.py",
        "/static/%2Fetc%2Fpasswd",
    ],
)
async def test_sends_nothing_else(client, path):
    assert (await client.get(path)).status == 404


def test_names_what_is_not_there():
    with pytest.raises(KeyError):
        static("nothing.css")


def test_changes_the_name_with_the_content():
    assert re.fullmatch(r"/static/outletbot\.[0-9a-f]{8}\.css", static("outletbot.css"))


def test_keeps_to_its_budget():
    """DESIGN.md, section 7: one small stylesheet, one script within 6 KB."""
    sheet, script = (
        (FOLDER / f"outletbot.{kind}").read_bytes() for kind in ("css", "js")
    )

    assert len(gzip.compress(sheet)) <= 8 * 1024
    assert len(script) <= 6 * 1024
