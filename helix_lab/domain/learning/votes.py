"""Votes: what a team of voters says of one question, and the plain majority."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from helix_lab.domain.model.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one voter says.

    Attributes:
        choice: the option it is for; None is an abstention (no answer, or an unreadable one).
    """

    voter: str
    choice: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A question that was voted on and whose right options became known.

    Attributes:
        right: the options that were right; empty where none of those voted for was.
    """

    ballots: tuple[Ballot, ...]
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a vote came to.

    Attributes:
        winner: None where nobody chose anything, or where options are equally good.
        confidence: the probability, 0 to 1, that the winner is right; None where nothing was
            learned that could say it, and without a winner.
        chances: option → probability that it is right, or its share of the votes where nothing
            was learned; the best first.
        reason: why, in words.
    """

    winner: str | None
    confidence: float | None
    reason: str
    chances: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def group(ballots: Sequence[Ballot]) -> dict[str, list[str]]:
    """Option → who is for it, in the order of the ballots; abstentions are left out.

    Raises:
        InvalidRequest: somebody voted twice, or a voter has no name.
    """
    twice = sorted(name for name, count in Counter(b.voter for b in ballots).items() if count > 1)
    if twice:
        message = f"each voter has one vote; voted more than once: {', '.join(twice)}"
        raise InvalidRequest(message, field="ballots")
    if not all(ballot.voter for ballot in ballots):
        message = "a voter needs a name; one is empty"
        raise InvalidRequest(message, field="ballots")
    groups: dict[str, list[str]] = {}
    for ballot in ballots:
        if ballot.choice is not None:
            groups.setdefault(ballot.choice, []).append(ballot.voter)
    return groups


def count_majority(ballots: Sequence[Ballot]) -> Decision:
    """Most votes win; equal ones are a tie. Says no confidence: nothing was learned."""
    groups = group(ballots)
    if not groups:
        return Decision(None, None, _why_nobody(ballots))
    total = sum(map(len, groups.values()))
    shares = {name: len(backers) / total for name, backers in groups.items()}
    return decide(shares, f"of {total} votes", is_learned=False)


def decide(chances: Mapping[str, float], basis: str, *, is_learned: bool) -> Decision:
    """The decision for options with these chances; equal ones (to 9 digits) are a tie.

    Args:
        chances: option → probability or share, not empty.
        basis: ends the reason: what the chances were made of.
        is_learned: whether they are probabilities that may be shown as confidence.
    """
    ranked = dict(sorted(chances.items(), key=lambda item: (-item[1], item[0])))
    best = max(ranked.values())
    leaders = [name for name, chance in ranked.items() if round(best - chance, 9) == 0]
    shown = MappingProxyType(ranked)
    if len(leaders) > 1:
        reason = f"a tie of {len(leaders)} options with {best:.0%} each, {basis}"
        return Decision(None, None, reason, shown)
    reason = f"{best:.0%} for the winner, {basis}"
    return Decision(leaders[0], best if is_learned else None, reason, shown)


def _why_nobody(ballots: Sequence[Ballot]) -> str:
    return f"all {len(ballots)} voters abstained" if ballots else "there is no voter"
