"""What a benchmark is given: options, and a report that measures against a baseline."""

from __future__ import annotations

import json
import os
import platform
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMES = ("s", "ms")
RESULTS = Path(__file__).parent / "results"


class CannotRunError(Exception):
    """Something that this benchmark needs is not here; the message says how to give it."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the benchmarks are run.

    Attributes:
        data: files or folders for those that judge real data.
        locomo, beam: folders of these two sets, for `context`.
        gsm8k, debates: folders of these two sets, for `votes`.
        seed: of everything random.
        runs: how often a figure is measured; its median is reported.
        scale: multiplies the sizes; results of another scale than 1 are shown and not kept.
    """

    data: tuple[Path, ...] = ()
    locomo: Path | None = None
    beam: Path | None = None
    seed: int = 1
    runs: int = 5
    scale: float = 1.0
    gsm8k: Path | None = None
    debates: Path | None = None

    def size(self, number: int) -> int:
        """A size under this scale, at least 1."""
        return max(1, round(number * self.scale))

    def require_data(self, what: str) -> tuple[Path, ...]:
        """The given data; without any the benchmark is passed over."""
        if not self.data:
            raise CannotRunError(f"it needs {what}: give --data PATH")
        return self.data


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its baseline.

    Attributes:
        case: what was done, with its sizes.
        metric: what was measured of it: p50, throughput, recall.
        ratio: value over baseline value.
        runs: how many measurements the medians are of.
        must, aim: the figure that is promised, and the one that is hoped for.
    """

    case: str
    metric: str
    value: float
    unit: str
    baseline: str
    baseline_value: float | None
    ratio: float | None
    seed: int
    machine: str
    runs: int
    must: float | None = None
    aim: float | None = None

    @property
    def reached(self) -> str:
        """Which of its targets it meets: `aim`, `must` or `missed`; empty without targets."""
        return judge(self.value, self.unit, self.must, self.aim)


def judge(value: float, unit: str, must: float | None, aim: float | None) -> str:
    """Which target a figure meets; of times the smaller is the better one, as of an aim below."""
    if must is None:
        return ""
    is_less_better = unit in _TIMES or (aim is not None and aim < must)
    sign = -1 if is_less_better else 1
    if aim is not None and sign * value >= sign * aim:
        return "aim"
    return "must" if sign * value >= sign * must else "missed"


@dataclass
class Report:
    """The figures of one benchmark."""

    name: str
    options: Options
    rows: list[Row] = field(default_factory=list)

    def compare(
        self,
        case: str,
        measure: Callable[[], float],
        *,
        baseline: str,
        measure_baseline: Callable[[], float],
        metric: str,
        unit: str,
        targets: tuple[float, float | None] | None = None,
    ) -> Row:
        """Measure both in turns, each going first as often, and note the medians."""
        values: list[float] = []
        baseline_values: list[float] = []
        pairs = [(measure, values), (measure_baseline, baseline_values)]
        for _ in range(self.options.runs):
            for call, results in pairs:
                results.append(call())
            pairs.reverse()
        return self.add(
            case,
            metric,
            median(values),
            unit,
            baseline=baseline,
            baseline_value=median(baseline_values),
            targets=targets,
        )

    def add(
        self,
        case: str,
        metric: str,
        value: float,
        unit: str,
        *,
        baseline: str = "",
        baseline_value: float | None = None,
        runs: int | None = None,
        targets: tuple[float, float | None] | None = None,
    ) -> Row:
        """Note a figure; `runs` where it is not the median of the usual number.

        `targets` are what it must reach and what it aims at.
        """
        row = Row(
            case=case,
            metric=metric,
            value=_round(value),
            unit=unit,
            baseline=baseline,
            baseline_value=None if baseline_value is None else _round(baseline_value),
            ratio=_round(value / baseline_value) if baseline_value else None,
            seed=self.options.seed,
            machine=describe_machine(),
            runs=self.options.runs if runs is None else runs,
            must=targets[0] if targets else None,
            aim=targets[1] if targets else None,
        )
        self.rows.append(row)
        print(_line(row), flush=True)
        return row

    @property
    def missed(self) -> list[Row]:
        """What does not reach what it must."""
        return [row for row in self.rows if row.reached == "missed"]

    def write(self, folder: Path = RESULTS) -> Path:
        """Keep the figures as JSON and return where."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        rows: list[dict[str, Any]] = [_without_targets(row) for row in self.rows]
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def _without_targets(row: Row) -> dict[str, Any]:
    """A row as JSON; targets only where it has some."""
    kept = asdict(row)
    return {k: value for k, value in kept.items() if k not in {"must", "aim"} or value is not None}


def describe_machine() -> str:
    """What matters of the machine for a figure: processors, memory, system, Python."""
    memory = ""
    if hasattr(os, "sysconf"):
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        memory = f"{memory_bytes / 2**30:.0f} GiB, "
    return (
        f"{os.cpu_count()} × {_processor()}, {memory}"
        f"{platform.system()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    cpus = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.+)$", cpus.read_text(), re.M) if cpus.exists() else []
    return names[0] if names else platform.machine()


def _round(value: float) -> float:
    """Four significant digits: more would claim a precision that no machine has."""
    return float(f"{value:.4g}")


def _line(row: Row) -> str:
    text = f"{row.case}: {row.metric} {row.value:g} {row.unit}"
    if row.baseline_value is not None:
        text += f" ({row.baseline}: {row.baseline_value:g} {row.unit}"
        text += ")" if row.ratio is None else f", ratio {row.ratio:g})"
    if row.must is not None:
        text += f"; must {row.must:g}" + (f", aim {row.aim:g}" if row.aim is not None else "")
        text += f": {row.reached}"
    return text
