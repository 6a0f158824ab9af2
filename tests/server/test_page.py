"""The page on REST says what the server does."""

from __future__ import annotations

import re
from pathlib import Path

from helix_lab.operations.table import OPERATIONS
from helix_lab_server.app import HelixLabApp
from helix_lab_server.json_body import MAX_DEPTH
from helix_lab_server.run_events import SCHEMA_FILE, SCHEMA_ID

PAGE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text()


def test_every_route_is_in_the_table_with_its_operation_and_scope() -> None:
    expected = [
        f"| `{operation.method} {operation.path}` | `{operation.name}` | {operation.scope} "
        f"| {operation.summary} |"
        for operation in OPERATIONS
    ]

    assert expected == re.findall(r"^\| `[A-Z]+ /.*` \| `.*$", PAGE, re.MULTILINE)


def test_every_setting_is_in_its_table() -> None:
    settings = {
        f"HelixLabApp.{name}" for name in HelixLabApp.class_own_traits() if name != "default_url"
    }

    assert settings == set(re.findall(r"^\| `(HelixLabApp\.\w+)`", PAGE, re.MULTILINE))


def test_limits_and_the_event_schema_are_those_of_the_code() -> None:
    assert f"at most {HelixLabApp.max_body_bytes.default_value // 2**20} MiB" in PAGE
    assert f"at most {MAX_DEPTH} levels deep" in PAGE
    assert SCHEMA_ID in PAGE
    assert SCHEMA_ID in SCHEMA_FILE.read_text()
