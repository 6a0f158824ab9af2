"""Answers on a terminal: JSON as over HTTP, or text for people."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from helix_lab.doors.tables import make_printable, show, to_text

if TYPE_CHECKING:
    from pydantic import BaseModel

_LABEL_WIDTH = 24
_WIDE = 10_000


def print_answer(operation: str, answer: BaseModel, *, as_json: bool) -> None:
    """Print the answer of an operation."""
    if as_json:
        click.echo(answer.model_dump_json())
        return
    content = answer.model_dump(mode="json")
    printer = _PRINTERS.get(operation, _print_any)
    printer(content)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, note: str = "") -> None:
    """Print rows under their names, as many columns as the terminal is wide."""
    click.echo(to_text(columns, rows, caption=lambda _: note, limit=len(rows), width=_width()))


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE


def _print_any(content: Mapping[str, Any]) -> None:
    """Facts as a list, then each list of things as a table."""
    tables = {name: value for name, value in content.items() if _is_table(value)}
    facts = {name: value for name, value in content.items() if name not in tables}
    if set(facts) - {"next_cursor"} or not tables:
        _print_facts(facts)
    for name, rows in tables.items():
        _print_rows(name, rows)
    if content.get("next_cursor"):
        click.echo(f"there is more: --cursor {content['next_cursor']}", err=True)


def _print_facts(facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if value in (None, [], {}) or name == "next_cursor":
            continue
        if isinstance(value, Mapping):
            shown = ", ".join(f"{key}={show(item)}" for key, item in value.items())
        elif isinstance(value, list) and not any(isinstance(item, dict) for item in value):
            shown = ", ".join(map(show, value))
        else:
            shown = show(value)
        click.echo(f"{name.replace('_', ' ').ljust(_LABEL_WIDTH)}{shown}")


def _print_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        click.echo(f"no {name.replace('_', ' ')}")
        return
    flat = [{name: _flatten(value) for name, value in row.items()} for row in rows]
    names = [name for name in flat[0] if any(_is_worth_a_column(row[name]) for row in flat)]
    print_table(names, [[row[name] for name in names] for row in flat])


def _is_worth_a_column(value: Any) -> bool:
    """Nothing and structures are not: `--json` shows those."""
    return value is not None and not isinstance(value, Mapping | list)


def _flatten(value: Any) -> Any:
    """A time to the second, a seat by what it is called; the rest as it is."""
    if isinstance(value, Mapping) and "seat" in value:
        return f"{value['provider']} ({value['seat']})"
    is_time = (
        isinstance(value, str) and len(value) > len("2026-01-30T10:00:00") and value[10] == "T"
    )
    return f"{value[:10]} {value[11:19]}" if is_time and value[:4].isdecimal() else value


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _print_replay(content: Mapping[str, Any]) -> None:
    """The conversation, to be read."""
    for message in [*content["messages"], *(content["alternatives"] or [])]:
        click.secho(f"{message['role']} · {_flatten(message['timestamp'])}", bold=True)
        click.echo(make_printable(message["content"]) + "\n")
    stats = content["stats"]
    click.echo(
        f"{stats['total_messages']} messages, {stats['total_tokens']} tokens, "
        f"replayed in {stats['replay_duration_ms']:.0f} ms",
        err=True,
    )


def _print_debate(content: Mapping[str, Any]) -> None:
    """The facts, then what was said, in order."""
    hidden = {"turns", "seats", "judge", "winner", "judgments", "verdict", "error", "progress"}
    facts: dict[str, Any] = {name: content[name] for name in content if name not in hidden}
    winner = content["winner"]
    _print_facts({**facts, "winner": winner and _flatten(winner)})
    for turn in content["turns"]:
        click.secho(
            f"\nround {turn['round']} · {turn['role']} · {turn['position']} · {turn['provider']}",
            bold=True,
        )
        said = turn["text"] or turn["choice"] or f"({turn['error_message'] or 'no answer'})"
        click.echo(make_printable(said))
    if content["verdict"]:
        click.secho("\nverdict", bold=True)
        click.echo(make_printable(content["verdict"]))
    if content["error"]:
        click.echo(json.dumps(content["error"]), err=True)


_PRINTERS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "replay": _print_replay,
    "start_debate": _print_debate,
    "get_debate": _print_debate,
    "cancel_debate": _print_debate,
}
