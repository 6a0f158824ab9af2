"""What a user may want next, by what was learned: related topics, a provider for a position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from helix_lab.domain.learning.confidence import measure_interval
from helix_lab.domain.model.errors import Unavailable
from helix_lab.operations.learning import ask_learning
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.queries import learning as questions

_TOPICS: Final = 20
"""Of what a user's conversations are about most, so many speak for others."""

_KNOWN: Final = 10_000
_STRATEGIES: Final = 1000


class GetSuggestions(Request):
    """For whom."""

    user_id: Id
    position: str | None = Field(
        None, min_length=1, max_length=200, description="of a debate; absent: all positions"
    )
    min_frequency: int = Field(2, ge=1, le=1_000_000, description="of the pairs that count")
    limit: int = Field(5, ge=1, le=100, description="topics at most")


class SuggestedTopic(Response):
    """Something that often comes with what the user talks of, and that they have not met."""

    name: str
    because: str = Field(description="what the user talks of")
    text: str = Field(description="a sentence for people")
    confidence: float
    frequency: int
    pattern_id: str


class SuggestedProvider(Response):
    """The provider whose share of wins at a position is surest to be high."""

    position: str
    provider: str
    wins: int
    debates: int
    interval: list[float] = Field(description="Wilson's, 95 %, of the share of wins")
    pattern_id: str


class Suggestions(Response):
    """The surest first; empty for a user of whom nothing is known."""

    user_id: str
    topics: list[SuggestedTopic]
    providers: list[SuggestedProvider]


def get_suggestions(services: Services, request: GetSuggestions) -> Suggestions:
    """What goes with what a user talks of, and who wins which position."""
    topics = ask_learning(services, lambda: _find_topics(services, request))
    strategies = questions.list_patterns(
        services.records, user_id=None, pattern_type="debate_strategy", limit=_STRATEGIES
    )
    return Suggestions(
        user_id=request.user_id,
        topics=topics,
        providers=_choose_providers(strategies, request.position),
    )


def _find_topics(services: Services, request: GetSuggestions) -> list[SuggestedTopic]:
    known = questions.list_groups(
        services.records, user_id=request.user_id, kind="entity", limit=_KNOWN
    )
    met = {row["subject"] for row in known}
    subjects = [row["subject"] for row in known[:_TOPICS]]
    pairs = questions.list_pairs(
        services.records, subjects=subjects, min_frequency=request.min_frequency
    )
    found: dict[str, SuggestedTopic] = {}
    for pair in pairs:
        if (pair["subject"] in met) == (pair["object"] in met):
            continue
        topic = _show_topic(services, pair, is_met=pair["subject"] in met)
        best = found.get(topic.name)
        if best is None or topic.confidence > best.confidence:
            found[topic.name] = topic
    ranked = sorted(found.values(), key=lambda one: (-one.confidence, -one.frequency, one.name))
    return ranked[: request.limit]


def _show_topic(services: Services, pair: Mapping[str, Any], *, is_met: bool) -> SuggestedTopic:
    met, new = ("subject_name", "object_name") if is_met else ("object_name", "subject_name")
    return SuggestedTopic(
        name=pair[new],
        because=pair[met],
        text=f"{pair[new]} came with {pair[met]} in {pair['support']} conversations",
        confidence=services.learner.measure(pair)["confidence"],
        frequency=pair["frequency"],
        pattern_id=pair["pattern_id"],
    )


def _choose_providers(
    strategies: Sequence[Mapping[str, Any]], position: str | None
) -> list[SuggestedProvider]:
    best: dict[str, SuggestedProvider] = {}
    for row in strategies:
        if position is not None and row["object"] != position:
            continue
        low, high = measure_interval(row["support"], row["trials"])
        known = best.get(row["object"])
        if known is None or (low, row["trials"]) > (known.interval[0], known.debates):
            best[row["object"]] = SuggestedProvider(
                position=row["object"],
                provider=row["subject"],
                wins=row["support"],
                debates=row["trials"],
                interval=[low, high],
                pattern_id=row["pattern_id"],
            )
    return [best[name] for name in sorted(best)]


OPERATIONS = (
    Operation(
        name="get_suggestions",
        summary="Suggest related topics to a user, and providers for positions",
        method="GET",
        path="/v1/learning/suggestions",
        scope="read",
        request=GetSuggestions,
        response=Suggestions,
        run=get_suggestions,
        errors=(Unavailable,),
    ),
)
