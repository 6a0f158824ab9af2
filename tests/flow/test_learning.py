"""Learning through the lab: what the guide shows, insights that come and go, reviews, bad input."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from helix_lab.domain.learning.insights import Thresholds
from helix_lab.domain.model.errors import InvalidRequest, Unavailable, UnknownPattern
from helix_lab.domain.model.event import LEARNING_INSIGHTS
from helix_lab.jobs.learner import Learner
from helix_lab.lab import Lab, open_lab
from helix_lab.operations.learning import LearnedPattern
from helix_lab.records.learning_tables import LEARNING_TABLES
from helix_lab.settings import LearningSettings, Settings
from tests.flow.labs import catch_up, rebuild
from tests.flow.teaching import talk

ASKED = "How do I run Docker on Kubernetes? Please be concise."
ANSWER = "Use **kubectl**:\n- apply the manifest of the Docker image"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(settings=Settings(tmp_path / "lab", "n", port=0)) as lab:
        yield lab


def hold_talks(lab: Lab, number: int, *, user_id: str = "user-123", first: int = 0) -> None:
    for place in range(first, first + number):
        facts = talk(f"{user_id}-{place}", ASKED, ANSWER, "And with Helm?", user_id=user_id)
        lab.services.writer.record(facts)
    catch_up(lab)


def find(lab: Lab, **asked: Any) -> LearnedPattern:
    found: list[LearnedPattern] = lab.list_top_patterns(
        min_frequency=1, limit=100, **asked
    ).patterns
    return found[0]


def find_pair(lab: Lab) -> LearnedPattern:
    found: list[LearnedPattern] = lab.list_top_patterns(
        min_frequency=1, limit=100, pattern_type="entity_cooccurrence"
    ).patterns
    text = "Docker and Kubernetes often discussed together"
    return next(one for one in found if one.description == text)


def dump(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    catch_up(lab)
    with lab.services.records.read() as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key)
                ).mappings()
            ]
            for table in LEARNING_TABLES
        }


def test_preferences_and_patterns_are_those_of_the_guide(lab: Lab) -> None:
    hold_talks(lab, 3)

    found = {one.type: one.value for one in lab.get_preferences(user_id="user-123").preferences}
    pair = find_pair(lab)

    assert "concise" == found["communication_style"]
    assert "markdown" == found["response_format"]
    assert (3, 3, 3) == (pair.frequency, pair.support, pair.trials)
    assert 0 < pair.interval[0] < pair.confidence < pair.interval[1] <= 1


def test_frequency_and_confidence_grow_when_a_pattern_repeats(lab: Lab) -> None:
    hold_talks(lab, 1)
    once = find_pair(lab)

    hold_talks(lab, 4, first=1)
    again = find_pair(lab)

    assert once.pattern_id == again.pattern_id
    assert (1, 5) == (once.frequency, again.frequency)
    assert once.confidence < again.confidence


def test_an_insight_comes_with_evidence_and_goes_when_it_is_muted(lab: Lab) -> None:
    hold_talks(lab, 3)
    lab.services.learner.look()
    before = lab.list_insights(insight_type="user_intent").insights
    pattern_id = before[0].patterns[0].pattern_id

    details = lab.review_pattern(pattern_id, "mute", note="I was only trying")
    after = lab.list_insights(insight_type="user_intent").insights

    assert "3 of 3 conversations were for help seeking." == before[0].description
    assert (True, "mute") == (details.is_muted, details.reviews[0].action)
    assert 3 == len(details.evidence)
    assert ["m0"] == details.evidence[0].message_ids
    assert [] == after
    told = [
        entry.event.type.removeprefix("helixagent.")
        for entry in lab.services.log.read_key(LEARNING_INSIGHTS, pattern_id)
    ]
    assert ["insight.made", "pattern.reviewed", "insight.superseded"] == told


def test_a_muted_pattern_comes_back_when_it_is_unmuted(lab: Lab) -> None:
    hold_talks(lab, 3)
    pattern = find(lab, pattern_type="user_intent")

    lab.review_pattern(pattern.pattern_id, "mute")
    hidden = lab.list_top_patterns(pattern_type="user_intent").patterns
    lab.review_pattern(pattern.pattern_id, "unmute")

    assert [] == hidden
    assert pattern.pattern_id == find(lab, pattern_type="user_intent").pattern_id
    assert 1 == len(lab.list_insights(insight_type="user_intent").insights)


def test_to_confirm_counts_once_and_to_correct_moves_the_preference(lab: Lab) -> None:
    hold_talks(lab, 3)
    style = next(
        one
        for one in lab.get_preferences(user_id="user-123").preferences
        if one.type == "communication_style"
    )

    confirmed = lab.review_pattern(style.pattern_id, "confirm")
    again = lab.review_pattern(style.pattern_id, "confirm")
    assert (8, 8) == (confirmed.support, confirmed.trials)
    assert confirmed.confidence == again.confidence > style.confidence

    lab.review_pattern(style.pattern_id, "correct", value="detailed")
    values = {
        row.object: row.confidence
        for row in (
            lab.get_pattern(one.pattern_id)
            for one in lab.list_top_patterns(
                user_id="user-123", pattern_type="user_preference", min_frequency=1
            ).patterns
        )
        if row.subject == "communication_style"
    }
    assert {"concise", "detailed"} == set(values)
    assert values["concise"] < confirmed.confidence


def test_what_one_user_shows_is_not_shown_of_another(lab: Lab) -> None:
    hold_talks(lab, 2, user_id="ann")
    hold_talks(lab, 1, user_id="bob")

    of_ann = find(lab, user_id="ann", pattern_type="user_intent")
    of_bob = find(lab, user_id="bob", pattern_type="user_intent")
    of_all = find(lab, pattern_type="user_intent")

    assert (2, 1, 3) == (of_ann.frequency, of_bob.frequency, of_all.frequency)
    assert 3 == len({of_ann.pattern_id, of_bob.pattern_id, of_all.pattern_id})
    assert [] == lab.get_preferences(user_id="nobody").preferences
    assert lab.list_insights(user_id="bob").insights == []


def test_a_rebuild_learns_the_same_with_reviews_and_insights(lab: Lab) -> None:
    hold_talks(lab, 4)
    debate = lab.start_debate("Should we cache?", conversation_id="user-123-0", wait_s=30)
    assert "succeeded" == debate.status
    lab.services.learner.look()
    lab.review_pattern(find(lab, pattern_type="user_intent").pattern_id, "confirm")
    live = dump(lab)

    rebuild(lab, "learning")

    assert live == dump(lab)
    assert live["learned_insights"]
    assert {"debate_strategy", "provider_performance"} <= {
        row["pattern_type"] for row in live["pattern_count"]
    }


def test_a_conversation_ends_by_idleness_and_goes_on_later(lab: Lab) -> None:
    facts = talk("open", ASKED, ANSWER, "And with Helm?", is_finished=False)
    lab.services.writer.record(facts)
    services = lab.services
    later = Learner(
        services.records,
        services.writer,
        services.projections,
        thresholds=Thresholds(),
        idle_s=1800.0,
        clock=lambda: datetime.now(UTC) + timedelta(hours=1),
    )

    services.learner.look()  # the messages are old, but they were recorded just now
    early = lab.get_learning_stats().conversations_learned
    later.look()
    learned = lab.get_learning_stats().conversations_learned
    events = services.log.end_offsets(("helixagent.conversations",))
    later.look()

    assert (0, 1) == (early, learned)
    assert events == services.log.end_offsets(("helixagent.conversations",))
    assert 1 == find(lab, pattern_type="user_intent").frequency


def test_suggestions_name_what_others_talk_of_and_who_wins(lab: Lab) -> None:
    hold_talks(lab, 3, user_id="ann")
    lab.services.writer.record(talk("b", "What is Docker?", "A tool.", user_id="bob"))
    debate = lab.start_debate("Should we cache?", conversation_id="b", wait_s=30)
    assert "succeeded" == debate.status
    catch_up(lab)

    found = lab.get_suggestions(user_id="bob")

    assert "Kubernetes" in {topic.name for topic in found.topics}
    assert {"Docker"} == {topic.because for topic in found.topics}
    assert {"offline"} == {one.provider for one in found.providers}
    assert [] == lab.get_suggestions(user_id="nobody").topics


@pytest.mark.parametrize(
    ("operation", "asked", "field"),
    [
        ("get_preferences", {"user_id": ""}, "user_id"),
        ("list_top_patterns", {"limit": 0}, "limit"),
        ("list_top_patterns", {"min_frequency": 0}, "min_frequency"),
        ("list_top_patterns", {"pattern_type": "mood"}, "pattern_type"),
        ("list_insights", {"min_confidence": 1.5}, "min_confidence"),
        ("list_insights", {"impact": "huge"}, "impact"),
    ],
)
def test_bad_input_names_the_field(
    lab: Lab, operation: str, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest, match=field):
        getattr(lab, operation)(**asked)


def test_reviews_that_do_not_fit_are_refused(lab: Lab) -> None:
    hold_talks(lab, 1)
    intent = find(lab, pattern_type="user_intent").pattern_id

    with pytest.raises(UnknownPattern, match="patterns/top"):
        lab.review_pattern("nothing", "mute")
    with pytest.raises(InvalidRequest, match="only user_preference"):
        lab.review_pattern(intent, "correct", value="debugging")
    with pytest.raises(InvalidRequest, match="goes with the opinion correct"):
        lab.review_pattern(intent, "confirm", value="debugging")


def test_a_lab_that_does_not_learn_says_so(tmp_path: Path) -> None:
    learning = LearningSettings(is_enabled=False)
    settings = Settings(tmp_path / "lab", "n", port=0, learning=learning)
    with open_lab(settings=settings) as lab:
        with pytest.raises(Unavailable, match="LEARNING_ENABLED"):
            lab.get_learning_stats()
        assert "off" == lab.get_bigdata_status().learning.status
