"""As much GraphQL as a shop's sandbox needs: read a document, answer what it selects.

One operation, fields with arguments, variables, nested selections and the directive
``@idempotent``. A field that a type does not have is refused, as by the real API, so
that a client's misspelt query does not pass here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'\s+|,|#[^\n]*|("(?:\\.|[^"\\])*"|\.\.\.|[A-Za-z_]\w*|-?\d+|.)')


class GraphqlError(Exception):
    """The document is not GraphQL, or asks for what is not there."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A field as it was asked for; *idempotent* is the key of that directive."""

    name: str
    alias: str
    arguments: Mapping[str, Any]
    idempotent: str | None = None
    fields: Sequence["Selected"] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    kind: str
    fields: Sequence[Selected] = field(default_factory=tuple)


def read_operation(text: str, variables: Mapping[str, Any]) -> Operation:
    """Return the one operation of a document.

    Raises:
        GraphqlError: If it is not one.
    """
    tokens = [match[1] for match in _TOKEN.finditer(text) if match[1]]
    return _Reader(tokens, variables).operation()


def project(answer: Any, fields: Sequence[Selected], kind: str) -> Any:
    """Return of *answer* what was selected.

    Raises:
        GraphqlError: If a field of that name is not there.
    """
    if isinstance(answer, list):
        return [project(each, fields, kind) for each in answer]
    if not isinstance(answer, dict):
        if fields:
            msg = f"Selections can't be made on scalars (field '{kind}')"
            raise GraphqlError(msg)
        return answer
    if not fields:
        msg = f"Field must have selections (field '{kind}')"
        raise GraphqlError(msg)
    return {one.alias: _one(answer, one, kind) for one in fields}


def _one(answer: dict[str, Any], one: Selected, kind: str) -> Any:
    if one.name not in answer:
        msg = f"Field '{one.name}' doesn't exist on type '{kind}'"
        raise GraphqlError(msg)
    value = answer[one.name]
    if callable(value):
        value = value(**one.arguments)
    return None if value is None else project(value, one.fields, one.name)


class _Reader:
    def __init__(self, tokens: Sequence[str], variables: Mapping[str, Any]) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0
        self._variables = variables

    def operation(self) -> Operation:
        kind = "query"
        if self._tokens[0] in {"query", "mutation"}:
            kind = self._take()
            while self._tokens[self._at] not in {"{", ""}:  # its name and variables
                self._take()
        fields = self._selections()
        self._expect("")
        if not fields:
            msg = "syntax error, unexpected '}'"
            raise GraphqlError(msg)
        return Operation(kind, fields)

    def _selections(self) -> list[Selected]:
        self._expect("{")
        fields = []
        while not self._skip("}"):
            fields.append(self._field())
        return fields

    def _field(self) -> Selected:
        alias = name = self._name()
        if self._skip(":"):
            name = self._name()
        arguments = dict(self._arguments())
        key = None
        while self._skip("@"):
            directive, given = self._name(), dict(self._arguments())
            if directive != "idempotent":
                msg = f"Directive @{directive} is not defined"
                raise GraphqlError(msg)
            key = str(given.get("key", ""))
        nested = self._selections() if self._tokens[self._at] == "{" else []
        return Selected(name, alias, arguments, key, nested)

    def _arguments(self) -> Iterator[tuple[str, Any]]:
        if not self._skip("("):
            return
        while not self._skip(")"):
            name = self._name()
            self._expect(":")
            yield name, self._value()

    def _value(self) -> Any:
        token = self._take()
        if token == "$":  # noqa: S105 - the mark of a variable
            return self._variables.get(self._name())
        if token == "[":  # noqa: S105 - the beginning of a list
            return list(self._values("]"))
        if token.startswith('"'):
            return json.loads(token)
        words = {"true": True, "false": False, "null": None}
        return words[token] if token in words else _number_or_word(token)

    def _values(self, end: str) -> Iterator[Any]:
        while not self._skip(end):
            yield self._value()

    def _name(self) -> str:
        token = self._take()
        if not token.isidentifier():
            msg = f"syntax error, unexpected {token!r}"
            raise GraphqlError(msg)
        return token

    def _take(self) -> str:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _skip(self, token: str) -> bool:
        if self._tokens[self._at] == token:
            self._take()
            return True
        if not self._tokens[self._at]:
            msg = "syntax error, unexpected end of file"
            raise GraphqlError(msg)
        return False

    def _expect(self, token: str) -> None:
        if self._tokens[self._at] != token:
            msg = f"syntax error, expecting {token!r}"
            raise GraphqlError(msg)
        self._take()


def _number_or_word(token: str) -> int | str:
    try:
        return int(token)
    except ValueError:
        return token
