"""Recorded solvers of GSM8K: what each answered, whether it was right, what it cost to ask."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from bench.harness import CannotRunError
from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.learning.votes import Ballot, Case

SOLVERS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
_FILE = "example_model_solutions.jsonl"
_ANSWER = re.compile(r"A:\s*(.*)")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what the solvers said, in the order of `SOLVERS`.

    Attributes:
        case: the ballots; equal numbers are one option, whatever way they are written.
        solutions: the whole texts.
        model_tokens: of each solution.
    """

    text: str
    case: Case
    solutions: tuple[str, ...]
    model_tokens: tuple[int, ...]


def read_questions(folder: Path) -> list[Question]:
    """Every question of the set.

    Raises:
        CannotRunError: the file is not there.
    """
    path = folder / _FILE
    if not path.exists():
        raise CannotRunError(f"there is no {path}; give --gsm8k DIR with {_FILE}")
    return [_read(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _read(line: str) -> Question:
    raw = json.loads(line)
    texts = tuple(raw[name]["solution"] for name in SOLVERS)
    ballots = tuple(
        Ballot(name, _find_answer(text)) for name, text in zip(SOLVERS, texts, strict=True)
    )
    right = frozenset(
        ballot.choice
        for ballot in ballots
        if ballot.choice is not None and raw[ballot.voter]["is_correct"]
    )
    tokens = tuple(map(count_tokens, texts))
    return Question(raw["question"], Case(ballots, right), texts, tokens)


def _find_answer(text: str) -> str | None:
    """The answer after the last "A:", as a number where it is one; None without any."""
    found = _ANSWER.findall(text)
    if not found:
        return None
    answer = found[-1].strip().replace(",", "").replace("$", "")
    try:
        return f"{float(answer):g}" if abs(float(answer)) < 1e5 else repr(float(answer))
    except ValueError:
        return answer or None
