"""Reports on real kernels: what goes well, what goes wrong, and what is kept of both."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from helix_lab.domain.model.errors import InvalidRequest, Unavailable
from helix_lab.jobs.reports import job
from helix_lab.jobs.reports.artifacts import NOTEBOOK, PAGE
from helix_lab.jobs.reports.job import Reports
from helix_lab.jobs.runs import Run
from tests.reports.making import (
    TOKEN,
    await_end,
    open_reports,
    read_output,
    run_to_end,
    wait_until,
    write_report,
)

pytestmark = pytest.mark.long

SECRET = "hush\"hush'hush\\1"
HANGING = "import os, time\nopen('kernel.pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reports]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    with open_reports(tmp_path / "lab") as reports:
        yield reports


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's folder of reports."""
    return tmp_path / "lab" / "reports"


def code_outputs(text: str) -> list[Any]:
    notebook = nbformat.reads(text, as_version=4)
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def start_hanging(reports: Reports, own: Path) -> tuple[Run, int]:
    """A report that sleeps, and the process of its kernel."""
    write_report(own, "hang", HANGING)
    run = reports.start("hang", {}, timeout_s=60)
    pid_file = reports.artifacts.open(run.run_id) / "kernel.pid"
    wait_until(lambda: pid_file.exists() and pid_file.read_text(), "the start of the kernel")
    return run, int(pid_file.read_text())


def test_a_run_keeps_its_notebook_and_page_and_what_it_wrote(reports: Reports, own: Path) -> None:
    write_report(
        own,
        "sum",
        "print('the sum is', a + b)",
        "open('sum.csv', 'w').write(f'{a},{b}')",
        parameters="a = 1\nb = 2",
        schema={"a": {"type": "integer"}, "b": {"type": "integer"}},
    )

    run = run_to_end(reports, "sum", b=40)

    assert ("succeeded", 1.0, None) == (run.state, run.progress, run.error)
    assert [PAGE, NOTEBOOK, "sum.csv"] == run.artifacts
    assert "the sum is 41" in read_output(reports, run)
    page = reports.artifacts.find(run.run_id, PAGE).read_text()
    assert "the sum is 41" in page
    assert "<title>The report sum</title>" in page
    assert {"report": "sum", "parameters": {"b": 40}, "timeout_s": 60.0} == run.request


def test_a_parameter_that_looks_like_code_stays_text(reports: Reports, own: Path) -> None:
    write_report(
        own, "quote", "print([text])", parameters="text = ''", schema={"text": {"type": "string"}}
    )
    text = '"; import os #\n\\'

    run = run_to_end(reports, "quote", text=text)

    printed = code_outputs(read_output(reports, run))[-1][0].text
    assert f"[{text!r}]\n" == printed


def test_progress_goes_cell_by_cell_and_never_back(
    reports: Reports, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helix_lab.jobs.runner._REPORT_EVERY_S", 0.0)
    write_report(own, "steps", *["1 + 1"] * 4)
    seen: list[float] = []
    reports.jobs.listen(lambda run: seen.append(run.progress))

    run_to_end(reports, "steps")

    assert sorted(seen) == seen
    assert {0.2, 0.4, 0.6, 0.8, 1.0} <= set(seen)


def test_a_cell_that_raises_fails_the_run_and_the_output_is_kept(
    reports: Reports, own: Path
) -> None:
    write_report(own, "bad", "print('so far')", "1 / 0", "print('never')")

    run = run_to_end(reports, "bad")

    assert "failed" == run.state
    assert run.error is not None
    assert "REPORT_FAILED" == run.error["code"]
    assert "bad: cell 3 raised ZeroDivisionError: division by zero" == run.error["message"]
    assert [PAGE, NOTEBOOK] == run.artifacts
    output = read_output(reports, run)
    assert "so far" in output
    assert "This report is not complete" in output
    assert [] == code_outputs(output)[-1]
    assert "ZeroDivisionError" in reports.artifacts.find(run.run_id, PAGE).read_text()


def test_a_notebook_that_hangs_is_stopped_in_time(reports: Reports, own: Path) -> None:
    write_report(own, "hang", "print('so far')", HANGING)

    run = run_to_end(reports, "hang", timeout_s=12)

    assert run.error is not None
    assert "REPORT_TIMED_OUT" == run.error["code"]
    assert "longer than 12 s" in run.error["message"]
    assert "so far" in read_output(reports, run)
    assert PAGE in run.artifacts


def test_a_notebook_that_prints_without_end_is_stopped(reports: Reports, own: Path) -> None:
    write_report(own, "loud", "print('so far')", "for _ in range(100):\n    print('x' * 2**20)")

    run = run_to_end(reports, "loud")

    assert run.error is not None
    assert "REPORT_FAILED" == run.error["code"]
    assert "more than 10 MiB" in run.error["message"]
    output = read_output(reports, run)
    assert "so far" in output
    assert len(output) < 2 * job.MAX_OUTPUT_BYTES


def test_a_kernel_that_is_killed_for_its_memory_fails_the_run(reports: Reports, own: Path) -> None:
    write_report(own, "greedy", "print('so far')", "import os, signal\nos.kill(os.getpid(), 9)")

    run = run_to_end(reports, "greedy")

    assert run.error is not None
    assert "KERNEL_DIED" == run.error["code"]
    assert "lack of memory" in run.error["message"]
    assert "so far" in read_output(reports, run)


def test_more_memory_than_there_is_fails_the_cell(reports: Reports, own: Path) -> None:
    write_report(own, "huge", "len(bytearray(2**60))")

    run = run_to_end(reports, "huge")

    assert run.error is not None
    assert "MemoryError" in run.error["message"]


def test_a_run_that_is_cancelled_ends_and_so_does_its_kernel(reports: Reports, own: Path) -> None:
    run, kernel = start_hanging(reports, own)

    reports.jobs.cancel(run.run_id)
    run = await_end(reports, run)

    assert "cancelled" == run.state
    assert not psutil.pid_exists(kernel)
    assert {PAGE, NOTEBOOK} <= set(run.artifacts)


def test_a_run_is_not_resumed_and_its_kernel_does_not_outlive_the_lab(
    tmp_path: Path, own: Path
) -> None:
    home = tmp_path / "lab"
    with open_reports(home) as reports:
        run, kernel = start_hanging(reports, own)

    with open_reports(home) as reports:
        found = reports.jobs.store.get(run.run_id)

    assert not psutil.pid_exists(kernel)
    assert "failed" == found.state
    assert found.error is not None
    assert "INTERRUPTED" == found.error["code"]
    assert {PAGE, NOTEBOOK} <= set(found.artifacts)


def test_a_run_that_waited_when_the_lab_closed_ends_as_interrupted(
    reports: Reports, own: Path
) -> None:
    write_report(own, "late")
    reports.jobs.store.add("report-late", "report", {"report": "late", "parameters": {}})

    reports.jobs.resume()
    found = await_end(reports, reports.jobs.store.get("report-late"))

    assert found.error is not None
    assert "INTERRUPTED" == found.error["code"]


def test_a_secret_is_used_and_written_nowhere(
    reports: Reports, own: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    write_report(
        own,
        "login",
        "import os\nprint(len(key), key, [key], os.environ['HELIX_LAB_TOKEN'])",
        "raise ValueError(key)",
        parameters="key = ''",
        schema={"key": {"type": "string", "secret": True}},
    )

    run = run_to_end(reports, "login", key=SECRET)

    output = read_output(reports, run)
    assert f"{len(SECRET)} [secret]" in output
    assert run.error is not None
    assert "ValueError: [secret]" in run.error["message"]
    files = [path for path in (tmp_path / "lab").rglob("*") if path.is_file()]
    texts = [path.read_bytes().decode("utf-8", "replace") for path in files]
    forms = [SECRET, repr(SECRET)[1:-1], json.dumps(SECRET)[1:-1], "hush", TOKEN]
    assert [] == [form for form in forms for text in [*texts, caplog.text] if form in text]


@pytest.mark.parametrize("kernel", ["no-such-kernel", "../x"])
def test_a_kernel_that_is_not_installed_is_refused_at_once(
    reports: Reports, own: Path, kernel: str
) -> None:
    write_report(own, "lost", kernel=kernel)

    with pytest.raises(InvalidRequest, match=r"not installed; there are: .*helix-lab"):
        reports.start("lost", {}, timeout_s=60)

    assert [] == reports.jobs.store.list_page(limit=1)


def test_a_refused_parameter_leaves_no_run(reports: Reports, own: Path) -> None:
    write_report(own, "strict")

    with pytest.raises(InvalidRequest, match="no parameter 'colour'"):
        reports.start("strict", {"colour": "red"}, timeout_s=60)

    assert [] == reports.jobs.store.list_page(limit=1)


def test_a_lab_that_is_not_served_says_what_to_do(reports: Reports, own: Path) -> None:
    write_report(own, "any")
    reports.find_address = lambda: None

    with pytest.raises(Unavailable, match="helix-lab serve"):
        reports.start("any", {}, timeout_s=60)


def test_a_folder_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    home = tmp_path / "my {lab} 100%"
    write_report(home / "reports", "sum", "print(1 + 1)")

    with open_reports(home) as reports:
        run = run_to_end(reports, "sum")

    assert ("succeeded", None) == (run.state, run.error)


def test_the_last_runs_of_each_report_are_kept(tmp_path: Path, own: Path) -> None:
    write_report(own, "often")
    write_report(own, "seldom")

    with open_reports(tmp_path / "lab", runs_kept=1) as reports:
        other = run_to_end(reports, "seldom")
        first = run_to_end(reports, "often")
        second = run_to_end(reports, "often")
        kept = {run.run_id for run in reports.jobs.store.list_page(limit=9)}

    assert {other.run_id, second.run_id} == kept
    assert {other.run_id, second.run_id} == {
        path.name for path in (tmp_path / "lab" / "runs").iterdir()
    }
    assert first.run_id not in kept
