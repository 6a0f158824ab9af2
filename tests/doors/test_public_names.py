"""What `import helix_lab` costs and gives."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import helix_lab

HEAVY = {"IPython", "duckdb", "httpx", "jupyter_client", "pyarrow", "pydantic", "sqlalchemy"}


def ask_fresh_interpreter(code: str) -> list[str]:
    """Run code that prints a JSON list."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import json, sys\n{code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def test_importing_the_package_loads_no_driver() -> None:
    loaded = ask_fresh_interpreter(
        "import helix_lab; print(json.dumps([m.split('.')[0] for m in sys.modules]))"
    )

    assert set() == HEAVY & set(loaded)


@pytest.mark.parametrize("name", helix_lab.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(helix_lab, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = helix_lab.nothing  # type: ignore[attr-defined]


def test_completion_offers_every_public_name() -> None:
    assert set() == set(helix_lab.__all__) - set(dir(helix_lab))
