"""The prompt of a chat: the whole conversation within a provider's window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from helix_lab.domain.context.additions import NONE_ADDED, Additions, read_additions
from helix_lab.domain.context.digest import Strategy
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.prompts import (
    Turn,
    count_prompt,
    digest_prompt,
    make_mark,
    write_compressed,
    write_whole,
)
from helix_lab.domain.model.errors import BudgetTooSmall
from helix_lab.jobs.contexts.making import ContextMaker, Wanted
from helix_lab.queries.readings import Reading

_USABLE = 0.95
"""Of a window: token counts are estimates (see docs/decisions/0008-stored-token-counts.md)."""

_REPLY_SHARE = 0.25
_ADDED_SHARE = 0.25
"""Of what the question leaves; the conversation needs room as well."""

_REPLY_TOKENS = 2_048


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """All that a prompt is made of, beside the log: recorded, so that it can be made again.

    Attributes:
        message_id: the message that it asks to answer.
        window_tokens: of the provider, then.
        reply_tokens: what the reply may take of it.
        through_offset: the history is that of the conversation as of this offset.
        additions: what it is given beside the conversation.
    """

    message_id: str
    window_tokens: int
    reply_tokens: int
    through_offset: int
    strategy: Strategy
    system: str | None = None
    additions: Additions = NONE_ADDED

    @property
    def budget_tokens(self) -> int:
        """What the prompt may have."""
        return int(self.window_tokens * _USABLE) - self.reply_tokens


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, and how it was made.

    Attributes:
        digest: SHA-256 of it.
        history: what it has of the conversation.
    """

    turns: tuple[Turn, ...]
    tokens: int
    digest: str
    history: Literal["none", "whole", "compressed"]
    ratio: float | None = None
    quality_score: float | None = None
    compression_id: str | None = None

    def describe(self, plan: PromptPlan) -> dict[str, Any]:
        """What is recorded of it: enough to make it again, and to see that it is the same."""
        figures = asdict(replace(self, turns=()))
        del figures["turns"]
        described = {**asdict(plan), **figures}
        del described["additions"]
        described.update(describe_additions(plan.additions))
        return {name: value for name, value in described.items() if value is not None}


def describe_additions(additions: Additions) -> dict[str, Any]:
    """What is recorded of the additions to a prompt; nothing where there are none."""
    lines = [asdict(line) for line in additions.lines]
    found: dict[str, Any] = {"additions": lines, "addition_notes": list(additions.notes)}
    return {name: value for name, value in found.items() if value}


def plan_prompt(
    reading: Reading,
    message_id: str,
    *,
    window_tokens: int,
    strategy: Strategy,
    system: str | None = None,
    reply_tokens: int | None = None,
    additions: Additions = NONE_ADDED,
) -> PromptPlan:
    """What a prompt shall be made of."""
    usual = min(_REPLY_TOKENS, int(window_tokens * _REPLY_SHARE))
    return PromptPlan(
        message_id,
        window_tokens,
        usual if reply_tokens is None else reply_tokens,
        reading.through_offset,
        strategy,
        system,
        additions,
    )


def read_plan(described: Mapping[str, Any]) -> PromptPlan:
    """The plan out of what `Prompt.describe` recorded."""
    names = set(PromptPlan.__slots__) - {"additions"}
    known = {name: described[name] for name in names if name in described}
    return PromptPlan(**known, additions=read_additions(described))


def build_prompt(
    maker: ContextMaker,
    reading: Reading,
    plan: PromptPlan,
    *,
    question: str,
    should_stop: Callable[[], bool] | None = None,
) -> Prompt:
    """The prompt that asks to answer a message, from the conversation before it.

    The history is given word for word where it fits, else compressed to what the window leaves.

    Raises:
        BudgetTooSmall: the message alone does not fit; `details["needed_tokens"]` would do.
    """
    history = reading.history.messages
    turns = _write_whole(history, reading, plan, question)
    tokens = count_prompt(turns)
    if tokens <= plan.budget_tokens:
        return _finish(turns, tokens, "whole" if history else "none")
    bare = _write_whole([], reading, plan, question)
    if count_prompt(bare) > plan.budget_tokens:
        raise _too_large(plan, count_prompt(bare))
    return _compress(maker, reading, plan, question, should_stop) or _finish(
        bare, count_prompt(bare), "none"
    )


def _write_whole(
    history: Sequence[Message], reading: Reading, plan: PromptPlan, question: str
) -> list[Turn]:
    return write_whole(
        history,
        system=plan.system,
        question=question,
        known=plan.additions.render(),
        mark=_mark(reading, plan, question),
    )


def _mark(reading: Reading, plan: PromptPlan, question: str) -> str:
    return make_mark(reading.conversation_id, plan.message_id, str(plan.through_offset), question)


def room_for_additions(plan: PromptPlan, question: str) -> int:
    """What additions may have of a prompt: a share of what the question leaves."""
    bare = write_whole([], system=plan.system, question=question, known="-", mark="0" * 12)
    return int(max(0, plan.budget_tokens - count_prompt(bare)) * _ADDED_SHARE)


def _compress(
    maker: ContextMaker,
    reading: Reading,
    plan: PromptPlan,
    question: str,
    should_stop: Callable[[], bool] | None,
) -> Prompt | None:
    """The prompt with as much of the history as fits; None if that is nothing of use."""
    mark = _mark(reading, plan, question)
    known = plan.additions.render()

    def write(text: str) -> list[Turn]:
        return write_compressed(text, system=plan.system, question=question, mark=mark, known=known)

    left = plan.budget_tokens - count_prompt(write(""))
    try:
        wanted = Wanted("chat", strategy=plan.strategy, max_tokens=left, fills_budget=True)
        made = maker.make(reading, wanted, should_stop=should_stop) if left > 0 else None
    except BudgetTooSmall:
        made = None
    if made is None:
        return None
    turns = write(made.compressed.render())
    stats = made.compressed.stats
    return replace(
        _finish(turns, count_prompt(turns), "compressed"),
        ratio=stats.compression_ratio,
        quality_score=stats.quality_score,
        compression_id=made.compression_id,
    )


def _finish(
    turns: list[Turn], tokens: int, history: Literal["none", "whole", "compressed"]
) -> Prompt:
    return Prompt(tuple(turns), tokens, digest_prompt(turns), history)


def _too_large(plan: PromptPlan, tokens: int) -> BudgetTooSmall:
    needed = int((tokens + plan.reply_tokens) / _USABLE) + 1
    message = (
        f"the message alone needs a prompt of {tokens} tokens, more than the "
        f"{plan.budget_tokens} that the provider's window of {plan.window_tokens} leaves beside "
        f"the reply; choose a provider whose context_window_tokens is at least {needed}"
    )
    return BudgetTooSmall(message, field="content", needed_tokens=needed)
