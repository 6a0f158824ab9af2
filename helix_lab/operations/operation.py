"""The form of an operation: declared once, offered by every door."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import WithJsonSchema as JsonSchema

from helix_lab.domain.model.errors import HelixError, InvalidRequest
from helix_lab.operations.services import Services

Scope = Literal["public", "read", "write", "admin"]
"""Who may ask: anybody, who may read, who may write, who may operate the lab."""

Body = Literal["fields", "one_or_many", "upload"]
"""How a request lies in an HTTP body: its fields as one JSON object; the value of its last
field, one or a list, as JSON; the bytes of a file, with the other fields in the query."""


StreamItem = dict[str, Any]
"""One line of a streamed answer, as JSON."""


class Request(BaseModel):
    """What is asked; every field is checked, unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class Response(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True)

    def to_json(self) -> bytes:
        """The answer as REST sends it."""
        return self.__pydantic_serializer__.to_json(self)


R = TypeVar("R", bound=Request)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a user can ask for.

    Attributes:
        name: the method of `Lab` and of the client; a verb and a noun.
        path: HTTP path with `{field}` for the fields of the request that lie in it.
        run: does it; raises only `HelixError`.
        errors: what it may raise beyond `InvalidRequest`, for the documentation and the tests.
        status: HTTP status of a success.
        location: path of what was made, with `{field}` of the response; becomes `Location`.
        stream: the answer piece by piece, for who asks for that; whatever is ready at the same
            time comes in one list. It raises like `run`, and is closed when nobody wants more.
    """

    name: str
    summary: str
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    scope: Scope
    request: type[Request]
    response: type[Response]
    run: Callable[[Services, Any], Response]
    errors: tuple[type[HelixError], ...] = ()
    status: int = 200
    body: Body = "fields"
    location: str | None = None
    stream: Callable[[Services, Any], Iterator[list[StreamItem]]] | None = None

    @property
    def noun(self) -> str:
        """The group that the operation belongs to, such as `conversations`."""
        parts = self.path.strip("/").split("/")
        return parts[1] if parts[0] == "v1" else parts[0]

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Fields of the request that lie in the path, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def body_field(self) -> str | None:
        """The field that an `one_or_many` body is the value of."""
        return list(self.request.model_fields)[-1] if self.body == "one_or_many" else None


def require_stream(operation: Operation) -> Callable[[Services, Any], Iterator[list[StreamItem]]]:
    """How an operation streams.

    Raises:
        InvalidRequest: it gives its answer whole, and only so.
    """
    if operation.stream is None:
        message = f"{operation.name} does not stream; call it for the whole answer"
        raise InvalidRequest(message, operation=operation.name)
    return operation.stream


def parse_request(model: type[R], values: dict[str, Any], *, lenient: bool = False) -> R:
    """A checked request.

    Args:
        model: the request type of the operation.
        values: the fields by name.
        lenient: read numbers and booleans out of strings, as a query string or a command
            line has them; otherwise the types must fit exactly.

    Raises:
        InvalidRequest: names the first field at fault, and lists all of them in its details.
    """
    try:
        return model.model_validate(values, strict=not lenient)
    except ValidationError as error:
        raise _explain(model, error) from None


def _explain(model: type[Request], error: ValidationError) -> InvalidRequest:
    faults = [
        {"field": _field_of(fault["loc"]), "problem": _problem_of(model, fault)}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return InvalidRequest(
        f"field {first['field']!r}: {first['problem']}{more}", field=first["field"], faults=faults
    )


def _field_of(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "body"


def _problem_of(model: type[Request], fault: Any) -> str:
    if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
        return f"unknown field; allowed: {', '.join(model.model_fields)}"
    return str(fault["msg"]).removeprefix("Value error, ")


# Field types that several requests share --------------------------------------------------


def _refuse_control_characters(text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        message = "must not contain control characters"
        raise ValueError(message)
    return text


def _refuse_unstorable(text: str) -> str:
    if "\0" in text:
        message = "must not contain the NUL character"
        raise ValueError(message)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        message = "must not contain unpaired surrogates"
        raise ValueError(message) from None
    return text


def read_instant(value: object) -> object:
    """A moment in UTC, out of RFC 3339 text or an aware datetime. A number has no known unit."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            message = "must be a time such as 2026-01-30T10:00:00Z (RFC 3339)"
            raise ValueError(message) from None
    else:
        message = "must be a time such as 2026-01-30T10:00:00Z (RFC 3339)"
        raise ValueError(message)
    if moment.tzinfo is None:
        message = "must name its time zone, such as the Z of 2026-01-30T10:00:00Z"
        raise ValueError(message)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        message = "is out of range"
        raise ValueError(message) from None


Id = Annotated[
    str,
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": r"^[^\x00-\x1f\x7f]+$"}),
    AfterValidator(_refuse_control_characters),
    AfterValidator(_refuse_unstorable),
]
"""An id: 1 to 200 characters, no control characters."""

Name = Id
"""A short name; the same limits as an id."""

Text = Annotated[str, AfterValidator(_refuse_unstorable)]
"""Free text: anything but NUL and unpaired surrogates."""

Instant = Annotated[
    datetime,
    BeforeValidator(read_instant),
    JsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment, given with its time zone, kept in UTC."""


def is_optional(annotation: object) -> bool:
    """Whether a type is `… | None`."""
    return typing.get_origin(annotation) in {typing.Union, types.UnionType} and type(
        None
    ) in typing.get_args(annotation)
