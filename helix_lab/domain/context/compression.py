"""Compression: a conversation in a token budget, by one of four strategies, without a model."""

from __future__ import annotations

from dataclasses import replace

from helix_lab.domain.context import quality
from helix_lab.domain.context.analysis import Analysis, analyse
from helix_lab.domain.context.digest import (
    STRATEGIES,
    Compressed,
    Line,
    Quality,
    RecentMessage,
    Stats,
    Strategy,
    TokenCounter,
    name_of,
)
from helix_lab.domain.context.selection import Selection, select
from helix_lab.domain.model.errors import InvalidRequest

__all__ = [
    "STRATEGIES",
    "Analysis",
    "Compressed",
    "Line",
    "Quality",
    "RecentMessage",
    "Stats",
    "Strategy",
    "TokenCounter",
    "analyse",
    "compress",
    "compress_to_quality",
]


def compress(
    analysis: Analysis, *, budget_tokens: int, strategy: Strategy = "hybrid"
) -> Compressed:
    """The conversation in at most `budget_tokens`, everything that is rendered counted.

    Raises:
        InvalidRequest: the strategy is not one of the four.
        BudgetTooSmall: `details["needed_tokens"]` is the smallest budget that is of use.
    """
    if strategy not in STRATEGIES:
        msg = f"unknown strategy {strategy!r}: choose one of {', '.join(STRATEGIES)}"
        raise InvalidRequest(msg, field="strategy", value=strategy, allowed=list(STRATEGIES))
    made = _describe(analysis, select(analysis, budget_tokens, strategy), budget_tokens, strategy)
    return replace(made, stats=replace(made.stats, quality=quality.score(analysis, made)))


def compress_to_quality(
    analysis: Analysis,
    *,
    ratio: float,
    minimum_quality: float,
    max_ratio: float,
    strategy: Strategy = "hybrid",
) -> Compressed:
    """The conversation at `ratio`, or at the least one above it that has the quality.

    The ratio is raised in steps of .01 up to `max_ratio`; where even that is not enough the
    answer is the one of `max_ratio`, with `meets_minimum` False.
    """
    for field, value in (("ratio", ratio), ("max_ratio", max_ratio)):
        if not 0 < value <= 1:
            msg = f"{field} must be above 0 and at most 1, not {value}"
            raise InvalidRequest(msg, field=field, value=value)
    cap = max(ratio, max_ratio)

    def attempt(step: int) -> Compressed:
        budget = int(min(ratio + step / 100, cap) * analysis.original_tokens)
        made = compress(analysis, budget_tokens=budget, strategy=strategy)
        is_met = made.stats.quality_score >= minimum_quality
        return replace(made, stats=replace(made.stats, requested_ratio=ratio, meets_minimum=is_met))

    if not analysis.messages:
        return compress(analysis, budget_tokens=1, strategy=strategy)
    best, high = attempt(0), -(-round((cap - ratio) * 10_000) // 100)
    if best.stats.meets_minimum or not high:
        return best
    low, best = 1, attempt(high)
    while best.stats.meets_minimum and low < high:
        middle = (low + high) // 2
        made = attempt(middle)
        if made.stats.meets_minimum:
            best, high = made, middle
        else:
            low = middle + 1
    return best


def _describe(
    analysis: Analysis, selection: Selection, budget_tokens: int, strategy: Strategy
) -> Compressed:
    original = analysis.original_tokens
    stats = Stats(
        original_tokens=original,
        compressed_tokens=selection.tokens,
        compression_ratio=selection.tokens / original if original else 0.0,
        requested_ratio=min(1.0, budget_tokens / original) if original else 0.0,
        strategy=strategy,
        quality=Quality(0, 0, 0, 0, 0, 0),
        tokenizer=name_of(analysis.count_tokens),
        notes=selection.notes,
    )
    return Compressed(
        summary=selection.lines,
        key_entities=selection.entities,
        key_decisions=selection.decisions,
        recent_messages=selection.recent,
        stats=stats,
        text=selection.text,
    )
