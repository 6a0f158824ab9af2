"""Real conversations and debates through the whole lab; skipped where the data is not there."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab import Lab, open_lab
from tests.data.loaders import (
    write_beam_jsonl,
    write_debates_jsonl,
    write_locomo_jsonl,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with open_lab(tmp_path_factory.mktemp("real-data")) as opened:
        yield opened


def take_in(lab: Lab, path: Path) -> dict[str, Any]:
    run = lab.start_import(str(path), wait_s=120)
    assert "succeeded" == run.state, run.error
    return dict(run.result)


@pytest.mark.parametrize(
    ("write", "conversations"), [(write_locomo_jsonl, 5), (write_beam_jsonl, 10)]
)
def test_every_conversation_replays_as_it_was_said(
    lab: Lab,
    data: Path,
    tmp_path: Path,
    write: Callable[[Path, Path], int],
    conversations: int,
) -> None:
    path = tmp_path / "messages.jsonl"
    count = write(data, path)
    said = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        said[message["conversation_id"]].append((message["role"], message["content"]))

    result = take_in(lab, path)
    again = take_in(lab, path)

    assert (0, 0) == (result["refused_count"], again["new_events"])
    assert (conversations, count) == (len(said), sum(map(len, said.values())))
    for conversation_id, messages in said.items():
        replayed = lab.replay(conversation_id).messages
        assert messages == [(message.role, message.content) for message in replayed]


def test_winners_and_providers_of_all_debates_equal_an_independent_count(
    lab: Lab, data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "debates.jsonl"
    write_debates_jsonl(data, path)
    turns, seated, wins = count_by_hand(data / "debates")

    result = take_in(lab, path)

    assert (375, 0) == (result["items"], result["refused_count"])
    winners = lab.get_debate_winners(limit=1000).top_winners
    assert wins == {row.model: row.wins for row in winners}
    shares = {row.model: 100 * wins[row.model] / wins.total() for row in winners}
    assert shares == pytest.approx({row.model: row.percentage for row in winners})
    providers = lab.get_provider_performance(window="all").providers
    assert turns == {row.model: row.total_requests for row in providers}
    assert seated == {row.model: row.debates for row in providers}
    rates = {row.model: wins[row.model] / seated[row.model] for row in providers}
    assert rates == pytest.approx({row.model: row.win_rate for row in providers})


def count_by_hand(folder: Path) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Turns, debates and wins a model, from the texts; a judge's vote is the sign of its margin."""
    turns, seated, wins = Counter[str](), Counter[str](), Counter[str]()
    margins = read_margins(folder / "judgments")
    for transcript in (folder / "transcripts").glob("*.md"):
        text = transcript.read_text(encoding="utf-8")
        pro, con = (re.search(rf"^- model_{side}: (.+)$", text, re.M) for side in ("pro", "con"))
        assert pro is not None
        assert con is not None
        sides = (pro[1], con[1])
        turns.update(re.findall(r"^- model: (.+)$", text, re.M))
        seated.update(set(sides))
        votes = Counter(margin > 0 for margin in margins[transcript.stem] if margin)
        if votes[True] != votes[False]:
            wins[sides[0] if votes[True] > votes[False] else sides[1]] += 1
    return turns, seated, wins


def read_margins(folder: Path) -> dict[str, list[float]]:
    """The signed margins (PRO+) of the judges, by the name of the debate's transcript."""
    margins: dict[str, list[float]] = {}
    for report in folder.glob("*.md"):
        for part in report.read_text(encoding="utf-8").split("\n- debate_id: `")[1:]:
            debate_id = part.partition("`")[0]
            rows = re.findall(r"^\| [^|]+ \| [^|]+ \| ([+-]?[\d.]+) \|", part, re.M)
            margins[debate_id] = [float(row) for row in rows]
    return margins
