"""The line of the magic: options, and what is left for the engine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.doors.kernel.arguments import bind, read_arguments


@pytest.mark.parametrize(
    ("line", "expressions", "rest"),
    [
        ("", {}, ""),
        ("SELECT 1", {}, "SELECT 1"),
        ("--param a=1 SELECT $a", {"a": "1"}, " SELECT $a"),
        ("--param a", {"a": "a"}, ""),
        ("--param=a=1", {"a": "1"}, ""),
        ("--param a=1 --param b='x y' z", {"a": "1", "b": "'x y'"}, " z"),
        ("--param a=[1, (2), {3: '] '}] z", {"a": "[1, (2), {3: '] '}]"}, " z"),
        ("--param a='\\' ' z", {"a": "'\\' '"}, " z"),
        ("--param a=(b if c else d)", {"a": "(b if c else d)"}, ""),
        ("--param a=b==c", {"a": "b==c"}, ""),
        ("-- a comment", {}, "-- a comment"),
        ("SELECT 1 --param a=1", {}, "SELECT 1 --param a=1"),
        ("-1 + 2", {}, "-1 + 2"),
    ],
)
def test_options_end_where_the_statement_begins(
    line: str, expressions: dict[str, str], rest: str
) -> None:
    arguments = read_arguments(line)

    assert (expressions, rest) == (arguments.expressions, arguments.rest)


def test_all_options_are_read() -> None:
    arguments = read_arguments("--max-rows 1_000 --timeout 2.5 -o rows")

    assert (1000, 2.5, "rows") == (arguments.max_rows, arguments.timeout_s, arguments.output)


def test_a_form_and_the_long_name_of_the_output_are_read() -> None:
    arguments = read_arguments("--output rows --as polars SELECT 1")

    assert ("rows", "polars", " SELECT 1") == (arguments.output, arguments.form, arguments.rest)


def test_an_error_names_the_magic() -> None:
    with pytest.raises(InvalidRequest, match=r"^%%cypher -x is not an option"):
        read_arguments("-x 1", magic="%%cypher")


@pytest.mark.parametrize(
    "line",
    [
        "--nothing 1",
        "--param",
        "--param 1=2",
        "--param =2",
        "--max-rows 0",
        "--max-rows -1",
        "--max-rows 1.5",
        "--timeout 0",
        "--timeout nan",
        "--timeout inf",
        "-o 1a",
        "-o",
        "-o class",
        "--output a.b",
        "--as",
        "--as pandas",
        "-x 1",
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(line: str) -> None:
    with pytest.raises(InvalidRequest, match="allowed: --param name=value, --max-rows N"):
        read_arguments(line)


@given(st.text())
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        arguments = read_arguments(line)
    except InvalidRequest:
        return
    assert line.endswith(arguments.rest)


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        ("x", "x"),
        (date(2026, 1, 30), "2026-01-30"),
        (datetime(2026, 1, 30, 10, tzinfo=UTC), "2026-01-30T10:00:00+00:00"),
        ((1, ["a"]), [1, ["a"]]),
    ],
)
def test_a_value_that_json_knows_is_bound(value: Any, bound: Any) -> None:
    assert {"a": bound} == bind({"a": "x"}, {"x": value})


@pytest.mark.parametrize("value", [object(), {1}, b"x", [object()]])
def test_a_value_that_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="cannot be bound; allowed: str, int"):
        bind({"a": "x"}, {"x": value})


@pytest.mark.parametrize("expression", ["nothing", "1 +", "1/0", "''.x"])
def test_an_expression_that_fails_is_told_with_its_name(expression: str) -> None:
    with pytest.raises(InvalidRequest, match=r"--param a="):
        bind({"a": expression}, {})


class Scalar:
    """Looks like a scalar of numpy, which the lab does not depend on."""

    shape = ()

    def item(self) -> int:
        return 7


def test_a_scalar_of_numpy_is_bound_as_its_value() -> None:
    assert {"a": 7} == bind({"a": "x"}, {"x": Scalar()})
