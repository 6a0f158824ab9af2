"""The Spark application: whether it can start, starting it quietly, ending its JVM."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from helix_lab.domain.model.errors import MissingDriver, Unavailable

_REACH_S: Final = 2.0
_END_S: Final = 20.0
_LOGGING: Final = """\
rootLogger.level = fatal
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = spark: %p %c{1}: %m%n
"""


class Application:
    """One application; opened when it is first used. Safe in threads.

    Args:
        master: `local[*]`, `local[N]` or `spark://host:port`.
        folder: for Spark's own files.
        options: more of Spark's own settings.
    """

    def __init__(self, master: str, folder: Path, options: Mapping[str, str]) -> None:
        self.master = master
        self._folder = folder
        self._options = options
        self._opening = threading.Lock()
        self._spark: Any = None
        self._is_closed = False

    def check(self) -> None:
        """Whether it could start.

        Raises:
            MissingDriver: pyspark is not installed.
            Unavailable: there is no Java, or nobody answers where the cluster should be.
        """
        if importlib.util.find_spec("pyspark") is None:
            message = "the engine spark needs pyspark: pip install 'helix-lab[spark]'"
            raise MissingDriver(message, service="spark")
        if find_java() is None:
            message = (
                "the engine spark needs Java 17 or newer, and there is none: install one (such as "
                "openjdk-17-jre-headless) and put it on PATH, or set JAVA_HOME; or use the engine "
                "duckdb, which needs none"
            )
            raise Unavailable(message, service="spark")
        if self.master.startswith("spark://"):
            self._reach()

    def _reach(self) -> None:
        """A TCP connection to one of the masters: Spark itself would try for a minute."""
        for address in self.master.removeprefix("spark://").split(","):
            host, _, port = address.rpartition(":")
            with suppress(OSError, ValueError):
                socket.create_connection((host, int(port)), timeout=_REACH_S).close()
                return
        message = (
            f"no Spark master answers at {self.master}; start it, or correct HELIX_SPARK_URL, or "
            "use the engine duckdb"
        )
        raise Unavailable(message, service="spark")

    def open(self) -> Any:
        """Its session, started if need be.

        Raises:
            MissingDriver, Unavailable: see `check`; or it did not start.
        """
        with self._opening:
            if self._is_closed:
                message = "the lab is closed; open it again"
                raise Unavailable(message, service="spark")
            if self._spark is None:
                self.check()
                self._spark = self._start()
            return self._spark

    def _start(self) -> Any:
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        if SparkContext._active_spark_context is not None:  # noqa: SLF001 - nothing else tells
            message = "this process has a Spark application of its own; stop it first"
            raise Unavailable(message, service="spark")
        builder = SparkSession.builder.master(self.master).appName("Helix Lab")
        for name, value in {**self._write_settings(), **self._options}.items():
            builder = builder.config(name, value)
        try:
            spark = builder.getOrCreate()
        except Exception as error:
            _end_java()
            told = str(error).strip().partition("\n")[0]
            message = f"Spark could not start at {self.master}: {told}"
            raise Unavailable(message, service="spark") from error
        # Otherwise the first python3 on PATH, which may lack this package.
        spark.sparkContext.pythonExec = self._options.get("spark.pyspark.python", sys.executable)
        self._check_is_on_cluster(spark)
        return spark

    def _check_is_on_cluster(self, spark: Any) -> None:
        """An application that should be on a cluster and is not would answer rightly, and slowly.

        Raises:
            Unavailable: it runs in this process alone.
        """
        found = spark.sparkContext.applicationId
        if self.master.startswith("spark://") and not found.startswith("app-"):
            spark.stop()
            _end_java()
            message = f"Spark ran as {found!r} on this machine, not on the cluster {self.master}"
            raise Unavailable(message, service="spark")

    def _write_settings(self) -> dict[str, str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        logging = self._folder / "log4j2.properties"
        logging.write_text(_LOGGING, encoding="utf-8")
        own = {
            "spark.driver.extraJavaOptions": (
                f"-Dlog4j2.configurationFile={logging.as_uri()} "
                f"-Djava.io.tmpdir={self._folder} -XX:+UseSerialGC"
            ),
            "spark.local.dir": str(self._folder),
            "spark.sql.warehouse.dir": (self._folder / "warehouse").as_uri(),
            "spark.sql.session.timeZone": "UTC",
            "spark.log.level": "ERROR",
            "spark.sql.execution.arrow.pyspark.enabled": "true",
            "spark.ui.showConsoleProgress": "false",
            "spark.ui.enabled": "false",
        }
        if self.master.startswith("local"):
            own |= {
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                # Its 200 by default are tasks of a hundredth of a second each.
                "spark.sql.shuffle.partitions": str(os.cpu_count() or 1),
            }
        return own

    def find_page(self) -> str | None:
        """The address of its page, if its settings ask for one (`spark.ui.enabled`)."""
        with self._opening:
            return None if self._spark is None else self._spark.sparkContext.uiWebUrl

    def forget_if_dead(self) -> None:
        """After a failure: the next job starts a new application if this one is gone."""
        with self._opening:
            if self._spark is None:
                return
            try:
                is_dead = self._spark.sparkContext._jsc.sc().isStopped()  # noqa: SLF001
            except Exception:
                is_dead = True
            if is_dead:
                self._stop()

    def close(self) -> None:
        """End it and its JVM."""
        with self._opening:
            self._is_closed = True
            if self._spark is not None:
                self._stop()

    def _stop(self) -> None:
        with suppress(Exception):  # its JVM may be gone already
            self._spark.stop()
        self._spark = None
        _end_java()


def find_java() -> str | None:
    """The program `java` that Spark would run."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")


def _end_java() -> None:
    """End the JVM that pyspark leaves running until Python ends."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway  # noqa: SLF001 - pyspark has no public way to end it
    if gateway is None:
        return
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001
    with suppress(Exception):
        gateway.shutdown()
    process: subprocess.Popen[bytes] | None = getattr(gateway, "proc", None)
    if process is None:
        return
    if process.stdin is not None:
        process.stdin.close()  # it ends when nobody can speak to it any more
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
