"""When a vote is settled: whether asking the remaining voters is worth it.

Voters are asked in an order. After each ballot the question is what a full vote would still gain,
and that was counted: in all cases learned from whose first ballots agreed in the same way, how much
more often the full vote was right than the leader so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from helix_lab.domain.learning.reliability import Reliability, learn_reliability
from helix_lab.domain.learning.votes import Ballot, Case, Decision
from helix_lab.domain.model.errors import InvalidRequest

TOLERANCE = 0.005
"""Stop where the remaining votes are expected to gain at most this share of right answers."""

MIN_SEEN = 20
"""Cases of the same kind that must have been seen before a vote may end early."""

Pattern = tuple[int, ...]
"""Who agrees with whom, in order: the number of the option by first appearance; -1 abstained."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What the full vote gained over stopping.

    Attributes:
        seen: cases with this pattern.
        mean: right answers gained a case; negative where asking on did harm.
    """

    seen: int
    mean: float


@dataclass(frozen=True, slots=True)
class Panel:
    """Voters in the order in which they are asked, and what was learned of each stage.

    Attributes:
        stages: what to weigh the first 1, 2, … ballots by.
        gains: pattern of the first ballots → what the rest would still gain.
    """

    order: tuple[str, ...]
    stages: tuple[Reliability, ...]
    gains: Mapping[Pattern, Gain]

    def weigh(self, ballots: Sequence[Ballot]) -> Decision:
        """The decision by the ballots so far, which are the first of the order.

        Raises:
            InvalidRequest: they are not, or there is none.
        """
        asked = tuple(ballot.voter for ballot in ballots)
        if not asked or asked != self.order[: len(asked)]:
            message = (
                f"the ballots are of {', '.join(asked) or 'nobody'}; "
                f"this panel is asked in the order {', '.join(self.order)}"
            )
            raise InvalidRequest(message, field="ballots")
        return self.stages[len(asked) - 1].weigh(ballots)

    def is_settled(self, ballots: Sequence[Ballot], *, tolerance: float = TOLERANCE) -> bool:
        """Whether to stop asking: everybody was asked, or the rest is expected to gain too little.

        Raises:
            InvalidRequest: as `weigh`.
        """
        winner = self.weigh(ballots).winner
        if len(ballots) == len(self.order):
            return True
        gain = self.gains.get(find_pattern(ballots))
        return (
            winner is not None
            and gain is not None
            and gain.seen >= MIN_SEEN
            and gain.mean <= tolerance
        )


def learn_panel(cases: Sequence[Case], order: Sequence[str] | None = None) -> Panel:
    """Learn each stage and when to stop.

    Args:
        cases: each has one ballot of each voter in the order; an abstention is a ballot too.
        order: who is asked first; the most reliable if not given.

    Raises:
        InvalidRequest: no case, or a case without a ballot of somebody in the order.
    """
    if not cases:
        message = "no case to learn from; give questions whose right options are known"
        raise InvalidRequest(message, field="cases")
    asked = tuple(order) if order is not None else rank_voters(learn_reliability(cases))
    sorted_cases = [_sort(case, asked) for case in cases]
    prefixes = [
        [Case(case.ballots[:count], case.right) for case in sorted_cases]
        for count in range(1, len(asked) + 1)
    ]
    stages = tuple(learn_reliability(cut) for cut in prefixes)
    full = [_is_right(stages[-1], case) for case in sorted_cases]
    gains = _count_gains(prefixes[:-1], stages, full)
    return Panel(asked, stages, MappingProxyType(gains))


def rank_voters(reliability: Reliability) -> tuple[str, ...]:
    """The voters, those first whose rate is surely high (the lower end of its interval)."""
    records = reliability.records
    return tuple(sorted(records, key=lambda name: (-records[name].low, name)))


def find_pattern(ballots: Sequence[Ballot]) -> Pattern:
    """Who agrees with whom, without what was said."""
    numbers: dict[str, int] = {}
    return tuple(
        -1 if ballot.choice is None else numbers.setdefault(ballot.choice, len(numbers))
        for ballot in ballots
    )


def _sort(case: Case, order: Sequence[str]) -> Case:
    by_voter = {ballot.voter: ballot for ballot in case.ballots}
    missing = [name for name in order if name not in by_voter]
    if missing:
        message = f"a case has no ballot of {', '.join(missing)}; an abstention is choice=None"
        raise InvalidRequest(message, field="cases")
    return Case(tuple(by_voter[name] for name in order), case.right)


def _count_gains(
    prefixes: Sequence[Sequence[Case]], stages: Sequence[Reliability], full: Sequence[bool]
) -> dict[Pattern, Gain]:
    sums: dict[Pattern, list[int]] = {}
    for cut, stage in zip(prefixes, stages, strict=False):
        for case, is_right in zip(cut, full, strict=True):
            seen = sums.setdefault(find_pattern(case.ballots), [0, 0])
            seen[0] += 1
            seen[1] += is_right - _is_right(stage, case)
    return {pattern: Gain(seen, total / seen) for pattern, (seen, total) in sums.items()}


def _is_right(reliability: Reliability, case: Case) -> bool:
    return reliability.weigh(case.ballots).winner in case.right
