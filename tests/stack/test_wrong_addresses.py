"""Settings that name the wrong server, password or protocol: told by name, and nothing is shown."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from neo4j import GraphDatabase

from helix_lab.domain.model.errors import Unavailable
from helix_lab.lab import Lab, open_lab
from helix_lab.records.database import Records
from helix_lab.settings import Neo4jSettings, Settings, read_settings
from helix_lab.stack.ports import LOOPBACK, find_free_port
from tests.flow.labs import say, wait_until
from tests.flow.talks import talk
from tests.tiers import Running

pytestmark = pytest.mark.timeout(300)
PASSWORD = "geheim"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Of something that takes connections and never says a word."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield int(server.getsockname()[1])


def open_with_graph(
    folder: Path, uri: str, *, user: str = "neo4j", password: str = PASSWORD
) -> Lab:
    graph = Neo4jSettings(uri, user, password, "neo4j")
    return open_lab(settings=Settings(folder, "test-node", port=0, neo4j=graph))


def read_fault(lab: Lab) -> str:
    wait_until(lambda: "graph" in lab.get_info().projection_faults)
    return str(lab.get_info().projection_faults["graph"])


@contextmanager
def forward(port: int, uri: str) -> Iterator[None]:
    """Let a port lead to the server of an address, for as long as the block lasts."""
    host, _, target = uri.partition("://")[2].partition(":")

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(target))) as far:
                back = threading.Thread(target=pump, args=(far, self.request))
                back.start()
                pump(self.request, far)
                back.join()

    with socketserver.ThreadingTCPServer((LOOPBACK, port), Forward) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("kind", ["closed", "unknown"])
def test_a_lab_opens_and_says_so_where_no_neo4j_answers(tmp_path: Path, kind: str) -> None:
    place = {
        "closed": f"{LOOPBACK}:{find_free_port(set())}",
        "unknown": "no-such-host.invalid:7687",
    }[kind]
    with open_with_graph(tmp_path, f"bolt://{place}") as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", [say("Docker runs on Linux")])

        health, status, fault = lab.get_health(), lab.get_bigdata_status(), read_fault(lab)
        with pytest.raises(Unavailable, match="cannot be used"):
            lab.get_graph_stats()

    assert ("degraded", "unreachable") == (health.status, health.services["neo4j"])
    assert {"embedded"} == {
        state for name, state in health.services.items() if name not in {"neo4j"}
    }
    assert ("degraded", "unreachable", "embedded") == (
        status.status,
        status.knowledge_graph.status,
        status.analytics.status,
    )
    assert f"Neo4j at bolt://{place} cannot be used" in fault
    assert "is NEO4J_URI right?" in fault
    assert PASSWORD not in f"{fault} {lab.settings!r}"


def test_a_neo4j_that_says_nothing_holds_up_no_other_part(tmp_path: Path, silent_port: int) -> None:
    with open_with_graph(tmp_path, f"bolt://{LOOPBACK}:{silent_port}") as lab:
        status = lab.get_bigdata_status()

    assert ("unreachable", "embedded", "embedded") == (
        status.knowledge_graph.status,
        status.kafka_streams.status,
        status.analytics.status,
    )


@pytest.mark.services("neo4j")
def test_neo4j_with_a_wrong_password_or_tls_where_none_is(
    tmp_path: Path, running_services: Running
) -> None:
    uri = running_services("neo4j")["NEO4J_URI"]
    # Not the real user: after three wrong passwords Neo4j refuses the right one, too, for a while.
    with open_with_graph(tmp_path / "a", uri, user="nobody") as lab:
        assert "refuses the user or password" in (fault := read_fault(lab))
        assert "unreachable" == lab.get_health().services["neo4j"]
        assert PASSWORD not in fault
    with open_with_graph(tmp_path / "b", uri.replace("bolt:", "bolt+s:")) as lab:
        assert "cannot be used" in (fault := read_fault(lab))
        assert PASSWORD not in fault


@pytest.mark.services("neo4j")
def test_a_lab_that_was_opened_before_neo4j_fills_the_graph_once_it_is_there(
    tmp_path: Path, running_services: Running
) -> None:
    found = running_services("neo4j")
    port = find_free_port(set())
    uri, password = f"bolt://{LOOPBACK}:{port}", found["NEO4J_PASSWORD"]
    with open_with_graph(tmp_path, uri, password=password) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", [say("Docker runs on Linux")])
        read_fault(lab)

        with forward(port, found["NEO4J_URI"]):
            wait_until(lambda: "healthy" == lab.get_health().status, timeout_s=90)
            wait_until(lambda: 0 == lab.get_info().projection_lag["graph"])
            assert lab.get_bigdata_status().knowledge_graph.entity_count
            lab.services.graph.clear()


@pytest.mark.services("neo4j")
@pytest.mark.parametrize("name", ["helix_user", "user_id", "odd ` name"])
def test_an_index_of_the_label_and_property_of_a_key_is_replaced(
    tmp_path: Path, running_services: Running, name: str
) -> None:
    found = running_services("neo4j")
    uri, password = found["NEO4J_URI"], found["NEO4J_PASSWORD"]
    with GraphDatabase.driver(uri, auth=("neo4j", password)) as driver, driver.session() as session:
        session.run("DROP CONSTRAINT helix_user IF EXISTS").consume()
        quoted = name.replace("`", "``")
        session.run(f"CREATE INDEX `{quoted}` FOR (n:User) ON (n.id)").consume()

        with open_with_graph(tmp_path, uri, password=password) as lab:
            wait_until(lambda: "healthy" == lab.get_health().status, timeout_s=60)

        keys = session.run("SHOW CONSTRAINTS YIELD name RETURN name").value()
        assert "helix_user" in keys


@pytest.mark.services("redis")
@pytest.mark.parametrize("wrong", ["password", "tls"])
def test_redis_with_a_wrong_password_or_tls_where_none_is(
    tmp_path: Path,
    running_services: Running,
    caplog: pytest.LogCaptureFixture,
    wrong: str,
) -> None:
    found = dict(running_services("redis"))
    if wrong == "password":
        found["REDIS_PASSWORD"] = PASSWORD
    url = str(read_settings(environment=found).cache_url)
    if wrong == "tls":
        url = url.replace("redis:", "rediss:")
    settings = Settings(tmp_path, "test-node", port=0, cache_url=url)
    with open_lab(settings=settings) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", talk(60))

        assert lab.replay("c", max_tokens=400).context
        assert "unreachable" == lab.get_health().services["redis"]

    said = {"password": "AuthenticationError", "tls": "Redis does not answer"}[wrong]
    assert said in caplog.text
    assert PASSWORD not in f"{caplog.text} {settings!r}"
    assert found["REDIS_PASSWORD"] not in caplog.text


@pytest.mark.parametrize("kind", ["silent", "unknown"])
def test_postgres_that_says_nothing_or_is_nowhere_is_given_up(silent_port: int, kind: str) -> None:
    place = {"silent": f"{LOOPBACK}:{silent_port}", "unknown": "no-such-host.invalid:5432"}[kind]

    with pytest.raises(Unavailable, match="is HELIX_RECORDS_URL right") as refused:
        Records(f"postgresql+psycopg://u:{PASSWORD}@{place}/d")

    assert place in str(refused.value)
    assert PASSWORD not in str(refused.value)
