"""The runner of `make test` tells the truth about what ran."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests import run

REPORT = """<testsuites><testsuite>
  <testcase name="a"/>
  <testcase name="b"><failure message="no"/></testcase>
  <testcase name="c"><error message="no"/></testcase>
  <testcase name="d"><skipped message="needs Kafka"/></testcase>
  <testcase name="e"><skipped message="needs Kafka"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.xml"
    path.write_text(REPORT)
    return path


def test_a_report_is_counted_with_the_reasons_of_what_was_skipped(report: Path) -> None:
    outcome = run.read(report)

    assert (1, 2, 2) == (outcome.passed, outcome.failed, outcome.skipped)
    assert Counter({"needs Kafka": 2}) == outcome.skip_reasons


def test_a_command_that_dies_without_a_report_is_a_failure(tmp_path: Path) -> None:
    assert 1 == run.judge(tmp_path / "none.xml", status=3).failed


def test_a_command_that_fails_after_a_green_report_is_a_failure(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text("<testsuite><testcase/></testsuite>")

    assert 1 == run.judge(report, status=1).failed
    assert 0 == run.judge(report, status=0).failed


def test_the_summary_names_what_was_skipped_and_ends_with_the_total(report: Path) -> None:
    outcomes = {"python": run.read(report), "lint": run.judge(None, status=0)}

    summary = run.describe(outcomes)

    assert "skipped in python: 2 × needs Kafka" in summary
    assert "2 passed, 2 failed, 2 skipped" == summary.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "status"), [("true", 0), ("false", 1)], ids=["green", "a failing check"]
)
def test_a_check_decides_the_exit_status(
    command: str, status: int, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report.write_text("<testsuite><testcase/></testsuite>")
    write_report = f"python -c \"open('.reports/tests.xml', 'w').write('{report.read_text()}')\""
    check = run.Suite("check", command)
    tests = run.Suite("tests", write_report, writes_report=True)

    assert status == exit_status([check, tests], report.parent, monkeypatch)


def test_a_run_without_any_test_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = run.Suite("check", "true")
    absent = run.Suite("notebooks", "false", writes_report=True, needs="notebooks/*.ipynb")

    assert 1 == exit_status([check, absent], tmp_path, monkeypatch)


MODULE = """
from pathlib import Path

def test_that_fails_at_first():
    mark = Path(__file__).with_name("mark")
    was_there = mark.exists()
    mark.touch()
    assert was_there

def test_that_fails_always():
    assert {always}

def test_that_passes():
    assert True
"""


@pytest.mark.parametrize("is_steady", [True, False])
def test_what_failed_is_run_again_alone_and_named(
    is_steady: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "test_some.py").write_text(MODULE.format(always=is_steady))
    suite = run.Suite(
        "some",
        "python -m pytest . -n 1 -p xdist.plugin",
        writes_report=True,
        is_alone=True,
        can_repeat=True,
    )

    status = exit_status([suite], tmp_path, monkeypatch)

    printed = capfd.readouterr().out
    named = "test_that_fails_at_first failed, and passed when it was run again alone"
    assert (status == 0) == is_steady == (named in printed)
    assert "2 deselected" not in printed.split("=== some-again")[0]
    total = "3 passed, 0 failed" if is_steady else "1 passed, 2 failed"
    assert total in printed.splitlines()[-1]


def test_many_failures_are_no_matter_of_a_busy_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    bad = "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_bad(n): assert 0\n"
    (tmp_path / "test_bad.py").write_text(bad)
    suite = run.Suite(
        "bad", "python -m pytest . -n 1 -p xdist.plugin", writes_report=True, can_repeat=True
    )

    assert 1 == exit_status([suite], tmp_path, monkeypatch)
    assert "bad-again" not in capfd.readouterr().out


def exit_status(suites: list[run.Suite], root: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(run, "ROOT", root)
    monkeypatch.setattr(run, "REPORTS", root / ".reports")
    monkeypatch.setattr(run, "SUITES", suites)
    monkeypatch.setattr("sys.argv", ["run"])
    return run.main()
