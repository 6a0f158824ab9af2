"""The reports that come with Helix Lab: they run everywhere, and keep to their form."""

from __future__ import annotations

import ast
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from helix_lab import open_lab
from helix_lab.jobs.reports.report import read_report
from tests.flow.nodes import Stranger

ROOT = Path(__file__).parents[2]
REPORTS = sorted((ROOT / "notebooks" / "reports").glob("*.ipynb"))
SAMPLES = ROOT / "notebooks" / "samples"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("HELIX_LAB_URL", "HELIX_LAB_TOKEN", "HELIX_PROVIDERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HELIX_DATA_DIR", str(tmp_path / "lab"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return tmp_path / "lab"


@pytest.fixture(params=REPORTS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def run(name: str, target: Path, **parameters: Any) -> str:
    """The texts that a report printed."""
    done = papermill.execute_notebook(
        ROOT / "notebooks" / "reports" / f"{name}.ipynb",
        target,
        parameters=parameters,
        progress_bar=False,
    )
    assert done.metadata.papermill.exception is None
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    assert [] == [output.text for output in outputs if output.get("name") == "stderr"]
    texts = [output.get("text") or output.data["text/plain"] for output in outputs]
    return "\n".join(texts)


def test_papermill_runs_the_report_from_an_empty_folder(path: Path, tmp_path: Path) -> None:
    printed = run(path.stem, tmp_path / "out.ipynb")

    assert printed.strip()
    assert (tmp_path / "lab" / "log.sqlite").exists()


def test_the_reports_answer_from_what_the_lab_holds(data_dir: Path, tmp_path: Path) -> None:
    with open_lab(data_dir) as lab:
        for name in ("conversations.jsonl", "debates.jsonl"):
            lab.start_import(str(SAMPLES / name), wait_s=60)
        newest = lab.list_conversations(limit=1).conversations[0]

    measured = run("provider-performance", tmp_path / "a.ipynb", window="all", provider="borealis")
    reviewed = run("conversation-review", tmp_path / "b.ipynb")

    kept = run("context-quality", tmp_path / "d.ipynb", minimum_quality=0.5)

    assert re.search(r"full   reaches 0.5 at \d+%", kept)
    assert "8 requests of 1 providers" in measured
    assert re.search(r"├─+●─+┤ 2,630 ms, 2,341 to 2,851, n = 8", measured)
    assert re.search(r"USD, 0\.\d+ to 0\.\d+, n = 8", measured)
    assert "33 %, 10 to 70, n = 6" in measured
    assert "aurora" not in measured
    assert f"{newest.conversation_id}: {newest.message_count} messages" in reviewed
    with pytest.raises(PapermillExecutionError, match="no conversation 'nobody'"):
        run("conversation-review", tmp_path / "c.ipynb", conversation_id="nobody")


def test_topics_of_the_month_are_those_of_what_was_archived(data_dir: Path, tmp_path: Path) -> None:
    with open_lab(data_dir) as lab:
        lab.start_import(str(SAMPLES / "conversations.jsonl"), wait_s=60)
        job = lab.archive_conversations(all=True)
        lab.services.jobs.wait(job.job_id, timeout_s=60)

    shown = run(
        "topics-of-the-month", tmp_path / "a.ipynb", month="2026-11", topics=3, document_size=4
    )
    nothing = run("topics-of-the-month", tmp_path / "b.ipynb", month="2020-02")

    assert "2026-11-01 to 2026-11-30: 26 messages are archived" in shown
    assert 3 == shown.count(", coherence ")
    assert "in sample-" in shown
    assert "2020-02-01 to 2020-02-29: 0 messages" in nothing
    assert "Nothing of this month is archived" in nothing


def test_sync_health_shows_both_values_and_what_needs_a_hand(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared.sqlite"
    monkeypatch.setenv("HELIX_MEMORY_LOG", str(shared))
    monkeypatch.setenv("NODE_ID", "node-1")
    with open_lab(data_dir) as lab, closing(Stranger(shared, "node-2")) as stranger:
        lab.create_memory("Prefer OAuth2", memory_id="m1")
        stranger.join()
        stranger.write("m1", content="Prefer JWT")
        lab.force_sync()

    printed = run("sync-health", tmp_path / "e.ipynb")

    assert "node-2 unknown, last heartbeat never" in printed
    assert "content by node-1: Prefer OAuth2" in printed
    assert "content by node-2: Prefer JWT" in printed
    assert "1 conflicts wait for a decision" in printed


def test_the_defaults_of_the_schema_are_those_of_the_notebook(path: Path) -> None:
    report = read_report(path, "helix-lab")
    rules = report.parameters["properties"]
    found = papermill.inspect_notebook(path)

    assert report.problem is None
    assert report.question
    assert {name: rule["default"] for name, rule in rules.items()} == {
        name: ast.literal_eval(parameter["default"]) for name, parameter in found.items()
    }


def test_a_report_keeps_to_the_form_of_notebooks(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    first, last = notebook.cells[0], notebook.cells[-1]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert first.source.startswith("# ")
    assert 1 == first.source.count("?")
    assert ["parameters"] == notebook.cells[1].metadata.tags
    assert any(isinstance(node, ast.Assert) for node in ast.parse(last.source).body)
    assert [] == [cell.id for cell in code if cell.outputs or cell.execution_count is not None]
    assert "helix-lab" == notebook.metadata.kernelspec.name
