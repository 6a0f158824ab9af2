"""A person is erased: no byte of theirs is left, and everybody else's data are as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.erasure import ERASED
from helix_lab.domain.model.event import TOPICS
from helix_lab.jobs.runs import Run
from helix_lab.lab import Lab
from helix_lab.operations.span_intake import take_in_spans
from helix_lab.record.drafts import add_message
from tests.effort import choose
from tests.flow.labs import PATIENCE_S, catch_up, dump_stores, open_at

GONE = "person-to-go"
OTHER = "person-to-stay"
CANARIES = choose(full=1000, quick=200)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Lab]:
    with open_at(tmp_path / "lab") as lab:
        yield lab


def _talk(lab: Lab, user: str, word: str, number: int) -> str:
    """A conversation of a user with a word of its own in all that can hold one."""
    canary = f"{word}{number}"
    found = lab.start_conversation(user_id=user, title=f"About {canary}")
    lab.append_messages(
        found.conversation_id,
        [
            {
                "role": "user",
                "content": f"I prefer {canary} over Docker.",
                "metadata": {"x": canary},
            },
            {"role": "assistant", "content": f"{canary} runs on Kubernetes.", "model": canary},
        ],
    )
    return str(found.conversation_id)


def _remember(lab: Lab, user: str, word: str) -> str:
    made = lab.create_memory(
        content=f"Likes {word}", user_id=user, tags=[word], metadata={"place": word}
    )
    lab.update_memory(made.memory_id, content=f"Likes {word} a lot", if_version=1)
    return str(made.memory_id)


def _forget(lab: Lab, user: str) -> Run:
    run = lab.forget_user(user)
    return lab.services.jobs.wait(run.run_id, timeout_s=4 * PATIENCE_S)


def _receipt(lab: Lab, user: str) -> dict[str, Any]:
    run = _forget(lab, user)
    assert "succeeded" == run.state, run.error
    return dict(run.result or {})


def _find(folder: Path, *words: str) -> list[str]:
    """The files that hold one of the words in any byte."""
    wanted = [word.encode() for word in words]
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(word in path.read_bytes() for word in wanted)
    ]


def test_no_byte_of_an_erased_person_is_left(embedded: Lab) -> None:
    lab = embedded
    folder = lab.data_folder.path
    for number in range(CANARIES // 4):
        _talk(lab, GONE, "canaryword", number)
    for number in range(CANARIES // 20):
        _remember(lab, GONE, f"canaryword-m{number}")
    kept = _talk(lab, OTHER, "staysword", 1)
    debate = lab.start_debate(topic="Is canaryword-d1 good?", user_id=GONE, wait_s=PATIENCE_S)
    lab.run_query("SELECT * FROM message_metrics", keep=True)
    catch_up(lab)
    archived = lab.archive_conversations(all=True, entities=True)
    done = lab.services.jobs.wait(archived.job_id, timeout_s=PATIENCE_S)
    assert "succeeded" == done.state, done.error
    assert [name for name in _find(folder, "staysword") if name.endswith(".parquet")]
    holders = {name.partition("-")[0].removesuffix(".wal") for name in _find(folder, "canaryword")}
    assert {"log.sqlite", "records.sqlite", "analytics.duckdb", "graph.lbug"} <= holders

    receipt = _receipt(lab, GONE)

    assert [] == _find(folder, "canaryword", GONE, debate.debate_id)
    assert 0 == receipt["events_left"]
    assert receipt["others_unchanged"]
    assert receipt["lake_files"]["removed"] >= CANARIES // 4
    assert lab.check_lake(thorough=True).is_sound
    assert CANARIES // 4 <= receipt["conversations"]
    assert [kept] == [one.conversation_id for one in lab.list_conversations().conversations]


def test_what_others_said_is_as_it_was(lab: Lab) -> None:
    kept = _talk(lab, OTHER, "staysword", 1)
    memory = _remember(lab, OTHER, "stays-too")
    before = (lab.replay(kept).messages, lab.get_memory(memory), dump_stores(lab))
    gone = _talk(lab, GONE, "canaryword", 1)
    _remember(lab, GONE, "canaryword")

    _receipt(lab, GONE)

    after = (lab.replay(kept).messages, lab.get_memory(memory), dump_stores(lab))
    assert before[:2] == after[:2]
    differing = [name for name in before[2] if before[2][name] != after[2][name]]
    assert ["checkpoint"] == differing
    assert gone not in str(after[2])


def test_words_in_a_conversation_of_others_are_replaced(lab: Lab) -> None:
    kept = _talk(lab, OTHER, "staysword", 1)
    said = add_message(kept, "m3", role="user", content="canaryword", user_id=GONE)
    lab.services.writer.record([said])

    receipt = _receipt(lab, GONE)

    messages = lab.replay(kept).messages
    assert ERASED == messages[2].content
    assert "staysword1" in messages[0].content
    assert {"helixagent.message.added": 1} == receipt["events"]
    assert [] == _find(lab.data_folder.path, "canaryword", GONE)


def test_a_user_of_whom_there_is_nothing_is_refused(lab: Lab) -> None:
    _talk(lab, OTHER, "staysword", 1)

    run = _forget(lab, "nobody-known")

    assert "failed" == run.state
    assert "USER_NOT_FOUND" == (run.error or {})["code"]


def test_erasing_goes_on_after_a_crash_behind_the_log(tmp_path: Path) -> None:
    with open_at(tmp_path / "lab") as lab:
        _talk(lab, GONE, "canaryword", 1)
        _talk(lab, OTHER, "staysword", 1)
        catch_up(lab)
        # As a crash right after the log was changed leaves it: the run goes on at the next start.
        log = lab.services.log
        ids = [
            entry.event.event_id
            for (topic, partition), end in log.end_offsets(TOPICS).items()
            for entry in log.read(topic, partition, start_offset=0, limit=end)
            if "canaryword" in str(entry.event.data) or entry.event.data.get("user_id") == GONE
        ]
        log.erase(dict.fromkeys(ids))
        lab.services.jobs.store.add("erasure-1", "erasure", {"user_id": GONE})
        lab.services.jobs.store.start("erasure-1")

    with open_at(tmp_path / "lab") as lab:
        run = lab.services.jobs.wait("erasure-1", timeout_s=4 * PATIENCE_S)

        assert "succeeded" == run.state, run.error
        assert [] == _find(tmp_path / "lab", "canaryword", GONE)
        assert 1 == len(lab.list_conversations().conversations)


def _tell_spans(lab: Lab, trace_id: str, user: str, word: str) -> None:
    """A request of a user, and a span beside it that quotes them without naming them."""
    said = {"gen_ai.operation.name": "chat", "user.id": user, "gen_ai.prompt.0.content": word}
    times = {"traceId": trace_id, "startTimeUnixNano": 1, "endTimeUnixNano": 2}
    spans = [
        {**times, "spanId": "1" * 16, "attributes": _to_pairs(said)},
        {**times, "spanId": "2" * 16, "name": word},
    ]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    assert 2 == take_in_spans(lab.services, json.dumps(body).encode(), form="json").accepted


def _to_pairs(attributes: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()]


def test_spans_about_a_person_go_with_their_traces(embedded: Lab) -> None:
    _tell_spans(embedded, "a" * 32, GONE, "secretword")
    _tell_spans(embedded, "b" * 32, OTHER, "plainword")

    run = _forget(embedded, GONE)

    assert "succeeded" == run.state, run.error
    assert ["b" * 32] == [row.trace_id for row in embedded.list_traces().traces]
    assert 2 == embedded.get_trace("b" * 32).span_count
    entries = embedded.services.log.read("helixagent.traces", 0, start_offset=0, limit=100)
    assert "secretword" not in repr(entries)
