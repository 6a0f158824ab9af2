"""Analytics on ClickHouse: a server by HTTP, or chDB, its engine, in this process.

`store` keeps rows and checkpoints, `writing` sees to it that a row comes in once; `reading` runs
the statements of users, and keeps them to reading, `stopping` stops them; `binding` gives
statements their values. `wire` is what the others need of an engine; `server` and `in_process`
give it.
"""

from helix_lab.adapters.analytics_clickhouse.opening import open_clickhouse
from helix_lab.adapters.analytics_clickhouse.store import ClickHouseAnalytics

__all__ = ["ClickHouseAnalytics", "open_clickhouse"]
