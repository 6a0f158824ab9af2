"""The comparison with other tools promises nothing that no test holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
PROOF = re.compile(r"\]\((\S+/test_\w+\.py)\) `(test_\w+)`")
VERDICT = re.compile(r"(Yes|Partly|No)\b")
SHORTEST_REASON = 30
ROWS = [tuple(map(str.strip, row)) for row in ROW.findall((DOCS / "comparison.md").read_text())][1:]


def test_every_feature_has_one_row() -> None:
    features = [feature for feature, _, _ in ROWS]

    assert len(features) >= 27
    assert len(features) == len(set(features))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_yes_with_a_test_that_exists_or_gives_its_reason(
    row: tuple[str, str, str],
) -> None:
    feature, elsewhere, ours = row
    verdict = VERDICT.match(ours)
    proofs = PROOF.findall(ours)

    assert elsewhere
    assert verdict, f"{feature}: it begins neither with Yes, Partly nor No"
    assert proofs or verdict[1] != "Yes", f"{feature}: no test is named"
    assert len(ours) > SHORTEST_REASON
    for path, name in proofs:
        tree = ast.parse((DOCS / path).read_text(encoding="utf-8"))
        named = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in named, f"{feature}: {path} has no {name}"
