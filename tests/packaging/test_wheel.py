"""The wheel holds all that a lab needs, and nothing else."""

from __future__ import annotations

import ast
import configparser
import json
import re
import subprocess
import sys
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
DATA = "helix_lab-{version}.data/data"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel of this checkout; a front end that is already compiled is taken as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return ZipFile(next(folder.glob("helix_lab-*.whl")))


@pytest.fixture(scope="session")
def metadata(wheel: ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(wheel.read(name).decode())


@pytest.fixture(scope="session")
def data(wheel: ZipFile, metadata: Message) -> str:
    """The folder of the wheel whose content goes to the prefix of the environment."""
    return DATA.format(version=metadata["Version"])


def files_below(folder: str) -> set[str]:
    """The files of a folder of the project that are under version control, or soon will be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return {name for name in listed if (ROOT / name).is_file()}


def test_both_packages_are_whole(wheel: ZipFile) -> None:
    wanted = files_below("helix_lab") | {
        name.removeprefix("server/") for name in files_below("server/helix_lab_server")
    }

    assert {"helix_lab/__init__.py", "helix_lab_server/__init__.py"} <= wanted
    assert set() == wanted - set(wheel.namelist())


@pytest.mark.parametrize("folder", ["sql", "notebooks"])
def test_statements_and_notebooks_travel_inside_the_package(wheel: ZipFile, folder: str) -> None:
    wanted = {f"helix_lab/_{name}" for name in files_below(folder)}

    assert wanted
    assert set() == wanted - set(wheel.namelist())


def test_nothing_travels_that_a_user_does_not_run(wheel: ZipFile) -> None:
    unwanted = re.compile(
        r"(^|/)(tests|bench|node_modules|src|__pycache__|\.\w[^/]*)/|\.(ts|tsx|map|pyc)$"
    )

    assert [] == [name for name in wheel.namelist() if unwanted.search(name)]


def test_the_front_end_is_there_once(wheel: ZipFile, data: str) -> None:
    home = f"{data}/share/jupyter/labextensions/@helix-lab/extension"
    package = json.loads(wheel.read(f"{home}/package.json"))
    entry = package["jupyterlab"]["_build"]["load"]

    assert 1 == sum("remoteEntry" in name for name in wheel.namelist())
    assert {f"{home}/{entry}", f"{home}/install.json"} <= set(wheel.namelist())


def test_front_end_and_package_have_one_version(
    wheel: ZipFile, metadata: Message, data: str
) -> None:
    package = wheel.read(f"{data}/share/jupyter/labextensions/@helix-lab/extension/package.json")

    assert json.loads(package)["version"] == metadata["Version"]


def test_the_server_extension_that_is_switched_on_is_in_the_wheel(
    wheel: ZipFile, data: str
) -> None:
    home = f"{data}/etc/jupyter/jupyter_server_config.d"
    switched_on = {
        name
        for config in wheel.namelist()
        if config.startswith(home)
        for name, is_on in json.loads(wheel.read(config))["ServerApp"][
            "jpserver_extensions"
        ].items()
        if is_on
    }

    assert {"helix_lab_server"} == switched_on


def test_the_kernel_starts_by_a_provisioner_of_the_same_wheel(wheel: ZipFile, data: str) -> None:
    spec = json.loads(wheel.read(f"{data}/share/jupyter/kernels/helix-lab/kernel.json"))
    provisioner = spec["metadata"]["kernel_provisioner"]["provisioner_name"]

    assert provisioner in entry_points(wheel)["jupyter_client.kernel_provisioners"]
    assert "--ext=helix_lab" in spec["argv"]


def test_every_entry_point_leads_to_a_name_in_the_wheel(wheel: ZipFile) -> None:
    targets = [target for group in entry_points(wheel).values() for target in group.values()]

    assert "helix_lab.doors.cli:main" in targets
    assert [] == [target for target in targets if not defines(wheel, target)]


def test_jupyterlab_asks_nobody_outside_for_news(wheel: ZipFile, data: str) -> None:
    overrides = json.loads(wheel.read(f"{data}/share/jupyter/lab/settings/overrides.json"))

    notification = overrides["@jupyterlab/apputils-extension:notification"]
    assert {"checkForUpdates": False, "fetchNews": "false"} == notification


def test_heavy_clients_are_extras(metadata: Message) -> None:
    heavy = {"confluent-kafka", "neo4j", "clickhouse-connect", "minio", "pyspark", "panel"}
    always = {requirement_name(line) for line in requirements(metadata) if "extra ==" not in line}

    assert set() == heavy & always
    assert heavy <= {requirement_name(line) for line in requirements(metadata)}


def test_everything_that_is_imported_is_declared(wheel: ZipFile, metadata: Message) -> None:
    declared = {requirement_name(line) for line in requirements(metadata)}
    distributions = packages_distributions()

    imported = {
        name
        for path in wheel.namelist()
        if path.endswith(".py")
        for name in top_level_imports(wheel.read(path))
    } - {*sys.stdlib_module_names, "helix_lab", "helix_lab_server"}
    undeclared = {
        name
        for name in imported
        if not declared & {canonical(d) for d in distributions.get(name, [name])}
    }

    assert set() == undeclared


def entry_points(wheel: ZipFile) -> configparser.ConfigParser:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    parser = configparser.ConfigParser(delimiters="=")
    parser.read_string(wheel.read(name).decode())
    return parser


def defines(wheel: ZipFile, target: str) -> bool:
    """Whether the module of `package.module:name` is in the wheel and binds that name."""
    module, _, name = target.partition(":")
    path = module.replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        if candidate in wheel.namelist():
            return bool(re.search(rf"\b{name}\b", wheel.read(candidate).decode()))
    return False


def requirements(metadata: Message) -> list[str]:
    return metadata.get_all("Requires-Dist", [])


def requirement_name(line: str) -> str:
    found = re.match(r"[\w.-]+", line)
    assert found is not None
    return canonical(found[0])


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def top_level_imports(source: bytes) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names
