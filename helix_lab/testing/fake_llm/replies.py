"""What the fake model says: deterministic, made from the prompt and the model's name alone."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from helix_lab.domain.debate.blocks import read_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTIONS = re.compile(r"one of: (?P<options>[A-Z]+(?:, [A-Z]+)*)")
_OPENINGS = (
    "The short answer is yes, within limits.",
    "It depends on who has to live with it.",
    "No, not as the question puts it.",
    "The evidence points one way, with one exception.",
)
_REASONS = (
    "what is cheap to try should be tried before it is argued about",
    "the cost of being wrong is larger than the gain of being right",
    "small parts are easier to replace than large ones",
    "what nobody measures, nobody can improve",
    "the simplest thing that works is seldom the first one that is built",
)


def digest_of(messages: Sequence[dict[str, Any]], model: str) -> str:
    """Names a prompt: the same messages to the same model have the same digest."""
    raw = json.dumps([model, messages], sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(raw.encode(), digest_size=16).hexdigest()


def reply_to(messages: Sequence[dict[str, Any]], model: str) -> str:
    """An answer; a vote, a confidence or a JSON object where the prompt asks for one."""
    prompt = str(messages[-1].get("content", "")) if messages else ""
    number = int(digest_of(messages, model), 16)
    confidence = round(0.5 + number % 50 / 100, 2)
    reason = _REASONS[number % len(_REASONS)]
    asked = _OPTIONS.search(prompt)
    if asked:
        options = asked["options"].split(", ")
        choice = options[number // 50 % len(options)]
        if "JSON" in prompt:
            return json.dumps({"choice": choice, "confidence": confidence, "reason": reason})
        return f"VOTE: {choice}\nCONFIDENCE: {confidence}\nBecause {reason}."
    question = next((b.text for b in read_blocks(prompt) if b.kind == "question"), prompt)
    subject = " ".join(question.split())[:80] or "that"
    opening = _OPENINGS[number // 7 % len(_OPENINGS)]
    text = f"{opening} On “{subject}”: {reason} (note {number % 10_000})."
    return f"{text}\nCONFIDENCE: {confidence}" if "CONFIDENCE:" in prompt else text
