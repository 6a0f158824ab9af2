"""How contexts are compressed and kept, by the variables of the guide."""

from __future__ import annotations

import re
from collections.abc import Mapping

from helix_lab.domain.context.additions import KINDS, AdditionKind
from helix_lab.domain.context.digest import STRATEGIES
from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings.form import DEFAULT_CONTEXT_CACHE_SIZE, DEFAULT_CONTEXT_CACHE_TTL_S

MAX_CONTEXT_CACHE_TTL_S = 366 * 86_400.0


def read_context(env: Mapping[str, str]) -> ContextPolicy:
    """How the lab compresses where a request does not say."""
    usual = ContextPolicy()
    strategy = env.get("CONTEXT_COMPRESSION_STRATEGY") or usual.strategy
    if strategy not in STRATEGIES:
        message = (
            f"CONTEXT_COMPRESSION_STRATEGY is {strategy!r}; it must be one of "
            f"{', '.join(STRATEGIES)}"
        )
        raise InvalidRequest(message, field="CONTEXT_COMPRESSION_STRATEGY")
    ratio = _read_share("CONTEXT_COMPRESSION_RATIO", env.get("CONTEXT_COMPRESSION_RATIO"))
    cap = _read_share("CONTEXT_MAX_COMPRESSION_RATIO", env.get("CONTEXT_MAX_COMPRESSION_RATIO"))
    quality = _read_share(
        "CONTEXT_MIN_QUALITY_SCORE", env.get("CONTEXT_MIN_QUALITY_SCORE"), is_zero_allowed=True
    )
    ratio = usual.ratio if ratio is None else ratio
    return ContextPolicy(
        strategy=strategy,
        ratio=ratio,
        minimum_quality=usual.minimum_quality if quality is None else quality,
        max_ratio=max(ratio, usual.max_ratio if cap is None else cap),
        llm_provider=env.get("CONTEXT_COMPRESSION_PROVIDER") or None,
        additions=_read_additions(env.get("CONTEXT_ADDITIONS")),
    )


def _read_additions(text: str | None) -> tuple[AdditionKind, ...]:
    """What prompts are given beside the conversation: names with commas between them."""
    names = dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip())
    unknown = next((name for name in names if name not in KINDS), None)
    if unknown is not None:
        message = (
            f"CONTEXT_ADDITIONS has {unknown!r}; it must be some of {', '.join(KINDS)} with commas "
            "between them, or empty"
        )
        raise InvalidRequest(message, field="CONTEXT_ADDITIONS")
    return tuple(kind for kind in KINDS if kind in names)


def read_cache_size(text: str | None) -> int:
    """How many conversations, and contexts, are kept."""
    if not text:
        return DEFAULT_CONTEXT_CACHE_SIZE
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        message = (
            f"CONTEXT_CACHE_SIZE is {text!r}; it must be a number of conversations from 0 "
            "(keep none) to 999999"
        )
        raise InvalidRequest(message, field="CONTEXT_CACHE_SIZE")
    return int(text)


def read_ttl(text: str | None) -> float:
    """For how many seconds after its last use each is kept."""
    if not text:
        return DEFAULT_CONTEXT_CACHE_TTL_S
    ttl_s = _read_number(text)
    if ttl_s is None or not 0 < ttl_s <= MAX_CONTEXT_CACHE_TTL_S:
        message = (
            f"CONTEXT_CACHE_TTL is {text!r}; it must be a number of seconds above 0, at most "
            f"{MAX_CONTEXT_CACHE_TTL_S:.0f}"
        )
        raise InvalidRequest(message, field="CONTEXT_CACHE_TTL")
    return ttl_s


def _read_share(name: str, text: str | None, *, is_zero_allowed: bool = False) -> float | None:
    if not text:
        return None
    share = _read_number(text)
    if share is None or not 0 <= share <= 1 or (share == 0 and not is_zero_allowed):
        least = "from 0" if is_zero_allowed else "above 0"
        message = f"{name} is {text!r}; it must be a number {least} to 1, such as 0.30"
        raise InvalidRequest(message, field=name)
    return share


def _read_number(text: str) -> float | None:
    if not re.fullmatch(r"[0-9]{0,9}(\.[0-9]{0,9})?", text, re.ASCII) or text == ".":
        return None
    return float(text)
