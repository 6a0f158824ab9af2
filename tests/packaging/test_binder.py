"""What Binder does with this checkout, step by step, without Binder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from helix_lab import Client
from tests.server.live import TOKEN, environment, free_port, stop, wait_for

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
BASE = "/user/ada-3f9x/"
LIMIT_S = 90
TOOLS = ("bash", "env", "git", "grep", "head", "ls", "rm", "uname")
"""What the steps of Binder call besides Python."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Binder clones, with the front end that is compiled already."""
    copy = tmp_path_factory.mktemp("binder") / "repo"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for name in filter(lambda name: (ROOT / name).is_file(), listed):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    shutil.copytree(ROOT / "helix_lab/labextension", copy / "helix_lab/labextension")
    return copy


@pytest.fixture(scope="module")
def variables(checkout: Path) -> dict[str, str]:
    """An environment as Binder makes it, but without Node.js, for the wheel is to need none.

    What else the wheel needs is lent by the environment of the tests.
    """
    tools = checkout.parent / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is missing"))
    home = checkout.parent / "venv"
    venv.create(home, with_pip=True, symlinks=True)
    ours = Path(sys.prefix)
    lent = Path(next(path for path in sys.path if path.endswith("site-packages")))
    (next(home.glob("lib/python*")) / "site-packages/lent.pth").write_text(f"{lent}\n")
    return environment(
        checkout.parent,
        PATH=f"{home / 'bin'}{os.pathsep}{tools}",
        VIRTUAL_ENV=str(home),
        PYTHONWARNINGS="ignore",
        PIP_NO_DEPS="1",
        PIP_NO_BUILD_ISOLATION="0",  # pip's way of saying "no isolation": the builders are lent
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_IGNORE_INSTALLED="1",
        JUPYTERLAB_DIR=str(ours / "share/jupyter/lab"),
    )


@pytest.fixture(scope="module")
def built(checkout: Path, variables: dict[str, str]) -> Path:
    """The environment after `postBuild`."""
    done = subprocess.run(
        [checkout / "binder/postBuild"],
        cwd=checkout,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return Path(variables["VIRTUAL_ENV"])


@pytest.fixture(scope="module")
def url(checkout: Path, built: Path, variables: dict[str, str]) -> Iterator[str]:
    """The server that Binder starts: a plain JupyterLab with its options, through `start`."""
    port = free_port()
    options = [
        "--no-browser", "--ip=127.0.0.1", f"--port={port}", f"--ServerApp.base_url={BASE}",
        f"--IdentityProvider.token={TOKEN}", "--allow-root",
    ]  # fmt: skip
    with (checkout.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [checkout / "binder/start", built / "bin/python", "-m", "jupyterlab", *options],
            cwd=checkout,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}{BASE}"
    try:
        wait_for(lambda: process.poll() is not None or is_up(url), "the start", limit_s=LIMIT_S)
        assert process.poll() is None, (checkout.parent / "server.log").read_text(errors="replace")
        yield url
    finally:
        stop(process)


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}health").is_success
    except httpx.TransportError:
        return False


def test_the_runtime_is_a_python_that_the_package_takes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime = re.fullmatch(r"python-(\d+)\.(\d+)\n", (BINDER / "runtime.txt").read_text())

    assert runtime is not None
    assert f">={runtime[1]}.{runtime[2]}" == project["requires-python"]


def test_the_extras_that_are_installed_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    (named,) = re.findall(r"\[([\w,]+)\]\"", (BINDER / "postBuild").read_text())
    wanted = named.split(",")

    assert ["dashboards", "topics"] == wanted
    assert set(wanted) <= set(extras)


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_what_binder_runs_can_be_run(name: str) -> None:
    assert os.access(BINDER / name, os.X_OK)
    assert (BINDER / name).read_text().startswith("#!/bin/bash\n")


def test_there_is_no_node_where_the_wheel_is_made_and_found_in_order(
    variables: dict[str, str], built: Path
) -> None:
    assert built.is_dir()
    assert shutil.which("node", path=variables["PATH"]) is None


def test_the_steps_of_binder_start_a_lab_below_a_base_url(url: str, checkout: Path) -> None:
    with Client(url, TOKEN) as lab:
        health, info = lab.get_health(), lab.get_info()

    assert "healthy" == health.status
    assert {"embedded"} == {state for state in health.services.values() if state != "absent"}
    assert info.version == json.loads((checkout / "extension/package.json").read_text())["version"]
    assert (checkout.parent / "lab").is_dir()


def test_the_kernel_of_binder_knows_the_lab_below_its_base_url(url: str) -> None:
    headers = {"Authorization": f"token {TOKEN}"}
    with httpx.Client(base_url=url, headers=headers, timeout=LIMIT_S) as client:
        specs = client.get("api/kernelspecs").json()["kernelspecs"]
        page = client.get("lab/tree/notebooks/01-first-answers.ipynb")
        settings = client.get("lab/api/settings/@helix-lab/extension:commands")

    assert "helix-lab" in specs
    assert 200 == page.status_code
    assert "@helix-lab/extension" in page.text
    assert 200 == settings.status_code
