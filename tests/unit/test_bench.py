"""The benchmark harness measures fairly and its page says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import render
from bench.harness import CannotRunError, Options, Report


def test_a_figure_and_its_baseline_take_turns() -> None:
    turns: list[str] = []

    def measure(name: str, values: list[float]) -> float:
        turns.append(name)
        return values.pop(0)

    values, baseline_values = [5.0, 1.0, 3.0], [2.0, 2.0, 100.0]
    row = Report("x", Options(runs=3)).compare(
        "case",
        lambda: measure("figure", values),
        baseline="bare",
        measure_baseline=lambda: measure("baseline", baseline_values),
        metric="p50",
        unit="ms",
    )

    assert ["figure", "baseline", "baseline", "figure", "figure", "baseline"] == turns
    assert (3.0, 2.0, 1.5, 3) == (row.value, row.baseline_value, row.ratio, row.runs)


def test_results_hold_every_column(tmp_path: Path) -> None:
    report = Report("x", Options(seed=7))
    report.add("case", "recall", 1 / 3, "", runs=1)

    (row,) = json.loads(report.write(tmp_path).read_text())

    machine = row.pop("machine")
    assert "Python" in machine
    assert {
        "case": "case",
        "metric": "recall",
        "value": 0.3333,
        "unit": "",
        "baseline": "",
        "baseline_value": None,
        "ratio": None,
        "seed": 7,
        "runs": 1,
    } == row


def test_the_same_results_make_the_same_page(tmp_path: Path) -> None:
    report = Report("log", Options())
    report.add("append", "p50", 12345.6, "ms", baseline="fsync", baseline_value=0.5)
    report.write(tmp_path)
    (tmp_path / "another.json").write_text("[]")

    page = render.make_page(tmp_path)

    assert page == render.make_page(tmp_path)
    assert page.index("## Another") < page.index("## Log")
    assert "| append | p50 | 12,350 ms | fsync | 0.5 ms | 24,690 | 5 |" in page


@pytest.mark.parametrize(
    ("value", "unit", "must", "aim", "reached"),
    [
        (0.96, "", 0.95, 0.97, "must"),
        (0.97, "", 0.95, 0.97, "aim"),
        (0.94, "", 0.95, None, "missed"),
        (15, "ms", 20, 10, "must"),
        (25, "ms", 20, None, "missed"),
        (0.0, "", 0.01, 0.0, "aim"),
        (1, "", None, None, ""),
    ],
)
def test_a_figure_is_judged_by_its_targets(
    value: float, unit: str, must: float | None, aim: float | None, reached: str
) -> None:
    targets = None if must is None else (must, aim)
    row = Report("x", Options()).add("case", "metric", value, unit, targets=targets)

    assert reached == row.reached


def test_a_figure_that_misses_what_it_must_reach_is_named_and_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def measure(report: Report, _: Options) -> None:
        report.add("replay", "p50", 25, "ms", targets=(20, 10))
        report.add("replay", "p99", 15, "ms", targets=(20, 10))

    monkeypatch.setattr("bench.lab.run", measure)
    monkeypatch.setattr(Report, "write", lambda _: tmp_path)
    monkeypatch.setattr(render, "write", lambda: None)

    assert 2 == command.main(["lab"])

    said = capsys.readouterr().out
    assert "1 of 2 figures reach what they must" in said
    assert "missed: replay: p50 25 ms, must 20" in said


def test_the_page_in_the_docs_is_made_from_the_kept_results() -> None:
    assert render.make_page() == render.PAGE.read_text(encoding="utf-8")


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.parse(["nonsense"])

    assert "no benchmark nonsense; there are" in capsys.readouterr().err


def test_every_benchmark_is_found_by_its_file() -> None:
    assert "log" in command.names()
    assert not {"harness", "render", "__main__"} & set(command.names())


def test_a_benchmark_without_its_data_says_how_to_give_it() -> None:
    with pytest.raises(CannotRunError, match="--data PATH"):
        Options().require_data("a folder of conversations")

    assert (Path("a"),) == Options(data=(Path("a"),)).require_data("a folder")


def test_a_scaled_size_is_never_nothing() -> None:
    assert 500 == Options(scale=0.5).size(1000)
    assert 1 == Options(scale=0.0001).size(1000)
