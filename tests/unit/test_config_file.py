"""The configuration file: the guide's shape, typed, with references, and every error has a line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings import Settings, read_settings
from helix_lab.settings.catalog import VARIABLES
from helix_lab.settings.showing import show_settings

ROOT = Path(__file__).parents[2]
GUIDE = {
    "development": """\
bigdata:
  kafka:
    bootstrap_servers: "localhost:9092"
  neo4j:
    uri: "bolt://localhost:7687"
  clickhouse:
    host: "localhost"
    port: 9000
  minio:
    endpoint: "localhost:9000"
    use_ssl: false
""",
    "production": """\
bigdata:
  kafka:
    bootstrap_servers: "${KAFKA_BOOTSTRAP_SERVERS}"
  neo4j:
    uri: "${NEO4J_URI}"
  clickhouse:
    host: "${CLICKHOUSE_HOST}"
    port: ${CLICKHOUSE_PORT}
  minio:
    endpoint: "${MINIO_ENDPOINT}"
    use_ssl: ${MINIO_USE_SSL}
""",
}
VARIABLES_OF_THE_GUIDE = """
KAFKA_BOOTSTRAP_SERVERS=localhost:9092
KAFKA_CONSUMER_GROUP=helixagent
KAFKA_AUTO_OFFSET_RESET=earliest
NEO4J_URI=bolt://localhost:7687
NEO4J_USERNAME=neo4j
NEO4J_PASSWORD=helixagent123
NEO4J_DATABASE=neo4j
CLICKHOUSE_HOST=localhost
CLICKHOUSE_PORT=9000
CLICKHOUSE_DATABASE=helixagent
CLICKHOUSE_USERNAME=default
CLICKHOUSE_PASSWORD=
MINIO_ENDPOINT=localhost:9000
MINIO_ACCESS_KEY=helixagent
MINIO_SECRET_KEY=helixagent123
MINIO_BUCKET=helixagent-datalake
MINIO_USE_SSL=false
CONTEXT_COMPRESSION_STRATEGY=hybrid
CONTEXT_COMPRESSION_RATIO=0.30
CONTEXT_MIN_QUALITY_SCORE=0.95
CONTEXT_CACHE_SIZE=100
CONTEXT_CACHE_TTL=1800  # 30 minutes
MEMORY_EVENT_SOURCING_ENABLED=true
MEMORY_CRDT_STRATEGY=merge_all
MEMORY_SNAPSHOT_INTERVAL=300  # 5 minutes
LEARNING_ENABLED=true
LEARNING_MIN_CONFIDENCE=0.70
LEARNING_MIN_FREQUENCY=3
LEARNING_INSIGHT_THRESHOLD=0.80
"""
OF_PRODUCTION = {
    "HELIX_DATA_DIR": "/srv/helix",
    "NODE_ID": "node-1",
    "KAFKA_BOOTSTRAP_SERVERS": "k1:9092,k2:9092",
    "DB_HOST": "db",
    "DB_PASSWORD": "p@ss",
    "NEO4J_URI": "neo4j://graph:7687",
    "NEO4J_PASSWORD": "p@ss",
    "CLICKHOUSE_HOST": "analytics",
    "CLICKHOUSE_PORT": "8123",
    "MINIO_ENDPOINT": "lake:9000",
    "MINIO_USE_SSL": "TRUE",
}


def read(tmp_path: Path, text: str, **environment: str) -> Settings:
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    return read_settings(environment={"HELIX_CONFIG": str(path), **environment})


def test_the_files_of_the_guide_are_read_as_they_stand(tmp_path: Path) -> None:
    development = read(tmp_path, GUIDE["development"], NEO4J_PASSWORD="secret")
    production = read(tmp_path, GUIDE["production"], **OF_PRODUCTION)

    assert ("kafka://localhost:9092", "bolt://localhost:7687") == (
        development.log_url,
        development.neo4j and development.neo4j.uri,
    )
    assert ("kafka://k1:9092,k2:9092", "neo4j://graph:7687") == (
        production.log_url,
        production.neo4j and production.neo4j.uri,
    )


def test_the_variables_of_the_guide_are_accepted_with_its_values(tmp_path: Path) -> None:
    path = tmp_path / "guide.env"
    path.write_text(VARIABLES_OF_THE_GUIDE)
    names = set(re.findall("^[A-Z_0-9]+", VARIABLES_OF_THE_GUIDE, re.MULTILINE))

    settings = read_settings(environment={"HELIX_ENV_FILE": str(path)})

    assert ("kafka://localhost:9092", "merge_all") == (settings.log_url, settings.memory_strategy)
    assert settings.neo4j is not None
    assert ("bolt://localhost:7687", "neo4j", "helixagent123", "neo4j") == (
        settings.neo4j.uri,
        settings.neo4j.username,
        settings.neo4j.password,
        settings.neo4j.database,
    )
    assert (ContextPolicy("hybrid", 0.3, 0.95), 100, 1800.0) == (
        settings.context,
        settings.context_cache_size,
        settings.context_cache_ttl_s,
    )
    assert names <= {variable.name for variable in VARIABLES}
    shown = {one.name for one in show_settings(environment={"HELIX_ENV_FILE": str(path)})}
    assert names - {"CLICKHOUSE_PASSWORD"} <= shown  # an empty value says nothing


def test_our_file_for_development_is_read_with_the_secrets_of_compose() -> None:
    secrets = dict.fromkeys(("POSTGRES_PASSWORD", "REDIS_PASSWORD", "NEO4J_PASSWORD"), "a b/c")

    settings = read_settings(
        environment={"HELIX_CONFIG": str(ROOT / "configs/development.yaml"), **secrets}
    )

    assert "kafka://localhost:9092" == settings.log_url
    assert (
        "postgresql+psycopg://helixagent:a%20b%2Fc@localhost:5432/helixagent"
        == settings.records_url
    )
    assert "redis://:a%20b%2Fc@localhost:6379/0" == settings.cache_url
    assert settings.neo4j is not None
    assert ("bolt://localhost:7687", "a b/c") == (settings.neo4j.uri, settings.neo4j.password)
    assert "development" == settings.node_id


def test_our_file_for_production_needs_each_variable_that_has_no_default() -> None:
    path = ROOT / "configs/production.yaml"
    needed = set(re.findall(r"\$\{(\w+)\}", re.sub("#.*", "", path.read_text())))
    given = {name: OF_PRODUCTION[name] for name in needed}

    settings = read_settings(environment={"HELIX_CONFIG": str(path), **given})

    assert (Path("/srv/helix"), "node-1", 7061) == (
        settings.data_dir,
        settings.node_id,
        settings.port,
    )
    assert settings.cache_url is None
    for name in needed:
        rest = {key: value for key, value in given.items() if key != name}
        with pytest.raises(InvalidRequest, match=rf"production\.yaml:\d+: .*{name} is not set"):
            read_settings(environment={"HELIX_CONFIG": str(path), **rest})


def test_a_reference_is_put_in_after_the_file_was_read(tmp_path: Path) -> None:
    text = 'lab:\n  node_id: ${A}-${B:-two}-$${C}\n  data_dir: "${D:-/x}"\n'

    settings = read(tmp_path, text, A='1"\nport: 9', B="", D="")

    assert '1"\nport: 9-two-${C}' == settings.node_id
    assert (7061, Path("/x")) == (settings.port, settings.data_dir)


def test_a_variable_that_is_not_set_is_named_with_file_and_line(tmp_path: Path) -> None:
    text = "# head\nbigdata:\n  neo4j:\n    uri: bolt://h\n    password: ${GRAPH_PASSWORD}\n"

    with pytest.raises(InvalidRequest) as refused:
        read(tmp_path, text)

    assert (
        f"{tmp_path}/lab.yaml:5: the variable GRAPH_PASSWORD is not set: set it, or write "
        "${GRAPH_PASSWORD:-default}" == str(refused.value)
    )
    assert {"field": "HELIX_CONFIG", "variable": "GRAPH_PASSWORD"} == refused.value.details


def test_the_environment_goes_before_the_env_file_and_that_before_this_file(tmp_path: Path) -> None:
    env_file = tmp_path / "some.env"
    env_file.write_text("HELIX_PORT=2\nCONTEXT_CACHE_SIZE=2\nNODE_ID=\n")
    text = "lab: {port: 3, node_id: three, report_runs_kept: 3}\ncontext: {cache_size: 3}\n"

    settings = read(tmp_path, text, HELIX_ENV_FILE=str(env_file), HELIX_PORT="1")

    assert (1, 2, 3, "three") == (
        settings.port,
        settings.context_cache_size,
        settings.report_runs_kept,
        settings.node_id,
    )


def test_one_way_to_name_a_service_goes_before_the_other_way_below_it(tmp_path: Path) -> None:
    text = "bigdata: {kafka: {url: 'kafka://file:1'}, postgresql: {url: 'postgresql://u:p@file/d'}}"

    settings = read(tmp_path, text, KAFKA_BOOTSTRAP_SERVERS="env:2", DB_HOST="env", DB_PASSWORD="p")

    assert "kafka://env:2" == settings.log_url
    assert settings.records_url is not None
    assert "@env:5432" in settings.records_url


def test_providers_may_stand_in_the_file(tmp_path: Path) -> None:
    text = """\
lab:
  providers:
    - {name: sage, base_url: "http://${HOST}:9/v1", model: sage-1, context_window_tokens: 8192}
    - name: two
      base_url: http://h/v1
      model: "2"
      api_key_env:
"""

    one, two = read(tmp_path, text, HOST="h").providers

    assert ("http://h:9/v1", 8192) == (one.base_url, one.context_window_tokens)
    assert ("2", None) == (two.model, two.api_key_env)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lab:\n  port: many", ":2: lab.port is 'many'; it must be a whole number"),
        ("lab:\n  port: 70000", ":2: HELIX_PORT is '70000'; it must be a port"),
        ("lab:\n  port: [1]", ":2: lab.port must be one value, not a sequence"),
        ("lab:\n  prot: 1", ":2: there is no setting lab.prot; did you mean port?"),
        ("bigdata:\n  minio: {use_ssl: maybe}", ":2: bigdata.minio.use_ssl is 'maybe'"),
        ("context:\n  cache_ttl: 30 minutes", ":2: context.cache_ttl is '30 minutes'"),
        ("context:\n\n  compression_strategy: zip", ":3: CONTEXT_COMPRESSION_STRATEGY is 'zip'"),
        ("lab: 5", ":1: lab must be a mapping with data_dir"),
        ("- lab", ":1: the file must be a mapping with lab, bigdata"),
        ("lab:\n  port: 1\n  port: 2", ":3: port stands here twice"),
        ("lab:\n  ? [a]\n  : 2", ":2: a key must be one word; allowed are data_dir"),
        ("lab:\n  providers: &all [*all]", " has a list that holds itself"),
        ("lab:\n  node_id: ${1x}", r":2: ${ must be ${NAME}"),
        ("lab:\n  node_id: 'geheim", " is no YAML: "),
        ("lab:\n  node_id: !!python/object:os.system geheim", ""),
        ("bigdata:\n  redis: {url: 'http://:geheim@h'}", ":2: HELIX_CACHE_URL begins with 'http'"),
    ],
)
def test_what_the_file_may_not_say_is_refused_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    if not said:  # a tag is not heeded: nothing but text is made of a scalar
        assert "geheim" == read(tmp_path, text).node_id
        return
    with pytest.raises(InvalidRequest) as refused:
        read(tmp_path, text)

    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{tmp_path}/lab.yaml")
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x: " + b"1" * 2**20])
def test_a_file_that_is_no_settings_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes(content)

    with pytest.raises(InvalidRequest, match=r"cannot be read|is larger"):
        read_settings(environment={"HELIX_CONFIG": str(path)})


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="HELIX_CONFIG names a file that cannot be read"):
        read_settings(environment={"HELIX_CONFIG": str(tmp_path / "none.yaml")})


@pytest.mark.parametrize("text", ["", "# nothing\n", "lab:\n", "lab:\n  port:\n  node_id: ''\n"])
def test_nothing_said_is_nothing_changed(tmp_path: Path, text: str) -> None:
    assert read_settings(environment={}) == read(tmp_path, text)


def test_the_nodes_of_the_guide_meet_at_kafka() -> None:
    node = {
        "NODE_ID": "node-us-east-1",
        "KAFKA_BOOTSTRAP_SERVERS": "kafka-cluster:9092",
        "DB_HOST": "postgres-node1",
        "DB_PASSWORD": "s",
        "MEMORY_EVENT_SOURCING_ENABLED": "true",
    }

    settings = read_settings(environment=node)

    assert "kafka://kafka-cluster:9092" == settings.log_url
    assert "postgresql+psycopg://helixagent:s@postgres-node1:5432/helixagent" == (
        settings.records_url
    )


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_a_server_may_have_an_ipv6_address(host: str) -> None:
    settings = read_settings(environment={"DB_HOST": host, "DB_PASSWORD": "s"})

    assert "postgresql+psycopg://helixagent:s@[::1]:5432/helixagent" == settings.records_url


@pytest.mark.parametrize(
    ("environment", "field"),
    [
        ({"DB_HOST": "db"}, "DB_PASSWORD"),
        ({"DB_HOST": "db", "DB_PASSWORD": "geheim", "DB_PORT": "0"}, "DB_PORT"),
        ({"DB_HOST": "db", "DB_PASSWORD": "geheim", "DB_PORT": "99999"}, "DB_PORT"),
        ({"MINIO_ENDPOINT": "h:9", "MINIO_ACCESS_KEY": "geheim"}, "MINIO_SECRET_KEY"),
        ({"MINIO_ENDPOINT": "http://geheim@h:9"}, "MINIO_ENDPOINT"),
        ({"MINIO_ENDPOINT": "h:9", "MINIO_USE_SSL": "perhaps"}, "MINIO_USE_SSL"),
        ({"HELIX_LAKE_URL": "s3://bucket"}, "MINIO_ENDPOINT"),
        ({"HELIX_LAKE_URL": "gs://geheim"}, "HELIX_LAKE_URL"),
        ({"HELIX_LAKE_URL": "s3://b/../c", "MINIO_ENDPOINT": "h:9"}, "HELIX_LAKE_URL"),
        ({"HELIX_LAKE_ARCHIVE": "hourly"}, "HELIX_LAKE_ARCHIVE"),
        ({"NEO4J_URI": "bolt://h"}, "NEO4J_PASSWORD"),
        ({"NEO4J_URI": "http://neo4j:geheim@h", "NEO4J_PASSWORD": "geheim"}, "NEO4J_URI"),
    ],
)
def test_half_a_server_is_refused(environment: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_settings(environment=environment)

    assert field == refused.value.details["field"]
    assert "geheim" not in str(refused.value)
