"""
What Telegram documents: every call and result held against the Bot API's description.

The description is not ours to copy: it is read from the shared folder beside the
repository, and where that is absent nothing is checked.
"""

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.outletbot.mastodon_spec import SHARED

SPEC = SHARED / "specs/telegram-bot-api.json"
FILE = "a file that was sent along"
PLAIN: dict[str, type] = {
    "String": str,
    "Integer": int,
    "Float": float,
    "Boolean": bool,
    "True": bool,
}


@functools.cache
def load_spec() -> dict[str, Any]:
    return json.loads(SPEC.read_text())


@dataclass
class Call:
    """One call as it was made, and how it was answered."""

    method: str
    fields: dict[str, Any]
    in_form: bool
    status: int | None = None  # the answer was lost on the way
    answer: Any = None

    def violations(self) -> Iterator[str]:
        method = load_spec()["methods"].get(self.method)
        if method is None:
            yield f"{self.method}: no such method"
            return
        known = {one["name"]: one for one in method.get("fields", ())}
        for name, value in self.fields.items():
            yield from self._field_faults(known.get(name), name, value)
        for name, one in known.items():
            if one["required"] and name not in self.fields:
                yield f"{self.method}: {name} is required"
        if self.status == 200:
            yield from faults(self.answer["result"], method["returns"], self.method)

    def _field_faults(
        self, known: dict[str, Any] | None, name: str, value: Any
    ) -> Iterator[str]:
        where = f"{self.method}.{name}"
        if known is None:
            if value != FILE:
                yield f"{where}: no such field"
        elif self.in_form and "String" not in known["types"] and value != FILE:
            yield from faults(json.loads(value), known["types"], where)
        else:
            yield from faults(value, known["types"], where)


def faults(value: Any, kinds: Sequence[str], where: str) -> Iterator[str]:
    """Say how *value* is none of *kinds*; of several, how it is not the first."""
    found = [list(_kind_faults(value, kind, where)) for kind in kinds]
    if all(found):
        yield from found[0]


def _kind_faults(value: Any, kind: str, where: str) -> Iterator[str]:
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            yield f"{where}: no array"
            return
        for place, one in enumerate(value):
            inner = [kind.removeprefix("Array of ")]
            yield from faults(one, inner, f"{where}[{place}]")
    elif kind in PLAIN:
        right = isinstance(value, PLAIN[kind])
        if not right or (isinstance(value, bool) and kind == "Integer"):
            yield f"{where}: {value!r} is no {kind}"
    elif kind == "InputFile":
        yield from () if value == FILE else (f"{where}: no file",)
    else:
        yield from _object_faults(value, load_spec()["types"][kind], where)


def _object_faults(value: Any, kind: dict[str, Any], where: str) -> Iterator[str]:
    if kind.get("subtypes"):
        yield from faults(value, kind["subtypes"], where)
        return
    if not isinstance(value, dict):
        yield f"{where}: no {kind['name']}"
        return
    known = {one["name"]: one for one in kind.get("fields", ())}
    for name in value.keys() - known.keys():
        yield f"{where}: {kind['name']} has no {name}"
    for name, one in known.items():
        if name in value:
            yield from faults(value[name], one["types"], f"{where}.{name}")
        elif one["required"]:
            yield f"{where}: {kind['name']} needs {name}"


@dataclass
class Recorder:
    """Keeps the calls that reach a server."""

    calls: list[Call] = field(default_factory=list)

    def named(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def violations(self) -> list[str]:
        return [why for call in self.calls for why in call.violations()]

    def middleware(self) -> Any:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith("/bot"):
                return await handler(request)
            try:
                call = await _read_call(request)
            except ValueError:
                return await handler(request)  # what is no JSON is not documented
            self.calls.append(call)
            answer = await handler(request)
            if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
                call.status, call.answer = answer.status, json.loads(answer.body)
            return answer

        return record


async def _read_call(request: web.Request) -> Call:
    method = request.path.rpartition("/")[2]
    if request.content_type == "application/json":
        return Call(method, await request.json(), in_form=False)
    form = await request.post()
    fields = {
        name: value if isinstance(value, str) else FILE for name, value in form.items()
    }
    return Call(method, fields, in_form=True)
