"""
What Meta describes: every call held against the specifications of its code generator.

The description is not ours to copy: it is read from the shared folder beside the
repository, and where that is absent nothing is checked. It has no containers, no
comments of Instagram and no login.
"""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.sandbox.meta_calls import NODE
from tests.outletbot.mastodon_spec import SHARED

SPEC = SHARED / "specs/facebook-graph.json"
# What every call takes: "Paginated results", "Securing Graph API requests".
COMMON = {"fields": "string", "limit": "unsigned int", "after": "string"}
PROOF = {"appsecret_proof": "string"}
# A file is described by the reference "Page Photos" alone.
FILES = {"source": "file"}


@functools.cache
def load_spec() -> dict[str, Any]:
    return json.loads(SPEC.read_text())


@dataclass
class Call:
    """One call as it was made; *node* is what was called, in Meta's words."""

    method: str
    edge: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, str]
    status: int = 0
    node: str = ""

    @property
    def name(self) -> str:
        return f"{self.method} {self.node}/{self.edge}".rstrip("/")

    def violations(self) -> Iterator[str]:
        """Say in which ways this is not what is described."""
        if self.node not in load_spec():
            return
        api = self._api()
        if api is None:
            yield f"{self.name}: no such call"
            return
        described = {one["name"]: one["type"] for one in api["params"]}
        known = {**described, **COMMON, **PROOF}
        for name, value in self.query.items():
            yield from self._faults(name, value, known)
        for name, value in self.body.items():
            yield from self._faults(name, value, {**described, **FILES})
        sent = {*self.query, *self.body}
        for one in api["params"]:
            if one["required"] and one["name"] not in sent:
                yield f"{self.name}: {one['name']} is required"
        yield from self._unknown_fields(api["return"])

    def _api(self) -> dict[str, Any] | None:
        for api in load_spec()[self.node]["apis"]:
            if (api["method"], api.get("endpoint") or "") == (self.method, self.edge):
                return api
        return None

    def _faults(self, name: str, value: str, known: dict[str, str]) -> Iterator[str]:
        kind = known.get(re.sub(r"\[\d+\]$", "", name))
        if kind is None:
            yield f"{self.name}: no parameter {name}"
        elif not is_a(kind, value):
            yield f"{self.name}: {name}={value} is no {kind}"

    def _unknown_fields(self, returned: str) -> Iterator[str]:
        described = load_spec().get(returned)
        if described is None:
            return
        fields = {one["name"] for one in described["fields"]}
        edges = {api.get("endpoint") for api in described["apis"]}
        asked = re.sub(r"\([^)]*\)|\{[^}]*\}|\.\w+", "", self.query.get("fields", ""))
        for name in filter(None, asked.split(",")):
            if name not in fields | edges:
                yield f"{self.name}: no field {name}"


def is_a(kind: str, value: str) -> bool:
    checks = {
        "bool": value in {"true", "false"},
        "file": value == "a file",
        "unsigned int": value.isdecimal(),
        "list<Object>": _is_json(value) or re.fullmatch(r"[\w,]+", value) is not None,
    }
    return checks.get(kind, True)


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


@dataclass
class Recorder:
    """Keeps the calls of the API that reach a server."""

    calls: list[Call] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]

    def named(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name == name]

    def violations(self) -> list[str]:
        return [why for call in self.calls for why in call.violations()]

    def middleware(self) -> Any:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith("/v"):
                return await handler(request)
            call = Call(
                request.method,
                request.path.split("/", 3)[3] if request.path.count("/") > 2 else "",
                dict(request.query),
                dict(request.headers),
                await _read_body(request),
            )
            self.calls.append(call)
            try:
                answer = await handler(request)
            finally:
                await _close_files(request)
            call.node, call.status = request.get(NODE, ""), answer.status
            return answer

        return record


async def _read_body(request: web.Request) -> dict[str, str]:
    form = await request.post()
    return {
        name: value if isinstance(value, str) else "a file"
        for name, value in form.items()
    }


async def _close_files(request: web.Request) -> None:
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            value.file.close()
