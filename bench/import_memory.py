"""Files of imports read as events, not recorded: speed, and memory as the file grows."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.harness import Options, Report

_WORDS = """
replay branch kernel window merge notebook query debate evidence summary latency the and of with
""".split()  # noqa: SIM905 - reads better than a list
_MESSAGES_A_CONVERSATION = 20
_SMALL_BYTES = 10_000_000
_LARGE_BYTES = 1_000_000_000

_READ = """
import resource, sys, time
from pathlib import Path
from helix_lab.record.importers.reader import read_items
started = time.perf_counter()
messages = 0
for item in read_items(Path(sys.argv[1])):
    messages += sum(draft.type.name.endswith("message.added") for draft in item.drafts)
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(messages / (time.perf_counter() - started), peak_mb)
"""
_DECODE_ONLY = """
import json, sys, time
started = time.perf_counter()
messages = 0
with open(sys.argv[1], "rb") as file:
    for line in file:
        messages += "content" in json.loads(line)
print(messages / (time.perf_counter() - started), 0)
"""


def run(report: Report, options: Options) -> None:
    """JSON Lines and a ChatGPT export, each small and large."""
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as name:
        folder = Path(name)
        lines = write_lines(folder / "small.jsonl", options.size(_SMALL_BYTES), options.seed)
        report.compare(
            "one message a line to drafts of events, 10 MB",
            lambda: _run(_READ, lines)[0],
            baseline="json.loads of each line, and nothing else",
            measure_baseline=lambda: _run(_DECODE_ONLY, lines)[0],
            metric="throughput",
            unit="messages/s",
        )
        compare_memory(report, options, folder, "one message a line", write_lines)
        compare_memory(report, options, folder, "ChatGPT export, zipped", write_export)


def compare_memory(
    report: Report,
    options: Options,
    folder: Path,
    case: str,
    write: Callable[[Path, int, int], Path],
) -> None:
    """The peak memory of the reading process for a large file beside that for a small one."""
    path = folder / "file"
    _, small_mb = _run(_READ, write(path, options.size(_SMALL_BYTES), options.seed))
    speed, large_mb = _run(_READ, write(path, options.size(_LARGE_BYTES), options.seed))
    path.unlink()
    report.add(
        f"{case}, 1 GB of JSON",
        "peak memory",
        large_mb,
        "MB",
        baseline="10 MB of JSON",
        baseline_value=small_mb,
        runs=1,
    )
    report.add(f"{case}, 1 GB of JSON", "throughput", speed, "messages/s", runs=1)


def write_lines(path: Path, size_bytes: int, seed: int) -> Path:
    """A file with one message a line."""
    with path.open("wb") as file:
        for conversation_id, messages in _make_conversations(size_bytes, seed):
            for message_id, role, content in messages:
                line = {
                    "conversation_id": conversation_id,
                    "message_id": message_id,
                    "role": role,
                    "content": content,
                    "created_at": "2026-01-02T03:04:05.678901+00:00",
                }
                file.write(json.dumps(line).encode() + b"\n")
            if file.tell() >= size_bytes:
                break
    return path


def write_export(path: Path, size_bytes: int, seed: int) -> Path:
    """A ChatGPT export; its size is that of the JSON inside."""
    written = 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("conversations.json", "w", force_zip64=True) as file,
    ):
        for conversation_id, messages in _make_conversations(size_bytes, seed):
            raw = json.dumps(_to_chatgpt(conversation_id, messages)).encode()
            written += file.write((b", " if written else b"[") + raw)
            if written >= size_bytes:
                break
        file.write(b"]")
    return path


def _make_conversations(
    size_bytes: int, seed: int
) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    rng = random.Random(seed)
    for number in range(size_bytes):
        yield (
            f"conversation-{number}",
            [
                (
                    f"message-{number}-{position}",
                    "assistant" if position % 2 else "user",
                    " ".join(rng.choices(_WORDS, k=rng.randint(5, 30))),
                )
                for position in range(_MESSAGES_A_CONVERSATION)
            ],
        )


def _to_chatgpt(conversation_id: str, messages: list[tuple[str, str, str]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    parent_id = None
    for message_id, role, content in messages:
        mapping[message_id] = {
            "id": message_id,
            "parent": parent_id,
            "children": [],
            "message": {
                "id": message_id,
                "author": {"role": role, "name": None, "metadata": {}},
                "create_time": 1767323045.678901,
                "content": {"content_type": "text", "parts": [content]},
                "status": "finished_successfully",
                "metadata": {"model_slug": "gpt-x", "request_id": "0" * 36},
                "recipient": "all",
            },
        }
        parent_id = message_id
    return {
        "title": conversation_id,
        "conversation_id": conversation_id,
        "create_time": 1767323045.678901,
        "mapping": mapping,
        "current_node": parent_id,
    }


def _run(code: str, path: Path) -> tuple[float, float]:
    """Messages a second and the peak memory in MB of a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    speed, peak_mb = map(float, run.stdout.split())
    return speed, peak_mb
