"""The data folder: one owner at a time, whom others can find."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from helix_lab.data_folder import DataFolder, Owner, read_owner
from helix_lab.domain.model.errors import DataFolderInUse, Unavailable

OWN_IT = """
import sys
from pathlib import Path
from helix_lab.data_folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
folder.announce(url="http://127.0.0.1:7061/", token="secret")
print("owned", flush=True)
sys.stdin.read()
"""
ASK_FOR_OWNER = """
import sys
from pathlib import Path
from helix_lab.data_folder import read_owner
print("asking", flush=True)
while True:
    read_owner(Path(sys.argv[1]))
"""


@pytest.fixture
def other_owner(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that owns `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWN_IT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "owned\n" == process.stdout.readline()
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "a/b")

    assert 0o700 == mode_of(folder.path)
    assert [0o600] * 2 == [mode_of(path) for path in sorted(folder.path.iterdir())]
    folder.release()


def test_a_second_owner_in_the_same_process_is_told_who_the_first_is(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    with pytest.raises(DataFolderInUse, match=f"process {os.getpid()}") as caught:
        DataFolder(tmp_path)

    details = {"folder": str(tmp_path), "pid": os.getpid(), "url": None}
    assert details == caught.value.details
    folder.release()


def test_a_second_owner_in_another_process_is_told_pid_and_url(
    tmp_path: Path, other_owner: subprocess.Popen[str]
) -> None:
    with pytest.raises(DataFolderInUse, match=r"connect\(\)") as caught:
        DataFolder(tmp_path)

    assert other_owner.pid == caught.value.details["pid"]
    assert "http://127.0.0.1:7061/" == caught.value.details["url"]
    assert "secret" not in json.dumps([str(caught.value), caught.value.details])
    end(other_owner)


def test_the_owner_can_be_found_while_it_lives(
    tmp_path: Path, other_owner: subprocess.Popen[str]
) -> None:
    expected = Owner(other_owner.pid, "http://127.0.0.1:7061/", "secret")

    assert expected == read_owner(tmp_path)
    end(other_owner)


def test_the_folder_of_a_killed_owner_is_free(
    tmp_path: Path, other_owner: subprocess.Popen[str]
) -> None:
    end(other_owner)

    assert read_owner(tmp_path) is None
    folder = DataFolder(tmp_path)
    assert Owner(os.getpid()) == read_owner(tmp_path)
    folder.release()


def test_a_released_folder_is_free_and_names_nobody(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    folder.release()
    folder.release()

    assert read_owner(tmp_path) is None
    DataFolder(tmp_path).release()


def test_an_announcement_replaces_the_one_before_and_stays_private(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.announce(url="http://a/", token="one")
    folder.announce(url="http://b/", token="two")

    assert Owner(os.getpid(), "http://b/", "two") == read_owner(tmp_path)
    assert [0o600] == [mode_of(path) for path in tmp_path.glob("owner.json*")]
    folder.release()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"pid": 1, "x": 2}', b"\xff"])
def test_a_damaged_announcement_is_no_owner(tmp_path: Path, content: bytes) -> None:
    folder = DataFolder(tmp_path)
    (tmp_path / "owner.json").write_bytes(content)

    assert read_owner(tmp_path) is None
    with pytest.raises(DataFolderInUse, match="another process"):
        DataFolder(tmp_path)
    folder.release()


def test_an_unused_folder_has_no_owner(tmp_path: Path) -> None:
    assert read_owner(tmp_path) is None
    assert read_owner(tmp_path / "absent") is None
    assert [] == list(tmp_path.iterdir())


def test_asking_for_the_owner_keeps_nobody_from_owning(tmp_path: Path) -> None:
    asking = subprocess.Popen(
        [sys.executable, "-c", ASK_FOR_OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert asking.stdout is not None
    assert "asking\n" == asking.stdout.readline()

    for _ in range(300):
        # Left behind by an owner that was killed: only the lock tells that it is dead.
        (tmp_path / "owner.json").write_text('{"pid": 1}')
        DataFolder(tmp_path).release()

    end(asking)


@pytest.mark.parametrize("name", ["file", "file/below", "name\0"])
def test_a_path_that_can_be_no_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match="HELIX_DATA_DIR") as caught:
        DataFolder(tmp_path / name)

    assert str(tmp_path / name) == caught.value.details["folder"]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
