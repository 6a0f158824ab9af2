"""Each service of the stack does what its own client asks of it."""

from __future__ import annotations

import io
import uuid

import pytest

from tests.tiers import Running

pytestmark = pytest.mark.timeout(400)


@pytest.mark.services("kafka")
def test_kafka_keeps_what_it_acknowledged(running_services: Running) -> None:
    from confluent_kafka import Consumer, Producer
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    address = running_services("kafka")["KAFKA_BOOTSTRAP_SERVERS"]
    servers: dict[str, str | int | float | bool] = {"bootstrap.servers": address}
    topic = f"test-{uuid.uuid4().hex}"
    admin = AdminClient(servers)
    admin.create_topics([NewTopic(topic, 2)])[topic].result(60)
    failed: list[object] = []
    producer = Producer({**servers, "acks": "all", "enable.idempotence": True})
    for number in range(100):
        producer.produce(
            topic, key=str(number % 7), value=str(number), on_delivery=lambda e, _: failed.append(e)
        )
    assert 0 == producer.flush(60)
    assert {None} == set(failed)

    consumer = Consumer({**servers, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found: dict[bytes, list[int]] = {}
    while sum(map(len, found.values())) < 100:
        message = consumer.poll(60)
        assert message is not None
        assert message.error() is None
        key, value = message.key(), message.value()
        assert isinstance(key, bytes)
        assert isinstance(value, bytes)
        found.setdefault(key, []).append(int(value))
    consumer.close()

    assert {str(k).encode(): list(range(k, 100, 7)) for k in range(7)} == found


@pytest.mark.services("neo4j")
def test_neo4j_answers_cypher_and_wants_the_password(running_services: Running) -> None:
    from neo4j import GraphDatabase
    from neo4j.exceptions import AuthError

    found = running_services("neo4j")
    uri, user = found["NEO4J_URI"], found["NEO4J_USERNAME"]
    with GraphDatabase.driver(uri, auth=(user, found["NEO4J_PASSWORD"])) as driver:
        # The guide writes CREATE INDEX ON :Entity(id), which Neo4j 5 refuses.
        driver.execute_query("CREATE INDEX entity_id IF NOT EXISTS FOR (e:Entity) ON (e.id)")
        driver.execute_query("MERGE (:Entity {id: 'docker'})-[:USES]->(:Entity {id: 'linux'})")
        rows = driver.execute_query("MATCH (:Entity {id: 'docker'})-->(e) RETURN e.id AS id")
    assert ["linux"] == [record["id"] for record in rows.records]

    with (
        GraphDatabase.driver(uri, auth=(user, "wrong password")) as driver,
        pytest.raises(AuthError),
    ):
        driver.verify_connectivity()


@pytest.mark.services("neo4j")
@pytest.mark.parametrize(
    "statement",
    ["CREATE INDEX ON :Entity(id)", "CALL dbms.setConfigValue('dbms.memory.heap.max_size', '4G')"],
)
def test_neo4j_refuses_these_lines_of_the_guide(running_services: Running, statement: str) -> None:
    from neo4j import GraphDatabase
    from neo4j.exceptions import ClientError

    found = running_services("neo4j")
    auth = (found["NEO4J_USERNAME"], found["NEO4J_PASSWORD"])
    with GraphDatabase.driver(found["NEO4J_URI"], auth=auth) as driver, pytest.raises(ClientError):
        driver.execute_query(statement)


@pytest.mark.services("s3")
def test_s3_has_the_bucket_and_keeps_objects(running_services: Running) -> None:
    from minio import Minio
    from minio.error import S3Error

    found = running_services("s3")
    endpoint, user = found["MINIO_ENDPOINT"], found["MINIO_ACCESS_KEY"]
    client = Minio(endpoint, user, found["MINIO_SECRET_KEY"], secure=False, region="us-east-1")
    bucket, name = found["MINIO_BUCKET"], "conversations/year=2026/part-0.parquet"

    client.put_object(bucket, name, io.BytesIO(b"PAR1"), 4)

    answer = client.get_object(bucket, name)
    assert b"PAR1" == answer.read()
    answer.close()
    wrong = Minio(endpoint, user, "wrong secret", secure=False, region="us-east-1")
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        list(wrong.list_objects(bucket))
