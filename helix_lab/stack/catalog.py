"""The services that there are, in the order in which they are shown."""

from __future__ import annotations

from helix_lab.stack.clickhouse import ClickHouse
from helix_lab.stack.kafka import Kafka
from helix_lab.stack.neo4j import Neo4j
from helix_lab.stack.postgres import Postgres
from helix_lab.stack.redis import Redis
from helix_lab.stack.s3 import S3
from helix_lab.stack.service import Service
from helix_lab.stack.spark import Spark

SERVICES: dict[str, type[Service]] = {
    service.name: service for service in (Kafka, Postgres, Redis, ClickHouse, Neo4j, S3, Spark)
}
