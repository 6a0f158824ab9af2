"""The context store: a lab that was just opened answers from it, and never wrongly because of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.context.history import Message
from helix_lab.lab import Lab, open_lab
from helix_lab.queries import context_store, conversation_reader
from helix_lab.record import drafts
from helix_lab.settings import Settings
from tests.flow.labs import open_at, say
from tests.flow.talks import talk

BUDGET = 700
STRATEGIES = ("window", "entity", "full", "hybrid")


@pytest.fixture(autouse=True)
def _small_conversations_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_store, "LEAST_TOKENS", 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A lab with a conversation that was compressed, closed."""
    with open_at(tmp_path / "lab") as lab:
        lab.start_conversation(conversation_id="trip", user_id="u")
        lab.append_messages("trip", talk(120))
        lab.replay("trip", max_tokens=BUDGET)
    return tmp_path / "lab"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many messages each analysis from now on went by, beside those it knew."""
    counts: list[int] = []
    usual = conversation_reader.analyse

    def analyse(messages: list[Message], **options: Any) -> Any:
        previous = options.get("previous")
        counts.append(len(messages) - (len(previous.messages) if previous else 0))
        return usual(messages, **options)

    monkeypatch.setattr(conversation_reader, "analyse", analyse)
    return counts


def files(folder: Path) -> list[Path]:
    return sorted((folder / "contexts").glob("*.context"))


def show(lab: Lab, **options: Any) -> dict[str, Any]:
    """A compressed answer without what differs each time."""
    shown = lab.replay("trip", **{"max_tokens": BUDGET, **options}).model_dump()
    for name in ("compression_id", "duration_ms", "is_cached"):
        del shown["compression_stats"][name]
    del shown["stats"]["replay_duration_ms"]
    return dict(shown)


def show_without_store(folder: Path, **options: Any) -> dict[str, Any]:
    for path in files(folder):
        path.unlink()
    with open_at(folder) as lab:
        return show(lab, **options)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_lab_just_opened_analyses_nothing_and_answers_the_same(
    folder: Path, given: list[int], strategy: str
) -> None:
    with open_at(folder) as lab:
        found = show(lab, compression_strategy=strategy, include_metadata=True)

    assert [] == given
    expected = show_without_store(folder, compression_strategy=strategy, include_metadata=True)
    assert [120] == given
    assert expected == found


def test_the_history_behind_it_is_read_when_it_is_asked_for(folder: Path) -> None:
    with open_at(folder) as lab:
        lab.replay("trip", max_tokens=BUDGET)

        whole = lab.replay("trip")
        then = lab.replay("trip", as_of=whole.stats.through_offset - 20)

        assert [one["content"] for one in talk(120)] == [m.content for m in whole.messages]
        assert 100 == then.stats.total_messages
        assert 120 == lab.replay("trip", max_tokens=BUDGET).stats.total_messages


def test_recall_finds_the_same(folder: Path) -> None:
    answers = []
    for _ in range(2):
        with open_at(folder) as lab:
            answers.append(lab.recall(conversation_id="trip", query="Where did we stay?"))
        for path in files(folder):
            path.unlink()

    assert answers[0] == answers[1]


def test_what_was_added_since_is_there_and_nothing_else_is_analysed(
    folder: Path, given: list[int]
) -> None:
    with open_at(folder) as lab:
        lab.append_messages("trip", [say("The gate code is 4711 now.")])
        found = show(lab)
    assert [1] == given

    with open_at(folder) as lab:
        again = show(lab)
    assert [1] == given

    assert 121 == found["stats"]["total_messages"]
    assert found == again == show_without_store(folder)


def test_ten_messages_after_ten_thousand_are_all_that_is_analysed(
    tmp_path: Path, given: list[int]
) -> None:
    with open_at(tmp_path / "lab") as lab:
        lab.start_conversation(conversation_id="trip")
        for part in range(10):
            lab.append_messages("trip", [say(f"Stop {part}-{n} is Oslo.") for n in range(1000)])
        lab.replay("trip", max_tokens=BUDGET)
        lab.append_messages("trip", [say(f"{n} more stops.") for n in range(10)])
        lab.replay("trip", max_tokens=BUDGET)
        lab.append_messages("trip", [say(f"{n} more stops still.") for n in range(10)])

    with open_at(tmp_path / "lab") as lab:
        made = lab.replay("trip", max_tokens=BUDGET)

    assert [10_000, 10, 10] == given
    assert 10_020 == made.stats.total_messages


def test_a_branch_that_is_chosen_since_is_followed(folder: Path) -> None:
    with open_at(folder) as lab:
        first = lab.replay("trip").messages[100].message_id
        lab.append_messages("trip", [say("Let us go to Lima.", message_id="b", parent_id=first)])
        lab.services.writer.record([drafts.select_branch("trip", "b", at="now")])
        found = show(lab)

    assert 102 == found["stats"]["total_messages"]
    assert found == show_without_store(folder)


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit flipped": flip_a_bit,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "empty": lambda path: path.write_bytes(b""),
    "something else": lambda path: path.write_bytes(b"SQLite format 3" * 9),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_dropped_and_made_anew(
    folder: Path, given: list[int], damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    (path,) = files(folder)
    with open_at(folder) as lab:
        expected = show(lab)

    DAMAGES[damage](path)
    with caplog.at_level(logging.WARNING), open_at(folder) as lab:
        found = show(lab)

    assert expected == found
    assert [120] == given
    assert f"{path.name} is of no use" in caplog.text
    with open_at(folder) as lab:
        assert expected == show(lab)
    assert [120] == given


def test_a_file_of_other_code_is_made_anew(
    folder: Path, given: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context_store, "code_version", lambda: "another release")
    with open_at(folder) as lab:
        lab.replay("trip", max_tokens=BUDGET)
    assert [120] == given

    with open_at(folder) as lab:
        lab.replay("trip", max_tokens=BUDGET)
    assert [120] == given


def test_a_file_of_another_log_is_not_believed(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with open_at(other) as lab:
        lab.start_conversation(conversation_id="trip")
        lab.append_messages(
            "trip", [say(f"Another talk of {n} birds and {n} trees.") for n in range(120)]
        )
        lab.replay("trip", max_tokens=BUDGET)
    expected = show_without_store(other)
    (copied,) = files(folder)
    (other / "contexts" / copied.name).write_bytes(copied.read_bytes())

    with open_at(other) as lab:
        assert expected == show(lab)


def test_a_folder_that_cannot_be_written_costs_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "contexts").write_text("in the way")
    with open_at(tmp_path / "lab") as lab:
        lab.start_conversation(conversation_id="trip")
        lab.append_messages("trip", talk(120))
        made = lab.replay("trip", max_tokens=BUDGET)

    assert made.compression_stats.compressed_tokens <= BUDGET
    assert "was not stored" in caplog.text


def test_no_more_files_are_kept_than_conversations_in_memory(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "lab", "n", port=0, context_cache_size=2)
    for name in "abc":
        with open_lab(settings=settings) as lab:
            lab.start_conversation(conversation_id=name)
            lab.append_messages(name, talk(60))
            lab.replay(name, max_tokens=BUDGET)

    assert 2 == len(files(tmp_path / "lab"))
