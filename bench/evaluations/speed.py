"""How fast contexts and replays are: of a conversation in memory, and in a lab just opened."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.evaluations.locomo import Talk
from bench.harness import Options, Report
from helix_lab import Lab, open_lab
from helix_lab.domain.context.compression import analyse, compress
from helix_lab.domain.context.history import Message

_BUDGET_TOKENS = 8_000
_SHARE = 0.3
_LONG = 30_000
_USUAL = 10_000
_BATCH = 1_000
_WARM = 100
_COLD = 20
_PATIENCE_S = 600


def measure(report: Report, talks: Sequence[Talk], options: Options) -> None:
    """The speed of compression, of contexts and of replays."""
    _compress_cold(report, repeat(talks, options.size(_USUAL)), options)
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as folder:
        path = Path(folder, "lab")
        long, usual = repeat(talks, options.size(_LONG)), repeat(talks, options.size(_USUAL))
        with open_lab(path) as lab:
            tokens = _tell(lab, "long", long)
            _tell(lab, "usual", usual)
            # The other stores read what was said, too: not beside the measuring.
            assert lab.services.projections.catch_up(timeout_s=_PATIENCE_S), "stores lag behind"
            lab.replay("long", max_tokens=_BUDGET_TOKENS)
            case = f"{len(long):,} messages ({tokens:,} tokens), {_BUDGET_TOKENS:,} wanted"
            _measure_warm(report, lab, case)
            _grow(report, lab, usual)
        _measure_cold(report, path, case)
        _replay(report, path, len(usual) + 10)


def _compress_cold(report: Report, messages: Sequence[Message], options: Options) -> None:
    taken: list[float] = []
    tokens = 0
    for _ in range(options.runs):
        begin = time.perf_counter()
        analysis = analyse(messages)
        compress(analysis, budget_tokens=int(_SHARE * analysis.original_tokens))
        taken.append(time.perf_counter() - begin)
        tokens = analysis.original_tokens
    report.add(
        f"{len(messages):,} messages ({tokens:,} tokens)",
        "compress and score, cold",
        median(taken),
        "s",
        targets=(0.60, 0.40),
    )


def _measure_warm(report: Report, lab: Lab, case: str) -> None:
    times = [_time(lambda: lab.replay("long", max_tokens=_BUDGET_TOKENS)) for _ in range(_WARM)]
    _add(report, case, "context, warm, p99", times, (20, 10))
    # Each of these is made anew, from what is known of the conversation.
    times = [
        _time(lambda budget=_BUDGET_TOKENS - n: lab.replay("long", max_tokens=budget))  # type: ignore[misc]
        for n in range(1, _WARM + 1)
    ]
    _add(report, case, "context, warm, a budget never asked for before, p99", times, (20, 10))


def _grow(report: Report, lab: Lab, messages: Sequence[Message]) -> None:
    """Ten messages more: nothing of the others is split again."""
    budget = _BUDGET_TOKENS
    cold = _time(lambda: lab.replay("usual", max_tokens=budget))
    lab.append_messages("usual", [_said(message, "more") for message in messages[:10]])
    times = [_time(lambda: lab.replay("usual", max_tokens=budget))]
    report.add(
        f"{len(messages):,} messages, and ten new ones",
        "context",
        times[0],
        "ms",
        baseline="all of them new",
        baseline_value=cold,
        runs=1,
    )


def _measure_cold(report: Report, path: Path, case: str) -> None:
    times = []
    for _ in range(_COLD):
        with open_lab(path) as lab:
            times.append(_time(lambda lab=lab: lab.replay("long", max_tokens=_BUDGET_TOKENS)))  # type: ignore[misc]
    _add(report, case, "context, in a lab just opened, p99", times, (200, 100))


def _replay(report: Report, path: Path, count: int) -> None:
    cold, cached = [], []
    for _ in range(_COLD):
        with open_lab(path) as lab:
            cold.append(_time(lambda lab=lab: lab.replay("usual")))  # type: ignore[misc]
            cached += [_time(lambda lab=lab: lab.replay("usual")) for _ in range(3)]  # type: ignore[misc]
    report.add(
        f"replay of {count:,} messages",
        "in a lab just opened, p50",
        median(cold),
        "ms",
        runs=len(cold),
        targets=(150, 100),
    )
    report.add(
        f"replay of {count:,} messages",
        "kept in memory, p50",
        median(cached),
        "ms",
        runs=len(cached),
        targets=(10, 5),
    )


def _add(
    report: Report,
    case: str,
    metric: str,
    times_ms: list[float],
    targets: tuple[float, float],
) -> None:
    figure = float(np.quantile(times_ms, 0.99))
    report.add(case, metric, figure, "ms", runs=len(times_ms), targets=targets)


def _time(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - begin)


def _tell(lab: Lab, conversation_id: str, messages: Sequence[Message]) -> int:
    """Record a conversation; its size in model tokens."""
    lab.start_conversation(conversation_id=conversation_id)
    said = [_said(message, "") for message in messages]
    for start in range(0, len(said), _BATCH):
        lab.append_messages(conversation_id, said[start : start + _BATCH])
    return int(lab.get_context_stats(conversation_id).total_tokens)


def _said(message: Message, ending: str) -> dict[str, Any]:
    return {
        "message_id": f"{message.message_id}{ending}",
        "role": message.role,
        "content": message.content,
        "name": message.data.get("name"),
    }


def repeat(talks: Sequence[Talk], count: int) -> list[Message]:
    """The talks again and again, each message with an id of its own."""
    pool = [message for talk in talks for message in talk.messages]
    return [
        Message(f"m{n}", pool[n % len(pool)].time, pool[n % len(pool)].data) for n in range(count)
    ]
