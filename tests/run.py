"""Runs the checks and the tests, and sums up once at the end.

Every suite runs even if an earlier one failed. A test that failed among others is run once more
alone: the summary names it, whatever comes of it. Exit status 1 means that something failed, or
that no test ran at all.
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
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import groupby
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
    is_alone: bool = False
    """The suite fills the machine by itself; the others run two at a time."""
    can_repeat: bool = False
    """Its tests wait for servers, kernels and browsers: one that fails is run again alone."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment."""

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
    names_of_failed: list[str] = field(default_factory=list)
    unsteady: list[str] = field(default_factory=list)
    """What failed at first and passed when it was run again alone; counted as passed."""


PYTEST = "python -m pytest -p no:nbval"
"""Without what only the notebooks need: it takes two seconds to load, in each worker."""
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
        "notebooks",
        "python -m pytest notebooks --nbval-lax --nbval-kernel-name helix-lab -p no:randomly"
        " -p tests.notebooks.empty_lab",
        writes_report=True,
        needs="notebooks/*.ipynb",
    ),
    Suite(
        "python",
        f"{PYTEST} tests --ignore tests/docs --ignore tests/browser -n 4 {IN_PARALLEL}",
        writes_report=True,
        is_alone=True,
        can_repeat=True,
    ),
    Suite(
        "browser",
        f"{PYTEST} tests/browser -n 2 {IN_PARALLEL}",
        writes_report=True,
        is_alone=True,
        can_repeat=True,
    ),
]


def list_suites_on_services(folder: Path) -> list[Suite]:
    """The suites that start real services in a folder, and run the tests that need them."""
    stack = {"HELIX_STACK_DIR": str(folder)}
    tiers = {"HELIX_TIERS": "all", "HELIX_TEST_ENV_FILE": str(folder / "stack.env")}
    return [
        Suite("stack-up", "helix-lab stack up", is_alone=True, variables=stack),
        Suite(
            "services",
            # Three: a third process has services of its own to wait for.
            f"{PYTEST} -m services tests --ignore tests/browser -n 3 {IN_PARALLEL}",
            writes_report=True,
            is_alone=True,
            can_repeat=True,
            variables=tiers,
        ),
        Suite("stack-down", "helix-lab stack down", is_alone=True, variables=stack),
    ]


def leave_out_services(suite: Suite) -> Suite:
    """The suite without what another one runs on real services."""
    if suite.name != "python":
        return suite
    return replace(suite, command=f"{suite.command} -m 'not services'")


def with_full_effort(suite: Suite) -> Suite:
    """The suite with all rounds of the tests that repeat themselves: see `tests.effort`."""
    return replace(suite, variables={**suite.variables, "HELIX_TEST_EFFORT": "full"})


REPEATED_AT_MOST = 5
"""With more failures than these it is no matter of a busy machine."""


def run(suite: Suite) -> Outcome:
    """Run one suite and say what came of it; its output comes as it is made only if it is alone."""
    if suite.needs and not any(ROOT.glob(suite.needs)):
        return Outcome(skipped=1, skip_reasons=Counter({f"no file matches {suite.needs}": 1}))
    started_s = time.monotonic()
    outcome = _execute(suite)
    if suite.can_repeat and 0 < len(outcome.names_of_failed) <= REPEATED_AT_MOST:
        outcome = repeat(suite, outcome)
    outcome.duration_s = time.monotonic() - started_s
    return outcome


def repeat(suite: Suite, first: Outcome) -> Outcome:
    """Run what failed once more, with nothing beside it.

    All of it must be seen to pass, or the suite has failed as it had before.
    """
    in_one_process = suite.command.split(" -n ")[0]
    command = f"{in_one_process} --last-failed --last-failed-no-failures none"
    again = _execute(replace(suite, name=f"{suite.name}-again", command=command))
    names = sorted(set(first.names_of_failed))
    if again.failed or again.passed < len(names):
        return first
    return replace(first, passed=first.passed + len(names), failed=0, unsteady=names)


def _execute(suite: Suite) -> Outcome:
    suite.report.unlink(missing_ok=True)
    heading = f"\n=== {suite.name}: {suite.command}"
    if suite.is_alone:
        print(heading, flush=True)
    done = subprocess.run(
        _command(suite),
        cwd=ROOT / suite.folder,
        env=os.environ | {"PATH": PATH} | dict(suite.variables),
        stdin=subprocess.DEVNULL,
        stdout=None if suite.is_alone else subprocess.PIPE,
        stderr=None if suite.is_alone else subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if not suite.is_alone:
        print(f"{heading}\n{done.stdout}", flush=True)
    return judge(suite.report if suite.writes_report else None, done.returncode)


def run_all(suites: Sequence[Suite]) -> Iterator[tuple[str, Outcome]]:
    """Run the suites in their order, neighbours that need no whole machine two at a time."""
    for is_alone, group in groupby(suites, key=lambda suite: suite.is_alone):
        with ThreadPoolExecutor(1 if is_alone else 2) as pool:
            members = list(group)
            yield from zip((suite.name for suite in members), pool.map(run, members), strict=True)


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
            outcome.names_of_failed.append(f"{case.get('classname')}::{case.get('name')}")
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
        lines += [
            f"unsteady in {name}: {test} failed, and passed when it was run again alone"
            for test in outcome.unsteady
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
    parser.add_argument(
        "--services", action="store_true", help="also start the real services and run their tests"
    )
    chosen = parser.parse_args()
    REPORTS.mkdir(exist_ok=True)

    suites = [suite for suite in SUITES if suite.is_check or not chosen.only_checks]
    with ExitStack() as on_end:
        if chosen.services:
            from tests.running_stack import lend_folder

            suites = [with_full_effort(leave_out_services(suite)) for suite in suites]
            suites += list_suites_on_services(on_end.enter_context(lend_folder()))
        outcomes = dict(run_all(suites))

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
