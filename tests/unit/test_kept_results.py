"""Answers kept on the disk: pages, orders, limits."""

from __future__ import annotations

import stat
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from helix_lab.domain.model.errors import InvalidRequest, UnknownResult
from helix_lab.queries.kept_results import KeepLimits, KeptResults

ROWS = 1000


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def keep(results: KeptResults, *tables: dict[str, list[Any]]) -> str:
    """Keep an answer of these batches."""
    with results.draft() as draft:
        batches = [pa.RecordBatch.from_pydict(table) for table in tables]
        for batch in batches:
            draft.add(batch)
        result_id = draft.finish(pa.Table.from_batches(batches[:1]))
    assert result_id is not None
    return result_id


def read(results: KeptResults, result_id: str, **asked: Any) -> list[dict[str, Any]]:
    options = {"offset": 0, "limit": 100, "sort": None, "descending": False}
    rows: list[dict[str, Any]] = results.read_page(
        result_id, **{**options, **asked}
    ).table.to_pylist()
    return rows


@pytest.fixture
def results(tmp_path: Path) -> KeptResults:
    return KeptResults(tmp_path / "results")


def thousand(results: KeptResults) -> str:
    """Rows n = 0…999 in batches of odd sizes; v has each of 0…6 many times, and nulls."""
    values = [None if n % 11 == 5 else n % 7 for n in range(ROWS)]
    cuts = [0, 1, 300, 301, 800, ROWS]
    pairs = pairwise(cuts)
    batches: list[dict[str, list[Any]]] = [
        {"n": list(range(first, end)), "v": values[first:end]} for first, end in pairs
    ]
    return keep(results, *batches)


@pytest.mark.parametrize("offset", [0, 1, 250, 299, 300, 301, 795, 990, 999, 1000, 10**12])
def test_a_page_is_a_slice_of_the_answer(results: KeptResults, offset: int) -> None:
    result_id = thousand(results)

    page = read(results, result_id, offset=offset)

    assert list(range(ROWS))[offset : offset + 100] == [row["n"] for row in page]


@pytest.mark.parametrize("descending", [False, True])
def test_a_sorted_answer_keeps_the_order_of_equal_rows_and_ends_with_nulls(
    results: KeptResults, descending: bool
) -> None:
    result_id = thousand(results)
    sign = -1 if descending else 1

    pages = [
        read(results, result_id, offset=at, limit=90, sort=1, descending=descending)
        for at in range(0, ROWS, 90)
    ]

    rows = sorted(
        ((n, None if n % 11 == 5 else n % 7) for n in range(ROWS)),
        key=lambda row: (row[1] is None, sign * (row[1] or 0)),
    )
    assert rows == [(row["n"], row["v"]) for page in pages for row in page]


def test_columns_of_one_name_are_sorted_by_their_number(results: KeptResults) -> None:
    batch = pa.RecordBatch.from_arrays([pa.array([1, 2]), pa.array(["b", "a"])], names=["x", "x"])
    with results.draft() as draft:
        draft.add(batch)
        result_id = draft.finish(pa.Table.from_batches([batch])) or ""

    page = results.read_page(result_id, offset=0, limit=9, sort=1, descending=False)

    assert [2, 1] == page.table.column(0).to_pylist()


def test_an_answer_without_rows_has_its_columns(results: KeptResults) -> None:
    with results.draft() as draft:
        result_id = draft.finish(pa.table({"a": pa.array([], pa.int64())})) or ""

    page = results.read_page(result_id, offset=0, limit=9, sort=0, descending=True)

    assert (["a"], 0, 0) == (page.table.column_names, page.table.num_rows, page.kept_rows)


def test_words_of_a_dictionary_are_sorted_as_words(results: KeptResults) -> None:
    words = pa.DictionaryArray.from_arrays([0, 1, 2], ["c", "a", "b"])
    batch = pa.RecordBatch.from_arrays([words], names=["w"])
    with results.draft() as draft:
        draft.add(batch)
        draft.add(batch)
        result_id = draft.finish(pa.Table.from_batches([batch])) or ""

    assert list("aabbcc") == [row["w"] for row in read(results, result_id, sort=0)]


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_a_column_without_an_order_is_refused(results: KeptResults, value: Any) -> None:
    result_id = keep(results, {"x": [value, value]})

    with pytest.raises(InvalidRequest, match=r"'x' has values of .*, which have no order"):
        read(results, result_id, sort=0)


def test_a_column_that_is_not_there_is_refused(results: KeptResults) -> None:
    result_id = keep(results, {"x": [1], "y": [2]})

    with pytest.raises(InvalidRequest, match="there is no column 2; allowed: 0 to 1"):
        read(results, result_id, sort=2)


def test_rows_beyond_the_limit_are_not_kept(tmp_path: Path) -> None:
    results = KeptResults(tmp_path, limits=KeepLimits(max_rows=3))
    with results.draft() as draft:
        batch = pa.RecordBatch.from_pydict({"n": [0, 1]})
        taken = [draft.add(batch) for _ in range(3)]
        result_id = draft.finish(pa.Table.from_batches([batch])) or ""

    page = results.read_page(result_id, offset=0, limit=9, sort=None, descending=False)
    assert ([True, True, False], 3) == (taken, page.kept_rows)


def test_bytes_beyond_the_limit_are_not_kept(tmp_path: Path) -> None:
    results = KeptResults(tmp_path, limits=KeepLimits(max_bytes=100))
    with results.draft() as draft:
        batch = pa.RecordBatch.from_pydict({"t": ["x" * 60]})
        assert [True, True, False] == [draft.add(batch) for _ in range(3)]


def test_an_answer_that_nobody_reads_is_dropped_after_its_time(tmp_path: Path) -> None:
    clock = Clock()
    results = KeptResults(tmp_path, limits=KeepLimits(ttl_s=10), clock=clock)
    old, read_again = keep(results, {"n": [1]}), keep(results, {"n": [2]})
    clock.now_s = 8
    read(results, read_again)
    clock.now_s = 12
    keep(results, {"n": [3]})

    assert [{"n": 2}] == read(results, read_again)
    with pytest.raises(UnknownResult, match="ask the query again"):
        read(results, old)
    assert 2 == len(list(tmp_path.iterdir()))


def test_the_answer_read_longest_ago_gives_way(tmp_path: Path) -> None:
    results = KeptResults(tmp_path, limits=KeepLimits(max_results=2))
    first, second = keep(results, {"n": [1]}), keep(results, {"n": [2]})
    read(results, first, sort=0)
    keep(results, {"n": [3]})

    assert [{"n": 1}] == read(results, first)
    with pytest.raises(UnknownResult):
        read(results, second)


def test_all_answers_together_stay_below_their_limit(tmp_path: Path) -> None:
    results = KeptResults(tmp_path, limits=KeepLimits(max_total_bytes=1_000_000))

    for number in range(5):
        keep(results, {"n": [number] * 50_000})

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_000_000


def test_orders_of_an_answer_are_bounded_and_made_again(tmp_path: Path) -> None:
    results = KeptResults(tmp_path, limits=KeepLimits(max_orders=2))
    result_id = keep(results, {"a": [2, 1], "b": [1, 2]})

    for _ in range(2):
        for column in (0, 1):
            for descending in (False, True):
                page = read(results, result_id, sort=column, descending=descending)
                assert [1, 2][:: -1 if descending else 1] == [row["ab"[column]] for row in page]

    assert 3 == len(list(tmp_path.iterdir()))


def test_a_draft_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    results = KeptResults(tmp_path)

    with results.draft() as draft:
        assert draft.add(pa.RecordBatch.from_pydict({"n": [1]}))
        assert 1 == len(list(tmp_path.iterdir()))

    assert [] == list(tmp_path.iterdir())


def test_a_disk_that_refuses_ends_the_keeping_and_not_the_answer(tmp_path: Path) -> None:
    results = KeptResults(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with results.draft() as draft:
        assert not draft.add(pa.RecordBatch.from_pydict({"n": [1]}))
        assert draft.finish(pa.table({"n": [1]})) is None


def test_what_an_earlier_process_left_is_removed(tmp_path: Path) -> None:
    result_id = keep(KeptResults(tmp_path), {"n": [1]})

    results = KeptResults(tmp_path)

    assert [] == list(tmp_path.iterdir())
    with pytest.raises(UnknownResult):
        read(results, result_id)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    results = KeptResults(tmp_path / "results")
    read(results, keep(results, {"n": [1]}), sort=0)

    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in tmp_path.iterdir()}
    assert {0} == modes


@pytest.mark.parametrize("result_id", ["", "..", "../lab", "a/b", "x" * 200])
def test_an_id_is_looked_up_and_never_a_path(results: KeptResults, result_id: str) -> None:
    with pytest.raises(UnknownResult):
        read(results, result_id)
