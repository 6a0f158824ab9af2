"""Apache Kafka without ZooKeeper, of one node or of three, from its jars."""

from __future__ import annotations

import base64
import secrets
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from helix_lab.stack.fetching import fetch_jars, find_java
from helix_lab.stack.ports import LOOPBACK, ask
from helix_lab.stack.service import Program, Service

VERSION = "4.3.1"
JAVA = 17
_JARS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    # Kafka brings log4j, but not what ties it to its own logging.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
_ID_BYTES = 16
_CACHE = f"kafka-{VERSION}"

# Sizes for a machine that runs much else; times for a failover within seconds.
_SETTINGS = {
    "process.roles": "broker,controller",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "group.initial.rebalance.delay.ms": 0,
    # What a killed writer left open holds up who reads what is committed.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
    # A topic is made on purpose, or a spelling mistake would be a topic.
    "auto.create.topics.enable": "false",
    # The default alone fills a small heap.
    "log.cleaner.dedupe.buffer.size": 4 << 20,
    "log.segment.bytes": 64 << 20,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    "replica.lag.time.max.ms": 3000,
    "controller.quorum.election.timeout.ms": 500,
    "controller.quorum.election.backoff.max.ms": 500,
    "controller.quorum.fetch.timeout.ms": 1000,
}
_REPLICATED = (
    "default.replication.factor",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "share.coordinator.state.topic.replication.factor",
)
_IN_SYNC = (
    "min.insync.replicas",
    "transaction.state.log.min.isr",
    "share.coordinator.state.topic.min.isr",
)
_LOGGING = """\
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
"""
_JVM = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]


class Kafka(Service):
    """Kafka, each node a broker and a controller."""

    name = "kafka"
    title = "Kafka"
    most_nodes = 3
    stop_patience_s = 10.0  # the last of three waits in vain for a quorum

    @classmethod
    def list_ports(cls, nodes: int) -> Sequence[str]:
        """Two a node: for clients, and for the controllers among themselves."""
        return [f"{kind}-{node}" for node in range(1, nodes + 1) for kind in ("port", "controller")]

    def fetch(self) -> None:
        """Kafka and what it needs, by Maven; about 45 MB."""
        find_java(JAVA)
        fetch_jars(self.site, _CACHE, _JARS)

    def configure(self) -> None:
        """Write the settings, and format the folder of each node, once."""
        identity = self._identity
        directories = [_make_id() for _ in self._numbers]
        for number in self._numbers:
            folder = self._folder(number)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "server.properties").write_text(self._write_settings(number))
            (folder / "log4j2.properties").write_text(_LOGGING)
        if identity.exists():
            return
        cluster = _make_id()
        voters = ",".join(
            f"{number}@{LOOPBACK}:{self._controller(number)}:{directory}"
            for number, directory in zip(self._numbers, directories, strict=True)
        )
        how = ["--standalone"] if self.site.nodes == 1 else ["--initial-controllers", voters]
        for number in self._numbers:
            options = ["format", *how, "-t", cluster, "-c", "server.properties"]
            # Again where an earlier try was broken off between two nodes.
            options.append("--ignore-formatted")
            self.site.call(
                self._program(f"kafka-{number}-setup", number, "kafka.tools.StorageTool", *options)
            )
        identity.write_text(cluster)

    def list_programs(self) -> Sequence[Program]:
        """One process a node."""
        return [
            self._program(f"kafka-{number}", number, "kafka.Kafka", "server.properties")
            for number in self._numbers
        ]

    def is_ready(self) -> bool:
        """Whether every node knows every other one."""
        return all(
            self.site.nodes == _count_brokers(self._port(number)) for number in self._numbers
        )

    def list_variables(self) -> Mapping[str, str]:
        """The guide's variable, with all nodes."""
        return {"KAFKA_BOOTSTRAP_SERVERS": ",".join(self._addresses)}

    @property
    def _numbers(self) -> range:
        return range(1, self.site.nodes + 1)

    @property
    def _addresses(self) -> list[str]:
        return [f"{LOOPBACK}:{self._port(number)}" for number in self._numbers]

    @property
    def _cluster(self) -> Path:
        # A folder that was formatted for one node cannot become one of three.
        return self.site.folder / f"nodes-{self.site.nodes}"

    @property
    def _identity(self) -> Path:
        return self._cluster / "cluster-id"

    def _folder(self, number: int) -> Path:
        return self._cluster / str(number)

    def _port(self, number: int) -> int:
        return self.site.ports[f"port-{number}"]

    def _controller(self, number: int) -> int:
        return self.site.ports[f"controller-{number}"]

    def _program(self, name: str, number: int, main: str, *options: str) -> Program:
        jars = self.site.cache / _CACHE
        folder = self._folder(number)
        settings = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
        command = [find_java(JAVA), *_JVM, settings, "-cp", f"{jars}/*", main, *options]
        return Program(name, command, folder, is_spare=self.site.nodes > 1)

    def _write_settings(self, number: int) -> str:
        nodes = self.site.nodes
        own = (
            f"PLAINTEXT://{LOOPBACK}:{self._port(number)},"
            f"CONTROLLER://{LOOPBACK}:{self._controller(number)}"
        )
        quorum = ",".join(f"{LOOPBACK}:{self._controller(other)}" for other in self._numbers)
        settings: dict[str, object] = {
            **_SETTINGS,
            **dict.fromkeys(_REPLICATED, nodes),
            **dict.fromkeys(_IN_SYNC, nodes // 2 + 1),
            "node.id": number,
            "controller.quorum.bootstrap.servers": quorum,
            "listeners": own,
            "advertised.listeners": own,
            "log.dirs": self._folder(number) / "data",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def _make_id() -> str:
    """An id as Kafka's tools make them; they take a leading `-` for an option."""
    while True:
        found = base64.urlsafe_b64encode(secrets.token_bytes(_ID_BYTES)).decode().rstrip("=")
        if not found.startswith("-"):
            return found


def _count_brokers(port: int) -> int:
    """How many brokers a node knows, by a request for metadata without topics; 0 if it is silent.

    See https://kafka.apache.org/protocol: Metadata, version 1.
    """
    client = b"helix-lab"
    request = struct.pack(f">hhih{len(client)}si", 3, 1, 7, len(client), client, 0)
    answer = ask(port, struct.pack(">i", len(request)) + request, at_least=12)
    if len(answer) < 12:  # noqa: PLR2004 - length, correlation id, number of brokers
        return 0
    found: int = struct.unpack(">i", answer[8:12])[0]
    return found
