"""Made: a compressed context, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass

from helix_lab.domain.context.digest import Compressed
from helix_lab.jobs.contexts.by_model import ModelOutcome


@dataclass(frozen=True, slots=True)
class Made:
    """A compressed context and where it came from.

    Attributes:
        is_new: made by this call, and recorded; else taken from the cache.
        outcome: what a model made of it, where one was asked.
    """

    compression_id: str
    compressed: Compressed
    minimum_quality: float
    duration_ms: float
    is_new: bool
    outcome: ModelOutcome | None = None
