"""Finding the lab: the address, the environment, the owner of the folder, the folder itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helix_lab import Client, Lab, connect
from helix_lab.domain.model.errors import DataFolderInUse, InvalidRequest, Unauthorized
from tests.server.live import TOKEN, LiveServer


def test_an_address_wins_over_everything(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIX_LAB_URL", "http://127.0.0.1:1/")

    lab = connect(server.url, token=TOKEN)

    assert isinstance(lab, Client)
    assert server.url == lab.url
    assert "healthy" == lab.get_health().status
    lab.close()


def test_the_environment_of_a_hosted_kernel_leads_to_its_server(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIX_LAB_URL", server.url)
    monkeypatch.setenv("HELIX_LAB_TOKEN", TOKEN)

    with connect() as lab:
        assert "helix-lab" == lab.get_info().name


def test_a_token_of_the_environment_goes_with_an_address(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIX_LAB_TOKEN", TOKEN)

    with connect(server.url) as lab:
        assert "helix-lab" == lab.get_info().name


def test_a_token_of_another_server_is_not_sent(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIX_LAB_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("HELIX_LAB_TOKEN", TOKEN)

    with connect(server.url) as lab, pytest.raises(Unauthorized):
        lab.get_info()


def test_the_server_that_owns_the_folder_is_found_with_its_token(server: LiveServer) -> None:
    with connect(data_dir=server.folder / "lab") as lab:
        assert isinstance(lab, Client)
        assert "helix-lab" == lab.get_info().name


def test_a_folder_that_is_named_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIX_LAB_URL", "http://127.0.0.1:1/")

    with connect(data_dir=tmp_path / "other") as lab:
        assert isinstance(lab, Lab)
        assert tmp_path / "other" == lab.settings.data_dir


def test_without_a_server_the_lab_is_opened_here(tmp_path: Path) -> None:
    with connect() as lab:
        assert isinstance(lab, Lab)
        assert tmp_path / "lab" == lab.settings.data_dir


def test_a_folder_that_a_script_owns_is_refused_with_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "owned"
    code = (
        "import sys, helix_lab\nwith helix_lab.open_lab(sys.argv[1]):\n print(flush=True)\n input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as script:
        assert script.stdout is not None
        script.stdout.readline()
        with pytest.raises(DataFolderInUse) as caught:
            connect(data_dir=folder)
        script.communicate(b"\n", timeout=30)

    assert script.pid == caught.value.details["pid"]
    assert str(folder) in caught.value.message


def test_an_owner_that_was_killed_leaves_the_folder_free(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    with connect(data_dir=folder):
        pass
    left = {"pid": 1, "url": "http://127.0.0.1:1/", "token": "x"}
    (folder / "owner.json").write_text(json.dumps(left))

    with connect(data_dir=folder) as lab:
        assert isinstance(lab, Lab)


def test_a_setting_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIX_PORT", "many")

    with pytest.raises(InvalidRequest, match="HELIX_PORT"):
        connect()
