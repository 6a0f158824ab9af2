"""Answers that are kept: asked once, read in pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab import Lab, open_lab
from helix_lab.domain.model.errors import InvalidRequest, UnknownResult
from helix_lab.settings import Settings
from tests.server.live import wait_for

MILLION = 1_000_000
MEASURE_PEAK = """
import resource, sys
from helix_lab import open_lab

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

with open_lab(sys.argv[1]) as lab:
    first = lab.run_query("SELECT range FROM range(5000)", keep=True)
    lab.get_result_page(first.result_id, sort=0)
    before_mib = peak_mib()
    sql = "SELECT range AS n, repeat('x', 400) AS t FROM range(1000000)"
    answer = lab.run_query(sql, max_rows=10, keep=True)
    for offset in (0, 500_000, 999_900):
        lab.get_result_page(answer.result_id, offset=offset)
        lab.get_result_page(answer.result_id, offset=offset, sort=0, descending=True)
    kept = lab.data_folder.path / "results" / f"{answer.result_id}.arrow"
    print(kept.stat().st_size / 2**20, peak_mib() - before_mib)
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(settings=Settings(tmp_path / "lab", node_id="node-1")) as lab:
        yield lab


def test_nothing_is_kept_unless_it_is_asked_for(lab: Lab) -> None:
    answer = lab.run_query("SELECT 1 AS a")

    assert (None, 0) == (answer.result_id, answer.kept_rows)
    assert [] == list((lab.data_folder.path / "results").iterdir())


def test_a_million_rows_are_read_in_pages(lab: Lab) -> None:
    sql = f"SELECT range AS n, hash(range) AS h FROM range({MILLION})"

    answer = lab.run_query(sql, max_rows=10, keep=True)
    page = lab.get_result_page(answer.result_id, offset=MILLION - 2)

    assert (10, MILLION, MILLION) == (answer.row_count, answer.total_rows, answer.kept_rows)
    assert [MILLION - 2, MILLION - 1] == [row[0] for row in page.rows]
    by_hash = lab.get_result_page(answer.result_id, sort=1, descending=True, limit=2).rows
    assert by_hash == sorted(by_hash, key=lambda row: -row[1])
    assert by_hash[0][1] == lab.run_query(f"SELECT max(h) FROM ({sql})").rows[0][0]


def test_a_long_answer_is_never_in_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE_PEAK, str(tmp_path / "lab")],
        capture_output=True,
        text=True,
        check=True,
    )

    answer_mib, grown_mib = map(float, done.stdout.split())
    assert answer_mib > 300
    assert grown_mib < 200


def test_a_kept_answer_does_not_change_with_the_store(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [{"role": "user", "content": "one"}])
    sql = "SELECT role FROM message_metrics"
    wait_for(lambda: lab.run_query(sql).row_count == 1, "the first message in the store")
    answer = lab.run_query(sql, keep=True)

    lab.append_messages("c", [{"role": "user", "content": "two"}])

    wait_for(lambda: lab.run_query(sql).row_count == 2, "the second message in the store")
    assert 1 == lab.get_result_page(answer.result_id).kept_rows


def test_rows_that_come_before_the_time_is_over_are_kept(lab: Lab) -> None:
    rows = "SELECT range AS n FROM range(5000)"
    endless = (
        "SELECT count(*) AS n FROM range(100000000) a, range(100000) b WHERE a.range > b.range"
    )

    answer = lab.run_query(f"{rows} UNION ALL {endless}", max_rows=10, timeout_s=2, keep=True)

    assert (10, None, True) == (answer.row_count, answer.total_rows, answer.truncated)
    assert 2048 <= answer.kept_rows <= 5000


def test_a_page_has_the_values_of_the_answer_and_cuts_long_ones(lab: Lab) -> None:
    answer = lab.run_query(
        "SELECT repeat('x', 2000) AS t, [1, NULL] AS l, 1.50 AS d, 'nan'::DOUBLE AS f", keep=True
    )

    page = lab.get_result_page(answer.result_id, max_characters=5)

    assert [["xxxxx…", "[1, n…", 1.5, "nan"]] == page.rows
    assert answer.rows == lab.get_result_page(answer.result_id, max_characters=5000).rows
    assert answer.columns == page.columns


def test_what_is_not_kept_is_told_as_such(lab: Lab) -> None:
    with pytest.raises(UnknownResult, match="no result 'nothing' is kept"):
        lab.get_result_page("nothing")
    answer = lab.run_query("SELECT 1 AS a", keep=True)
    with pytest.raises(InvalidRequest, match="'sort'"):
        lab.get_result_page(answer.result_id, sort=1)


def test_a_statement_that_fails_leaves_nothing(lab: Lab) -> None:
    with pytest.raises(InvalidRequest):
        lab.run_query("SELECT 1 / (range - 3000), error('no') FROM range(9000)", keep=True)

    assert [] == list((lab.data_folder.path / "results").iterdir())
