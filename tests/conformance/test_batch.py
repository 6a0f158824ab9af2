"""Both batch engines keep the contract of their port, and the five jobs answer alike on both."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from helix_lab.adapters.batch_duckdb import DuckDBBatch
from helix_lab.adapters.batch_spark import SparkBatch
from helix_lab.domain.model.errors import HelixError, MissingDriver, Unavailable
from helix_lab.jobs.batch.catalog import JOBS
from helix_lab.lab import Lab, open_lab
from helix_lab.ports.batch import BatchEngine
from helix_lab.settings import Settings
from helix_lab.testing.batch import BatchEngineTests
from tests.data.loaders import find_data, write_debates_jsonl, write_locomo_jsonl

PATIENCE_S = 120.0
FOR_LITTLE_DATA = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
}


class TestDuckDB(BatchEngineTests):
    @pytest.fixture
    def engine(self, tmp_path: Path) -> BatchEngine:
        return DuckDBBatch(tmp_path / "engine", readers=2)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BatchEngine]:
    """One application for all tests: its start takes longer than they do."""
    engine = SparkBatch("local[2]", tmp_path_factory.mktemp("spark"), options=FOR_LITTLE_DATA)
    require_spark(engine)
    yield engine
    engine.close()


def require_spark(engine: BatchEngine) -> None:
    try:
        engine.probe()
    except (MissingDriver, Unavailable) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.mark.spark
class TestSpark(BatchEngineTests):
    @pytest.fixture
    def engine(self, spark: BatchEngine) -> BatchEngine:
        return spark


@pytest.mark.spark
def test_both_engines_answer_alike_on_real_data(tmp_path: Path, spark: BatchEngine) -> None:
    data = find_data()
    if data is None:
        pytest.skip("needs the real data sets: HELIX_TEST_DATA, or ../shared/data")
    config = {"topics": 3, "min_cooccurrence": 2, "window_size": 5}

    answers: dict[str, dict[str, Any]] = {}
    with open_lab(settings=Settings(tmp_path / "lab", "test-node", port=0)) as lab:
        fill(lab, data, tmp_path)
        for name in ("duckdb", "spark"):
            lab.services.batch.engines = {**lab.services.batch.engines, "spark": spark}
            answers[name] = {job: run(lab, job, name, config) for job in JOBS}
            # So that no engine finds what the other has read.
            shutil.rmtree(tmp_path / "lab" / "batch" / "kept")

    assert all(answers["duckdb"].values())
    assert answers["duckdb"] == answers["spark"]


def fill(lab: Lab, data: Path, folder: Path) -> None:
    """A conversation and three debates, archived."""
    for name, write, lines in (
        ("locomo", write_locomo_jsonl, slice(0, 120)),
        ("debates", write_debates_jsonl, slice(0, 3)),
    ):
        path = folder / f"{name}.jsonl"
        write(data, path)
        shorten(path, lines)
        assert "succeeded" == lab.start_import(path=str(path), wait_s=PATIENCE_S).state
    job_id = lab.archive_conversations(all=True).job_id
    assert "succeeded" == lab.services.jobs.wait(job_id, timeout_s=PATIENCE_S).state


def shorten(path: Path, lines: slice) -> None:
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[lines]), "utf-8")


def run(lab: Lab, job: str, engine: str, config: dict[str, Any]) -> Sequence[Any]:
    shown = lab.submit_batch_job(job_type=job, engine=engine, config=config, wait_s=PATIENCE_S)
    assert ("succeeded", None) == (shown.status, shown.error)
    assert engine == shown.engine
    assert shown.rows_total == shown.rows_processed > 0
    return lab.get_batch_job_result(job_id=shown.job_id).rows or []


def test_spark_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(HelixError, match=r"needs Java 17.*duckdb|pip install"):
        SparkBatch("local[2]", tmp_path).probe()


def test_spark_says_which_cluster_does_not_answer(tmp_path: Path) -> None:
    engine = SparkBatch("spark://127.0.0.1:1", tmp_path)

    with pytest.raises(HelixError, match=r"spark://127\.0\.0\.1:1|needs Java 17|pip install"):
        engine.probe()
