"""
What no browser sends with a file is put right or refused, and nothing breaks.
"""

import asyncio

import pytest
from sqlmodel import select

from offers.imports import FeedImport, ImportState
from outletbot.importing import work_on_import
from tests.factories import NOON

BOTH_DATABASES = True

MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
ROWS = b"sku,title,price,quantity\nA,Ant,1.50,4\nB,Bee,two,0\n"


def body(head: bytes, content: bytes = ROWS) -> bytes:
    said = b"Content-Disposition: form-data; name=feed; " + head
    return b"--b\r\n" + said + b"\r\n\r\n" + content + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    "name",
    [
        b"filename*=UTF-8''a%00b.csv",
        b'filename="a\xff\xfe.csv"',
        b'filename="a\xed\xa0\x80.csv"',
        b'filename="' + b"x" * 3000 + b'.csv"',
    ],
)
async def test_a_file_may_have_any_name(desk, database, session, name: bytes) -> None:
    answer = await desk.post(
        "/feeds", data=body(name), headers=MULTIPART, allow_redirects=False
    )
    assert answer.status == 303
    path = answer.headers["Location"]
    await asyncio.to_thread(work_on_import, database, now=NOON)

    for shown in (path, f"{path}/rows", f"{path}/errors.csv", "/feeds"):
        assert (await desk.get(shown)).status == 200
    assert session.exec(select(FeedImport.state)).one() is ImportState.CHECKED


@pytest.mark.parametrize(
    ("where", "form"),
    [
        ("recheck", {"column-0": "\0"}),
        ("recheck", {"column-0": "price", "encoding": "\0", "currency": "\0"}),
        ("recheck", {"currency": "€€€"}),
        ("recheck", {"asked-0": "1", "answer-0": "\0"}),
        ("recheck", {"asked-0": "1", "answer-0": "9" * 6000}),
        ("confirm", {"agreed": "٣" * 20, "complete": "\0"}),
        ("confirm", {"agreed": "9" * 20}),
        ("confirm", {"agreed": "1" * 5000}),
        ("rows", {"row-3": "1", "cell-3-2": "a\0b", "page": "9" * 30}),
        ("rows", {"row-3": "1", "text-3": '"', "page": "-1"}),
        ("rows", {"row-3": "1", "cell-3-2": "x" * 70_000}),
        ("rows", {"row-99999999": "1", "row-x": "2", "out-3": "1"}),
        ("undo", {}),
        ("forget", {"x": "\0"}),
        ("discard", {}),
    ],
)
async def test_a_form_is_answered(
    desk, database, where: str, form: dict[str, str]
) -> None:
    answer = await desk.post(
        "/feeds", data=body(b"filename=a.csv"), headers=MULTIPART, allow_redirects=False
    )
    path = answer.headers["Location"]
    await asyncio.to_thread(work_on_import, database, now=NOON)
    answer = await desk.post(f"{path}/{where}", data=form, allow_redirects=False)

    assert answer.status < 500
    await asyncio.to_thread(work_on_import, database, now=NOON)
    for shown in (path, f"{path}/rows", f"{path}/rows?page=0", f"{path}/errors.csv"):
        assert (await desk.get(shown)).status == 200
