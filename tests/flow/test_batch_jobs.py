"""The five batch jobs over a real lake: true answers, only what is new is read, clear refusals."""

from __future__ import annotations

import base64
import csv
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helix_lab.domain.knowledge.identity import identify
from helix_lab.domain.model.errors import (
    Conflict,
    InvalidRequest,
    MissingDriver,
    Unavailable,
    UnknownRun,
)
from helix_lab.jobs.batch import choosing
from helix_lab.jobs.batch.catalog import JOBS
from helix_lab.lab import Lab
from helix_lab.operations.batch_jobs import BatchJob
from helix_lab.ports.batch import BatchEngine
from tests.data.loaders import find_data, write_debates_jsonl, write_locomo_jsonl
from tests.flow.labs import open_at, say

PATIENCE_S = 100.0


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_at(tmp_path / "lab") as lab:
        yield lab


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of some real conversations and debates, archived; tests only read it."""
    data = find_data()
    if data is None:
        pytest.skip("needs the real data sets: HELIX_TEST_DATA, or ../shared/data")
    folder = tmp_path_factory.mktemp("real")
    with open_at(folder / "lab") as lab:
        for name, write, most in (
            ("locomo", write_locomo_jsonl, 500),
            ("debates", write_debates_jsonl, 12),
        ):
            path = folder / f"{name}.jsonl"
            write(data, path)
            lines = path.read_text("utf-8").splitlines(keepends=True)[:most]
            path.write_text("".join(lines), "utf-8")
            assert "succeeded" == lab.start_import(path=str(path), wait_s=PATIENCE_S).state
        archive(lab)
        yield lab


def archive(lab: Lab) -> None:
    job_id = lab.archive_conversations(all=True).job_id
    assert "succeeded" == lab.services.jobs.wait(job_id, timeout_s=PATIENCE_S).state


def run(lab: Lab, job_type: str, **fields: Any) -> BatchJob:
    shown: BatchJob = lab.submit_batch_job(job_type=job_type, wait_s=PATIENCE_S, **fields)
    assert ("succeeded", None, 1.0) == (shown.status, shown.error, shown.progress)
    return shown


def read(lab: Lab, job: BatchJob) -> list[dict[str, Any]]:
    return lab.get_batch_job_result(job_id=job.job_id).rows or []


def talk(lab: Lab, conversation_id: str, *texts: str) -> None:
    if conversation_id not in {
        one.conversation_id for one in lab.list_conversations().conversations
    }:
        lab.start_conversation(conversation_id=conversation_id)
    lab.append_messages(conversation_id, [say(text) for text in texts])


# answers --------------------------------------------------------------------------------


def test_the_entities_of_the_lake_are_those_of_the_live_graph(real: Lab) -> None:
    found = read(real, run(real, "EntityExtraction"))

    assert real.services.projections.catch_up("graph", timeout_s=PATIENCE_S)
    live = real.services.graph.ask("export_entities")
    assert len(live) > 100
    assert {row["id"]: tell_live(row) for row in live} == {
        row["entity_id"]: tell_found(row) for row in found
    }


def tell_live(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("name", "type", "mention_count", "message_count", "confidence")
    times = (row["created_at"], row["updated_at"])
    return (*(row[name] for name in names), sorted(row["aliases"]), *times)


def tell_found(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("name", "type", "mention_count", "message_count", "max_confidence")
    times = (
        row[name].isoformat(timespec="microseconds").replace("+00:00", "Z")
        for name in ("first_seen", "last_seen")
    )
    return (*(row[name] for name in names), row["aliases"], *times)


def test_pairs_of_one_message_are_the_co_occurrences_of_the_live_graph(real: Lab) -> None:
    config = {"min_cooccurrence": 1, "window_size": 1}

    found = read(real, run(real, "RelationshipMining", config=config))

    assert real.services.projections.catch_up("graph", timeout_s=PATIENCE_S)
    live = real.services.graph.ask("export_co_occurrences")
    assert len(live) > 100
    expected = {(row["source"], row["target"]): row["frequency"] for row in live}
    assert expected == {(row["source"], row["target"]): row["same_message"] for row in found}
    assert all(row["same_message"] == row["cooccurrences"] for row in found)


def test_what_people_merged_is_one_entity(lab: Lab) -> None:
    talk(lab, "c1", "Docker uses MongoDB.", "Redis is not MongoDB.")
    one, other = (identify(name, "technology").entity_id for name in ("Redis", "MongoDB"))
    assert lab.services.projections.catch_up("graph", timeout_s=PATIENCE_S)
    lab.merge_entities(source=one, target=other)
    archive(lab)

    found = read(lab, run(lab, "EntityExtraction"))

    assert {"Docker": 1, "MongoDB": 3} == {row["name"]: row["mention_count"] for row in found}


@pytest.mark.parametrize("method", ["nmf", "lda"])
def test_topics_are_named_judged_and_the_same_each_time(real: Lab, method: str) -> None:
    config = {"method": method, "topics": 4, "terms": 6}

    first, second = (read(real, run(real, "TopicModeling", config=config)) for _ in range(2))

    assert first == second
    assert [1, 2, 3, 4] == [topic["topic"] for topic in first]
    for topic in first:
        assert 6 == len(topic["terms"]) == len(topic["weights"])
        assert sorted(topic["weights"], reverse=True) == topic["weights"]
        assert 3 == len(topic["name"].split(" · "))
        assert -1 <= topic["coherence"] <= 1
    assert 1.0 == pytest.approx(sum(topic["share"] for topic in first), abs=1e-4)


def test_providers_are_rated_as_the_debates_went(real: Lab) -> None:
    rows = [row for row in read(real, run(real, "ProviderPerformance")) if row["kind"] == "debate"]

    debates = [real.get_debate(debate_id=one.debate_id) for one in real.list_debates().debates]
    won = [debate.winner.provider for debate in debates if debate.winner]
    assert 12 == len(debates)
    assert len(won) == sum(row["wins"] for row in rows) > 0
    assert sum(len(debate.turns) for debate in debates) == sum(row["requests"] for row in rows)
    for provider in {row["provider"] for row in rows}:
        wins = sum(row["wins"] for row in rows if row["provider"] == provider)
        assert won.count(provider) == wins


def test_debates_are_told_over_their_rounds(real: Lab) -> None:
    rows = read(real, run(real, "DebateAnalysis"))

    assert 12 == len(rows)
    assert {"converging", "diverging", "entrenched", "exploring"} >= {
        row["pattern"] for row in rows
    }
    for row in rows:
        debate = real.get_debate(debate_id=row["debate_id"])
        assert (len(debate.turns), 2) == (row["turns"], row["seats"])
        assert 0 < row["agreement_first"] < 1


# what is read ---------------------------------------------------------------------------


def test_a_second_run_reads_only_what_is_new_and_answers_as_a_full_one(tmp_path: Path) -> None:
    with open_at(tmp_path / "lab") as lab:
        for number in range(12):
            talk(lab, f"c{number}", f"Docker uses Redis {number}", "MongoDB runs on Linux.")
        archive(lab)
        assert (24, 24) == count(run(lab, "EntityExtraction"))
        assert (24, 0) == count(run(lab, "RelationshipMining"))
        talk(lab, "c3", "Python uses Redis")
        talk(lab, "new", "Rust uses Redis")
        archive(lab)

        partly = run(lab, "EntityExtraction")

        assert (26, 4) == count(partly)
        lab.services.batch.partials = type(lab.services.batch.partials)(tmp_path / "fresh")
        fully = run(lab, "EntityExtraction")
        assert (26, 26) == count(fully)
        paths = [tmp_path / "lab" / "lake" / job.output_path for job in (partly, fully)]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def count(job: BatchJob) -> tuple[int, int]:
    assert job.rows_total == job.rows_processed
    return job.rows_processed, job.rows_read


def test_what_was_kept_may_be_damaged_or_deleted(tmp_path: Path, lab: Lab) -> None:
    talk(lab, "c1", "Docker uses Redis")
    archive(lab)
    first = read(lab, run(lab, "EntityExtraction"))
    (kept,) = (tmp_path / "lab" / "batch" / "kept").glob("mentions-*/kept.json")

    kept.write_bytes(b"{")
    assert first == read(lab, run(lab, "EntityExtraction"))
    for file in kept.parent.glob("*/*.parquet"):
        file.unlink()
    assert first == read(lab, run(lab, "EntityExtraction"))


def test_days_choose_folders_of_the_lake(lab: Lab) -> None:
    talk(lab, "c1", "Docker uses Redis")
    archive(lab)

    assert 1 == run(lab, "EntityExtraction", start_date="2020-01-01").rows_processed
    assert 0 == run(lab, "EntityExtraction", end_date="2020-01-01").rows_processed
    with pytest.raises(InvalidRequest, match="before the start_date"):
        lab.submit_batch_job(
            job_type="EntityExtraction", start_date="2020-01-02", end_date="2020-01-01"
        )


def test_an_empty_lake_gives_empty_results(lab: Lab) -> None:
    for job_type in JOBS:
        assert [] == read(lab, run(lab, job_type))


def test_forgetting_a_user_drops_results_and_what_was_kept(tmp_path: Path, lab: Lab) -> None:
    lab.start_conversation(conversation_id="c1", user_id="ann")
    talk(lab, "c1", "Docker uses Zanzibarix")
    archive(lab)
    job = run(lab, "TopicModeling", config={"min_documents": 1, "max_document_share": 1.0})
    assert "zanzibarix" in read(lab, job)[0]["terms"]

    erasure = lab.forget_user(user_id="ann").run_id
    assert "succeeded" == lab.services.jobs.wait(erasure, timeout_s=PATIENCE_S).state

    assert [] == list((tmp_path / "lab" / "batch").rglob("*.parquet"))
    assert [] == list((tmp_path / "lab" / "lake" / "results").rglob("*.parquet"))
    with pytest.raises(UnknownRun):
        lab.get_batch_job_result(job_id=job.job_id)


# doors ----------------------------------------------------------------------------------


def test_the_guides_request_works_as_it_stands(lab: Lab) -> None:
    talk(lab, "c1", "Docker uses Redis")
    archive(lab)

    job = run(
        lab,
        "EntityExtraction",
        input_path="s3://helixagent-datalake/conversations/",
        output_path="s3://helixagent-datalake/entities/",
        config={"partitions": 3, "min_entity_confidence": 0.1},
    )

    assert job.job_id.startswith("job-")
    assert f"results/entities/{job.job_id}.parquet" == job.output_path
    assert (1, 2) == (job.rows_processed, job.entities_extracted)
    assert "duckdb" == job.engine
    assert "no Spark cluster" in job.engine_reason
    assert job == lab.get_batch_job_status(job_id=job.job_id)
    assert [job] == lab.list_batch_jobs().jobs


def test_a_result_is_read_as_rows_csv_and_arrow(tmp_path: Path, lab: Lab) -> None:
    talk(lab, "c1", "Docker uses Redis")
    archive(lab)
    job = run(lab, "EntityExtraction")

    rows = read(lab, job)
    as_csv = lab.get_batch_job_result(job_id=job.job_id, format="csv").csv
    as_arrow = lab.get_batch_job_result(job_id=job.job_id, format="arrow").arrow
    in_lake = pq.read_table(tmp_path / "lab" / "lake" / job.output_path)

    assert as_csv is not None
    assert as_arrow is not None
    assert ["Docker", "Redis"] == sorted(row["name"] for row in rows)
    assert [r["entity_id"] for r in rows] == [
        r["entity_id"] for r in csv.DictReader(io.StringIO(as_csv))
    ]
    assert rows == pa.ipc.open_stream(base64.b64decode(as_arrow)).read_all().to_pylist()
    assert rows == in_lake.to_pylist()
    assert b"results.EntityExtraction" == in_lake.schema.metadata[b"helix.dataset"]


def test_a_job_that_is_cancelled_stops_and_has_no_result(lab: Lab) -> None:
    talk(lab, "c1", *["Docker uses Redis"] * 40)
    archive(lab)
    gate = Gate(lab.services.batch.engines["duckdb"])
    lab.services.batch.engines = {**lab.services.batch.engines, "duckdb": gate}
    job = lab.submit_batch_job(job_type="EntityExtraction")
    assert gate.began.wait(PATIENCE_S)

    assert "running" == lab.get_batch_job_status(job_id=job.job_id).status
    with pytest.raises(Conflict, match="once it has succeeded"):
        lab.get_batch_job_result(job_id=job.job_id)
    lab.cancel_batch_job(job_id=job.job_id)
    gate.open.set()

    assert "cancelled" == lab.services.jobs.wait(job.job_id, timeout_s=PATIENCE_S).state
    with pytest.raises(Conflict, match="has no result"):
        lab.get_batch_job_result(job_id=job.job_id)


class Gate(BatchEngine):
    """An engine that waits before it reads."""

    name = "duckdb"

    def __init__(self, engine: BatchEngine) -> None:
        self._engine = engine
        self.began, self.open = threading.Event(), threading.Event()

    def read(self, *arguments: Any, **named: Any) -> list[Path]:
        self.began.set()
        assert self.open.wait(PATIENCE_S)
        return self._engine.read(*arguments, **named)

    def ask(self, *arguments: Any, **named: Any) -> pa.Table:
        return self._engine.ask(*arguments, **named)

    def probe(self) -> None:
        self._engine.probe()

    def describe(self) -> str | None:
        return self._engine.describe()

    def close(self) -> None:
        self._engine.close()


# refusals -------------------------------------------------------------------------------


def test_an_unknown_job_type_names_the_five(lab: Lab) -> None:
    with pytest.raises(InvalidRequest) as raised:
        lab.submit_batch_job(job_type="WordCount")

    assert all(name in raised.value.message for name in ("'WordCount'", *JOBS))


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("conversations/year=1999", "no Parquet file"),
        ("conversations/../../secret", "not a path inside"),
        ("/etc", "not a path inside"),
        ("s3://another-bucket/conversations", "not in the lake"),
        ("entities", "reads conversations and debates"),
        ("", "not in the lake"),
    ],
)
def test_an_input_path_that_cannot_be_used_is_refused(lab: Lab, path: str, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem) as raised:
        lab.submit_batch_job(job_type="EntityExtraction", input_path=path)

    assert "input_path" == raised.value.details["field"]


def test_an_output_path_outside_of_the_lake_is_refused(lab: Lab) -> None:
    with pytest.raises(InvalidRequest, match="output_path"):
        lab.submit_batch_job(job_type="EntityExtraction", output_path="results/../../x")


def test_a_damaged_file_fails_the_job_and_is_named(tmp_path: Path, lab: Lab) -> None:
    talk(lab, "c1", "Docker uses Redis")
    archive(lab)
    (file,) = (tmp_path / "lab" / "lake").glob("conversations/**/*.parquet")
    file.write_bytes(file.read_bytes()[:-20])

    shown = lab.submit_batch_job(job_type="EntityExtraction", wait_s=PATIENCE_S)

    assert "failed" == shown.status
    assert shown.error is not None
    assert "conversation_c1.parquet" in shown.error["message"]


def test_without_java_spark_is_refused_and_duckdb_works(
    tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises((Unavailable, MissingDriver), match=r"Java 17|pip install"):
        lab.submit_batch_job(job_type="EntityExtraction", engine="spark")

    assert [] == read(lab, run(lab, "EntityExtraction", engine="duckdb"))


def test_auto_takes_the_cluster_for_much_input_and_says_so(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = lab.services.batch.engines
    monkeypatch.setattr(engines["spark"], "probe", lambda: None)
    much = choosing.MANY_BYTES

    few = choosing.choose_engine(engines, "auto", input_bytes=much - 1, is_cluster=True)
    many = choosing.choose_engine(engines, "auto", input_bytes=much, is_cluster=True)

    assert ("duckdb", "spark") == (few.engine.name, many.engine.name)
    assert "faster below 2 GiB" in few.reason
    assert "there is a cluster" in many.reason


def test_a_job_that_there_is_not_is_unknown(lab: Lab) -> None:
    with pytest.raises(UnknownRun):
        lab.get_batch_job_status(job_id="job-1")
    other = lab.rebuild_store(store="conversations").run_id
    with pytest.raises(UnknownRun):
        lab.cancel_batch_job(job_id=other)
