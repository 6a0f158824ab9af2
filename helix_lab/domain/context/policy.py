"""Policy: how a lab compresses where a request does not say otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from helix_lab.domain.context.additions import AdditionKind
from helix_lab.domain.context.digest import Strategy


@dataclass(frozen=True, slots=True)
class ContextPolicy:
    """The user's standing choices; the variables CONTEXT_… of the environment.

    Attributes:
        ratio: share of the tokens that a compressed context aims at.
        minimum_quality: the score that it must reach; the ratio is raised until it does.
        max_ratio: how far the ratio may be raised.
        llm_provider: who is asked to compress as well; its work is kept only where it scores
            at least as well as the built-in. None asks nobody.
        additions: what prompts are given beside the conversation.
    """

    strategy: Strategy = "hybrid"
    ratio: float = 0.30
    minimum_quality: float = 0.95
    max_ratio: float = 0.60
    llm_provider: str | None = None
    additions: tuple[AdditionKind, ...] = ()
