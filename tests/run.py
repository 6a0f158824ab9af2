"""Runs the checks and the tests one after the other, and sums up once at the end.

Every suite runs even if an earlier one failed. Exit status 1 means that something failed, or that
no test ran at all.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
REPORTS = ROOT / ".reports"


@dataclass(frozen=True, slots=True)
class Suite:
    """One command that judges the project."""

    name: str
    command: str
    folder: str = "."
    writes_report: bool = False
    """The command writes `.reports/<name>.xml`; without it the suite counts as one test."""
    needs: str = ""
    """A glob that must match a file, else the suite is skipped and the summary says so."""
    is_check: bool = False

    @property
    def report(self) -> Path:
        """Where the command writes its JUnit report."""
        return REPORTS / f"{self.name}.xml"


@dataclass(slots=True)
class Outcome:
    """What came of one suite."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    duration_s: float = 0.0
    skip_reasons: Counter[str] = field(default_factory=Counter)


PYTEST = "python -m pytest"
IN_PARALLEL = "--dist loadfile --no-loadscope-reorder"
"""More workers than cores, since most tests wait for servers and kernels that they start."""
SUITES = [
    Suite("format", "ruff format --check .", is_check=True),
    Suite("lint", "ruff check .", is_check=True),
    Suite("types", "mypy", is_check=True),
    Suite("imports", "lint-imports --no-cache", is_check=True),
    Suite("extension-types", "jlpm run types:check", folder="extension", is_check=True),
    Suite("extension-lint", "jlpm run lint:check", folder="extension", is_check=True),
    Suite("docs", f"{PYTEST} tests/docs", writes_report=True, is_check=True),
    Suite("extension", "jlpm run test", folder="extension", writes_report=True),
    Suite(
        "python",
        f"{PYTEST} tests --ignore tests/docs --ignore tests/browser -n 4 {IN_PARALLEL}",
        writes_report=True,
    ),
    Suite("browser", f"{PYTEST} tests/browser -n 2 {IN_PARALLEL}", writes_report=True),
    Suite(
        "notebooks",
        f"{PYTEST} notebooks --nbval-lax --nbval-kernel-name helix-lab -p no:randomly"
        " -p tests.notebooks.empty_lab",
        writes_report=True,
        needs="notebooks/*.ipynb",
    ),
]


def run(suite: Suite) -> Outcome:
    """Run one suite, its output going to the terminal, and give what came of it."""
    if suite.needs and not any(ROOT.glob(suite.needs)):
        return Outcome(skipped=1, skip_reasons=Counter({f"no file matches {suite.needs}": 1}))
    suite.report.unlink(missing_ok=True)
    print(f"\n=== {suite.name}: {suite.command}", flush=True)
    started_s = time.monotonic()
    status = subprocess.run(
        _command(suite),
        cwd=ROOT / suite.folder,
        env=os.environ | {"PATH": PATH},
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode
    outcome = judge(suite.report if suite.writes_report else None, status)
    outcome.duration_s = time.monotonic() - started_s
    return outcome


def _command(suite: Suite) -> list[str]:
    """Give the command with its program from the environment and with the report it must write."""
    program, *arguments = shlex.split(suite.command)
    if program == "python":
        arguments += ["--junitxml", str(suite.report)]
        return [sys.executable, *arguments]
    return [shutil.which(program, path=PATH) or program, *arguments]


def judge(report: Path | None, status: int) -> Outcome:
    """Count what a suite did, by its report and the exit status of its command.

    A command that fails is a failure even if its report, or the lack of one, names none.
    """
    if report is None:
        return Outcome(passed=int(status == 0), failed=int(status != 0))
    outcome = read(report) if report.exists() else Outcome()
    if status != 0 and outcome.failed == 0:
        outcome.failed = 1
    return outcome


def read(report: Path) -> Outcome:
    """Count the cases of a JUnit report."""
    outcome = Outcome()
    for case in ET.parse(report).getroot().iter("testcase"):
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif skip is not None:
            outcome.skipped += 1
            outcome.skip_reasons[skip.get("message") or "no reason given"] += 1
        else:
            outcome.passed += 1
    return outcome


def describe(outcomes: dict[str, Outcome]) -> str:
    """Give the summary: a line for each suite, why anything was skipped, and the total."""
    lines = ["", f"{'suite':<16}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    lines += [
        f"{name:<16}{o.passed:>8}{o.failed:>8}{o.skipped:>9}{o.duration_s:>9.1f}"
        for name, o in outcomes.items()
    ]
    for name, outcome in outcomes.items():
        lines += [
            f"skipped in {name}: {count} × {reason}"
            for reason, count in sorted(outcome.skip_reasons.items())
        ]
    passed, failed, skipped = (
        sum(getattr(outcome, column) for outcome in outcomes.values())
        for column in ("passed", "failed", "skipped")
    )
    lines += ["", f"{passed} passed, {failed} failed, {skipped} skipped"]
    return "\n".join(lines)


def main() -> int:
    """Run the suites and print one summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    parser.add_argument("--only-checks", action="store_true", help="leave out what runs the code")
    only_checks = parser.parse_args().only_checks
    REPORTS.mkdir(exist_ok=True)

    suites = [suite for suite in SUITES if suite.is_check or not only_checks]
    outcomes = {suite.name: run(suite) for suite in suites}

    print(describe(outcomes))
    has_failed = any(outcome.failed for outcome in outcomes.values())
    has_tested = any(
        outcomes[suite.name].passed + outcomes[suite.name].failed
        for suite in suites
        if suite.writes_report
    )
    if not has_tested:
        print("no test ran", file=sys.stderr)
    return int(has_failed or not has_tested)


if __name__ == "__main__":
    sys.exit(main())
