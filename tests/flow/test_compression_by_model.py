"""Compression by a model: kept where it scores at least as well, else the built-in, with a note."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.debate.blocks import read_blocks
from helix_lab.domain.model.errors import HelixError
from helix_lab.jobs.contexts import by_model
from helix_lab.lab import Lab, open_lab
from helix_lab.ports.chat import ChatRequest
from helix_lab.settings import ProviderSettings, Settings
from helix_lab.testing.fake_llm import FakeLLM, Fault
from tests.flow.odd_providers import Odd, add
from tests.flow.talks import talk

BUDGET = 900
FULL = {"max_tokens": BUDGET, "compression_strategy": "full"}


@pytest.fixture
def conversation_id(lab: Lab) -> str:
    lab.start_conversation(conversation_id="c")
    different = {message["content"]: message for message in talk(200)}
    lab.append_messages("c", list(different.values()))
    return "c"


def numbered(request: ChatRequest) -> list[tuple[str, str]]:
    """The messages that a model is shown: (number, content)."""
    (block,) = read_blocks(request.messages[-1].content)
    return re.findall(r"^\[(\d+)\] \w+: (.*)$", block.text, re.MULTILINE)


def replay_by(lab: Lab, say: Callable[[ChatRequest], str]) -> tuple[Any, Any, Odd]:
    """The context as the built-in rules make it, as a model with these words does, and that one."""
    built_in = lab.replay("c", **FULL)
    model = Odd("writer", say)
    add(lab, model)
    return built_in, lab.replay("c", llm_provider="writer", **FULL), model


def test_a_model_that_scores_as_well_is_kept(lab: Lab, conversation_id: str) -> None:
    built_in = lab.replay("c", **FULL)
    texts = {m.message_id: m.content for m in lab.replay("c").messages}
    lines: dict[str, list[str]] = defaultdict(list)
    for line in built_in.summary_lines:
        lines[texts[line.message_ids[0]]].append(line.text)

    def copy(request: ChatRequest) -> str:
        rows = [
            f"[{number}] {text}"
            for number, content in numbered(request)
            for text in lines.pop(content, [])
        ]
        return "\n".join(["Here you are:", *rows])

    _, made, _ = replay_by(lab, copy)

    stats = made.compression_stats
    assert ("writer", "m") == (stats.llm_provider, stats.llm_model), stats.notes
    assert stats.quality_score >= built_in.compression_stats.quality_score
    assert stats.compressed_tokens <= BUDGET
    assert "compressed by writer" in stats.notes[-1]
    assert set(texts) >= {name for line in made.summary_lines for name in line.message_ids}
    listed = lab.list_compressions("c").compressions[0]
    assert ("kept", "m") == (listed.llm_outcome, listed.llm_model)
    assert 1 == lab.get_compression_stats().strategies["full"].by_llm


def repeat_all(request: ChatRequest) -> str:
    return "\n".join(f"[{number}] {content}" for number, content in numbered(request))


@pytest.mark.parametrize(
    ("say", "outcome", "why"),
    [
        (lambda _: "[1] ok", "not kept", "scored"),
        (repeat_all, "not kept", "more than"),
        (lambda _: "I am sorry, I cannot help with that.", "failed", "no line"),
        (lambda _: "", "failed", "no line"),
        (lambda _: "[0] a\n[999] b\n[1, 777] c\n[x] d\n[1]", "failed", "no line"),
        (lambda _: 1 // 0, "failed", "ZeroDivisionError"),
    ],
)
def test_a_model_that_does_worse_is_not_kept_and_the_note_says_why(
    lab: Lab, conversation_id: str, say: Callable[[ChatRequest], str], outcome: str, why: str
) -> None:
    built_in, made, _ = replay_by(lab, say)

    stats = made.compression_stats
    assert built_in.context == made.context
    assert built_in.compression_stats.quality_score == stats.quality_score
    assert ("writer", None) == (stats.llm_provider, stats.llm_model)
    assert "built-in rules" in stats.notes[-1]
    assert why in stats.notes[-1]
    assert outcome == lab.list_compressions("c").compressions[0].llm_outcome


def test_a_long_history_is_given_in_chunks_that_the_window_holds(
    lab: Lab, conversation_id: str
) -> None:
    seen: list[list[tuple[str, str]]] = []

    def note(request: ChatRequest) -> str:
        seen.append(numbered(request))
        return "[1] ok"

    model = Odd("writer", note)
    model.context_window_tokens = 1_000
    add(lab, model)

    lab.replay("c", llm_provider="writer", **FULL)

    whole = [message.content for message in lab.replay("c").messages]
    assert len(seen) > 3
    assert whole == [content for chunk in seen for _, content in chunk]
    assert all(["1"] == [number for number, _ in chunk[:1]] for chunk in seen)


def test_a_model_is_asked_once_for_one_position_of_the_log(lab: Lab, conversation_id: str) -> None:
    _, _, model = replay_by(lab, lambda _: "[1] ok")
    asked = model.asked.total()

    again = lab.replay("c", llm_provider="writer", **FULL)

    assert again.compression_stats.is_cached
    assert asked == model.asked.total() > 0


@pytest.fixture
def fake() -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        yield server


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("content_filter"), "PROVIDER_REFUSED"),
        (Fault("status", status=401), "PROVIDER_REFUSED"),
        (Fault("hang"), "PROVIDER_TIMED_OUT"),
        (Fault("none"), "no line"),
    ],
)
def test_a_provider_that_fails_over_http_changes_nothing_but_a_note(
    tmp_path: Path,
    fake: FakeLLM,
    fault: Fault,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(by_model, "_TIMEOUT_S", 5.0 if fault.kind == "hang" else 20.0)
    settings = Settings(
        tmp_path / "lab",
        "node",
        port=0,
        providers=(ProviderSettings("sage", fake.base_url, "sage"),),
        context=ContextPolicy(llm_provider="sage"),
    )
    with open_lab(settings=settings) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", talk(60))
        fake.fail(fault)

        made = lab.replay("c", max_tokens=500)

    assert code in made.compression_stats.notes[-1]
    assert made.compression_stats.compressed_tokens <= 500
    assert len(fake.requests) > 0


def test_a_provider_that_is_not_configured_is_named(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "lab", "node", 0, context=ContextPolicy(llm_provider="sage"))
    with open_lab(settings=settings) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", talk(60))

        with pytest.raises(HelixError, match="no provider 'sage'; configured: offline"):
            lab.replay("c", max_tokens=500)
