"""Apache Spark, standalone: a master and two workers, from the wheel of pyspark."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from helix_lab.domain.model.errors import Unavailable
from helix_lab.stack.fetching import fetch_jars, find_java
from helix_lab.stack.ports import LOOPBACK, ask
from helix_lab.stack.service import Program, Service

JAVA = 17
WORKERS = 2
_CORES = 1
# Room for one executor of Spark's usual size; it takes no more than it is asked for.
_MEMORY = "1400m"

_HADOOP = "3.5.0"
_AWS = "2.35.4"
_CACHE = f"spark-s3a-{_HADOOP}"
# Of Hadoop's own dependencies none: the bundle of all AWS clients alone has 0.7 GB.
_HADOOP_AWS = f"org.apache.hadoop:hadoop-aws:{_HADOOP}"
_CLIENTS = (
    *(
        f"software.amazon.awssdk:{name}:{_AWS}"
        for name in ("s3", "s3-transfer-manager", "sts", "apache-client", "netty-nio-client")
    ),
    "software.amazon.s3.analyticsaccelerator:analyticsaccelerator-s3:1.3.1",
)
_SHIPPED_BY_SPARK = ("netty-[!n]*", "httpc*", "commons-*", "slf4j*")

_DEPLOY = "org.apache.spark.deploy"
_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"
# By it anybody who reaches the port could start a driver here; clients bring their own.
_MASTER = "-Dspark.master.rest.enabled=false"
_WORKER = "-Dspark.worker.cleanup.enabled=true"


class Spark(Service):
    """One master, and workers of one core each."""

    name = "spark"
    title = "Spark"
    stop_patience_s = 10.0

    @classmethod
    def list_ports(cls, nodes: int) -> Sequence[str]:  # noqa: ARG003 - always the same
        """Of the master: for applications and workers, and for its page."""
        return ("port", "port-page")

    def fetch(self) -> None:
        """Look for pyspark and Java; the clients of S3 by Maven, 13 MB."""
        find_java(JAVA)
        find_spark()
        fetch_jars(self.site, _CACHE, _CLIENTS, alone=[_HADOOP_AWS], without=_SHIPPED_BY_SPARK)

    def configure(self) -> None:
        """Make the folders in which executors work."""
        for folder in (self._temporary, *self._folders.values()):
            folder.mkdir(parents=True, exist_ok=True)

    def list_programs(self) -> Sequence[Program]:
        """The master, and its workers, which try until it is there."""
        page = str(self.site.ports["port-page"])
        address = ["--host", LOOPBACK, "--port", str(self.port), "--webui-port", page]
        size = ["--host", LOOPBACK, "--cores", str(_CORES), "--memory", _MEMORY]
        size += ["--webui-port", "0"]
        workers = [
            self._program(name, "worker.Worker", *size, "-d", str(folder), self._url)
            for name, folder in self._folders.items()
        ]
        return [self._program("spark-master", "master.Master", *address), *workers]

    def is_ready(self) -> bool:
        """Whether all workers are with the master."""
        return _count_workers(self.site.ports["port-page"]) == WORKERS

    def list_variables(self) -> Mapping[str, str]:
        """Where it is, and the clients of S3 for a driver: Spark reads that variable itself."""
        return {"HELIX_SPARK_URL": self._url, "SPARK_DIST_CLASSPATH": self._jars}

    @property
    def _url(self) -> str:
        return f"spark://{LOOPBACK}:{self.port}"

    @property
    def _jars(self) -> str:
        return f"{self.site.cache / _CACHE}/*"

    @property
    def _temporary(self) -> Path:
        return self.site.folder / "tmp"

    @property
    def _folders(self) -> dict[str, Path]:
        names = [f"spark-worker-{number}" for number in range(1, WORKERS + 1)]
        return {name: self.site.folder / name for name in names}

    def _program(self, name: str, main: str, *options: str) -> Program:
        home = find_spark()
        variables = {
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_LOCAL_DIRS": str(self._temporary),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": f"{_JVM} -Djava.io.tmpdir={self._temporary}",
            "SPARK_MASTER_OPTS": _MASTER,
            "SPARK_WORKER_OPTS": _WORKER,
            "SPARK_DIST_CLASSPATH": self._jars,
        }
        command = [str(home / "bin" / "spark-class"), f"{_DEPLOY}.{main}", *options]
        # It goes on with one worker; without the master it does not.
        is_spare = name != "spark-master"
        return Program(name, command, self.site.folder, variables, is_spare=is_spare)


def find_spark() -> Path:
    """The home of Spark in the wheel of pyspark.

    Raises:
        Unavailable: pyspark is not installed.
    """
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        message = "Spark comes with pyspark, which is not here: pip install 'helix-lab[spark]'"
        raise Unavailable(message, service="stack", tool="pyspark")
    return Path(found.origin).parent


def _count_workers(port: int) -> int:
    """How many workers the page of the master says are alive; 0 if it is silent."""
    request = f"GET /json/ HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode()
    body = ask(port, request, at_least=1 << 20).partition(b"\r\n\r\n")[2]
    try:
        return int(json.loads(body)["aliveworkers"])
    except (ValueError, KeyError):
        return 0
