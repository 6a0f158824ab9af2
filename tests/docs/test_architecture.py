"""The tour of the rooms in ARCHITECTURE.md says what each module says of itself."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
PACKAGES = {"helix_lab": ROOT / "helix_lab", "helix_lab_server": ROOT / "server/helix_lab_server"}
DEPTH = 2


def modules() -> dict[str, Path]:
    """Modules and packages down to the second level, by the name that the tour gives them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    found: dict[str, Path] = {}
    for package, folder in PACKAGES.items():
        for path in (ROOT / name for name in listed):
            if path.is_relative_to(folder) and path.is_file():
                parts = path.relative_to(folder).parts
                is_package = parts[-1] == "__init__.py"
                steps = parts[:-1] if is_package else parts
                if len(steps) <= DEPTH and parts[-1] != "__main__.py":
                    name = "/".join([package, *steps]) + ("/" if is_package else "")
                    found[name.removeprefix("helix_lab/") or "helix_lab/"] = path
    return found


def duty(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"ARCHITECTURE.md has no section {title!r}"
    return found[1]


def test_every_room_is_in_the_tour_with_the_words_of_its_module() -> None:
    real = {name: duty(path) for name, path in modules().items()}
    shown = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", section("The rooms"), re.MULTILINE))

    wrong = sorted(name for name, text in real.items() if shown.get(name) != text)
    rows = "\n".join(f"| `{name}` | {real[name]} |" for name in wrong)

    assert [] == wrong, f"these rows of ARCHITECTURE.md, 'The rooms', are missing or old:\n{rows}"
    assert [] == sorted(set(shown) - set(real)), "these rows have no module any more"


def test_the_layers_are_those_that_the_import_contract_holds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if "containers" in contract)
    rows = re.findall(r"^\| \d \| (.+?) \|", section("The layers"), re.MULTILINE)

    expected = [re.findall(r"\w+", layer) for layer in layers]

    assert expected == [re.findall(r"`(\w+)`", row) for row in rows]
