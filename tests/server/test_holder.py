from __future__ import annotations

import logging
from pathlib import Path

import pytest

from helix_lab.data_folder import DataFolder, read_owner
from helix_lab.domain.model.errors import DataFolderInUse, HelixError, Unavailable
from helix_lab.lab import Lab, open_lab
from helix_lab_server.holder import LabHolder

LOG = logging.getLogger("test_holder")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lab"


@pytest.fixture
def holder(path: Path) -> LabHolder:
    return LabHolder(lambda: open_lab(path), LOG)


def test_an_open_lab_is_given_and_announced(holder: LabHolder, path: Path) -> None:
    welcomed: list[Lab] = []
    holder.when_open(welcomed.append)
    holder.open()
    holder.announce(url="http://127.0.0.1:1/", token="secret")

    owner = read_owner(path)
    assert owner is not None
    assert [holder.get()] == welcomed
    assert ("http://127.0.0.1:1/", "secret") == (owner.url, owner.token)
    holder.close()


def test_a_closed_lab_is_not_opened_again(holder: LabHolder) -> None:
    holder.open()
    holder.close()
    holder.close()

    with pytest.raises(Unavailable, match="closed"):
        holder.get()
    assert holder.peek() is None


def test_a_folder_in_use_is_logged_once_and_tried_again(
    holder: LabHolder,
    path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("helix_lab_server.holder._RETRY_EVERY_S", 0.0)
    other = DataFolder(path)
    holder.announce(url="http://127.0.0.1:1/", token=None)
    holder.open()
    with pytest.raises(DataFolderInUse):
        holder.get()

    other.release()
    lab = holder.get()

    owner = read_owner(path)
    assert owner is not None
    assert ("http://127.0.0.1:1/", lab.data_folder.path) == (owner.url, path)
    assert 1 == len(caplog.records)
    assert "in use by process" in caplog.text
    holder.close()


def test_a_lab_that_cannot_be_opened_is_told_by_get_and_by_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> Lab:
        message = "a reason that only the log tells"
        raise ValueError(message)

    holder = LabHolder(fail, LOG)

    holder.open()

    with pytest.raises(HelixError, match="the server's log says why"):
        holder.get()
    assert "a reason that only the log tells" in caplog.text
