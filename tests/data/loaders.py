"""Real data sets as files of our import formats, made when a test or a benchmark asks for them.

The sets lie outside of the project, and nothing of them may be copied into it: write to a
temporary folder only.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).parents[2]
_PRO_CON = ("PRO", "CON")


def find_data() -> Path | None:
    """The folder of the data sets (HELIX_TEST_DATA, or beside the project), if it is there."""
    stated = os.environ.get("HELIX_TEST_DATA")
    folder = Path(stated) if stated else _PROJECT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def write_locomo_jsonl(data_dir: Path, out: Path) -> int:
    """LoCoMo's conversations as messages; returns how many.

    The first speaker is the user. A turn has the time of its session, and a picture is a
    line with its caption. Message ids are the `dia_id` that the questions point to.
    """
    samples = json.loads((data_dir / "locomo" / "conversations-dev.json").read_text("utf-8"))
    return _write(out, (line for sample in samples for line in _read_locomo(sample)))


def write_beam_jsonl(data_dir: Path, out: Path) -> int:
    """BEAM's chats as messages; returns how many.

    A message has the day of its batch, and the mark "->-> 1,2" behind a question is left
    out. Message ids are those that the questions point to.
    """
    folders = sorted((data_dir / "beam-100k").iterdir(), key=lambda folder: int(folder.name))
    return _write(out, (line for folder in folders for line in _read_beam(folder)))


def write_sittings_jsonl(data_dir: Path, out: Path) -> int:
    """LoCoMo's sessions, each a conversation of its user; returns how many messages."""
    samples = json.loads((data_dir / "locomo" / "conversations-dev.json").read_text("utf-8"))
    whole = (line for sample in samples for line in _read_locomo(sample))
    return _write(out, map(_to_sitting, whole))


def _to_sitting(line: dict[str, Any]) -> dict[str, Any]:
    talk, session = line["conversation_id"], line["metadata"]["session"]
    return {**line, "conversation_id": f"{talk}-{session}", "user_id": talk}


def write_debates_jsonl(data_dir: Path, out: Path) -> int:
    """The recorded debates with their judgments; returns how many.

    The winner is the side with more judges; with as many on both sides there is none. A
    debate that nobody judged states no winner at all, and is marked in its metadata.
    """
    folder = data_dir / "debates"
    judgments = dict(
        judgment
        for report in sorted((folder / "judgments").glob("*.md"))
        for judgment in _read_report(report.read_text("utf-8"))
    )
    transcripts = sorted((folder / "transcripts").glob("*.md"))
    return _write(
        out, (_read_transcript(path.read_text("utf-8"), judgments) for path in transcripts)
    )


def _write(out: Path, lines: Iterable[dict[str, Any]]) -> int:
    count = 0
    with out.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count


_BEAM_MARK = re.compile(r"\s*->->\s*\d+,\s*(?:\d+(?:,\s*\d+)?|N/A)")


# LoCoMo and BEAM ------------------------------------------------------------------------


def _read_locomo(sample: dict[str, Any]) -> Iterator[dict[str, Any]]:
    conversation = sample["conversation"]
    number = 1
    while f"session_{number}_date_time" in conversation:
        stated = conversation[f"session_{number}_date_time"]
        time = datetime.strptime(stated, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for turn in conversation.get(f"session_{number}", []):
            is_first = turn["speaker"] == conversation["speaker_a"]
            caption = turn.get("blip_caption")
            yield {
                "conversation_id": f"locomo-{sample['sample_id']}",
                "message_id": turn["dia_id"],
                "role": "user" if is_first else "assistant",
                "name": turn["speaker"],
                "content": turn["text"] + (f"\n[image: {caption}]" if caption else ""),
                "created_at": time.isoformat(),
                "metadata": {"session": number},
            }
        number += 1


def _read_beam(folder: Path) -> Iterator[dict[str, Any]]:
    for batch in json.loads((folder / "chat.json").read_text("utf-8")):
        messages = [message for turn in batch["turns"] for message in turn]
        stated = next(m["time_anchor"] for m in messages if m.get("time_anchor"))
        day = datetime.strptime(stated, "%B-%d-%Y").replace(tzinfo=UTC)
        for message in messages:
            yield {
                "conversation_id": f"beam-100k-{folder.name}",
                "message_id": str(message["id"]),
                "role": message["role"],
                "content": _BEAM_MARK.sub("", message["content"]),
                "created_at": day.isoformat(),
                "metadata": {"batch": batch["batch_number"]},
            }


# Debates --------------------------------------------------------------------------------

_FACT = re.compile(r"^- (\w+): (.*)$", re.MULTILINE)
_TURN = re.compile(r"^## Turn (\d+): (PRO|CON) (.+)$", re.MULTILINE)
_JUDGED_DEBATE = re.compile(r"^## Debate [AB]$", re.MULTILINE)
_ROLES = re.compile(r"^- roles: PRO = \*\*(.+?)\*\*, CON = \*\*(.+?)\*\*$", re.MULTILINE)
_ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([+-]?[\d.]+) \|", re.MULTILINE)
_NOTE = re.compile(r"^- \*\*(.+?)\*\*: (.+(?:\n  .+)*)", re.MULTILINE)


def _read_transcript(text: str, judgments: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    debate_id = text.splitlines()[0].removeprefix("# Debate ").strip()
    facts = dict(_FACT.findall(text[: text.index("\n## ")]))
    models = {"PRO": facts["model_pro"], "CON": facts["model_con"]}
    rows = judgments.get(debate_id)
    debate = {
        "debate_id": debate_id,
        "topic": facts["proposition"],
        "protocol": "pro-con-10-turns",
        "participants": [
            {"seat": side, "position": side, "provider": _vendor_of(model), "model": model}
            for side, model in models.items()
        ],
        "turns": list(_read_turns(text)),
        "metadata": {
            "topic_id": facts["topic_id"],
            "side_swap": facts["side_swap"] == "True",
            "judged": rows is not None,
        },
    }
    return debate if rows is None else {**debate, "judgments": rows, "winner": _find_winner(rows)}


def _read_turns(text: str) -> Iterator[dict[str, Any]]:
    heads = list(_TURN.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=True):
        # The facts of a turn are a paragraph of their own, before what was said.
        _, facts, said = text[head.end() : end].split("\n\n", 2)
        assert facts.startswith("- model: ")
        yield {
            "round": (int(head[1]) + 1) // 2,
            "seat": head[2],
            "text": said.strip(),
            "metadata": {"phase": head[3], "words": int(dict(_FACT.findall(facts))["raw_words"])},
        }


def _read_report(text: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for part in _JUDGED_DEBATE.split(text)[1:]:
        debate_id = re.findall(r"^- debate_id: `(.+)`$", part, re.MULTILINE)[0]
        sides = dict(zip(_ROLES.findall(part)[0], _PRO_CON, strict=True))
        table, _, notes = part.partition("### Judge Notes")
        said = {judge: " ".join(note.split()) for judge, note in _NOTE.findall(notes)}
        yield (
            debate_id,
            [
                {
                    "judge": judge.strip(),
                    "winner": sides.get(winner.strip()),
                    "margin": float(margin),
                    **({"note": said[judge.strip()]} if judge.strip() in said else {}),
                }
                for judge, winner, margin in _ROW.findall(table)
            ],
        )


def _find_winner(rows: list[dict[str, Any]]) -> str | None:
    votes = Counter(row["winner"] for row in rows)
    pro, con = (votes[side] for side in _PRO_CON)
    return None if pro == con else _PRO_CON[con > pro]


def _vendor_of(model: str) -> str:
    found = re.match(r"[a-z]+", model)
    return found[0] if found else model
