"""Real data through the readers; skipped where the data is not there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.data.loaders import (
    write_beam_jsonl,
    write_debates_jsonl,
    write_locomo_jsonl,
)
from tests.importers.reading import drafts_of, messages_of, read_good


def test_all_locomo_turns_are_read_with_their_speakers_and_days(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "locomo.jsonl"
    count = write_locomo_jsonl(data, path)

    messages = messages_of(read_good(path))

    assert len(messages) == count
    assert len({message["conversation_id"] for message in messages}) == 5
    assert all(message["message_id"].startswith("D") for message in messages)
    assert {message["created_at"][:4] for message in messages} <= {"2022", "2023", "2024"}
    assert all(message["name"] for message in messages)


def test_all_beam_messages_are_read_with_their_days(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "beam.jsonl"
    count = write_beam_jsonl(data, path)

    messages = messages_of(read_good(path))

    assert len(messages) == count
    conversations = Counter(message["conversation_id"] for message in messages)
    assert len(conversations) == 10
    assert not any("->->" in message["content"] for message in messages)
    tokens = Counter[str]()
    for message in messages:
        tokens[message["conversation_id"]] += message["model_tokens"]
    assert all(90_000 < count < 200_000 for count in tokens.values())


def test_all_debates_are_read_with_their_turns_and_judgments(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "debates.jsonl"
    count = write_debates_jsonl(data, path)

    items = read_good(path)

    assert len(items) == count == len(list((data / "debates" / "transcripts").glob("*.md")))
    assert len(drafts_of(items, "turn.answered")) == 10 * count
    assert all(draft.data["text"] for draft in drafts_of(items, "turn.answered"))


def test_winners_of_debates_equal_those_that_the_reports_state(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "debates.jsonl"
    write_debates_jsonl(data, path)
    stated = dict(_read_stated_results(data / "debates" / "judgments"))

    completed = drafts_of(read_good(path), "debate.completed")

    found = {
        draft.data["debate_id"]: (draft.data["winner"] or {}).get("position") for draft in completed
    }
    assert found == {debate_id: stated[debate_id] for debate_id in found}
    margins = [judgment for draft in completed for judgment in draft.data["judgments"]]
    assert all((j["margin"] > 0) == (j["winner_seat"] == "PRO") for j in margins if j["margin"])


def _read_stated_results(folder: Path) -> list[tuple[str, str | None]]:
    """(debate id, winning side) by the sentence in each report, not by its table."""
    pattern = re.compile(
        r"^- debate_id: `(?P<id>.+)`\n.*\n- roles: PRO = \*\*(?P<pro>.+?)\*\*, CON = .*\n"
        r"- judged result: (?P<result>.+)$",
        re.MULTILINE,
    )
    results: list[tuple[str, str | None]] = []
    for report in folder.glob("*.md"):
        for found in pattern.finditer(report.read_text("utf-8")):
            winner = re.search(r"for \*\*(.+)\*\*", found["result"])
            side = None if winner is None else "PRO" if winner[1] == found["pro"] else "CON"
            results.append((found["id"], side))
    return results
