"""Orders: whether the score ranks contexts as questions do, and more budget keeps more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import mean

import numpy as np

from bench.evaluations import baselines, locomo
from bench.harness import Report
from helix_lab.domain.context.compression import STRATEGIES, Analysis, Compressed, compress

_RATIOS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)


def measure(report: Report, talks: Sequence[tuple[locomo.Talk, Analysis]]) -> None:
    """How the score follows answer recall, and whether more budget ever keeps fewer answers."""
    scores: list[float] = []
    answers: list[float] = []
    losses: list[float] = []
    for kind in (*STRATEGIES, "tail window"):
        by_ratio: list[float] = []
        for ratio in _RATIOS:
            made = [_make(kind, analysis, ratio) for _, analysis in talks]
            kept = [
                locomo.judge(talk, locomo.texts_by_message(one)).answers
                for (talk, _), one in zip(talks, made, strict=True)
            ]
            scores += [one.stats.quality_score for one in made]
            answers += kept
            by_ratio.append(mean(kept))
        if kind in STRATEGIES:
            losses += [less - more for less, more in pairwise(by_ratio)]
    report.add(
        f"LoCoMo: {len(scores)} contexts of five kinds",
        "rank correlation of score and answer words",
        _spearman(scores, answers),
        "",
        runs=1,
        targets=(0.97, None),
    )
    report.add(
        f"LoCoMo: four strategies, {len(_RATIOS)} budgets each",
        "greatest loss of answer words by more budget",
        max(0.0, *losses),
        "",
        runs=1,
        targets=(0.01, 0.0),
    )


def _make(kind: str, analysis: Analysis, ratio: float) -> Compressed:
    budget = int(ratio * analysis.original_tokens)
    if kind in STRATEGIES:
        return compress(analysis, budget_tokens=budget, strategy=kind)
    return baselines.as_digest(analysis, baselines.tail(analysis, budget))


def _spearman(a: Sequence[float], b: Sequence[float]) -> float:
    first, second = (
        np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)
        for values in (a, b)
    )
    return float(np.corrcoef(first, second)[0, 1])
