"""Where nodes stand in a picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.knowledge.layout import place_nodes


def test_joined_nodes_stand_nearer_than_others() -> None:
    edges = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)]

    points = place_nodes(6, edges)

    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    inside = max(apart[one, other] for one, other in edges)
    assert inside < min(apart[one, other] for one in (0, 1, 2) for other in (3, 4, 5))


def test_the_same_graph_is_placed_the_same() -> None:
    assert np.array_equal(place_nodes(20, [(0, 5)]), place_nodes(20, [(0, 5)]))


def test_known_nodes_stay_and_new_ones_come_near_them() -> None:
    known = {0: (0.5, 0.5), 1: (-0.5, -0.5)}

    points = place_nodes(3, [(0, 2)], fixed=known)

    assert [(0.5, 0.5), (-0.5, -0.5)] == [tuple(point) for point in points[:2].tolist()]
    assert np.linalg.norm(points[2] - points[0]) < np.linalg.norm(points[2] - points[1])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.data())
def test_any_graph_has_finite_places(count: int, data: st.DataObject) -> None:
    numbers = st.integers(0, max(0, count - 1))
    edges = data.draw(st.lists(st.tuples(numbers, numbers), max_size=60 if count else 0))

    points = place_nodes(count, edges)

    assert (count, 2) == points.shape
    assert np.isfinite(points).all()
    assert not count or np.abs(points).max() < 20
