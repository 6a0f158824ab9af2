"""Make `docs/benchmarks.md` from the kept results: `python -m bench.render`."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from bench.harness import RESULTS, judge

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """\
# Benchmarks

Made by `python -m bench` from `bench/results/`; do not edit. A figure is the median of its runs.
The baseline beside it was measured in the same run, turn by turn, so that a busy machine bends
both alike: trust the ratio (figure over baseline) more than the figure.
"""
COLUMNS = ("Case", "Measured", "Figure", "Baseline", "Its figure", "Ratio", "Runs")


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(make_page(), encoding="utf-8")


def make_page(folder: Path = RESULTS) -> str:
    """The page for the results in a folder; the same results make the same page."""
    return "\n".join([HEAD, *map(_section, sorted(folder.glob("*.json")))])


def _section(path: Path) -> str:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    machines = sorted({f"{row['machine']}; seed {row['seed']}" for row in rows})
    table = [COLUMNS, ["---"] * 2 + ["---:", "---", "---:", "---:", "---:"], *map(_cells, rows)]
    if any("must" in row for row in rows):
        targets = [("Must", "Aim", "Meets"), ("---:", "---:", "---"), *map(_targets, rows)]
        table = [[*cells, *more] for cells, more in zip(table, targets, strict=True)]
    lines = ["| " + " | ".join(cells) + " |" for cells in table]
    parts = [f"## {path.stem.replace('_', ' ').capitalize()}", _purpose(path.stem)]
    return "\n\n".join([*filter(None, parts), *machines, "\n".join(lines)]) + "\n"


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        row["case"],
        row["metric"],
        _number(row["value"], row["unit"]),
        row["baseline"],
        _number(row["baseline_value"], row["unit"]),
        _number(row["ratio"]),
        str(row["runs"]),
    ]


def _targets(row: dict[str, Any]) -> tuple[str, str, str]:
    must, aim = row.get("must"), row.get("aim")
    return _number(must), _number(aim), judge(row["value"], row["unit"], must, aim)


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    digits = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{digits} {unit}".strip()


def _purpose(name: str) -> str:
    """What the benchmark is about: the docstring of its module."""
    module = Path(__file__).parent / f"{name}.py"
    if not module.exists():
        return ""
    return ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""


if __name__ == "__main__":
    write()
