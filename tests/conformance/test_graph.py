"""Every graph store keeps the contract of the port."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from helix_lab.adapters.graph_ladybug import LadybugGraph
from helix_lab.domain.model.errors import Unavailable
from helix_lab.ports.graph import GraphStore
from helix_lab.queries.statements import load_graph_schema, load_graph_statements
from helix_lab.testing.graph import GraphTests, add_chain

SCHEMA = load_graph_schema("ladybug")


class TestLadybug(GraphTests):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], GraphStore]:
        return lambda: make_store(tmp_path)

    @pytest.mark.parametrize("content", ["cut", "garbage", "nothing", "zeros"])
    def test_a_damaged_file_is_made_anew_with_a_notice(self, tmp_path: Path, content: str) -> None:
        fill(tmp_path)
        path = tmp_path / "graph.lbug"
        whole = path.read_bytes()
        damaged = {"cut": whole[: len(whole) // 2], "garbage": b"no graph", "nothing": b""}
        path.write_bytes(damaged.get(content, b"\0" * 100_000))

        store = make_store(tmp_path)

        assert [] == store.ask("export_entities")
        assert {} == store.read_checkpoint("p")
        # An empty file is a new one to the engine.
        assert ("damaged" in store.notice) is (content != "nothing")
        store.close()

    def test_a_file_whose_opening_ended_the_process_is_made_anew(self, tmp_path: Path) -> None:
        fill(tmp_path)
        (tmp_path / "graph.lbug.opening").touch()

        store = make_store(tmp_path)

        assert "ended the process" in store.notice
        assert [] == store.ask("export_entities")
        store.close()
        again = make_store(tmp_path)
        assert "" == again.notice
        again.close()

    def test_another_schema_makes_the_tables_anew(self, tmp_path: Path) -> None:
        fill(tmp_path)

        store = make_store(
            tmp_path, schema=(*SCHEMA, "CREATE NODE TABLE New(id INT64 PRIMARY KEY)")
        )

        assert "another form" in store.notice
        assert "New" in store.describe().nodes
        store.close()

    def test_the_file_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        fill(tmp_path)

        assert 0o600 == stat.S_IMODE((tmp_path / "graph.lbug").stat().st_mode)

    def test_a_folder_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="no-such-folder"):
            make_store(tmp_path / "no-such-folder")


def make_store(folder: Path, schema: tuple[str, ...] = SCHEMA) -> LadybugGraph:
    statements = load_graph_statements("ladybug")
    return LadybugGraph(folder / "graph.lbug", schema=schema, statements=statements)


def fill(folder: Path) -> None:
    store = make_store(folder)
    with store.transaction() as transaction:
        add_chain(transaction, 10)
    store.close()
