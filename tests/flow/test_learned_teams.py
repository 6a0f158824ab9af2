"""What was learned changes what happens next: teams of debates, and the style of answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab.domain.debate.blocks import read_blocks
from helix_lab.lab import Lab, open_lab
from helix_lab.operations.debates import Debate
from helix_lab.record import drafts
from helix_lab.settings import ProviderSettings, Settings
from helix_lab.settings.learning import LearningSettings
from helix_lab.testing.fake_llm import FakeLLM
from tests.flow.labs import catch_up, open_at, say

TOPIC = "Is tea good?"
NAMES = ("sage", "skeptic", "builder")
WINNER = {"seat": "critic", "position": "critic", "provider": "sage", "model": "sage"}
LOSERS = [
    {"seat": name, "position": name, "provider": who, "model": who}
    for name, who in (("researcher", "skeptic"), ("synthesizer", "builder"))
]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        yield server


def open_with(folder: Path, fake: FakeLLM, names: tuple[str, ...] = NAMES) -> Lab:
    return open_at(folder, *(ProviderSettings(name, fake.base_url, name) for name in names))


def hold(lab: Lab, number: int) -> None:
    """Record a debate that sage wins as critic, which is not its usual seat."""
    key, conversation = f"past-{number}", f"conv-past-{number}"
    seats = [WINNER, *LOSERS]
    lab.services.writer.record(
        [
            drafts.start_conversation(conversation, source="debate"),
            drafts.start_debate(
                key,
                conversation_id=conversation,
                topic=TOPIC,
                protocol="majority",
                rounds=1,
                seed=1,
                seats=seats,
                source="import",
            ),
            *(
                drafts.answer_turn(
                    key,
                    conversation_id=conversation,
                    round=1,
                    role="answer",
                    text="An answer.",
                    **seat,  # type: ignore[arg-type]
                )
                for seat in seats
            ),
            drafts.complete_debate(
                key,
                conversation_id=conversation,
                outcome="decided",
                winner=WINNER,
                confidence=0.9,
                total_rounds=1,
            ),
        ]
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, fake: FakeLLM) -> Iterator[Lab]:
    """A lab in which sage won 30 debates as critic, and that knows the style of the user u."""
    with open_with(tmp_path_factory.mktemp("teams"), fake) as lab:
        for number in range(30):
            hold(lab, number)
        for number in range(6):
            name = f"chat-{number}"
            lab.start_conversation(conversation_id=name, user_id="u")
            lab.append_messages(name, [say("Please be concise. How do I deploy this?")])
            lab.complete_conversation(name)
        catch_up(lab)
        yield lab


def seated(debate: Debate) -> dict[str, str]:
    return {seat.position: seat.provider for seat in debate.seats}


def test_a_team_is_seated_by_what_was_learned_and_says_why(lab: Lab) -> None:
    debate = lab.start_debate(TOPIC, seed=7, wait_s=30)

    assert "sage" == seated(debate)["critic"]
    assert set(NAMES) == set(seated(debate).values())
    assert debate.team is not None
    assert "thompson" == debate.team.policy
    critic = next(one for one in debate.team.choices if one.position == "critic")
    assert "sage" == critic.provider
    assert 30 <= critic.wins <= critic.attempts  # the debates of other tests count, too
    assert f"sage as critic (won {critic.wins} of {critic.attempts}" in debate.team.reason
    assert {turn.provider for turn in debate.turns if turn.position == "critic"} == {"sage"}
    assert debate.team == lab.get_debate(debate.debate_id).team


def test_the_same_past_and_seed_seat_the_same_team(tmp_path: Path, fake: FakeLLM) -> None:
    teams = []
    for name in ("one", "other"):
        with open_with(tmp_path / name, fake) as lab:
            for number in range(4):
                hold(lab, number)
            catch_up(lab)
            teams.append(lab.start_debate(TOPIC, seed=11).team)

    assert teams[0] is not None
    assert "thompson" == teams[0].policy
    assert teams[0] == teams[1]


def test_it_can_be_switched_off_and_named_participants_are_never_moved(lab: Lab) -> None:
    usual = lab.start_debate(TOPIC, team="usual", seed=7)
    named = lab.start_debate(
        TOPIC, participants=[{"provider": "skeptic"}, {"provider": "sage"}], seed=7
    )

    assert (None, None) == (usual.team, named.team)
    assert ["sage", "skeptic", "builder"] == [seat.provider for seat in usual.seats]
    assert ["skeptic", "sage"] == [seat.provider for seat in named.seats]


def test_without_evidence_the_usual_seats_stay_and_it_says_so_if_asked(lab: Lab) -> None:
    silent = lab.start_debate(TOPIC, protocol="moderated", seed=1)
    asked = lab.start_debate(TOPIC, protocol="moderated", seed=1, team="learned")

    assert silent.team is None
    assert asked.team is not None
    assert "usual" == asked.team.policy
    assert "no provider has 3 debates with a winner at one of the positions" == asked.team.reason
    assert seated(silent) == seated(asked) == {"PRO": "sage", "CON": "skeptic"}
    assert asked.judge is not None
    assert "builder" == asked.judge.provider


def test_one_provider_leaves_nothing_to_choose(tmp_path: Path, fake: FakeLLM) -> None:
    with open_with(tmp_path, fake, ("sage",)) as lab:
        debate = lab.start_debate(TOPIC, team="learned", seed=1)

    assert debate.team is not None
    assert ("usual", "sage is the only provider") == (debate.team.policy, debate.team.reason)


def test_a_prompt_carries_the_style_of_its_user_and_where_it_was_learned(
    lab: Lab, fake: FakeLLM
) -> None:
    lab.start_conversation(conversation_id="asked", user_id="u")
    catch_up(lab)

    reply = lab.chat("asked", "What is Kafka?", add=["style"], provider="sage")

    line = next(one for one in reply.prompt.additions if "concise" in one.text)
    assert "the user's communication style: concise (in 6 of 6 conversations)" == line.text
    assert "style" == line.kind
    assert 6 == lab.get_pattern(line.source["pattern_id"]).support
    known = read_blocks(fake.requests[-1].body["messages"][-1]["content"])[0]
    assert line.text in known.text


def test_a_style_that_is_muted_or_of_nobody_is_not_added(lab: Lab) -> None:
    lab.start_conversation(conversation_id="strange", user_id="stranger")
    lab.start_conversation(conversation_id="nobody")
    catch_up(lab)
    others = [
        lab.chat(name, "What is Kafka?", add=["style"], provider="sage")
        for name in ("strange", "nobody")
    ]
    assert [[], []] == [reply.prompt.additions for reply in others]

    lab.start_conversation(conversation_id="muting", user_id="u")
    before = lab.chat("muting", "What is Kafka?", add=["style"], provider="sage")
    style = next(one for one in before.prompt.additions if "concise" in one.text)
    lab.review_pattern(style.source["pattern_id"], "mute")
    catch_up(lab)
    after = lab.chat("muting", "And Flink?", add=["style"], provider="sage")
    lab.review_pattern(style.source["pattern_id"], "unmute")
    catch_up(lab)

    assert style.text not in [one.text for one in after.prompt.additions]


def test_a_lab_that_does_not_learn_seats_as_usual_and_says_why(
    tmp_path: Path, fake: FakeLLM
) -> None:
    settings = Settings(
        tmp_path,
        "node",
        port=0,
        providers=tuple(ProviderSettings(name, fake.base_url, name) for name in NAMES),
        learning=LearningSettings(is_enabled=False),
    )
    with open_lab(settings=settings) as lab:
        debate = lab.start_debate(TOPIC, team="learned", seed=1, user_id="u", add=["style"])

    assert debate.team is not None
    assert "usual" == debate.team.policy
    assert "LEARNING_ENABLED is false" in debate.team.reason
    assert [] == debate.additions
    assert 1 == len(debate.addition_notes)
