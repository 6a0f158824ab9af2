"""How far a stated confidence can be believed: calibration error, log loss, coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helix_lab.domain.model.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BINS = 10

_SMALLEST = 1e-12


def calibration_error(
    confidences: Sequence[float], outcomes: Sequence[bool], *, bins: int = BINS
) -> float:
    """How far confidence and truth are apart, 0 to 1, on average over what was said.

    The expected calibration error of Naeini et al. (2015): the mean over bins of equal width
    of |mean confidence − share that was right|, each bin with the weight of its size. With few
    cases chance alone gives some; see `chance_error`.

    Raises:
        InvalidRequest: no case, unequal lengths, or a confidence outside 0 to 1.
    """
    said, right = _check(confidences, outcomes)
    places = np.minimum((said * bins).astype(int), bins - 1)
    sizes = np.bincount(places, minlength=bins)
    gaps = np.bincount(places, weights=said - right, minlength=bins)
    return float(np.abs(gaps).sum() / sizes.sum())


def chance_error(
    confidences: Sequence[float], *, seed: int, repeats: int = 200, bins: int = BINS
) -> float:
    """The calibration error that these confidences would show if they were exactly true.

    What is right is drawn `repeats` times with the stated probabilities. An error near this
    cannot be told from none with so many cases.
    """
    said, _ = _check(confidences, [True] * len(confidences))
    draws = np.random.default_rng(seed).random((repeats, len(said))) < said
    return float(
        np.mean([calibration_error(confidences, row.tolist(), bins=bins) for row in draws])
    )


def log_loss(confidences: Sequence[float], outcomes: Sequence[bool]) -> float:
    """Mean of −ln(probability given to what happened); 0 is perfect, ln 2 is a coin.

    Raises:
        InvalidRequest: as for `calibration_error`.
    """
    said, right = _check(confidences, outcomes)
    given = np.where(right > 0, said, 1 - said)
    return float(-np.mean(np.log(np.maximum(given, _SMALLEST))))


def accuracy_at(
    confidences: Sequence[float], outcomes: Sequence[bool], *, coverage: float
) -> float:
    """Share that is right among the most confident part; equal confidences count in part.

    Args:
        confidences: 0 to 1 each.
        outcomes: whether each was right.
        coverage: over 0, up to 1: how much is answered.

    Raises:
        InvalidRequest: as for `calibration_error`, or a coverage out of range.
    """
    said, right = _check(confidences, outcomes)
    if not 0 < coverage <= 1:
        message = f"coverage must be over 0 and at most 1, not {coverage}"
        raise InvalidRequest(message, field="coverage")
    room = coverage * len(said)
    hits = 0.0
    for level in np.unique(said)[::-1]:
        equal = right[said == level]
        taken = min(room, len(equal))
        hits += taken * float(equal.mean())
        room -= taken
    return hits / (coverage * len(said))


def _check(
    confidences: Sequence[float], outcomes: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    said = np.asarray(confidences, dtype=np.float64)
    right = np.asarray(outcomes, dtype=np.float64)
    if not len(said) or len(said) != len(right):
        message = (
            f"{len(said)} confidences and {len(right)} outcomes; "
            "give one outcome for each confidence, and at least one"
        )
        raise InvalidRequest(message, field="confidences")
    if not bool(((said >= 0) & (said <= 1)).all()):
        message = "every confidence must be from 0 to 1; one is not"
        raise InvalidRequest(message, field="confidences")
    return said, right
