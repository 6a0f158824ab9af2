"""The line of a magic that asks for rows: options first, then a text that nothing looks into."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from keyword import iskeyword
from typing import Any, NoReturn

from helix_lab.domain.model.errors import InvalidRequest

DEFAULT_MAX_ROWS = 1_000
DEFAULT_TIMEOUT_S = 60.0

_OPTION = re.compile(r"\s*(--[A-Za-z][\w-]*|-[A-Za-z]+)(?:=|\s+|$)")
FORMS = ("df", "arrow", "polars")
STORES = ("analytics", "lake")
GRAPH_FORMS = (*FORMS, "graph")
_ALLOWED = "--param name=value, --max-rows N, --timeout SECONDS, -o NAME (or --output NAME), --as "


@dataclass(slots=True)
class RowsArguments:
    """What stands before the statement.

    Attributes:
        expressions: parameter name → Python expression.
        output: name that the result is assigned to; then it is not displayed.
        store: what `%%sql` asks.
        form: what the result is turned into, such as "df"; None leaves it as it is.
        rest: the text after the options, untouched.
    """

    expressions: dict[str, str] = field(default_factory=dict)
    max_rows: int = DEFAULT_MAX_ROWS
    timeout_s: float = DEFAULT_TIMEOUT_S
    output: str | None = None
    form: str | None = None
    store: str = STORES[0]
    rest: str = ""


def read_arguments(
    line: str, *, magic: str = "%sql", forms: Sequence[str] = FORMS
) -> RowsArguments:
    """The options at the start of a line, and what follows them.

    A value ends at the first space outside of quotes and brackets.

    Args:
        line: what follows the name of the magic.
        magic: as errors call it.
        forms: what `--as` may be.

    Raises:
        InvalidRequest: an option is unknown or its value cannot be used.
    """
    arguments = RowsArguments()
    position = 0
    while match := _OPTION.match(line, position):
        end = _find_end(line, match.end())
        try:
            _take(arguments, match[1], line[match.end() : end], forms)
        except _WrongOptionError as error:
            message = f"{magic} {error}; allowed: {_ALLOWED}{'|'.join(forms)}"
            raise InvalidRequest(message, field="line") from None
        position = end
    arguments.rest = line[position:]
    return arguments


def bind(expressions: Mapping[str, str], namespace: dict[str, Any]) -> dict[str, Any]:
    """The values of the parameters, as JSON knows them.

    Raises:
        InvalidRequest: an expression fails, or its value has no form in JSON.
    """
    return {name: _evaluate(name, text, namespace) for name, text in expressions.items()}


def _find_end(text: str, start: int) -> int:
    depth, quote, position = 0, "", start
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character.isspace() and depth <= 0:
            break
        else:
            depth += (character in "([{") - (character in ")]}")
        position += 1
    return min(position, len(text))


def _take(arguments: RowsArguments, option: str, value: str, forms: Sequence[str]) -> None:
    if not value:
        _refuse(f"{option} needs a value")
    match option:
        case "--param":
            name, expression = _read_parameter(value)
            arguments.expressions[name] = expression
        case "--max-rows":
            arguments.max_rows = int(_read_number(option, value, whole=True))
        case "--timeout":
            arguments.timeout_s = _read_number(option, value, whole=False)
        case "-o" | "--output":
            arguments.output = _read_name(option, value)
        case "--on":
            arguments.store = _read_store(option, value)
        case "--as":
            arguments.form = _read_form(value, forms)
        case _:
            _refuse(f"{option} is not an option")


def _read_parameter(value: str) -> tuple[str, str]:
    name, _, expression = value.partition("=")
    if not name.isidentifier():
        _refuse(f"--param {value}: {name!r} is not a name")
    return name, expression or name


def _read_name(option: str, value: str) -> str:
    if not value.isidentifier() or iskeyword(value):
        _refuse(f"{option} {value}: this is not a name")
    return value


def _read_form(value: str, forms: Sequence[str]) -> str:
    if value not in forms:
        _refuse(f"--as {value}: there is no such form")
    return value


def _read_store(option: str, value: str) -> str:
    if value not in STORES:
        _refuse(f"{option} {value}: it must be {' or '.join(STORES)}")
    return value


def _read_number(option: str, value: str, *, whole: bool) -> float:
    pattern = r"[0-9]+" if whole else r"[0-9]+(\.[0-9]*)?|\.[0-9]+"
    if not re.fullmatch(pattern, value.replace("_", "")) or float(value) <= 0:
        _refuse(f"{option} {value}: it must be {'a whole' if whole else 'a'} number above 0")
    return float(value)


class _WrongOptionError(ValueError):
    """What is wrong with an option."""


def _refuse(problem: str) -> NoReturn:
    raise _WrongOptionError(problem)


def _evaluate(name: str, text: str, namespace: dict[str, Any]) -> Any:
    try:
        value = eval(text, namespace)  # noqa: S307 - the user's own expression in the user's kernel
    except Exception as error:
        message = f"--param {name}={text}: {type(error).__name__}: {error}"
        raise InvalidRequest(message, field=name) from None
    return _to_json(name, value)


def _to_json(name: str, value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()  # a scalar of numpy
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_to_json(name, item) for item in value]
    message = (
        f"--param {name}: a {type(value).__name__} cannot be bound; "
        "allowed: str, int, float, bool, None, date, datetime, and lists of them"
    )
    raise InvalidRequest(message, field=name)
