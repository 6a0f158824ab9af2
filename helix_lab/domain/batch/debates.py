"""Debates over their rounds: whether seats come closer, stay with themselves, and who wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean
from typing import Any, Final

from helix_lab.domain.batch.rows import Columns, Row, list_rows, to_columns
from helix_lab.domain.batch.terms import find_terms

CLOSER: Final = 0.02
"""A change of agreement that counts: a fiftieth of all words that two seats use."""
FAITHFUL: Final = 0.3
"""Of its words, what a seat says again in the next round, to be called entrenched."""

DEBATE_NAMES: Final = (
    *("debate_id", "topic", "protocol", "outcome", "seats", "rounds", "turns", "failed_turns"),
    *("terms_first", "terms_last", "agreement_first", "agreement_last", "persistence"),
    *("confidence_first", "confidence_last", "winner_position", "winner_provider"),
    *("winner_model", "winner_confidence", "has_first_won", "has_longest_won"),
)
"""A debate. `terms_…` are distinct terms an answer of the first and last round; `agreement_…`
the share of terms that two seats of a round have in common (Jaccard, mean over pairs);
`persistence` the same of a seat and its next round; `confidence_…` means over the seats."""

TURN_COLUMNS: Final = (
    *("debate_id", "turn", "round", "role", "seat", "response", "confidence", "error_code"),
    *("topic", "protocol", "outcome", "winner_seat", "winner_position", "winner_provider"),
    *("winner_model", "winner_confidence"),
)


@dataclass(frozen=True, slots=True)
class _Answer:
    round: int
    seat: str
    terms: frozenset[str]
    characters: int
    confidence: float | None


def read_debates(columns: Columns) -> dict[str, list[Any]]:
    """The debates of a whole file of the dataset `debates`, one row each."""
    by_id: dict[str, list[Row]] = defaultdict(list)
    for values in list_rows(columns, TURN_COLUMNS):
        row = dict(zip(TURN_COLUMNS, values, strict=True))
        by_id[row["debate_id"]].append(row)
    found = [_sum_up(sorted(by_id[id], key=lambda row: int(row["turn"]))) for id in sorted(by_id)]
    return to_columns(found, DEBATE_NAMES)


def _sum_up(turns: Sequence[Row]) -> tuple[Any, ...]:
    last = turns[-1]
    answers = [_read_answer(row) for row in turns if row["role"] == "answer" and row["response"]]
    rounds = _group_by_round(answers)
    first_round, last_round = (rounds[0], rounds[-1]) if rounds else ([], [])
    winner = last["winner_seat"]
    return (
        *(last[name] for name in ("debate_id", "topic", "protocol", "outcome")),
        len({row["seat"] for row in turns if row["role"] == "answer"}),
        len(rounds),
        len(turns),
        sum(row["error_code"] is not None for row in turns),
        _mean(len(answer.terms) for answer in first_round),
        _mean(len(answer.terms) for answer in last_round),
        _agreement(first_round),
        _agreement(last_round),
        _persistence(answers),
        _mean(answer.confidence for answer in first_round),
        _mean(answer.confidence for answer in last_round),
        *(last[f"winner_{name}"] for name in ("position", "provider", "model", "confidence")),
        None if winner is None or not answers else answers[0].seat == winner,
        None if winner is None or not answers else _find_longest(answers) == winner,
    )


def _read_answer(row: Row) -> _Answer:
    text = row["response"]
    terms = frozenset(find_terms(text))
    return _Answer(row["round"], row["seat"], terms, len(text), row["confidence"])


def _group_by_round(answers: Sequence[_Answer]) -> list[list[_Answer]]:
    rounds: dict[int, list[_Answer]] = defaultdict(list)
    for answer in answers:
        rounds[answer.round].append(answer)
    return [rounds[number] for number in sorted(rounds)]


def _agreement(answers: Sequence[_Answer]) -> float | None:
    pairs = combinations(answers, 2)
    return _mean(_overlap(one.terms, two.terms) for one, two in pairs if one.seat != two.seat)


def _persistence(answers: Sequence[_Answer]) -> float | None:
    by_seat: dict[str, list[_Answer]] = defaultdict(list)
    for answer in answers:
        by_seat[answer.seat].append(answer)
    return _mean(
        _overlap(one.terms, two.terms) for own in by_seat.values() for one, two in pairwise(own)
    )


def _find_longest(answers: Sequence[_Answer]) -> str:
    said: dict[str, int] = defaultdict(int)
    for answer in answers:
        said[answer.seat] += answer.characters
    return min(said, key=lambda seat: (-said[seat], seat))


def _overlap(one: Collection[str], two: Collection[str]) -> float:
    either = len(set(one) | set(two))
    return len(set(one) & set(two)) / either if either else 0.0


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 6) if known else None


def name_pattern(row: Row) -> Row:
    """A debate with the pattern of its rounds.

    `converging` or `diverging`: the seats' words come together or part by `CLOSER`; else
    `entrenched`: each says again what it said (`FAITHFUL`); else `exploring`. A debate of one
    round, or of one seat, has none: `single`.
    """
    first, last = row["agreement_first"], row["agreement_last"]
    if row["rounds"] < 2 or first is None or last is None:  # noqa: PLR2004 - a change needs two
        return {**row, "agreement_change": None, "pattern": "single"}
    change = round(last - first, 6)
    if abs(change) >= CLOSER:
        pattern = "converging" if change > 0 else "diverging"
    else:
        pattern = "entrenched" if (row["persistence"] or 0.0) >= FAITHFUL else "exploring"
    return {**row, "agreement_change": change, "pattern": pattern}
