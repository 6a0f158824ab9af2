"""Reading replies: a choice and a confidence out of what a model wrote.

Tolerant about form (a line, bold, a JSON object, a bare letter), strict about meaning:
what is out of range or ambiguous is None, never bent into something that was not said.
"""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helix_lab.domain.debate.blocks import OFFLINE_NOTICE
from helix_lab.domain.debate.values import Turn, TurnRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MAX_OBJECTS = 64

_DECORATION = r"[ \t*_`\"'\[(]*"
_NUMBER = (
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))[ \t]*"
    r"(?P<unit>%|percent\b|/[ \t]*[0-9]+(?:\.[0-9]+)?)?"
)
# After the number nothing may follow that could change what it means ("1 out of 10", "0,8").
_NUMBER_END = r"(?=[ \t*_`\"'\])}.]*(?:$|\(|[,;](?![0-9])|[ \t](?:because|since|given)\b))"
_CONFIDENCE = re.compile(
    rf"\bconfidence\b[*_`\"']{{0,4}}[ \t]*[:=]{_DECORATION}(?:{_NUMBER}{_NUMBER_END})?",
    re.IGNORECASE | re.MULTILINE,
)
_CONFIDENCE_LINE = re.compile(
    rf"\n?^[ \t*_`#>-]*confidence[*_`]{{0,4}}[ \t]*[:=]{_DECORATION}{_NUMBER}[ \t*_`.]*$",
    re.IGNORECASE | re.MULTILINE,
)
_BARE_NUMBER = re.compile(rf"\s*{_NUMBER}\s*", re.IGNORECASE)
_CHOICE = re.compile(
    r"^[ \t*_`#>-]*(?:my[ \t]+|final[ \t]+)?(?:vote|choice|decision|preference|winner)"
    rf"[*_`\"']{{0,4}}[ \t]*[:=]{_DECORATION}(?:(?:answer|side|option|debater)[ \t]+{_DECORATION})?"
    r"(?P<label>[A-Za-z]+)(?=[^\w\s]|[ \t]*$|[ \t]+(?:[^\w\s]|because\b|since\b|with\b))",
    re.IGNORECASE | re.MULTILINE,
)
_CHOICE_LINE = re.compile(rf"{_CHOICE.pattern}[ \t*_`\"'.\])]*$\n?", _CHOICE.flags)
_CHOICE_KEYS = ("choice", "vote", "winner", "preference", "decision")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply says beyond its words: the label chosen, 0 to 1, why."""

    label: str | None = None
    confidence: float | None = None
    reason: str | None = None


def read_turn(request: TurnRequest, text: str) -> Turn:
    """The turn that a reply to the request makes; `text` is kept as it came.

    A choice that is not among the labels of the request (an option such as TIE, the seat
    itself, a letter that was not shown) gives None.
    """
    reading = read_reply(text, request.options)
    choice = request.labels.get(reading.label) if reading.label else None
    seat = request.seat.seat
    return Turn(request.round, request.role, seat, text, choice, reading.confidence)


def fail_turn(request: TurnRequest, error: str) -> Turn:
    """The turn of a request that got no usable answer; `error` says why."""
    return Turn(request.round, request.role, request.seat.seat, is_failed=True, error=error)


def read_reply(text: str, options: Sequence[str] = ()) -> Reading:
    """Choice (one of `options`, or None), confidence and reason of a reply.

    A JSON object with a choice goes before lines, but only where a choice is asked for: an
    answer may quote JSON of its own. Of several the last one counts.
    """
    by_fold = {option.casefold(): option for option in options}
    for found in _find_objects(text) if options else ():
        raw = next((found[key] for key in _CHOICE_KEYS if key in found), None)
        if raw is not None:
            confidence = (
                _to_confidence(found["confidence"])
                if "confidence" in found
                else _find_confidence(text)
            )
            return Reading(_match_label(raw, by_fold), confidence, _to_reason(found.get("reason")))
    return Reading(_find_label(text, by_fold), _find_confidence(text))


def body_of(text: str) -> str:
    """A reply's own words: without the offline notice and without lines that give a confidence."""
    words = text.removeprefix(OFFLINE_NOTICE) if text.startswith(OFFLINE_NOTICE) else text
    return _CONFIDENCE_LINE.sub("", words).strip()


def explanation_of(text: str) -> str:
    """A judge's own words: `body_of`, also without lines that only name the choice."""
    return _CHOICE_LINE.sub("", body_of(text)).strip()


def normalise(text: str) -> str:
    """A text for comparing: case, spaces, punctuation at the ends and the confidence left out."""
    return " ".join(body_of(text).casefold().split()).strip(" .!?,;:*_`\"'")


def _find_objects(text: str) -> list[Mapping[str, Any]]:
    """JSON objects that are not inside another readable one, the last first."""
    decoder = json.JSONDecoder()
    starts = deque((match.start() for match in re.finditer(r"\{", text)), maxlen=_MAX_OBJECTS)
    found: list[Mapping[str, Any]] = []
    end = 0
    for start in starts:
        if start < end:
            continue
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        found.append({str(key).casefold(): item for key, item in value.items()})
    return found[::-1]


def _find_label(text: str, by_fold: Mapping[str, str]) -> str | None:
    bare = text.strip(" \t\r\n*_`\"'.[]()").casefold()
    if bare in by_fold:
        return by_fold[bare]
    labels = [match["label"].casefold() for match in _CHOICE.finditer(text)]
    return by_fold.get(labels[-1]) if labels else None


def _match_label(raw: object, by_fold: Mapping[str, str]) -> str | None:
    if not isinstance(raw, str):
        return None
    bare = raw.strip(" \t\r\n*_`\"'.[]()").casefold()
    for prefix in ("answer ", "side ", "option ", "debater "):
        bare = bare.removeprefix(prefix)
    return by_fold.get(bare)


def _to_reason(raw: object) -> str | None:
    # JSON can spell half of a surrogate pair, which no log could write.
    return raw.encode(errors="replace").decode() if isinstance(raw, str) else None


def _find_confidence(text: str) -> float | None:
    matches = list(_CONFIDENCE.finditer(text))
    return _from_match(matches[-1]) if matches and matches[-1]["number"] else None


def _to_confidence(raw: object) -> float | None:
    if isinstance(raw, str):
        match = _BARE_NUMBER.fullmatch(raw)
        return _from_match(match) if match else None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return float(raw) if 0 <= raw <= 1 else None


def _from_match(match: re.Match[str]) -> float | None:
    unit = match["unit"] or ""
    try:
        scale = float(unit.strip("/ \t")) if unit.startswith("/") else 100.0 if unit else 1.0
        value = float(match["number"]) / scale
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if 0 <= value <= 1 else None
