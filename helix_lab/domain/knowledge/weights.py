"""Weights: the learned numbers of the model, one signed byte each, and the file that holds them.

A feature has a row of `5 × labels` numbers: what it adds to every label of the word two places
before, …, of the word itself, …, two places after. Most are 0, so the file keeps the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from helix_lab.domain.knowledge.features import OFFSETS

FILE: Final = "model.npz"
CONTEXT: Final = "c"
"""Features that belong to a place and not to a word are kept as if they stood at offset 0."""

_STEPS: Final = 127


@dataclass(frozen=True, slots=True)
class Model:
    """A linear-chain CRF.

    Attributes:
        labels: `O` first, then BIO labels in alphabetical order.
        features: row of each feature in `table`. Features of words have their own name; those of a
            place (pairs, markup) begin with `CONTEXT`.
        table: (feature, offset × label), steps of `scale`.
        transitions: (label, next label), not rounded.
        scale: what one step of `table` weighs.
    """

    labels: tuple[str, ...]
    features: Mapping[str, int]
    table: npt.NDArray[np.int8]
    transitions: npt.NDArray[np.float32]
    scale: float


def pack(
    labels: tuple[str, ...],
    states: Mapping[tuple[str, str], float],
    transitions: Mapping[tuple[str, str], float],
) -> Model:
    """A model from weights by (feature, label) and (label, next label).

    Args:
        labels: `O` first.
        states: the features are named `<offset>:<feature of a word>`; all others are of a place.
        transitions: what is not named weighs 0.
    """
    number = {label: place for place, label in enumerate(labels)}
    rows: dict[str, int] = {}
    cells = []
    for (name, label), weight in sorted(states.items()):
        offset, feature = _split(name)
        row = rows.setdefault(feature, len(rows))
        cells.append((row, OFFSETS.index(offset) * len(labels) + number[label], weight))
    largest = max((abs(weight) for _, _, weight in cells), default=1.0)
    scale = largest / _STEPS
    table = np.zeros((len(rows), len(OFFSETS) * len(labels)), np.int8)
    for row, column, weight in cells:
        table[row, column] = round(weight / scale)
    moves = np.zeros((len(labels), len(labels)), np.float32)
    for (left, right), weight in transitions.items():
        moves[number[left], number[right]] = weight
    return Model(labels, rows, table, moves, scale)


def _split(name: str) -> tuple[int, str]:
    head, colon, feature = name.partition(":")
    if colon and head.lstrip("-").isdigit():
        return int(head), feature
    return 0, CONTEXT + name


def write(model: Model, path: Path) -> None:
    """Keep a model in a file; the same model gives the same bytes."""
    rows, columns = np.nonzero(model.table)
    texts = "\n".join(model.features).encode()
    np.savez_compressed(
        path,
        labels=np.array(" ".join(model.labels)),
        features=np.frombuffer(texts, np.uint8),
        counts=np.bincount(rows, minlength=len(model.features)).astype(np.uint8),
        columns=columns.astype(np.uint8),
        values=model.table[rows, columns],
        transitions=model.transitions.astype(np.float16),
        scale=np.float64(model.scale),
    )


def read(path: Path) -> Model:
    """The model of a file."""
    with np.load(path, allow_pickle=False) as file:
        labels = tuple(str(file["labels"]).split())
        names = file["features"].tobytes().decode().split("\n")
        table = np.zeros((len(names), len(OFFSETS) * len(labels)), np.int8)
        rows = np.repeat(np.arange(len(names)), file["counts"])
        table[rows, file["columns"]] = file["values"]
        transitions = file["transitions"].astype(np.float32)
        scale = float(file["scale"])
    return Model(
        labels, dict(zip(names, range(len(names)), strict=True)), table, transitions, scale
    )


@cache
def shipped() -> Model:
    """The model of the package, read once a process."""
    with as_file(files("helix_lab.domain.knowledge") / "data" / FILE) as path:
        return read(path)
