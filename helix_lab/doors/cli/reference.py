"""The reference of the command line, made from the commands: `docs/cli.md`.

`python -m helix_lab.doors.cli.reference > docs/cli.md` writes it anew; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from helix_lab.doors.cli.commands import is_argument, name_commands
from helix_lab.doors.cli.importing import EXIT_PARTLY_REFUSED
from helix_lab.doors.cli.reporting import OPERATIONS_OF_REPORT
from helix_lab.doors.cli.root import EXIT_CODES, EXIT_INTERRUPTED, SUMMARIES, root
from helix_lab.operations.operation import Operation

_HEAD = """\
# The command line

`helix-lab` offers every operation as a command. This page is made from the same table as the
commands, by `python -m helix_lab.doors.cli.reference`.

Commands go to the server of `--url` or `HELIX_LAB_URL`; without one, to the server that owns the
data folder (`--data-dir` or `HELIX_DATA_DIR`); where none runs, they open the folder themselves,
and stay until the work that they began is done.

How a command is called: the group is the first part of the HTTP path (`context` belongs to
`conversations`). In it, a question whose path goes on in words is called by those words, and
everything else by the verb of the operation. A group of one command is that command, but for
`dashboards list`. Fields in the path and required ids are arguments; all others are options. A
value that is JSON may be given as text, as `@file`, or as `-` for standard input.

Answers are text for people; `--json`, before or after the command, gives the JSON of the REST API
in one line. Notes and errors go to standard error.

## Exit codes

| code | meaning |
|---|---|
"""

_MEANINGS = {
    0: "done",
    1: "an unexpected error, or a run that failed",
    2: "a wrong option, field or statement; too large",
    3: "nothing of that name is here",
    4: "it contradicts what is recorded",
    5: "the token is missing or wrong",
    6: "a server, the data folder or a provider cannot be reached",
    7: "it was cancelled or stopped",
    EXIT_PARTLY_REFUSED: "`import` refused some items, and took in the others",
    EXIT_INTERRUPTED: "stopped by Ctrl-C",
}


def write_reference() -> str:
    """The whole page."""
    missing = {*EXIT_CODES.values()} - set(_MEANINGS)
    if missing:
        message = f"say what exit codes {missing} mean"
        raise LookupError(message)
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in _MEANINGS.items())
    return _HEAD + codes + "\n## Commands\n" + "".join(_describe_all())


def _describe_all() -> Iterator[str]:
    groups = name_commands()
    context = click.Context(root, info_name="helix-lab")
    for name in sorted(SUMMARIES):
        command = root.get_command(context, name)
        if isinstance(command, click.Group):
            made = groups.get(name, OPERATIONS_OF_REPORT)
            for part, child in command.commands.items():
                yield _describe(f"{name} {part}", child, made.get(part))
        elif command is not None:
            yield _describe(name, command, next(iter(groups.get(name, {}).values()), None))


def _describe(name: str, command: click.Command, operation: Operation | None) -> str:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option) and p.name != "is_json"]
    usage = " ".join(["helix-lab", name, *(p.make_metavar(_context(command)) for p in arguments)])
    lines = [f"\n### `{usage}`\n\n{_join(command.help or '')}\n"]
    if operation is not None:
        lines.append(f"\nOver HTTP: `{operation.method} {operation.path}`")
        described = [
            (name.upper(), field.description)
            for name, field in operation.request.model_fields.items()
            if is_argument(operation, name) and field.description
        ]
        lines += [f"; {place}: {text}" for place, text in described]
        lines.append("\n")
    if options:
        lines.append("\n| option | |\n|---|---|\n")
        lines += [_describe_option(option) for option in options]
    return "".join(lines)


def _describe_option(option: click.Option) -> str:
    names = "/".join([option.opts[0], *option.secondary_opts])
    kind = "" if option.is_flag else f" {_kind(option)}"
    notes = [_join(option.help or ""), "Required." if option.required else ""]
    if option.show_default:
        notes.append(f"[default: {option.default}]")
    text = " ".join(filter(None, notes)).replace("|", "\\|")
    return f"| `{names}{kind}` | {text} |\n".replace("  |", " |")


def _kind(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "\\|".join(map(str, option.type.choices))
    return option.type.name.upper()


def _context(command: click.Command) -> click.Context:
    return click.Context(command)


def _join(text: str) -> str:
    """One line a paragraph."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


if __name__ == "__main__":
    sys.stdout.write(write_reference())
