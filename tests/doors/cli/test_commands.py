"""Commands are made from the table: none is missing, and the help is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from helix_lab.domain.model.errors import Kind
from helix_lab.doors.cli.commands import HAND_MADE, make_command, name_commands
from helix_lab.doors.cli.reference import write_reference
from helix_lab.doors.cli.root import EXIT_CODES, SUMMARIES, root
from helix_lab.operations.table import OPERATIONS
from tests.doors.cli.conftest import Ask

ROOT = Path(__file__).parents[3]


def test_every_operation_has_one_command() -> None:
    made = [o.name for commands in name_commands().values() for o in commands.values()]

    assert sorted(o.name for o in OPERATIONS) == sorted([*made, *HAND_MADE])


def test_no_two_operations_share_a_command() -> None:
    groups = name_commands()

    assert len(OPERATIONS) - len(HAND_MADE) == sum(map(len, groups.values()))


def test_the_help_lists_what_there_is() -> None:
    assert set(SUMMARIES) == {
        *name_commands(),
        *HAND_MADE.values(),
        "config",
        "node",
        "serve",
        "stack",
        "worker",
    }


def test_a_group_of_one_command_has_the_summary_of_its_operation() -> None:
    groups = name_commands()
    single = {g: next(iter(c.values())).summary for g, c in groups.items() if len(c) == 1}

    assert single == {group: SUMMARIES[group] for group in single}


def test_the_reference_in_the_docs_is_current() -> None:
    assert write_reference() == (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_every_kind_of_error_has_an_exit_code() -> None:
    assert set(Kind.__args__) == set(EXIT_CODES)  # type: ignore[attr-defined]


@pytest.mark.parametrize("group", sorted(SUMMARIES))
def test_every_command_has_help(group: str, ask: Ask) -> None:
    code, out, _ = ask(group, "--help")

    assert 0 == code
    assert f"helix-lab {group}" in out


def test_the_root_command_knows_every_group() -> None:
    assert all(root.get_command(None, name) for name in SUMMARIES)  # type: ignore[arg-type]
    assert root.get_command(None, "nothing") is None  # type: ignore[arg-type]
    assert make_command("nothing", summary="") is None
