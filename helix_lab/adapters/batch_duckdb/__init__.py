"""Batch jobs on DuckDB: statements in this process, reading in as many as the machine has cores."""

from __future__ import annotations

from helix_lab.adapters.batch_duckdb.engine import DuckDBBatch

__all__ = ["DuckDBBatch"]
