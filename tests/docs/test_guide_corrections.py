"""Each line that the corrections follow names a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLLOWED = re.search(
    r"^## Line by line\n(.*?)^## ",
    (ROOT / "docs/guide-corrections.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
SECTIONS = (
    "Start Big Data Services",
    "Verify Integration",
    "Configuration",
    "Data Lake",
    "Kafka Connection Issues",
    "Cross-Session Learning",
)


def read_rows(section: str) -> list[list[str]]:
    assert FOLLOWED is not None
    text = FOLLOWED[1].partition(f"### {section}\n")[2].partition("### ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


@pytest.mark.parametrize("section", SECTIONS)
def test_each_line_that_is_followed_names_a_test_that_is_there(section: str) -> None:
    rows = read_rows(section)

    assert rows
    for line, _, proof in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", proof)
        assert named or proof == "the same", line
        for path, function in named:
            tree = ast.parse((ROOT / "tests" / path).read_text())
            found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert function in found, f"{path} has no {function}"
