"""Fields of a request as arguments and options."""

from __future__ import annotations

import json
import sys
import types
import typing
from pathlib import Path
from typing import Annotated, Any, Literal

import click

if typing.TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

_SIMPLE: dict[Any, ParamType] = {int: click.INT, float: click.FLOAT, str: click.STRING}


class Json(ParamType):
    """JSON: as text, as `@file`, or `-` for standard input."""

    name = "json"

    def __init__(self, *, is_list: bool) -> None:
        self._is_list = is_list

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; one that stands alone where a list is asked for is a list of one."""
        if not isinstance(value, str):
            return value
        try:
            found = json.loads(read_text(value))
        except ValueError as error:
            self.fail(f"this is not JSON: {error}", param, ctx)
        return [found] if self._is_list and not isinstance(found, list) else found


def make_parameter(name: str, field: FieldInfo, *, is_argument: bool) -> click.Parameter:
    """The argument or option that gives a field."""
    core = _strip(field.annotation)
    kind = _type_of(core)
    if is_argument:
        return click.Argument([name], type=kind, metavar=name.upper())
    flag = f"--{name.replace('_', '-')}"
    help_text = _describe(field)
    if core is bool:
        names = [f"{flag}/--no-{flag[2:]}", name]
        return click.Option(names, default=None, help=help_text)
    required = field.is_required()
    return click.Option([flag, name], type=kind, required=required, default=None, help=help_text)


def read_text(value: str) -> str:
    """Text as it was typed, or of the file after an @, or of standard input for -.

    Raises:
        click.BadParameter: the file cannot be read.
    """
    if value == "-":
        return sys.stdin.read()
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{value[1:]} cannot be read: {error}"
        raise click.BadParameter(message) from None


def _describe(field: FieldInfo) -> str:
    description = field.description or ""
    default = field.get_default(call_default_factory=True) if not field.is_required() else None
    shown = json.dumps(default) if default not in (None, [], {}) else None
    text = f"{description[:1].upper()}{description[1:]}." if description else ""
    return "  ".join(part for part in (text, f"[default: {shown}]" if shown else "") if part)


def _strip(annotation: Any) -> Any:
    """The type itself: without `Annotated`, without `| None`."""
    while True:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is Annotated:
            annotation = arguments[0]
        elif origin in {typing.Union, types.UnionType} and type(None) in arguments:
            left = [argument for argument in arguments if argument is not type(None)]
            if len(left) > 1:
                return Any
            annotation = left[0]
        else:
            return annotation


def _type_of(core: Any) -> ParamType:
    if typing.get_origin(core) is Literal:
        return click.Choice([str(choice) for choice in typing.get_args(core)])
    if core in _SIMPLE:
        return _SIMPLE[core]
    if isinstance(core, type) and issubclass(core, bool):
        return click.BOOL
    if getattr(core, "__name__", "") == "datetime":
        return click.STRING
    return Json(is_list=typing.get_origin(core) is list)
