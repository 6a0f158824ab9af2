"""Commands made from the table of operations.

The rule: the group is the first part of the HTTP path (`context` belongs to `conversations`).
In it, a question (GET) whose path goes on in words is called by those words, and everything
else by the verb of the operation: `GET /v1/analytics/debates/winners` is `analytics
debates-winners`, `list_runs` is `runs list`. A group of one command is that command, but for
`dashboards list`. Fields in the path and required `…_id` fields are arguments, all others options.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from helix_lab.doors.cli import output
from helix_lab.doors.cli.fields import make_parameter
from helix_lab.doors.cli.session import Session
from helix_lab.operations.operation import Operation
from helix_lab.operations.table import OPERATIONS

HAND_MADE = {
    "run_query": "query",
    "start_import": "import",
    "rebuild_store": "rebuild",
    "forget_user": "forget",
    "list_reports": "report",
    "get_report": "report",
    "run_report": "report",
    "schedule_report": "report",
}
"""Operations with a command or a group of their own: operation → that."""

_MERGED = {"context": "conversations"}
_GROUPS_OF_ONE = frozenset({"dashboards"})
"""They list things in the plural, and will have more commands."""


def name_commands() -> dict[str, dict[str, Operation]]:
    """Group → command → operation, in the order of the table."""
    groups: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        if operation.name not in HAND_MADE:
            group = _MERGED.get(operation.noun, operation.noun)
            groups.setdefault(group, {})[_name(operation)] = operation
    return groups


def make_command(group: str, *, summary: str) -> click.Command | None:
    """The group of this name with its commands, or the one command of this name."""
    operations = name_commands().get(group)
    if operations is None:
        return None
    if len(operations) == 1 and group not in _GROUPS_OF_ONE:
        return make_one(group, next(iter(operations.values())))
    commands = [make_one(name, operation) for name, operation in operations.items()]
    return click.Group(group, commands=commands, help=f"{summary}.")


def _name(operation: Operation) -> str:
    words = [part for part in operation.path.strip("/").split("/") if not part.startswith("{")]
    tail = words[2:] if words[0] == "v1" else words[1:]
    if operation.method == "GET" and tail:
        return "-".join(tail)
    return operation.name.partition("_")[0]


def is_argument(operation: Operation, name: str) -> bool:
    """Whether a field is given by its place."""
    field = operation.request.model_fields[name]
    return name in operation.path_fields or (name.endswith("_id") and field.is_required())


def make_one(name: str, operation: Operation) -> click.Command:
    """The command of an operation, made from its request."""
    parameters = [
        make_parameter(field_name, field, is_argument=is_argument(operation, field_name))
        for field_name, field in operation.request.model_fields.items()
    ]
    return click.Command(
        name,
        params=[*parameters, json_option()],
        help=f"{operation.summary}.",
        callback=click.pass_obj(partial(_carry_out, operation)),
    )


def json_option() -> click.Option:
    """`--json`, which stands after the command as well as before it."""
    return click.Option(["--json", "is_json"], is_flag=True, help="Print the answer as JSON.")


def _carry_out(operation: Operation, session: Session, /, *, is_json: bool, **texts: Any) -> None:
    given: Mapping[str, Any] = {name: text for name, text in texts.items() if text is not None}
    answer = session.call(operation, dict(given))
    output.print_answer(operation.name, answer, as_json=is_json or session.is_json)
