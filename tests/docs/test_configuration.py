"""The configuration page names every variable and option that the program reads, and no other."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_server.auth import identity

from helix_lab.settings import DEFAULT_PORT, ProviderSettings, read_settings
from helix_lab.settings.catalog import VARIABLES
from helix_lab_server.app import HelixLabApp

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/configuration.md").read_text()
PACKAGES = ("helix_lab", "server/helix_lab_server")
ENVIRONMENTS = {"env", "environ", "environment"}
READERS = {"get", "pop", "setdefault", "getenv"}
OF_THE_PLATFORM = {"DISPLAY", "WAYLAND_DISPLAY"}
SIZES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def section(title: str) -> str:
    """The text below a heading, without the sections that follow."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/configuration.md has no section {title!r}"
    return found[1]


def tables(text: str) -> list[dict[str, list[str]]]:
    """Each table as: the names in the first cell of a row → its other cells."""
    found: list[dict[str, list[str]]] = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
        names = {name: row[1:] for row in rows[2:] for name in re.findall(r"`([^`]+)`", row[0])}
        found.append(names)
    return found


def is_environment(node: ast.expr) -> bool:
    """Whether an expression is a mapping of environment variables, by its name."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in ENVIRONMENTS


def read_variables(tree: ast.AST) -> Iterator[str]:
    """The variables that a module reads by name."""
    for node in ast.walk(tree):
        keys: list[ast.expr] = []
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            keys = [node.slice] if is_environment(node.value) else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_reading = is_environment(node.func.value) or node.func.attr == "getenv"
            keys = node.args[:1] if is_reading and node.func.attr in READERS else []
            keys += [word.value for word in node.keywords if word.arg == "envvar"]
        for key in keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value


def variables_of_the_program() -> set[str]:
    trees = [
        ast.parse(path.read_text())
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    ]
    return {name for tree in trees for name in read_variables(tree)} - OF_THE_PLATFORM


@pytest.mark.parametrize(
    "source",
    [
        "os.environ['HELIX_X']",
        "os.environ.get('HELIX_X') or 1",
        "os.getenv('HELIX_X', '')",
        "env.get('HELIX_X')",
        "click.option('--x', envvar='HELIX_X')",
    ],
)
def test_a_variable_is_found_however_it_is_read(source: str) -> None:
    assert ["HELIX_X"] == list(read_variables(ast.parse(source)))


def test_the_page_names_the_variables_that_the_program_reads_and_no_other() -> None:
    documented, left_to_jupyter = tables(section("Environment variables"))

    assert variables_of_the_program() - set(left_to_jupyter) == set(documented)


def test_the_variables_that_are_left_to_jupyter_are_read_by_it() -> None:
    documented = tables(section("Environment variables"))[1]

    assert documented
    assert [] == [name for name in documented if f'"{name}"' not in inspect.getsource(identity)]


def test_a_variable_that_is_called_not_read_yet_is_not_read() -> None:
    waiting = {name for table in tables(section("Not read yet")) for name in table}

    assert waiting
    assert set() == waiting & variables_of_the_program()


def test_the_catalog_of_settings_has_what_the_page_names() -> None:
    documented = set(tables(section("Environment variables"))[0])
    waiting = {name for table in tables(section("Not read yet")) for name in table}

    assert documented == {variable.name for variable in VARIABLES if not variable.waits_for}
    assert waiting == {variable.name for variable in VARIABLES if variable.waits_for}


def test_the_page_names_every_key_of_a_configuration_file() -> None:
    text = re.search(r"\| section \|.*?\n\n", section("The configuration file"), re.DOTALL)
    assert text is not None
    named = {
        f"{cells[0]}.{key}"
        for line in text[0].splitlines()[2:]
        if (cells := [cell.strip(" `") for cell in line.split("|")[1:-1]])
        for key in re.findall(r"`([a-z_]+)`", line.split("|")[2])
    }

    assert {variable.path for variable in VARIABLES if variable.path} == named


def test_the_page_names_the_default_port() -> None:
    assert f"`{DEFAULT_PORT}`" == tables(section("Environment variables"))[0]["HELIX_PORT"][0]


@pytest.mark.parametrize("document", ["docs/configuration.md", "README.md"])
def test_the_example_of_providers_is_read_as_it_stands(document: str) -> None:
    example = re.search(r"```json\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert example is not None

    settings = read_settings(environment={"HELIX_PROVIDERS": example[1]})

    names = [provider["name"] for provider in json.loads(example[1])]
    assert names == [provider.name for provider in settings.providers]


def test_the_page_names_the_fields_of_a_provider() -> None:
    fields = [field.name for field in dataclasses.fields(ProviderSettings)]

    assert fields == list(tables(section("Providers"))[0])


def test_the_page_names_the_options_of_the_server_and_their_defaults() -> None:
    documented = tables(section("The server"))[0]
    options = HelixLabApp.class_own_traits(config=True)

    assert {f"HelixLabApp.{name}" for name in options} == set(documented)
    for name, option in options.items():
        assert option.default_value == read_default(documented[f"HelixLabApp.{name}"][0]), name


def read_default(text: str) -> object:
    words: dict[str, object] = {"empty": "", "true": True}
    number, _, unit = text.partition(" ")
    return words[text] if text in words else int(number) * SIZES.get(unit, 1)
