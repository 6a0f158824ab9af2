"""Compression: a conversation in a token budget, by one of four strategies, without a model."""

from __future__ import annotations

from dataclasses import replace

from helix_lab.domain.context import quality
from helix_lab.domain.context.analysis import SENTENCES, Analysis, analyse
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
    speaker_of,
)
from helix_lab.domain.model.errors import BudgetTooSmall, InvalidRequest

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

_RECENT_SHARE = {"window": 0.5, "entity": 0.0, "full": 0.0, "hybrid": 0.1}


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
    lines = _all_sentences(analysis)
    needed = min((analysis.count_tokens(_render([line], [])) for line in lines), default=1)
    if budget_tokens < needed:
        msg = f"a budget of {budget_tokens} tokens holds nothing of use: give at least {needed}"
        raise BudgetTooSmall(
            msg, field="budget_tokens", budget_tokens=budget_tokens, needed_tokens=needed
        )
    recent = _take_recent(analysis, int(budget_tokens * _RECENT_SHARE[strategy]))
    older = {m.message_id for m in analysis.messages[: len(analysis.messages) - len(recent)]}
    kept: list[Line] = []
    for line in lines:
        if line.message_ids[0] in older:
            text = _render([*kept, line], recent)
            if analysis.count_tokens(text) <= budget_tokens:
                kept.append(line)
    text = _render(kept, recent)
    tokens = analysis.count_tokens(text)
    original = analysis.original_tokens
    made = Compressed(
        tuple(kept),
        (),
        (),
        tuple(recent),
        Stats(
            original,
            tokens,
            tokens / original if original else 0.0,
            budget_tokens / original if original else 0.0,
            strategy,
            Quality(0, 0, 0, 0, 0, 0),
            name_of(analysis.count_tokens),
        ),
        text,
    )
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
    steps = max(0, round((max_ratio - ratio) * 100))
    low, high = 0, steps
    best: Compressed | None = None
    last: Compressed | None = None
    while low <= high:
        middle = low if best is None and low == 0 else (low + high) // 2
        budget = int(min(ratio + middle / 100, max(ratio, max_ratio)) * analysis.original_tokens)
        made = compress(analysis, budget_tokens=budget, strategy=strategy)
        if made.stats.quality_score >= minimum_quality:
            best, high = made, middle - 1
        else:
            low = middle + 1
            last = made
    final = best or last
    assert final is not None  # noqa: S101 -- at least one ratio was tried
    return replace(
        final, stats=replace(final.stats, requested_ratio=ratio, meets_minimum=best is not None)
    )


def _all_sentences(analysis: Analysis) -> list[Line]:
    return [
        Line(found[0].strip(), (m.message_id,), speaker_of(m), m.time)
        for m in analysis.messages
        for found in SENTENCES.finditer(m.content)
        if found[0].strip()
    ]


def _take_recent(analysis: Analysis, budget_tokens: int) -> list[RecentMessage]:
    taken: list[RecentMessage] = []
    for message, size in zip(reversed(analysis.messages), reversed(analysis.sizes), strict=True):
        budget_tokens -= size + 1
        if budget_tokens < 0:
            break
        taken.append(
            RecentMessage(
                message.message_id,
                message.role,
                speaker_of(message),
                message.content,
                message.time,
            )
        )
    return taken[::-1]


def _render(lines: list[Line], recent: list[RecentMessage]) -> str:
    parts = [f"{line.speaker}: {line.text}\n" for line in lines]
    return "".join(parts + [f"{message.speaker}: {message.text}\n" for message in recent])
