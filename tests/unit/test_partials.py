"""What was read before is found again, whatever was added, joined, cut short or damaged since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helix_lab.jobs.batch.catalog import ENTITY_EXTRACTION
from helix_lab.jobs.batch.inputs import Source
from helix_lab.jobs.batch.partials import Partials

READING = ENTITY_EXTRACTION.reading


def source(number: int, version: str = "a") -> Source:
    return Source(f"{number}{version}", f"conversations/{number}.parquet", "conversations", 1)


def add(partials: Partials, *sources: Source) -> None:
    def fill(folder: Path) -> list[Path]:
        rows = {"value": [one.id for one in sources], "source": [one.id for one in sources]}
        pq.write_table(pa.table(rows), folder / "part.parquet")
        return [folder / "part.parquet"]

    partials.add(READING, sources, fill)


def read(partials: Partials, sources: Sequence[Source]) -> set[str]:
    asked = {one.id for one in sources}
    tables = [pq.read_table(path) for path in partials.find_files(READING, sources)]
    found = [row for table in tables for row in table.to_pylist() if row["source"] in asked]
    assert len(found) == len({row["source"] for row in found})
    return {row["value"] for row in found}


def test_what_was_added_is_found_and_not_missing(tmp_path: Path) -> None:
    partials, sources = Partials(tmp_path), [source(1), source(2), source(3)]

    add(partials, *sources[:2])

    assert sources[2:] == partials.find_missing(READING, sources)
    assert {"1a", "2a"} == read(partials, sources)
    assert {"2a"} == read(Partials(tmp_path), sources[1:])


def test_a_changed_file_is_missing_and_its_old_rows_are_not_found(tmp_path: Path) -> None:
    partials = Partials(tmp_path)
    add(partials, source(1), source(2))

    assert [source(1, "b")] == partials.find_missing(READING, [source(1, "b"), source(2)])
    add(partials, source(1, "b"))

    assert {"1b", "2a"} == read(partials, [source(1, "b"), source(2)])


def test_many_small_lots_become_one(tmp_path: Path) -> None:
    partials, sources = Partials(tmp_path), [source(number) for number in range(50)]

    for one in sources:
        add(partials, one)
    add(partials, source(7, "b"))

    sources[7] = source(7, "b")
    assert {one.id for one in sources} == read(partials, sources)
    assert 20 > len(partials.find_files(READING, sources))


def test_a_reading_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> list[Path]:
        (folder / "part.half").write_bytes(b"x")
        message = "full"
        raise OSError(message)

    partials = Partials(tmp_path)
    with pytest.raises(OSError, match="full"):
        partials.add(READING, [source(1)], fail)

    assert [source(1)] == partials.find_missing(READING, [source(1)])
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_a_dead_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    add(Partials(tmp_path), source(1))
    (place,) = tmp_path.iterdir()
    for orphan in (place / "0123", tmp_path / "mentions-of-an-old-version" / "4567"):
        orphan.mkdir(parents=True)
        (orphan / "part.parquet").write_bytes(b"x")
    (place / "kept.json.half").write_bytes(b"{")

    after = Partials(tmp_path)
    after.sweep_once()

    assert {"1a"} == read(after, [source(1)])
    assert 1 == len(list(tmp_path.rglob("*.parquet")))
