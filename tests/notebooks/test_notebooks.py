"""Notebooks: they run everywhere, keep to their form, and fail when a cell of theirs does."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from tests.effort import choose

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_FUNCTION_LINES = 10

BAD_CELLS = {
    "a statement that fails": "%%sql\nSELECT nothing",
    "a statement that is refused": "%%sql\nDROP TABLE message_metrics",
    "an unknown option": "%%sql --nothing 1\nSELECT 1",
    "a parameter that fails": "%%sql --param a=nothing\nSELECT $a",
    "an operation that fails": "hx.replay('nobody')",
    "a question that is not known": "%hx nothing",
    "a graph statement that fails": "%%cypher\nMATCH (n) RETURN m",
}

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HELIX_LAB_URL", "HELIX_LAB_TOKEN", "HELIX_PROVIDERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HELIX_DATA_DIR", str(tmp_path / "lab"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)


def code_of(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def parse(source: str) -> ast.Module:
    """Python of a cell; a cell of a magic has none."""
    return ast.parse("" if source.startswith("%%") else source)


def run_papermill(source: Path, target: Path, **parameters: Any) -> Any:
    return papermill.execute_notebook(
        source,
        target,
        parameters=parameters,
        kernel_name="helix-lab",
        cwd=ROOT / "notebooks",
        progress_bar=False,
        start_timeout=60,
        execution_timeout=120,
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_papermill_runs_the_notebook_from_an_empty_folder_and_once_more(
    path: Path, tmp_path: Path
) -> None:
    lab = tmp_path / "empty"

    first, *again = [
        run_papermill(path, tmp_path / "out.ipynb", data_dir=str(lab))
        for _ in range(choose(full=2, quick=1))
    ]

    assert {None} == {done.metadata.papermill.exception for done in (first, *again)}
    assert (lab / "log.sqlite").exists()
    outputs = [output for cell in first.cells for output in cell.get("outputs", [])]
    assert [] == [output.text for output in outputs if output.get("name") == "stderr"]


def test_papermill_knows_the_parameters(notebook: Any) -> None:
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]

    assert [notebook.cells[1]] == cells
    assert "data_dir" in cells[0].source


def test_the_first_cell_asks_one_question(notebook: Any) -> None:
    first = notebook.cells[0]

    assert "markdown" == first.cell_type
    assert first.source.startswith("# ")
    assert 1 == first.source.count("?")


def test_the_last_cell_asserts_what_was_seen(notebook: Any) -> None:
    assert any(isinstance(node, ast.Assert) for node in parse(code_of(notebook)[-1]).body)
    assert "code" == notebook.cells[-1].cell_type


def test_no_function_is_longer_than_ten_lines(notebook: Any) -> None:
    functions = [
        node
        for source in code_of(notebook)
        for node in ast.walk(parse(source))
        if isinstance(node, ast.FunctionDef)
    ]

    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {} == {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES}


def test_outputs_are_stripped_and_the_kernel_is_ours(notebook: Any) -> None:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert [] == [cell.id for cell in cells if cell.outputs or cell.execution_count is not None]
    assert "helix-lab" == notebook.metadata.kernelspec.name
    assert {"kernelspec", "language_info"} == set(notebook.metadata)


def write_notebook(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "helix-lab", "display_name": "x", "language": "python"}
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def nbval_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What nbval says of one notebook a bad cell, and of a good one."""
    folder = tmp_path_factory.mktemp("nbval")
    for number, source in enumerate(["%sql SELECT 1", *BAD_CELLS.values()]):
        write_notebook(folder / f"n{number}.ipynb", source)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", folder),
            *("--nbval-lax", "--nbval-kernel-name", "helix-lab", "-p", "no:randomly"),
            *("-rA", "-q", "-W", "ignore", folder),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_nbval_passes_a_good_cell(nbval_report: str) -> None:
    assert "PASSED n0.ipynb::Cell 0" in nbval_report


@pytest.mark.parametrize("number", range(1, 1 + len(BAD_CELLS)), ids=list(BAD_CELLS))
def test_nbval_fails_on_a_bad_cell(nbval_report: str, number: int) -> None:
    assert f"FAILED n{number}.ipynb::Cell 0" in nbval_report


@pytest.mark.parametrize("source", BAD_CELLS.values(), ids=list(BAD_CELLS))
def test_papermill_fails_on_a_bad_cell(tmp_path: Path, source: str) -> None:
    path = write_notebook(tmp_path / "bad.ipynb", source)

    with pytest.raises(PapermillExecutionError):
        run_papermill(path, tmp_path / "out.ipynb")


def test_the_samples_are_what_their_description_says() -> None:
    folder = ROOT / "notebooks" / "samples"
    messages, debates = (
        [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
        for name in ("conversations.jsonl", "debates.jsonl")
    )

    assert (26, 6, 4) == (
        len(messages),
        len({message["conversation_id"] for message in messages}),
        len({message["user_id"] for message in messages if message["role"] == "user"}),
    )
    assert (6, 24) == (len(debates), sum(len(debate["turns"]) for debate in debates))
    assert 1 == sum(debate["winner"] is None for debate in debates)
