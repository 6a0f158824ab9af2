"""`%hx`: the common questions, on a lab with the samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from helix_lab import Lab, open_lab
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.doors.kernel.questions import QUESTIONS, answer, list_words
from helix_lab.settings import Settings
from tests.doors.conftest import SAMPLES
from tests.doors.kernel.running import RunningKernel, start_kernel
from tests.flow.nodes import Stranger
from tests.flow.teaching import talk
from tests.server.live import wait_for


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    settings = Settings(tmp_path_factory.mktemp("questions") / "lab", node_id="node-1")
    with open_lab(settings=settings) as lab:
        for name in ("conversations.jsonl", "debates.jsonl"):
            lab.start_import(str(SAMPLES / name), wait_s=60)
        yield lab


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[RunningKernel]:
    with start_kernel(tmp_path / "lab") as kernel:
        yield kernel


def test_alone_it_lists_what_can_be_asked(lab: Lab) -> None:
    asked = [row["ask"].split()[1] for row in answer(lab, "")]

    assert list_words() == asked


@pytest.mark.parametrize("word", [q.word for q in QUESTIONS if q.argument in {"", "[N]"}])
def test_every_question_is_answered_from_an_empty_lab_too(lab: Lab, word: str) -> None:
    listing = answer(lab, word)

    assert listing.columns
    assert str(len(listing)) in repr(listing)
    assert (
        listing.describe(len(listing))
        == next(ET.fromstring(listing._repr_html_()).iter("caption")).text
    )


def test_the_status_names_every_backend_and_store(sampled: Lab) -> None:
    def read() -> dict[str, str]:
        return {row["what"]: row["state"] for row in answer(sampled, "status")}

    assert {f"service {name}" for name in sampled.get_health().services} <= set(read())
    wait_for(lambda: read()["store analytics"] == "level with the log", "the end of the log")


def test_lists_are_as_long_as_asked(sampled: Lab) -> None:
    listing = answer(sampled, "conversations 2")

    newest = sampled.list_conversations(limit=2).conversations
    assert [row.conversation_id for row in newest] == [row["conversation_id"] for row in listing]
    assert "there are more" in repr(listing)


def test_a_conversation_is_read_with_its_id(sampled: Lab) -> None:
    conversation_id = sampled.list_conversations(limit=1).conversations[0].conversation_id
    said = sampled.replay(conversation_id).messages

    listing = answer(sampled, f"replay {conversation_id}")

    assert [message.content for message in said] == [row["content"] for row in listing]


def test_providers_are_measured_over_a_window(sampled: Lab) -> None:
    assert 3 == len(answer(sampled, "providers"))
    with pytest.raises(InvalidRequest, match="window"):
        answer(sampled, "providers lately")


def test_debates_name_their_winner(sampled: Lab) -> None:
    winners = [row["winner"] for row in answer(sampled, "debates")]

    assert (6, 1) == (len(winners), winners.count(None))


def test_memories_are_searched_and_their_conflicts_listed(tmp_path: Path) -> None:
    shared = tmp_path / "shared.sqlite"
    settings = Settings(tmp_path / "lab", node_id="node-1", memory_log=str(shared))
    with open_lab(settings=settings) as lab, closing(Stranger(shared, "node-2")) as stranger:
        lab.create_memory("Prefer OAuth2", memory_id="m1")
        lab.create_memory("Lives in Oslo", memory_id="m2")
        stranger.join()
        stranger.write("m1", content="Prefer JWT")
        lab.force_sync()

        assert {"m1", "m2"} == {row["memory_id"] for row in answer(lab, "memory")}
        assert ["m2"] == [row["memory_id"] for row in answer(lab, "memory oslo")]
        assert "1 in conflict: %hx conflicts" in repr(answer(lab, "memory"))
        sides = [(row["memory_id"], row["node"], row["wrote"]) for row in answer(lab, "conflicts")]
        assert {("m1", "node-1", "Prefer OAuth2"), ("m1", "node-2", "Prefer JWT")} == set(sides)


@pytest.mark.parametrize("word", ["nothing", "STATUS", "statu", "-x", "%", "a/b"])
def test_an_unknown_word_is_refused_with_those_that_are_known(lab: Lab, word: str) -> None:
    with pytest.raises(InvalidRequest, match="allowed: status, conversations, replay"):
        answer(lab, word)


def test_the_kernel_completes_the_words(kernel: RunningKernel) -> None:
    assert ["status"] == kernel.complete("%hx st")
    assert set(list_words()) <= set(kernel.complete("%hx "))
    assert "status" not in kernel.complete("%hx replay st")


def test_a_question_is_answered_in_a_cell(kernel: RunningKernel) -> None:
    (status,) = kernel.run("%hx status").results

    assert {"text/plain", "text/html"} == set(status)
    assert "service clickhouse" in status["text/plain"]
    assert "'healthy'" == kernel.run("hx.get_health().status").text


def test_learned_shows_patterns_of_all_or_of_one_user_with_their_interval(lab: Lab) -> None:
    for number in range(3):
        asked = "How do I run Docker on Kubernetes?"
        lab.services.writer.record(talk(f"c{number}", asked, "Use kubectl.", "And with Helm?"))

    everybody, ann, nobody = (list(answer(lab, f"learned {who}")) for who in ("", "ann", "nobody"))

    pair = "Docker and Kubernetes often discussed together"
    seen = [row for row in everybody if row["description"] == pair]
    assert [(3, "entity_cooccurrence")] == [(row["frequency"], row["type"]) for row in seen]
    assert "user_intent" in {row["type"] for row in ann}
    low, high = (float(part) for part in seen[0]["95 %"].split(" to "))
    assert 0 < low < float(seen[0]["confidence"]) < high <= 1
    assert [] == nobody
