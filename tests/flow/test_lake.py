"""The lake: archived, read by others, restored, asked, checked; in a folder and in a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from helix_lab.domain.lake.schema import CONVERSATIONS, DATASET_KEY, VERSION_KEY
from helix_lab.domain.model.errors import InvalidRequest, QueryFailed, QueryRefused, Unavailable
from helix_lab.jobs.lake.daily import DailyArchives
from helix_lab.lab import Lab
from helix_lab.settings import LakeSettings
from tests.flow.labs import PATIENCE_S, dump_stores, open_at, say
from tests.flow.talks import talk
from tests.s3 import make_bucket, serve_moto
from tests.tiers import Running

NAMED = "conversations/year=2026/month=01/day=30/conversation_conv-123.parquet"
JANUARY = datetime(2026, 1, 30, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def moto() -> Iterator[Mapping[str, str]]:
    with serve_moto() as variables:
        yield variables


@pytest.fixture(params=["folder", "moto", pytest.param("s3", marks=pytest.mark.services("s3"))])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> LakeSettings:
    """Where a lake can be."""
    if request.param == "folder":
        return LakeSettings(folder=tmp_path / "the lake [1]")
    if request.param == "moto":
        return make_bucket(request.getfixturevalue("moto"))
    running: Running = request.getfixturevalue("running_services")
    return make_bucket(running("s3"))


def tell_january(lab: Lab, tmp_path: Path) -> None:
    """Conversations of January, as another program exported them."""
    told: list[dict[str, Any]] = [
        {
            "conversation_id": f"conv-{100 + number % 5}",
            "message_id": f"m{number}",
            "role": "user",
            "content": f"line {number} of Docker",
            "created_at": f"2026-01-{28 + number % 3}T10:00:00Z",
        }
        for number in range(30)
    ]
    told.append(
        {
            "conversation_id": "conv-123",
            "message_id": "a",
            "role": "assistant",
            "content": "Hé 🦉",
            "created_at": "2026-01-30T10:00:00Z",
            "provider": "claude",
            "model": "opus",
            "metadata": {"response_time_ms": 12.5, "input_tokens": 3, "output_tokens": 4},
        }
    )
    lines = [json.dumps(one) for one in told]
    (tmp_path / "old.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run = lab.start_import(str(tmp_path / "old.jsonl"), format="messages_jsonl", wait_s=PATIENCE_S)
    assert ("succeeded", 0) == (run.state, run.result["refused_count"])


def tell_all_kinds(lab: Lab) -> None:
    """Branches, failures, a debate, compressions, titles, odd ids."""
    lab.start_conversation(conversation_id="a/../b ü", user_id="ada", title="First")
    lab.append_messages("a/../b ü", talk(40))
    lab.start_conversation(conversation_id="branched")
    first = lab.append_messages("branched", [say("one", message_id="1")])
    assert first
    lab.append_messages("branched", [say("two", "assistant", parent_id="1", message_id="2")])
    lab.append_messages("branched", [say("or", "assistant", parent_id="1", message_id="3")])
    lab.complete_conversation("branched", outcome="successful")
    lab.start_debate("Should we cache?", conversation_id="debated", wait_s=PATIENCE_S, seed=1)
    lab.replay("a/../b ü", compression_strategy="hybrid", max_tokens=200)


def archive(lab: Lab, **asked: Any) -> Any:
    job = lab.archive_conversations(**asked)
    lab.services.jobs.wait(job.job_id, timeout_s=PATIENCE_S)
    return lab.get_archive(job.job_id)


def restore(lab: Lab) -> Any:
    return lab.services.jobs.wait(lab.restore_lab().run_id, timeout_s=PATIENCE_S)


def read_files(lab: Lab) -> dict[str, bytes]:
    lake = lab.services.lake
    return {file.path: lake.read(file.path) for file in lake.list_files()}


def test_an_empty_lab_is_restored_equal_to_the_one_that_was_archived(
    tmp_path: Path, place: LakeSettings
) -> None:
    with open_at(tmp_path / "first", lake=place) as lab:
        tell_january(lab, tmp_path)
        tell_all_kinds(lab)
        done = archive(lab, all=True)
        before, files = dump_stores(lab), read_files(lab)
        ids = [row["conversation_id"] for row in before["conversation"]]
        replays = {id: lab.replay(id) for id in ids}
        assert ("succeeded", len(ids)) == (done.status, done.conversations_archived)

    with open_at(tmp_path / "second", lake=place) as lab:
        restored = restore(lab)
        after = dump_stores(lab)
        again = archive(lab, all=True)

        assert ("succeeded", len(ids)) == (
            restored.state,
            restored.result["conversations_restored"],
        )
        assert restored.result["events"] == restored.result["new_events"]
        for table in before:
            if table != "checkpoint":  # offsets are of a log, not of what it tells
                assert before[table] == after[table], table
        assert [asdict(m) for id in ids for m in replays[id].messages] == [
            asdict(m) for id in ids for m in lab.replay(id).messages
        ]
        assert (len(ids), 0) == (again.conversations_unchanged, again.files_created)
        assert files == read_files(lab)
        assert lab.check_lake(thorough=True).is_sound


def test_a_lake_made_anew_has_the_same_bytes_and_a_longer_conversation_other_ones(
    tmp_path: Path,
) -> None:
    with open_at(tmp_path / "lab", lake=LakeSettings(folder=tmp_path / "one")) as lab:
        tell_january(lab, tmp_path)
        archive(lab, all=True)
        archive(lab, date="2026-01-30")
        first = read_files(lab)
    with open_at(tmp_path / "lab", lake=LakeSettings(folder=tmp_path / "two")) as lab:
        archive(lab, all=True)
        archive(lab, date="2026-01-30")
        assert first == read_files(lab)

        lab.append_messages("conv-123", [say("more")])
        done = archive(lab, conversation_id="conv-123")

        assert (1, 0) == (done.conversations_archived, done.conversations_unchanged)
        assert NAMED in {
            path for path, content in read_files(lab).items() if first[path] != content
        }
        assert lab.check_lake(thorough=True).is_sound


def test_others_read_the_files_by_plain_calls(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    with open_at(tmp_path / "lab", lake=LakeSettings(folder=folder)) as lab:
        tell_january(lab, tmp_path)
        archive(lab, conversation_id="conv-123")
        archive(lab, conversation_id="conv-100")

    glob = f"{folder}/conversations/**/*.parquet"
    query = (
        f"SELECT content, latency_ms FROM '{glob}' "
        "WHERE year = 2026 AND day = 30 AND model IS NOT NULL"
    )
    by_duckdb = duckdb.execute(query).fetchall()
    by_polars = pl.scan_parquet(glob, hive_partitioning=True).filter(pl.col("day") == 30).collect()
    by_arrow = ds.dataset(folder / "conversations", partitioning="hive").to_table(
        filter=ds.field("day") == 30
    )
    metadata = pq.read_schema(folder / NAMED).metadata

    assert [("Hé 🦉", 12.5)] == by_duckdb
    assert by_polars["content"].to_list() == by_arrow["content"].to_pylist() == ["Hé 🦉"]
    assert [JANUARY] == by_arrow["created_at"].to_pylist()
    assert (b"conversations", b"1") == (
        metadata[DATASET_KEY.encode()],
        metadata[VERSION_KEY.encode()],
    )
    assert [column.name for column in CONVERSATIONS.columns] == pq.read_schema(folder / NAMED).names


def test_the_guides_question_is_answered_and_other_days_are_not_opened(
    tmp_path: Path, place: LakeSettings
) -> None:
    with open_at(tmp_path / "lab", lake=place) as lab:
        tell_january(lab, tmp_path)
        tell_all_kinds(lab)
        archive(lab, all=True, entities=True)
        archive(lab, date="2026-01-30")
        cut = "conversations/year=2020/month=05/day=01/conversation_cut.parquet"
        lab.services.lake.write([(cut, read_files(lab)[NAMED][:-20])])

        # The guide counts rows as conversations; a row of ours is a message.
        counted = lab.query_lake(
            "SELECT year, month, day, COUNT(DISTINCT conversation_id) AS conversation_count, "
            "count(*) FROM conversations WHERE year = 2026 AND month = 1 "
            "GROUP BY year, month, day ORDER BY day DESC"
        )
        named = lab.query_lake(
            "SELECT entity_name, entity_type, COUNT(*) AS mention_count FROM entities "
            "WHERE year = 2026 AND month = 1 GROUP BY entity_name, entity_type "
            "ORDER BY mention_count DESC LIMIT 10"
        )
        figures = lab.query_lake("SELECT provider, messages, requests FROM analytics ORDER BY ALL")
        turns = lab.query_lake("SELECT count(*), any_value(protocol) FROM debates").rows
        with pytest.raises(QueryFailed, match="conversation_cut"):
            lab.query_lake("SELECT sum(tokens) FROM conversations")

        assert [[2026, 1, 30, 1], [2026, 1, 29, 1]] != counted.rows
        assert sum(row[4] for row in counted.rows) == 31
        assert sum(row[3] for row in counted.rows) == 6
        assert ["Docker"] == [row[0] for row in named.rows][:1]
        assert [["", 10, 0], ["claude", 1, 1]] == figures.rows
        assert turns[0][0] > 0
        assert "majority" == turns[0][1]


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'x.parquet'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_text('{lake}/../lab/owner.json')",
        "SET enable_external_access = true",
        "CREATE TABLE x AS SELECT 1",
        "SELECT 1; SELECT 2",
    ],
)
def test_statements_reach_the_lake_alone_and_only_read(tmp_path: Path, sql: str) -> None:
    with open_at(tmp_path / "lab", lake=LakeSettings(folder=tmp_path / "lake")) as lab:
        tell_january(lab, tmp_path)
        archive(lab, conversation_id="conv-123")

        with pytest.raises((QueryRefused, QueryFailed)):
            lab.query_lake(sql.format(lake=tmp_path / "lake"))
        assert [[1]] == lab.query_lake("SELECT count(*) FROM conversations").rows


def test_an_empty_lake_has_tables_without_rows(tmp_path: Path, place: LakeSettings) -> None:
    with open_at(tmp_path / "lab", lake=place) as lab:
        for name in ("conversations", "debates", "events", "entities", "analytics"):
            assert [[0]] == lab.query_lake(f"SELECT count(*) FROM {name}").rows
        assert 0 == archive(lab, date="2025-12-24").files_created
        assert lab.check_lake().is_sound


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"date": "2026-1-5"}, "must be a day such as"),
        ({"date": "yesterday"}, "must be a day such as"),
        ({"date": "2026-02-30"}, "must be a day such as"),
        ({"date": (datetime.now(UTC).date() + timedelta(days=2)).isoformat()}, "is in the future"),
        ({"conversation_id": "../../etc"}, "no conversation"),
        ({"conversation_id": "c", "date": "2026-01-05"}, "exactly one"),
        ({}, "exactly one"),
        ({"all": True, "format": "csv"}, "format"),
    ],
)
def test_what_cannot_be_archived_is_refused(
    tmp_path: Path, asked: dict[str, Any], problem: str
) -> None:
    with open_at(tmp_path) as lab, pytest.raises((InvalidRequest, LookupError), match=problem):
        lab.archive_conversations(**asked)


def test_a_file_that_is_cut_is_named_by_restore_and_check(tmp_path: Path) -> None:
    place = LakeSettings(folder=tmp_path / "lake")
    with open_at(tmp_path / "first", lake=place) as lab:
        tell_january(lab, tmp_path)
        archive(lab, all=True)
    whole = (tmp_path / "lake" / NAMED).read_bytes()
    (tmp_path / "lake" / NAMED).write_bytes(whole[:-100])

    with open_at(tmp_path / "second", lake=place) as lab:
        failed = restore(lab)
        found = lab.check_lake()
        (tmp_path / "lake" / NAMED).write_bytes(whole)
        mended = restore(lab)

        assert ("failed", "DATA_LAKE_ERROR") == (failed.state, failed.error["code"])
        assert "conversation_conv-123" in failed.error["message"]
        assert ([NAMED], False) == (found.damaged, found.is_sound)
        assert "succeeded" == mended.state
        assert ["Hé 🦉"] == [m.content for m in lab.replay("conv-123").messages]


def test_a_missing_bucket_fails_the_run_and_says_what_to_do(
    tmp_path: Path, moto: Mapping[str, str]
) -> None:
    made = make_bucket(moto)
    place = LakeSettings(
        endpoint=made.endpoint, access_key="x", secret_key="y", bucket="never-made"
    )
    with open_at(tmp_path, lake=place) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", [say("hello")])

        failed = archive(lab, all=True)

        assert "failed" == failed.status
        assert "there is no bucket 'never-made'" in failed.error["message"]
        assert "unreachable" == lab.get_health().services["minio"]
        assert "unreachable" == lab.get_bigdata_status().data_lake.status
        with pytest.raises(Unavailable, match="never-made"):
            lab.query_lake("SELECT count(*) FROM conversations")


def test_health_says_where_the_lake_is(tmp_path: Path, place: LakeSettings) -> None:
    with open_at(tmp_path / "lab", lake=place) as lab:
        expected = "embedded" if place.folder else "connected"
        assert expected == lab.get_health().services["minio"]
        assert expected == lab.get_bigdata_status().data_lake.status
        assert place.bucket in lab.describe_lake().place


def test_two_archives_of_one_conversation_at_once_make_one(tmp_path: Path) -> None:
    with open_at(tmp_path) as lab:
        tell_january(lab, tmp_path)

        jobs = [lab.archive_conversations(conversation_id="conv-100") for _ in range(4)]
        for job in jobs:
            lab.services.jobs.wait(job.job_id, timeout_s=PATIENCE_S)
        found = [lab.get_archive(job.job_id) for job in jobs]

        assert ["succeeded"] * 4 == [status.status for status in found]
        assert 3 == sum(status.conversations_unchanged or 0 for status in found)
        assert lab.check_lake(thorough=True).is_sound


def test_lines_of_json_are_restored_as_well(tmp_path: Path) -> None:
    place = LakeSettings(folder=tmp_path / "lake")
    with open_at(tmp_path / "first", lake=place) as lab:
        tell_january(lab, tmp_path)
        tell_all_kinds(lab)
        done = archive(lab, all=True, format="json")
        before = dump_stores(lab)
        assert "succeeded" == done.status

    with open_at(tmp_path / "second", lake=place) as lab:
        assert "succeeded" == restore(lab).state
        after = dump_stores(lab)

    assert before["message_metrics"] == after["message_metrics"]
    assert before["debate_turn"] == after["debate_turn"]


def test_a_day_is_archived_once_after_it_has_ended(tmp_path: Path) -> None:
    with open_at(tmp_path) as lab:
        tell_january(lab, tmp_path)
        jobs = lab.services.jobs
        moment = datetime(2026, 1, 30, 23, 59, tzinfo=UTC)

        def count(day: date) -> int:
            return int(date(2026, 1, 28) <= day <= date(2026, 1, 30))

        daily = DailyArchives(jobs, count, read_clock=lambda: moment)
        early = daily.look()
        moment += timedelta(minutes=1)
        late = daily.look()
        again = daily.look()
        for run_id in [*early, *late]:
            assert "succeeded" == jobs.wait(run_id, timeout_s=PATIENCE_S).state

        assert ["archive-2026-01-28-1", "archive-2026-01-29-1"] == early
        assert (["archive-2026-01-30-1"], []) == (late, again)
        assert "analytics/daily_aggregates_2026-01-30.parquet" in read_files(lab)
