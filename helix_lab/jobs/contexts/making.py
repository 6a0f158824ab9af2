"""Making contexts: a conversation in a budget, scored, gated, kept, and recorded once."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from helix_lab.domain.context.analysis import Analysis
from helix_lab.domain.context.compression import compress, compress_to_quality
from helix_lab.domain.context.digest import Compressed, Strategy
from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.model.errors import BudgetTooSmall, LogWriteFailed, UnknownProvider
from helix_lab.domain.model.event import make_event_id
from helix_lab.jobs.contexts.by_model import ModelOutcome, compress_by_model
from helix_lab.jobs.contexts.keeping import KeptContexts
from helix_lab.jobs.contexts.made import Made
from helix_lab.ports.cache import Cache
from helix_lab.ports.chat import ChatProvider
from helix_lab.queries.readings import Reading, Readings
from helix_lab.record import drafts
from helix_lab.record.writer import Writer

LOGGER = logging.getLogger(__name__)
_MAX_NOTES = 100
_MAX_NOTE_CHARS = 2_000

Purpose = Literal["replay", "chat", "debate"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a context shall be; what is None is decided by the policy of the lab.

    Attributes:
        max_tokens: hard limit of everything that is rendered.
        fills_budget: use all of `max_tokens`, instead of aiming at the ratio below it.
        llm_provider: asked to compress as well.
    """

    purpose: Purpose
    strategy: Strategy | None = None
    ratio: float | None = None
    max_tokens: int | None = None
    fills_budget: bool = False
    llm_provider: str | None = None


class ContextMaker:
    """Compresses conversations by the policy of the lab. Safe in threads.

    Args:
        readings: of the conversations.
        writer: records each compression.
        policy: of the lab.
        providers: by name.
        caches: where contexts are kept, the nearest first.
    """

    def __init__(
        self,
        readings: Readings,
        writer: Writer,
        *,
        policy: ContextPolicy,
        providers: Mapping[str, ChatProvider],
        caches: Sequence[Cache[Made]],
    ) -> None:
        self.readings = readings
        self.policy = policy
        self._kept = KeptContexts(caches)
        self._writer = writer
        self._providers = providers

    def forget(self) -> None:
        """Let go of all contexts, and of what was read and stored of conversations.

        Raises:
            Unavailable: a shared cache does not answer.
        """
        self.readings.forget()
        self._kept.clear()

    def make(
        self,
        reading: Reading,
        wanted: Wanted,
        *,
        should_stop: Callable[[], bool] | None = None,
    ) -> Made:
        """The context of a conversation.

        Raises:
            BudgetTooSmall: `details["needed_tokens"]` is the least that is of use.
            UnknownProvider: the model that shall compress is not configured.
            RunCancelled: `should_stop` answered True.
        """
        wanted = self._decide(wanted)
        # All that the context is made of, in whichever process.
        of_any = replace(wanted, purpose="replay")
        parts = (reading.conversation_id, reading.fingerprint, repr(of_any), repr(self.policy))
        made, is_new = self._kept.find_or_make(
            make_event_id("context", *parts), lambda: self._make_anew(reading, wanted, should_stop)
        )
        return made if is_new else replace(made, is_new=False)

    def _decide(self, wanted: Wanted) -> Wanted:
        provider = wanted.llm_provider
        if provider is None and wanted.purpose == "replay":
            provider = self.policy.llm_provider
        if provider is not None and provider not in self._providers:
            message = f"no provider {provider!r}; configured: {', '.join(self._providers)}"
            raise UnknownProvider(message, field="llm_provider")
        return replace(
            wanted,
            strategy=wanted.strategy or self.policy.strategy,
            ratio=self.policy.ratio if wanted.ratio is None else wanted.ratio,
            llm_provider=provider,
        )

    def _make_anew(
        self, reading: Reading, wanted: Wanted, should_stop: Callable[[], bool] | None
    ) -> Made:
        started_s = time.perf_counter()
        analysis = reading.analyse()
        compressed = self._compress(analysis, wanted)
        outcome: ModelOutcome | None = None
        if wanted.llm_provider is not None:
            provider = self._providers[wanted.llm_provider]
            outcome = compress_by_model(
                analysis, compressed, provider, should_stop=should_stop or _never
            )
            compressed = outcome.compressed
            meets = compressed.stats.quality_score >= self.policy.minimum_quality
            compressed = _with_verdict(compressed, meets_minimum=meets)
        made = Made(
            f"compression-{uuid.uuid4().hex}",
            compressed,
            self.policy.minimum_quality,
            (time.perf_counter() - started_s) * 1000,
            is_new=True,
            outcome=outcome,
        )
        self._record(reading, wanted, made)
        return made

    def _compress(self, analysis: Analysis, wanted: Wanted) -> Compressed:
        ratio, strategy = wanted.ratio, wanted.strategy
        assert ratio is not None  # noqa: S101 - `_decide` saw to it
        assert strategy is not None  # noqa: S101
        if wanted.fills_budget and wanted.max_tokens is not None:
            return self._compress_to(analysis, wanted.max_tokens, ratio, strategy)
        cap = max(ratio, self.policy.max_ratio)
        if wanted.max_tokens is not None:
            cap = min(cap, wanted.max_tokens / analysis.original_tokens)
        try:
            made = compress_to_quality(
                analysis,
                ratio=min(ratio, cap),
                minimum_quality=self.policy.minimum_quality,
                max_ratio=cap,
                strategy=strategy,
            )
        except BudgetTooSmall as error:
            # A short conversation: the share of it that is aimed at holds nothing.
            most = wanted.max_tokens or int(cap * analysis.original_tokens)
            if error.details["needed_tokens"] > most:
                raise _explain(error, wanted) from None
            return self._compress_to(analysis, most, ratio, strategy)
        return replace(made, stats=replace(made.stats, requested_ratio=ratio))

    def _compress_to(
        self, analysis: Analysis, budget_tokens: int, ratio: float, strategy: Strategy
    ) -> Compressed:
        try:
            made = compress(analysis, budget_tokens=budget_tokens, strategy=strategy)
        except BudgetTooSmall as error:
            raise _explain(error, None) from None
        meets = made.stats.quality_score >= self.policy.minimum_quality
        stats = replace(made.stats, requested_ratio=ratio, meets_minimum=meets)
        return replace(made, stats=stats)

    def _record(self, reading: Reading, wanted: Wanted, made: Made) -> None:
        stats = made.compressed.stats
        outcome = made.outcome
        is_by_model = outcome is not None and outcome.state == "kept"
        draft = drafts.compress_context(
            reading.conversation_id,
            made.compression_id,
            purpose=wanted.purpose,
            strategy=stats.strategy,
            through_offset=reading.through_offset,
            original_messages=reading.message_count,
            recent_messages=len(made.compressed.recent_messages),
            original_tokens=stats.original_tokens,
            compressed_tokens=stats.compressed_tokens,
            max_tokens=wanted.max_tokens,
            requested_ratio=stats.requested_ratio,
            ratio=stats.compression_ratio,
            quality_score=_clip(stats.quality_score),
            quality={name: _clip(value) for name, value in asdict(stats.quality).items()},
            minimum_quality=made.minimum_quality,
            meets_minimum=stats.meets_minimum,
            preserved_entities=len(made.compressed.key_entities),
            key_decisions=len(made.compressed.key_decisions),
            tokenizer=stats.tokenizer[:200],
            duration_ms=made.duration_ms,
            notes=[note[:_MAX_NOTE_CHARS] for note in stats.notes[:_MAX_NOTES]],
            llm_provider=outcome.provider if outcome else None,
            llm_model=outcome.model if outcome and is_by_model else None,
            llm_outcome=outcome.state if outcome else None,
        )
        try:
            self._writer.record([draft])
        except LogWriteFailed as error:
            # Who asks to read must get an answer, also when the disk is full.
            LOGGER.warning("a compression could not be recorded: %s", error)


def _with_verdict(compressed: Compressed, *, meets_minimum: bool) -> Compressed:
    return replace(compressed, stats=replace(compressed.stats, meets_minimum=meets_minimum))


def _explain(error: BudgetTooSmall, wanted: Wanted | None) -> BudgetTooSmall:
    """The error in the words of the request: a limit in tokens, or a share of them."""
    is_share = wanted is not None and wanted.max_tokens is None
    field = "compression_ratio" if is_share else "max_tokens"
    needed = error.details["needed_tokens"]
    message = (
        f"the budget holds nothing of use of this conversation: give it at least {needed} tokens "
        f"by max_tokens{', or a greater compression_ratio' if is_share else ''}"
    )
    return BudgetTooSmall(message, field=field, needed_tokens=needed)


def _clip(score: float) -> float:
    return min(1.0, max(0.0, score))


def _never() -> bool:
    return False
