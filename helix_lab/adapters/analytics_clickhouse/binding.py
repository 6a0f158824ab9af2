"""Values for the parameters of a statement: `$name` and `?` as ClickHouse writes them.

ClickHouse's own form is `{name:Type}`; it can be used, too. The type of the others follows from the
value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from helix_lab.domain.model.errors import QueryFailed

_TOKEN = re.compile(
    r"""
    '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.)*" | `(?:[^`\\]|\\.)*`   # texts and quoted names
    | --[^\n]* | \#[ !][^\n]* | /\*.*?\*/                           # comments
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$                                # here-documents
    | [A-Za-z_][\w$]*                                                # words may hold a dollar
    | \$(?P<name>[A-Za-z_]\w*) | (?P<place>\?)
    | \{(?P<own>\w+)\s*:[^}]*\}
    """,
    re.DOTALL | re.VERBOSE,
)
_LEAST, _GREATEST = -(2**63), 2**63


def bind(
    sql: str, parameters: Mapping[str, Any] | Sequence[Any]
) -> tuple[str, dict[str, str | None]]:
    """The statement in ClickHouse's form, and its values as text.

    Raises:
        QueryFailed: a parameter has no value, or a value no parameter or no form.
    """
    if not parameters:
        return sql, {}
    binder = _Binder(parameters)
    bound = _TOKEN.sub(binder.replace, sql)
    binder.check_all_used()
    return bound, binder.values


class _Binder:
    """Gives each parameter of one statement its place."""

    def __init__(self, parameters: Mapping[str, Any] | Sequence[Any]) -> None:
        self.values: dict[str, str | None] = {}
        self._is_named = isinstance(parameters, Mapping)
        self._given: dict[str, Any] = (
            dict(parameters)
            if isinstance(parameters, Mapping)
            else {f"p{number}": value for number, value in enumerate(parameters)}
        )
        self._places = iter(self._given)
        self._used: set[str] = set()

    def replace(self, found: re.Match[str]) -> str:
        """What takes the place of one token."""
        if self._is_named:
            if found["own"] in self._given:
                return self._keep(found)
            return self._write(found["name"]) if found["name"] else found[0]
        return self._write(self._next_place()) if found["place"] else found[0]

    def check_all_used(self) -> None:
        """No value was given in vain."""
        vain = sorted(set(self._given) - self._used)
        if vain:
            message = f"the query has no place for {', '.join(vain)}"
            raise QueryFailed(message, field="parameters")

    def _next_place(self) -> str:
        name = next(self._places, None)
        if name is None:
            message = f"the query has more places than the {len(self._given)} values given for them"
            raise QueryFailed(message, field="parameters")
        return name

    def _keep(self, found: re.Match[str]) -> str:
        name = found["own"]
        self._used.add(name)
        self.values[name] = _write(self._given[name], name)[1]
        return found[0]

    def _write(self, name: str) -> str:
        if name not in self._given:
            message = f"the query has a parameter {name!r} without a value"
            raise QueryFailed(message, field="parameters")
        self._used.add(name)
        kind, text = _write(self._given[name], name)
        if text is None:
            return "NULL"
        self.values[name] = text
        return f"{{{name}:{kind}}}"


def strip_end(sql: str) -> str:
    """The statement without what may follow it: semicolons, blanks, comments."""
    masked = _TOKEN.sub(_mask, sql)
    return sql[: len(masked.rstrip(" \t\r\n\f\v;"))]


def _mask(found: re.Match[str]) -> str:
    is_comment = found[0].startswith(("--", "/*", "# ", "#!"))
    return (" " if is_comment else "x") * len(found[0])


def quote(text: str) -> str:
    """A text as a literal of ClickHouse."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _write(value: Any, name: str) -> tuple[str, str | None]:
    """The type of a value, and its text; None where it is null."""
    if value is None:
        return "Nothing", None
    for kind, write in _FORMS.items():
        if type(value) is kind:
            return write(value, name)
    message = f"parameter {name!r} is a {type(value).__name__}, which has no form here"
    raise QueryFailed(message, field="parameters")


def _write_text(value: str, name: str) -> tuple[str, str]:
    try:
        value.encode()
    except UnicodeError as error:
        message = f"parameter {name!r} is no text: {error}"
        raise QueryFailed(message, field="parameters") from None
    return "String", value


def _write_integer(value: int, name: str) -> tuple[str, str]:
    if not _LEAST <= value < _GREATEST:
        message = f"parameter {name!r} is {value}, which does not fit into 64 bits"
        raise QueryFailed(message, field="parameters")
    return "Int64", str(value)


def _write_moment(value: datetime, _name: str) -> tuple[str, str]:
    utc = value.astimezone(UTC) if value.tzinfo else value
    return "DateTime64(6, 'UTC')", f"{utc:%Y-%m-%d %H:%M:%S.%f}"


_FORMS: dict[type, Callable[[Any, str], tuple[str, str]]] = {
    str: _write_text,
    bool: lambda value, _: ("Bool", str(value).lower()),
    int: _write_integer,
    float: lambda value, _: ("Float64", repr(value)),
    datetime: _write_moment,
    date: lambda value, _: ("Date32", value.isoformat()),
}
