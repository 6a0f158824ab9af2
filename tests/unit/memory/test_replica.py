"""What the rules of a replicated memory say, case by case."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.memory.replica import Commit, Replica
from helix_lab.domain.memory.strategies import (
    Memory,
    check_custom,
    last_write_wins,
    merge_all,
    show,
)
from helix_lab.domain.model.errors import Conflict, InvalidRequest
from helix_lab.records.memory_states import dump_record, load_record
from helix_lab.testing.memory.oracle import show_records


class Lab:
    """Two nodes and what they have not told each other yet."""

    def __init__(self, nodes: int = 2) -> None:
        self.replicas = [Replica(f"node-{number}") for number in range(nodes)]
        for replica in self.replicas:
            for number in range(nodes):
                replica.add_member(f"node-{number}")
        self.clock = 0

    def write(self, node: int, kind: Kind = Kind.EDIT, **changes: Any) -> Commit:
        self.clock += 100
        draft = Update("m", kind, 0, 0, changes)
        return self.replicas[node].write([draft], clock=self.clock)

    def share(self, *commits: Commit) -> None:
        for replica in self.replicas:
            for commit in commits:
                replica.take(commit)

    def show(self, node: int) -> Memory:
        return show("m", self.replicas[node].records["m"], merge_all)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.share(lab.write(0, Kind.CREATE, content="Prefer"))
    return lab


def test_two_versions_2_become_a_version_3_with_both(lab: Lab) -> None:
    lab.share(lab.write(0, content="Prefer OAuth2"), lab.write(1, content="Prefer JWT"))

    for node in (0, 1):
        memory = lab.show(node)
        assert "Prefer OAuth2 and JWT" == memory.fields["content"]
        assert 3 == memory.version
        values = [entry.value for entry in memory.concurrent["content"]]
        assert ["Prefer OAuth2", "Prefer JWT"] == values


def test_an_edit_of_what_was_merged_is_version_4_and_ends_the_conflict(lab: Lab) -> None:
    lab.share(lab.write(0, content="Prefer OAuth2"), lab.write(1, content="Prefer JWT"))

    lab.share(lab.write(1, content="Prefer passkeys"))

    assert ("Prefer passkeys", 4) == (lab.show(0).fields["content"], lab.show(0).version)
    assert not lab.show(0).has_conflict


def test_edits_of_different_fields_are_no_conflict(lab: Lab) -> None:
    lab.share(lab.write(0, importance=0.9), lab.write(1, content="Prefer tea"))

    assert {"content": "Prefer tea", "importance": 0.9} == lab.show(0).fields
    assert not lab.show(0).has_conflict


def test_an_edit_of_the_content_outlives_a_delete_beside_it(lab: Lab) -> None:
    lab.share(lab.write(0, Kind.DELETE), lab.write(1, content="Prefer tea"))

    assert all(replica.records["m"].is_alive for replica in lab.replicas)


def test_a_touch_does_not_outlive_a_delete_beside_it(lab: Lab) -> None:
    lab.share(lab.write(0, Kind.DELETE), lab.write(1, importance=1.0))

    assert not any(replica.records["m"].is_alive for replica in lab.replicas)


def test_erasing_wins_over_everything(lab: Lab) -> None:
    lab.share(lab.write(0, Kind.ERASE), lab.write(1, content="Prefer tea"))

    for replica in lab.replicas:
        assert replica.records["m"].is_erased
        assert not replica.records["m"].entries


def test_a_late_update_never_brings_back_what_was_deleted_after_it(lab: Lab) -> None:
    edit = lab.write(0, content="Prefer tea")
    lab.share(edit, lab.write(0, Kind.DELETE))

    lab.share(edit)

    assert not any(replica.records["m"].is_alive for replica in lab.replicas)


def test_a_commit_that_comes_early_waits_for_what_its_writer_had_seen() -> None:
    lab = Lab(3)
    first = lab.write(0, Kind.CREATE, content="one")
    lab.replicas[1].take(first)
    second = lab.write(1, content="two")

    assert set() == lab.replicas[2].take(second)
    assert {"m"} == lab.replicas[2].take(first)

    assert "two" == lab.show(2).fields["content"]


def test_what_all_have_acknowledged_is_forgotten(lab: Lab) -> None:
    lab.share(lab.write(0, Kind.DELETE))
    for replica in lab.replicas:
        for node, other in enumerate(lab.replicas):
            replica.take_acknowledgement(f"node-{node}", other.acknowledge())

    lab.replicas[0].compact()

    assert {} == lab.replicas[0].records


def test_a_node_writes_nothing_below_what_it_promised(lab: Lab) -> None:
    lab.replicas[1].promise = {"node-0": 5}

    with pytest.raises(Conflict, match="not yet caught up"):
        lab.write(1, content="two")


def test_a_node_that_was_removed_is_heard_no_more(lab: Lab) -> None:
    late = lab.write(1, content="late")
    lab.replicas[0].remove_member("node-1")

    with pytest.raises(Conflict, match="is no member of this memory"):
        lab.replicas[0].take(late)


WRITES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(list(Kind)),
        st.dictionaries(st.sampled_from(["content", "importance"]), st.integers(0, 9)),
    ),
    max_size=6,
)


@given(WRITES, st.randoms(use_true_random=False))
def test_merging_commutes_and_repeats_harmlessly(writes: Any, random: Any) -> None:
    lab = Lab(3)
    commits = [lab.write(node, kind, **changes) for node, kind, changes in writes]
    shuffled = commits + commits
    random.shuffle(shuffled)

    lab.share(*commits)
    for commit in shuffled:
        lab.replicas[2].take(commit)

    first, *others = [show_records(replica.records) for replica in lab.replicas]
    assert [first, first] == others


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("importance", [0.9, 0.2], 0.9),
        ("importance", [None, 0.2], 0.2),
        ("expires_at", ["2030-01-01", None], None),
        ("expires_at", ["2031-01-01", "2030-01-01"], "2031-01-01"),
        ("type", ["semantic", "episodic"], "episodic"),
    ],
)
def test_merge_all_of_other_fields(name: str, values: list[Any], expected: Any) -> None:
    assert expected == merge_all(name, values)


def test_a_custom_strategy_is_tried_before_it_is_used() -> None:
    answers = iter(range(1000))
    check_custom(lambda name, values: last_write_wins(name, sorted(map(str, values))))

    with pytest.raises(InvalidRequest, match="must not depend on the order"):
        check_custom(lambda _name, values: values[0])
    with pytest.raises(InvalidRequest, match="must not depend on the order"):
        check_custom(lambda _name, _values: next(answers))
    with pytest.raises(InvalidRequest, match="changed its input"):
        check_custom(lambda _name, values: values.append(1))  # type: ignore[attr-defined]
    with pytest.raises(InvalidRequest, match="failed on field 'content'"):
        check_custom(lambda _name, values: values[7])


@given(WRITES, st.booleans())
def test_a_record_that_was_written_down_is_the_same(writes: Any, is_settled: bool) -> None:
    lab = Lab(3)
    lab.share(*[lab.write(node, kind, **changes) for node, kind, changes in writes])
    replica = lab.replicas[0]
    if is_settled:
        for node, other in enumerate(lab.replicas):
            replica.take_acknowledgement(f"node-{node}", other.acknowledge())
        replica.compact()

    for record in replica.records.values():
        assert record == load_record(json.loads(json.dumps(dump_record(record))))
