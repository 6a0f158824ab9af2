"""The engine: one Spark application, started for the first job and ended with the lab."""

from __future__ import annotations

import re
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from helix_lab.adapters.batch_spark.application import Application
from helix_lab.domain.model.errors import InvalidRequest, Unavailable
from helix_lab.ports.batch import BatchEngine, InputFile, Stage, Value, Watch
from helix_lab.ports.stage_reading import read_files, split

if TYPE_CHECKING:
    import pyarrow as pa

_LOOK_EVERY_S: Final = 0.1
_TASKS_PER_CORE: Final = 4
_PARAMETER = re.compile(r"\$(\w+)")

Answer = TypeVar("Answer")


class SparkBatch(BatchEngine):
    """Batch jobs on Spark.

    Args:
        master: `local[*]`, `local[N]`, or `spark://host:port`.
        folder: for what Spark writes in between; on a cluster, a folder that all workers share.
        options: more of Spark's own settings, such as `spark.executor.memory`.
    """

    name: ClassVar[str] = "spark"

    def __init__(
        self, master: str, folder: Path, *, options: Mapping[str, str] | None = None
    ) -> None:
        self._application = Application(master, folder, options or {})

    def read(
        self,
        stage: Stage,
        files: Sequence[InputFile],
        folder: Path,
        *,
        watch: Watch,
        parts: int | None = None,
    ) -> list[Path]:
        """See `BatchEngine.read`."""
        watch.check()
        spark = self._application.open()
        context = spark.sparkContext
        groups = split(files, parts=parts or context.defaultParallelism * _TASKS_PER_CORE)
        total = sum(file.rows for file in files)
        if not groups:
            return []
        done = context.accumulator(0)

        def read_group(task: tuple[int, list[InputFile]]) -> tuple[str | None, Any]:
            number, group = task
            try:
                target = folder / f"part-{number:06}.parquet"
                path = read_files(stage, group, target, done.add)
            except InvalidRequest as error:
                return "refused", (error.message, error.details)
            return None, path

        def work() -> list[tuple[str | None, Any]]:
            found: list[tuple[str | None, Any]] = (
                context.parallelize(list(enumerate(groups)), len(groups)).map(read_group).collect()
            )
            return found

        outcome = self._carry_out(spark, work, watch, lambda: watch.advance(min(done.value, total)))
        for problem, content in outcome:
            if problem:
                raise InvalidRequest(content[0], **content[1])
        watch.advance(total)
        return [path for _, path in outcome if path is not None]

    def ask(
        self,
        statement: str,
        tables: Mapping[str, pa.Table | Sequence[Path]],
        parameters: Mapping[str, Value],
        *,
        watch: Watch,
    ) -> pa.Table:
        """See `BatchEngine.ask`."""
        watch.check()
        # Views of one's own, so that two jobs may call their tables alike.
        spark = self._application.open().newSession()

        def work() -> pa.Table:
            for name, content in tables.items():
                if isinstance(content, Sequence):
                    frame = spark.read.parquet(*(path.absolute().as_uri() for path in content))
                else:
                    frame = spark.createDataFrame(content)
                frame.createOrReplaceTempView(name)
            used = {name: parameters[name] for name in _PARAMETER.findall(statement)}
            return spark.sql(_PARAMETER.sub(r":\1", statement), args=used).toArrow()

        return self._carry_out(spark, work, watch, lambda: None)

    def _carry_out(
        self, spark: Any, work: Callable[[], Answer], watch: Watch, on_look: Callable[[], None]
    ) -> Answer:
        """Do it in a thread of its own, and cancel its Spark jobs when the watch says so."""
        from pyspark.util import InheritableThread

        group = f"helix-{uuid.uuid4().hex}"
        found: list[Answer] = []
        failures: list[Exception] = []

        def run() -> None:
            # Tables go in and out as Arrow's, which its third version does not change.
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
            spark.sparkContext.setJobGroup(group, "Helix Lab", interruptOnCancel=True)
            try:
                found.append(work())
            except Exception as error:
                failures.append(error)

        thread = InheritableThread(target=run, name="helix-spark", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                watch.check()
                on_look()
                thread.join(_LOOK_EVERY_S)
        except BaseException:
            while thread.is_alive():
                # More than once: the thread may be about to begin the next job of the group.
                spark.sparkContext.cancelJobGroup(group)
                thread.join(_LOOK_EVERY_S)
            raise
        if failures:
            raise self._explain(failures[0]) from failures[0]
        return found[0]

    def _explain(self, error: Exception) -> Unavailable:
        self._application.forget_if_dead()
        said = str(error).partition("JVM stacktrace")[0].splitlines()
        told = next((line for line in reversed(said) if line.strip()), "it said nothing")
        message = f"Spark at {self._application.master} could not carry out a batch job: {told}"
        return Unavailable(message, service="spark")

    def probe(self) -> None:
        """See `BatchEngine.probe`."""
        self._application.check()

    def describe(self) -> str | None:
        """See `BatchEngine.describe`."""
        return self._application.find_page()

    def close(self) -> None:
        """See `BatchEngine.close`."""
        self._application.close()
