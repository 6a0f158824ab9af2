"""Layout: where the nodes of a graph stand in a picture, computed once, the same every time.

Fruchterman and Reingold 1991, in matrices: all pairs of 1,000 nodes are small for numpy. Nodes
that have a place keep it, so that a picture that grows does not jump.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_STEPS = 60
_GOLDEN = math.pi * (3 - math.sqrt(5))
_NEAREST = 1e-4
_GRAVITY = 0.8
_FIRST_STEP = 0.12


def place_nodes(
    count: int,
    edges: Sequence[tuple[int, int]],
    *,
    fixed: Mapping[int, tuple[float, float]] | None = None,
) -> Points:
    """A point for each node, by its number; points lie about 1 around the origin.

    Args:
        count: of nodes, numbered from 0.
        edges: numbers of the nodes that they join.
        fixed: nodes that stay where they are.
    """
    known = dict(fixed or {})
    points = _begin(count, edges, known)
    ends = np.array([edge for edge in edges if edge[0] != edge[1]], dtype=np.intp).reshape(-1, 2)
    is_free = np.array([number not in known for number in range(count)], dtype=bool)
    if not is_free.any():
        return points
    wanted = 1.5 / math.sqrt(max(count, 1))
    for step in range(_STEPS):
        force = _push(points, wanted) + _pull(points, ends, wanted) - _GRAVITY * points
        length = np.maximum(np.hypot(force[:, 0], force[:, 1]), _NEAREST)
        reach = _FIRST_STEP * (1 - step / _STEPS)
        moved = force / length[:, None] * np.minimum(length, reach)[:, None]
        points[is_free] += moved[is_free]
    return points


def _begin(
    count: int, edges: Sequence[tuple[int, int]], known: Mapping[int, tuple[float, float]]
) -> Points:
    """A spiral with the most joined nodes in the middle; new nodes begin beside a known one."""
    degree = [0] * count
    beside: dict[int, int] = {}
    for source, target in edges:
        degree[source] += 1
        degree[target] += 1
        beside.setdefault(source, target)
        beside.setdefault(target, source)
    order = sorted(range(count), key=lambda number: (-degree[number], number))
    points = np.zeros((count, 2))
    for turn, number in enumerate(order):
        radius = math.sqrt((turn + 0.5) / max(count, 1))
        spot = (radius * math.cos(turn * _GOLDEN), radius * math.sin(turn * _GOLDEN))
        near = known.get(beside.get(number, -1))
        if near is not None:
            spot = (near[0] + 0.2 * spot[0], near[1] + 0.2 * spot[1])
        points[number] = known.get(number, spot)
    return points


def _push(points: Points, wanted: float) -> Points:
    """All nodes push each other away, the nearer the more."""
    small = points.astype(np.float32)
    squares = (small**2).sum(axis=1)
    weights = small @ (-2 * small.T)
    weights += squares[:, None]
    weights += squares[None, :]
    np.maximum(weights, _NEAREST, out=weights)
    np.divide(np.float32(wanted**2), weights, out=weights)
    np.fill_diagonal(weights, 0)
    sums = weights @ np.column_stack([small, np.ones(len(small), np.float32)])
    return np.asarray(small * sums[:, 2:] - sums[:, :2], dtype=np.float64)


def _pull(points: Points, ends: NDArray[np.intp], wanted: float) -> Points:
    """Nodes that an edge joins pull each other, the farther the more."""
    force = np.zeros_like(points)
    if not len(ends):
        return force
    apart = points[ends[:, 1]] - points[ends[:, 0]]
    length = np.hypot(apart[:, 0], apart[:, 1])
    pull = apart * (length / wanted)[:, None]
    np.add.at(force, ends[:, 0], pull)
    np.add.at(force, ends[:, 1], -pull)
    return force
