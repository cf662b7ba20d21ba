"""What Stripe accepts, read from the types of the installed stripe library.

The library's parameter types are generated from Stripe's specification for the very
API version that the library speaks; so a parameter that Stripe does not have, or no
longer has, is refused here too, however deep it is. They say nothing of lengths,
ranges and rules between parameters: those are in stripe_rules.
"""

import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import (
    Any,
    Literal,
    NotRequired,
    Protocol,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import stripe

from outletbot.sandbox.stripe_errors import Invalid, missing, unknown_parameters
from outletbot.sandbox.stripe_forms import Raw

# Names that the library imports for type checkers only; both are of request options,
# which are no parameters.
_UNIMPORTED = {"StripeContext": object, "Mapping": Mapping}
_OPTIONS = frozenset(stripe.RequestOptions.__annotations__)


class Shape(Protocol):
    def read(self, value: Raw, at: str) -> Any:
        """Return *value*, which was sent as parameter *at*, as what it means.

        Raises:
            Invalid: If it is not of this shape.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, or what matches *pattern* and is made by *make*."""

    name: str = "string"
    pattern: str = r"(?s).*"
    make: type[str | int | bool | Decimal] = str

    def read(self, value: Raw, at: str) -> str | int | bool | Decimal:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            shown = value if isinstance(value, str) else "not a single value"
            code = "parameter_invalid_integer" if self.make is int else None
            message = f"Invalid {self.name}: {shown}"
            raise Invalid(message, param=at, code=code)
        return value == "true" if self.make is bool else self.make(value)


TEXT = Scalar()
SCALARS: dict[object, Scalar] = {
    int: Scalar("integer", r"-?[0-9]{1,18}", int),
    bool: Scalar("boolean", "true|false", bool),
    float: Scalar("decimal", r"-?[0-9]{1,18}(\.[0-9]{1,12})?", Decimal),
    Decimal: Scalar("decimal", r"-?[0-9]{1,18}(\.[0-9]{1,12})?", Decimal),
}


@dataclass(frozen=True, slots=True)
class OneOf:
    """Known words only; Stripe may know more some day, but not in this version."""

    words: tuple[str, ...]

    def read(self, value: Raw, at: str) -> str:
        if not isinstance(value, str) or value not in self.words:
            message = f"Invalid {at}: must be one of {', '.join(self.words[:12])}"
            raise Invalid(message, param=at)
        return value


@dataclass(frozen=True, slots=True)
class Many:
    item: Shape

    def read(self, value: Raw, at: str) -> list[Any]:
        if not isinstance(value, list):
            message = "Invalid array"
            raise Invalid(message, param=at)
        return [self.item.read(each, f"{at}[{i}]") for i, each in enumerate(value)]


@dataclass(frozen=True, slots=True)
class FreeMap:
    """Any names, of one shape: metadata."""

    item: Shape

    def read(self, value: Raw, at: str) -> dict[str, Any]:
        if isinstance(value, list):  # metadata[0]=… looks like a list when encoded
            value = {str(i): each for i, each in enumerate(value)}
        if not isinstance(value, dict):
            message = "Invalid object"
            raise Invalid(message, param=at)
        return {k: self.item.read(each, f"{at}[{k}]") for k, each in value.items()}


@dataclass(frozen=True, slots=True)
class Record:
    """The parameters of a request, or of an object within one."""

    fields: Mapping[str, Shape]
    required: frozenset[str]

    def read(self, value: Raw, at: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            message = "Invalid object"
            raise Invalid(message, param=at)
        unknown = [_inside(at, k) for k in value if k not in self.fields]
        if unknown:
            raise unknown_parameters(unknown)
        for name in sorted(self.required - value.keys()):
            raise missing(_inside(at, name))
        return {k: self._read_field(k, each, at) for k, each in value.items()}

    def _read_field(self, name: str, value: Raw, at: str) -> Any:
        at = _inside(at, name)
        shape = self.fields[name]
        if value == "" and not _may_be_empty(shape):
            message = (
                f"You passed an empty string for '{at}'. We assume empty values are an "
                f"attempt to unset a parameter; however '{at}' cannot be unset. You "
                f"should remove '{at}' from your request or supply a non-empty value."
            )
            raise Invalid(message, param=at, code="parameter_invalid_empty")
        return shape.read(value, at)


@dataclass(frozen=True, slots=True)
class Either:
    options: tuple[Shape, ...]

    def read(self, value: Raw, at: str) -> Any:
        refusals = []
        for option in self.options:
            try:
                return option.read(value, at)
            except Invalid as refusal:
                refusals.append(refusal)
        # The refusal that is about something deeper came from the option meant.
        raise max(refusals, key=lambda refusal: len(refusal.param or ""))


def _inside(at: str, name: str) -> str:
    return f"{at}[{name}]" if at else name


def _may_be_empty(shape: Shape) -> bool:
    if isinstance(shape, Either):
        return any(_may_be_empty(option) for option in shape.options)
    return isinstance(shape, OneOf) and "" in shape.words


@cache
def record_of(parameters: type) -> Record:
    """Return what the library's TypedDict *parameters* says of a request."""
    hints = get_type_hints(parameters, localns=_UNIMPORTED, include_extras=True)
    is_request = stripe.RequestOptions in getattr(parameters, "__orig_bases__", ())
    return Record(
        {
            name: _shape_of(hint)
            for name, hint in hints.items()
            if not (is_request and name in _OPTIONS)
        },
        getattr(parameters, "__required_keys__", frozenset()),
    )


def _shape_of(hint: Any) -> Shape:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is None:
        is_record = hasattr(hint, "__required_keys__")
        return record_of(hint) if is_record else SCALARS.get(hint, TEXT)
    if origin in (NotRequired, Required):
        return _shape_of(inner[0])
    if origin is Literal:
        return OneOf(inner)
    if origin in (Union, types.UnionType):
        return _either(inner)
    # What is left are lists, and maps from text (a dict, or the library's own).
    return (
        Many(_shape_of(inner[0])) if origin is list else FreeMap(_shape_of(inner[-1]))
    )


def _either(hints: tuple[Any, ...]) -> Shape:
    shapes = [_shape_of(hint) for hint in hints if hint is not type(None)]
    if any(isinstance(shape, OneOf) and shape.words != ("",) for shape in shapes):
        # Written ``Literal[…] | str`` so that new words break nobody's type check.
        shapes = [shape for shape in shapes if shape != TEXT]
    unique = [shape for i, shape in enumerate(shapes) if shape not in shapes[:i]]
    return unique[0] if len(unique) == 1 else Either(tuple(unique))
