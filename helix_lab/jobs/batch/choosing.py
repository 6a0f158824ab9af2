"""Choosing an engine: what was asked for, or what suits, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from helix_lab.domain.model.errors import HelixError
from helix_lab.ports.batch import BatchEngine

EngineName = Literal["duckdb", "spark", "auto"]
DUCKDB: Final = "duckdb"
SPARK: Final = "spark"
MANY_BYTES: Final = 2 * 2**30
"""Of input to be read; below, starting Spark costs more than a cluster saves."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and why."""

    engine: BatchEngine
    reason: str


def choose_engine(
    engines: Mapping[str, BatchEngine], asked: EngineName, *, input_bytes: int, is_cluster: bool
) -> Choice:
    """The engine that was asked for; for `auto`, the one that suits.

    Args:
        engines: by name.
        asked: for which.
        input_bytes: how much a job has to read.
        is_cluster: Spark would run on a cluster.

    Raises:
        Unavailable, MissingDriver: the engine that was asked for cannot work.
    """
    if asked != "auto":
        engine = engines[asked]
        engine.probe()
        return Choice(engine, "it was asked for")
    size = f"{input_bytes / 2**20:.1f} MiB of input"
    local = engines[DUCKDB]
    if not is_cluster:
        return Choice(local, f"{size}, and no Spark cluster is set (HELIX_SPARK_URL)")
    if input_bytes < MANY_BYTES:
        limit = f"{MANY_BYTES / 2**30:.0f} GiB"
        return Choice(local, f"{size}: one machine is faster below {limit}")
    try:
        engines[SPARK].probe()
    except HelixError as error:
        return Choice(local, f"{size}, but {error.message}")
    return Choice(engines[SPARK], f"{size}, for which there is a cluster")
