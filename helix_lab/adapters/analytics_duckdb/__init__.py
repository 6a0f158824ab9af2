"""Analytics on DuckDB: one file, owned by one process.

`store` keeps rows and checkpoints; `connections` opens and closes the engine; `reading` runs
the statements of users, and keeps them to reading; `lake` asks the files of the lake.
"""

from helix_lab.adapters.analytics_duckdb.lake import DuckDBLakeReader
from helix_lab.adapters.analytics_duckdb.store import DuckDBAnalytics

__all__ = ["DuckDBAnalytics", "DuckDBLakeReader"]
