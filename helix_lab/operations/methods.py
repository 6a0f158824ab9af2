"""The operations as methods: `Lab` and the remote client have the same ones from here."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.operations.operation import Operation, StreamItem
from helix_lab.operations.table import OPERATIONS

if TYPE_CHECKING:
    from pydantic import BaseModel


class Methods:
    """Base of everything that offers the operations; a child says how one is carried out."""

    def call(self, operation: Operation, values: dict[str, Any]) -> BaseModel:
        """Carry out one operation with unchecked field values."""
        raise NotImplementedError

    def stream(self, operation: Operation, values: dict[str, Any]) -> Iterator[list[StreamItem]]:
        """As `call`, with the answer piece by piece."""
        raise NotImplementedError

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


def _make_method(operation: Operation) -> Callable[..., BaseModel]:
    signature = _signature_of(operation)

    def method(self: Methods, *args: Any, **kwargs: Any) -> BaseModel:
        return self.call(operation, _bind(operation, signature, self, args, kwargs))

    method.__name__ = method.__qualname__ = operation.name
    method.__doc__ = _describe(operation)
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method


def _make_stream_method(operation: Operation) -> Callable[..., Iterator[StreamItem]]:
    """`stream_<name>`: the same arguments, and one piece of the answer after the other."""
    signature = _signature_of(operation)

    def method(self: Methods, *args: Any, **kwargs: Any) -> Iterator[StreamItem]:
        values = _bind(operation, signature, self, args, kwargs)
        return _flatten(self.stream(operation, values))

    method.__name__ = method.__qualname__ = f"stream_{operation.name}"
    method.__doc__ = f"{_describe(operation)}\n\nGives the answer piece by piece, as it is made."
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        return_annotation=Iterator[StreamItem]
    )
    return method


def _flatten(batches: Iterator[list[StreamItem]]) -> Iterator[StreamItem]:
    for batch in batches:
        yield from batch


def _bind(
    operation: Operation,
    signature: inspect.Signature,
    owner: Methods,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> dict[str, Any]:
    try:
        bound = signature.bind(owner, *args, **kwargs)
    except TypeError as error:
        fields = ", ".join(operation.request.model_fields) or "nothing"
        message = f"{operation.name}: {error}; it takes {fields}"
        raise InvalidRequest(message, operation=operation.name) from None
    bound.arguments.pop("self")
    by_argument = {_name_of(field): field for field in operation.request.model_fields}
    return {by_argument[name]: value for name, value in bound.arguments.items()}


def _name_of(field: str) -> str:
    """A field as an argument is called: `from_` for `from`, which Python keeps to itself."""
    return f"{field}_" if keyword.iskeyword(field) else field


def _signature_of(operation: Operation) -> inspect.Signature:
    """Required fields by position or name, the others by name alone."""
    fields = operation.request.model_fields
    required = [name for name, field in fields.items() if field.is_required()]
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
    parameters += [
        inspect.Parameter(
            _name_of(name),
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            annotation=fields[name].annotation,
        )
        for name in required
    ]
    parameters += [
        inspect.Parameter(
            _name_of(name),
            inspect.Parameter.KEYWORD_ONLY,
            default=field.get_default(call_default_factory=True),
            annotation=field.annotation,
        )
        for name, field in fields.items()
        if name not in required
    ]
    return inspect.Signature(parameters, return_annotation=operation.response)


def _describe(operation: Operation) -> str:
    lines = [operation.summary, ""]
    for name, field in operation.request.model_fields.items():
        lines.append(f"    {name}: {field.description or ''}".rstrip())
    lines += ["", f"Over HTTP: {operation.method} {operation.path}"]
    return "\n".join(lines)


for _operation in OPERATIONS:
    setattr(Methods, _operation.name, _make_method(_operation))
    if _operation.stream is not None:
        setattr(Methods, f"stream_{_operation.name}", _make_stream_method(_operation))
