"""Batch jobs on Spark: in this machine's JVM (`local[*]`) or on a cluster (`spark://host:port`)."""

from __future__ import annotations

from helix_lab.adapters.batch_spark.engine import SparkBatch

__all__ = ["SparkBatch"]
