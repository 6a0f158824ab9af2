"""What every `Lake` must do. An adapter subclasses the suite and gives `make_lake`."""

from __future__ import annotations

import abc
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from helix_lab.domain.model.errors import NotFound
from helix_lab.ports.lake import Lake, LakeFile

DAY = "conversations/year=2026/month=01/day=30"
_BIG = 7 * 1024 * 1024
"""More than one part of a large upload to S3."""


class LakeTests(abc.ABC):
    """The contract of `Lake`, sentence by sentence."""

    @pytest.fixture
    @abc.abstractmethod
    def make_lake(self) -> Callable[[], Lake]:
        """Opens the same empty lake again and again; closed at the end of the test."""

    @pytest.fixture
    def lake(self, make_lake: Callable[[], Lake]) -> Lake:
        """An empty lake."""
        return make_lake()

    def test_an_empty_lake_has_no_files(self, lake: Lake) -> None:
        """And says where it is."""
        assert [] == list(lake.list_files())
        assert [] == list(lake.list_files(DAY))
        assert lake.probe()

    def test_what_is_written_is_read_and_listed(self, lake: Lake) -> None:
        """Also what is empty, large, or has a name with all that is allowed in one."""
        files = {
            f"{DAY}/conversation_a~2Fb.c-d_e.parquet": b"one",
            f"{DAY}/conversation_b.parquet": b"",
            "entities/snapshot_2026-01-30T10-00-00.parquet": os.urandom(_BIG),
        }

        lake.write(files.items())

        assert files == {path: lake.read(path) for path in files}
        expected = [LakeFile(path, len(content)) for path, content in sorted(files.items())]
        assert expected == list(lake.list_files())
        assert expected[:2] == list(lake.list_files("conversations")) == list(lake.list_files(DAY))

    def test_a_folder_is_not_taken_for_another_that_begins_alike(self, lake: Lake) -> None:
        """`day=3` is not `day=30`."""
        lake.write([(f"{DAY}/a.parquet", b"a")])

        assert [] == list(lake.list_files(DAY[:-1]))

    def test_writing_again_replaces(self, lake: Lake) -> None:
        """Whole, also where it becomes shorter."""
        lake.write([("a/b.json", b"long before")])

        lake.write([("a/b.json", b"short")])

        assert b"short" == lake.read("a/b.json")

    def test_what_another_opened_wrote_is_seen(self, make_lake: Callable[[], Lake]) -> None:
        """A lake is its place, not its object."""
        first, second = make_lake(), make_lake()

        first.write([("a/b.json", b"1")])

        assert b"1" == second.read("a/b.json")

    @pytest.mark.parametrize("path", ["a", "a/c.json", "b/b.json"])
    def test_a_file_that_is_not_there_is_not_found(self, lake: Lake, path: str) -> None:
        """Nor is a folder a file."""
        lake.write([("a/b.json", b"1")])

        with pytest.raises(NotFound, match=path):
            lake.read(path)

    def test_deleting_removes_only_what_is_named(self, lake: Lake) -> None:
        """And what is not there is no error."""
        lake.write([("a/b.json", b"1"), ("a/c.json", b"2")])

        lake.delete(["a/b.json", "a/never.json"])

        assert ["a/c.json"] == [file.path for file in lake.list_files()]

    def test_a_reader_sees_the_file_before_or_after_but_never_a_part(self, lake: Lake) -> None:
        """While it is written again and again."""
        contents = [bytes([number]) * 200_000 for number in range(8)]
        lake.write([("a/b.json", contents[0])])
        done = threading.Event()

        def read() -> set[bytes]:
            seen = set()
            while not done.is_set():
                seen.add(lake.read("a/b.json"))
            return seen

        with ThreadPoolExecutor(1) as readers:
            reading = readers.submit(read)
            for content in contents:
                lake.write([("a/b.json", content)])
            done.set()
            seen = reading.result()

        assert seen <= set(contents)
        assert contents[-1] == lake.read("a/b.json")

    def test_pyarrow_scans_what_was_written(self, lake: Lake) -> None:
        """By the filesystem and the path that the lake names."""
        lake.write([(f"{DAY}/a.json", b"abc")])

        system, root = lake.open_filesystem()

        with system.open_input_file(f"{root}/{DAY}/a.json") as file:
            assert b"abc" == file.read()

    def test_sweeping_keeps_what_is_whole(self, lake: Lake) -> None:
        """There is nothing to remove where nothing was cut short."""
        lake.write([("a/b.json", b"1")])

        assert 0 == lake.sweep()
        assert b"1" == lake.read("a/b.json")

    def test_closing_twice_is_harmless(self, lake: Lake) -> None:
        """As the port says."""
        lake.close()
        lake.close()
