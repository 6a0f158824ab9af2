"""Real services as local processes, without Docker: Kafka, PostgreSQL, Redis, Neo4j, S3, Spark."""
