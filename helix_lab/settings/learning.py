"""What is learned, and when something is an insight, by the variables of the guide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from helix_lab.domain.learning.insights import Thresholds
from helix_lab.domain.model.errors import InvalidRequest

MAX_DAYS: Final = 36_500.0
MAX_IDLE_S: Final = 366 * 86_400.0
_YES: Final = ("true", "yes", "on", "1")
_NO: Final = ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """How a lab learns.

    Attributes:
        is_enabled: it learns at all.
        thresholds: above which a pattern is an insight.
        idle_s: a conversation ends when nobody has spoken for so long.
        half_life_days: in which a pattern that is not seen again weighs half; 0: it never fades.
    """

    is_enabled: bool = True
    thresholds: Thresholds = field(default_factory=Thresholds)
    idle_s: float = 1800.0
    half_life_days: float = 0.0


def read_learning(env: Mapping[str, str]) -> LearningSettings:
    """How the lab learns.

    Raises:
        InvalidRequest: a value does not fit; names the variable.
    """
    usual = LearningSettings()
    least = _read_number(
        "LEARNING_MIN_CONFIDENCE",
        env.get("LEARNING_MIN_CONFIDENCE"),
        usual.thresholds.min_confidence,
        0,
        1,
    )
    needed = _read_number(
        "LEARNING_INSIGHT_THRESHOLD",
        env.get("LEARNING_INSIGHT_THRESHOLD"),
        max(least, usual.thresholds.insight_threshold),
        0,
        1,
    )
    if needed < least:
        message = (
            f"LEARNING_INSIGHT_THRESHOLD is {needed}; it must be at least LEARNING_MIN_CONFIDENCE, "
            f"{least}: an insight is made above the one and kept above the other"
        )
        raise InvalidRequest(message, field="LEARNING_INSIGHT_THRESHOLD")
    return LearningSettings(
        is_enabled=_read_switch("LEARNING_ENABLED", env.get("LEARNING_ENABLED")),
        thresholds=Thresholds(
            min_frequency=_read_count(
                "LEARNING_MIN_FREQUENCY",
                env.get("LEARNING_MIN_FREQUENCY"),
                usual.thresholds.min_frequency,
            ),
            min_confidence=least,
            insight_threshold=needed,
        ),
        idle_s=_read_number(
            "LEARNING_IDLE_AFTER", env.get("LEARNING_IDLE_AFTER"), usual.idle_s, 1, MAX_IDLE_S
        ),
        half_life_days=_read_number(
            "LEARNING_HALF_LIFE_DAYS",
            env.get("LEARNING_HALF_LIFE_DAYS"),
            usual.half_life_days,
            0,
            MAX_DAYS,
        ),
    )


def _read_switch(name: str, text: str | None) -> bool:
    word = (text or "true").lower()
    if word not in _YES + _NO:
        message = f"{name} is {text!r}; it must be one of {', '.join(_YES + _NO)}"
        raise InvalidRequest(message, field=name)
    return word in _YES


def _read_count(name: str, text: str | None, usual: int) -> int:
    if not text:
        return usual
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", text, re.ASCII):
        message = f"{name} is {text!r}; it must be a number from 1 to 999999"
        raise InvalidRequest(message, field=name)
    return int(text)


def _read_number(name: str, text: str | None, usual: float, least: float, greatest: float) -> float:
    if not text:
        return usual
    is_number = re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII) is not None
    if not is_number or not least <= float(text) <= greatest:
        message = f"{name} is {text!r}; it must be a number from {least:g} to {greatest:g}"
        raise InvalidRequest(message, field=name)
    return float(text)
