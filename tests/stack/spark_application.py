"""An application on Spark: writes to S3 and reads it there, says what it saw, and works on."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

_ROWS = 1000


def main(master: str, jars: str) -> None:
    """Tell the sum, and the executors, as a line of JSON; then keep them busy."""
    from pyspark.sql import SparkSession

    endpoint, bucket = os.environ["MINIO_ENDPOINT"], os.environ["MINIO_BUCKET"]
    s3a = {
        "endpoint": f"http://{endpoint}",
        "endpoint.region": "us-east-1",
        "path.style.access": "true",
        "connection.ssl.enabled": "false",
        "access.key": os.environ["MINIO_ACCESS_KEY"],
        "secret.key": os.environ["MINIO_SECRET_KEY"],
        "aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        "buffer.dir": tempfile.mkdtemp(dir=os.environ["SPARK_LOCAL_DIRS"]),
    }
    builder = SparkSession.builder.master(master).appName("test")
    settings = {f"spark.hadoop.fs.s3a.{name}": value for name, value in s3a.items()}
    settings |= {"spark.driver.extraClassPath": jars, "spark.executor.memory": "600m"}
    settings |= {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1"}
    settings["spark.driver.extraJavaOptions"] = f"-Djava.io.tmpdir={os.environ['SPARK_LOCAL_DIRS']}"
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    context = spark.sparkContext
    context.pythonExec = sys.executable

    path = f"s3a://{bucket}/spark/{context.applicationId}"
    spark.range(_ROWS, numPartitions=4).write.parquet(path)
    total = spark.read.parquet(path).agg({"id": "sum"}).first()[0]

    def name_executor(_: int) -> str:
        # Long enough for the other executor to get a task, too.
        time.sleep(1)
        return str(Path.cwd())

    found = set(context.parallelize(range(8), 8).map(name_executor).collect())
    told = {"application": context.applicationId, "total": total, "folders": sorted(found)}
    print(json.dumps(told), flush=True)  # noqa: T201
    context.parallelize(range(2), 2).map(lambda _: time.sleep(3600)).collect()


if __name__ == "__main__":
    main(*sys.argv[1:])
