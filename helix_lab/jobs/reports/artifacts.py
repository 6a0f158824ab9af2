"""The files of a run: its notebook as it came out, the page made of it, and what it wrote."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from helix_lab.domain.model.errors import UnknownArtifact

NOTEBOOK = "report.ipynb"
PAGE = "report.html"
_MOST_FILES = 100
_NAME = re.compile(r"[A-Za-z0-9][\w .+-]{0,199}", re.ASCII)


class Artifacts:
    """The folders of runs, one a run."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, run_id: str) -> Path:
        """The folder of a run, made if absent and readable by its owner alone."""
        folder = self._root / run_id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def list_names(self, run_id: str) -> list[str]:
        """Names of the files of a run; what it wrote into folders of its own is not among them."""
        folder = self._root / run_id
        if not folder.is_dir():
            return []
        names = [path.name for path in folder.iterdir() if _is_artifact(path)]
        return sorted(names)[:_MOST_FILES]

    def find(self, run_id: str, name: str) -> Path:
        """The file of a run that has this name.

        Raises:
            UnknownArtifact: it made no such file.
        """
        known = self.list_names(run_id)
        if name not in known:
            message = f"run {run_id!r} made no file {name!r}; it made: "
            raise UnknownArtifact(message + (", ".join(known) or "none"), run_id=run_id, name=name)
        return self._root / run_id / name

    def remove(self, run_id: str) -> None:
        """Delete the files of a run."""
        shutil.rmtree(self._root / run_id, ignore_errors=True)


def write_page(source: Path, folder: Path, *, title: str, stopped: str | None) -> None:
    """Make the page of the notebook in a folder.

    Args:
        source: the report; taken where the run left no notebook that can be read.
        folder: of the run.
        title: of the page.
        stopped: why the run ended early, shown at the top of notebook and page.
    """
    import nbformat

    notebook = _read(folder / NOTEBOOK) or _read(source)
    if stopped is not None:
        text = f"> **This report is not complete.** {_as_text(stopped)}"
        note = nbformat.v4.new_markdown_cell(text, metadata={"tags": ["helix-lab-stopped"]})
        notebook.cells.insert(0, note)
    nbformat.write(notebook, folder / NOTEBOOK)
    body, _ = load_exporter().from_notebook_node(notebook, {"metadata": {"name": title}})
    (folder / PAGE).write_text(body, encoding="utf-8")


@cache
def load_exporter() -> Any:
    """What makes pages: without the code, and without asking any other host for anything."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    exporter.require_js_url = exporter.jquery_url = exporter.mathjax_url = ""
    exporter.mermaid_js_url = exporter.widget_renderer_url = ""
    exporter.jupyter_widgets_base_url = ""
    return exporter


def _is_artifact(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and _NAME.fullmatch(path.name) is not None


def _read(path: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except Exception:  # killed while it was written, or before
        return None


def _as_text(text: str) -> str:
    """Text that Markdown shows as it stands."""
    return re.sub(r"([\\`*_{}\[\]<>()#+.!|~&-])", r"\\\1", " ".join(text.split()))
