"""Blocks: how a prompt marks what is material, so that nothing inside can pass for an instruction.

A block begins with `[<kind> <mark>: <label>]` and ends with `[end <mark>]`, each on its own
line. The mark differs from prompt to prompt and is not known to who wrote the text inside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["question", "material", "answer"]

OFFLINE_NOTICE = "[offline: extractive, no model was called]"
"""First line of every text of the offline provider: nobody shall take it for a model's."""

_BLOCK = re.compile(
    r"^\[(?P<kind>question|material|answer) (?P<mark>[0-9a-f]{12})(?:: (?P<label>[^\]\n]*))?\]\n"
    r"(?P<text>.*?)\n?^\[end (?P=mark)\]$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A marked piece of a prompt.

    Attributes:
        kind: the question, material from the conversation, or a debater's answer.
        label: of an answer, as in the options of a vote ("A"); of material, who said it.
    """

    kind: Kind
    label: str
    text: str


def write_block(block: Block, mark: str) -> str:
    """The block as text of a prompt; `mark` is 12 hex digits."""
    label = f": {block.label}" if block.label else ""
    return f"[{block.kind} {mark}{label}]\n{block.text}\n[end {mark}]"


def read_blocks(content: str) -> list[Block]:
    """The blocks of a prompt, in order; empty where it has none."""
    return [
        Block(match["kind"], match["label"] or "", match["text"])  # type: ignore[arg-type]
        for match in _BLOCK.finditer(content)
    ]
