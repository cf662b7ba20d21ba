"""
What Mastodon documents: every call and answer held against its OpenAPI description.

The description is not ours to copy: it is read from the shared folder beside the
repository, and where that is absent nothing is checked.
"""

import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from aiohttp import web
from aiohttp.typedefs import Handler

BESIDE = Path(__file__).parents[2] / "../shared"
SHARED = Path(os.environ.get("OUTLETBOT_SHARED", BESIDE)).resolve()  # noqa: TID251 - tests have no settings
SPEC = SHARED / "specs/mastodon-openapi.json"
# A token that may not (403) and a server that fails (500) are not in each call's list;
# 206 is, but has no body there.
UNDOCUMENTED_STATUSES = {206, 403, 500}
RECORDED = ("/api/", "/oauth/token")


@functools.cache
def load_spec() -> dict[str, Any]:
    return json.loads(SPEC.read_text())


@dataclass
class Call:
    """One call as it was made, and how it was answered."""

    method: str
    template: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    status: int | None = None  # the answer was lost on the way
    answer: Any = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def violations(self) -> Iterator[str]:
        """Say in which ways this is not what is documented."""
        operation = self._operation()
        if operation is not None:
            yield from (f"{self.name}: {why}" for why in self._query_faults(operation))
            yield from (f"{self.name}: {why}" for why in self._body_faults(operation))
        yield from self.answer_violations()

    def answer_violations(self) -> Iterator[str]:
        """Say in which ways the server's part of this is not what is documented."""
        operation = self._operation()
        if operation is None:
            yield f"{self.name}: no such call"
            return
        yield from (f"{self.name}: {why}" for why in self._answer_faults(operation))

    def _operation(self) -> dict[str, Any] | None:
        return load_spec()["paths"].get(self.template, {}).get(self.method.lower())

    def _query_faults(self, operation: dict[str, Any]) -> Iterator[str]:
        parameters = {one["name"]: one for one in operation.get("parameters", ())}
        for name, value in self.query.items():
            schema = parameters.get(name, {}).get("schema")
            if schema is None:
                yield f"no parameter {name}"
            elif not _is_a(schema["type"], value):
                yield f"{name}={value} is no {schema['type']}"
        for name, parameter in parameters.items():
            if parameter.get("required") and parameter["in"] == "query":
                yield from () if name in self.query else (f"{name} is required",)

    def _body_faults(self, operation: dict[str, Any]) -> Iterator[str]:
        if "requestBody" not in operation:
            yield from ("no body is wanted",) if self.body else ()
            return
        content = operation["requestBody"]["content"]
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        if kind not in content:
            yield f"the body is {kind}, not {list(content)}"
            return
        schema = content[kind]["schema"]
        for name in set(self.body) - _properties(schema):
            yield f"no field {name}"
        # Text with media is both a "text status" and a "media status" there.
        yield from _errors(_loosened(schema), self.body)

    def _answer_faults(self, operation: dict[str, Any]) -> Iterator[str]:
        if self.status is None:
            return
        answers = operation["responses"]
        if str(self.status) not in answers:
            if self.status not in UNDOCUMENTED_STATUSES:
                yield f"no answer {self.status}"
            return
        content = answers[str(self.status)].get("content", {})
        if "application/json" in content:
            schema = content["application/json"]["schema"]
            yield from _errors(_loosened(schema), self.answer)


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

    def answer_violations(self) -> list[str]:
        return [why for call in self.calls for why in call.answer_violations()]

    def middleware(self) -> Any:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            if resource is None or not request.path.startswith(RECORDED):
                return await handler(request)
            call = Call(
                request.method,
                resource.canonical.rstrip("/"),
                dict(request.query),
                dict(request.headers),
                await _read_body(request),
            )
            self.calls.append(call)
            answer = await handler(request)
            if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
                call.status, call.answer = answer.status, json.loads(answer.body)
            return answer

        return record


async def _read_body(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return await request.json()
    form = await request.post()
    return {
        name: value if isinstance(value, str) else "a file"
        for name, value in form.items()
    }


def _is_a(kind: str, value: str) -> bool:
    return {
        "boolean": value in {"true", "false"},
        "integer": value.isdecimal(),
        "string": True,
    }[kind]


def _loosened(schema: dict[str, Any]) -> dict[str, Any]:
    return {("anyOf" if key == "oneOf" else key): part for key, part in schema.items()}


def _errors(schema: dict[str, Any], value: Any) -> Iterator[str]:
    whole = {**schema, "components": load_spec()["components"]}
    for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
        yield f"{error.json_path}: {error.message[:200]}"


def _properties(schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _properties(load_spec()["components"]["schemas"][name])
    parts = [
        part for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key, ())
    ]
    return set(schema.get("properties", ())).union(*map(_properties, parts))
