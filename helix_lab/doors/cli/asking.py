"""`helix-lab query`: SQL from the command line."""

from __future__ import annotations

import json
from typing import Any

import click

from helix_lab.doors.cli.fields import ParamType, read_text
from helix_lab.doors.cli.session import Session


class NamedText(ParamType):
    """`name=value`; the value is not yet read."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        """The name and the text after it."""
        name, equals, text = str(value).partition("=")
        if not equals or not name.isidentifier():
            self.fail(f"{value!r} must be name=value", param, ctx)
        return name, text


class Parameter(NamedText):
    """`name=value`; a value that reads as JSON is that value, all else is text."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        """The name and its value."""
        name, text = super().convert(value, param, ctx)
        return name, read_value(text)


def read_value(text: str) -> Any:
    """What a text says as JSON, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@click.command()
@click.argument("sql")
@click.option(
    "--param",
    "parameters",
    type=Parameter(),
    multiple=True,
    help="Value for $name, as JSON or text; may be repeated.  zip='\"01\"' forces text.",
)
@click.option("--max-rows", type=click.INT, default=1000, show_default=True, help="Rows at most.")
@click.option(
    "--timeout",
    type=click.FLOAT,
    default=30,
    show_default=True,
    help="Seconds after which to stop.",
)
@click.option("--json", "is_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def query(
    session: Session,
    sql: str,
    parameters: tuple[tuple[str, Any], ...],
    max_rows: int,
    timeout: float,
    *,
    is_json: bool,
) -> None:
    """Ask the analytics store in SQL, reading only.

    SQL is one statement: as text, as @file, or - for standard input. `helix-lab catalog` lists
    what can be asked for.
    """
    from helix_lab.doors.cli.output import print_answer, print_table
    from helix_lab.doors.kernel.result import SqlResult

    answer = session.call_by_name(
        "run_query",
        query=read_text(sql),
        parameters=dict(parameters),
        max_rows=max_rows,
        timeout_s=timeout,
    )
    if is_json or session.is_json:
        print_answer("run_query", answer, as_json=True)
        return
    result = SqlResult.from_answer(answer)
    print_table(list(result.columns), result.values)
    click.echo(result.describe(len(result)), err=True)
