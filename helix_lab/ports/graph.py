"""The graph store: nodes and edges derived from events, asked in Cypher."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

Row = dict[str, Any]

Checkpoint = Mapping[tuple[str, int], int]
"""(topic, partition) → next offset that is not applied yet."""


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """Rows of a user's statement, cut at a limit.

    A node is `{"id", "label", "properties"}`, an edge `{"label", "source", "target",
    "properties"}`, a path `{"nodes", "edges"}`; ids are the `id` properties of the nodes.

    Attributes:
        rows: at most the asked number, each with a value a column.
        is_truncated: the answer has more rows.
    """

    columns: list[str]
    rows: list[list[Any]]
    is_truncated: bool
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class GraphSchema:
    """What statements can name: labels of nodes and types of edges, each with its properties."""

    nodes: Mapping[str, list[str]] = field(default_factory=dict)
    edges: Mapping[str, list[str]] = field(default_factory=dict)


class GraphTransaction(abc.ABC):
    """Steps that become visible together."""

    @abc.abstractmethod
    def run(self, statement: str, **parameters: Any) -> list[Row]:
        """Run a named statement of `sql/graph/`; its rows by column."""

    @abc.abstractmethod
    def move_checkpoint(self, projection: str, checkpoint: Checkpoint) -> None:
        """Move the projection's checkpoint; partitions that it does not name stay."""


class GraphStore(abc.ABC):
    """A graph derived from events, and how far each projection has come. Safe in threads."""

    supports_transactions: ClassVar[bool] = True
    """Edges and checkpoint become visible together."""

    notice: str = ""
    """What the user should know of this store, such as that it is filled anew; empty: nothing."""

    @abc.abstractmethod
    def transaction(self) -> AbstractContextManager[GraphTransaction]:
        """One transaction, committed at the end of the block, undone if it raises.

        One at a time: a second thread waits.
        """

    @abc.abstractmethod
    def read_checkpoint(self, projection: str) -> dict[tuple[str, int], int]:
        """Where the projection goes on; empty when it has applied nothing."""

    @abc.abstractmethod
    def ask(self, statement: str, **parameters: Any) -> list[Row]:
        """Run a named statement of `sql/graph/` that reads; its rows by column."""

    @abc.abstractmethod
    def query(
        self,
        cypher: str,
        parameters: Mapping[str, Any],
        *,
        max_rows: int,
        timeout_s: float,
        on_start: Callable[[Callable[[], None]], None] | None = None,
    ) -> GraphAnswer:
        """Run one read-only statement of a user.

        Args:
            cypher: checked by `domain.cypher.gate`, and then kept from writing by the engine.
            parameters: values for `$name`.
            max_rows: cut here.
            timeout_s: stop here.
            on_start: called with a function that stops the statement from any thread.

        Raises:
            QueryRefused: it could do more than read the graph.
            QueryFailed: the engine could not run it.
            QueryTimedOut, QueryCancelled: it was stopped.
        """

    @abc.abstractmethod
    def describe(self) -> GraphSchema:
        """What statements can name."""

    @abc.abstractmethod
    def probe(self) -> None:
        """Do one cheap real read; raise `Unavailable` if the store cannot be used."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Drop everything, to be rebuilt from the log."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release the engine; closing twice is harmless."""
