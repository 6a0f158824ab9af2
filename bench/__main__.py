"""Run benchmarks: `python -m bench [NAME ...] [--data PATH ...] [--runs N] [--scale X]`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

import bench
from bench import render
from bench.harness import CannotRunError, Options, Report

_NO_BENCHMARKS = (
    "__main__", "analytics_baselines", "evaluations", "harness", "memory_baselines", "memory_lag",
    "render",
)  # fmt: skip


def names() -> list[str]:
    """The benchmarks there are: every module here but the machinery."""
    modules = {module.name for module in pkgutil.iter_modules(bench.__path__)}
    return sorted(modules - {*_NO_BENCHMARKS})


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=bench.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--data", type=Path, action="append", default=[], metavar="PATH")
    parser.add_argument("--locomo", type=Path, metavar="DIR", help="LoCoMo's JSON files")
    parser.add_argument("--beam", type=Path, metavar="DIR", help="BEAM's chats, a folder each")
    parser.add_argument("--gsm8k", type=Path, metavar="DIR", help="recorded solvers, for votes")
    parser.add_argument("--debates", type=Path, metavar="DIR", help="judged debates, for votes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies sizes; not kept")
    parsed = parser.parse_args(arguments)
    unknown = sorted(set(parsed.names) - set(names()))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(names())}")
    return parsed


def main(arguments: list[str]) -> int:
    """Run what is asked for.

    1 when a benchmark that was named cannot run, 2 when a figure misses what it must reach;
    with another scale than 1 nothing is judged.
    """
    parsed = parse(arguments)
    options = Options(
        tuple(parsed.data), parsed.locomo, parsed.beam, parsed.seed, parsed.runs, parsed.scale,
        parsed.gsm8k, parsed.debates,
    )  # fmt: skip
    passed_over = []
    missed = 0
    for name in parsed.names or names():
        print(f"--- {name}", flush=True)
        report = Report(name, options)
        try:
            importlib.import_module(f"bench.{name}").run(report, options)
        except CannotRunError as error:
            print(f"passed over: {error}", flush=True)
            passed_over.append(name)
            continue
        if options.scale == 1:
            report.write()
            missed += _tell(report)
    if options.scale == 1:
        render.write()
    if set(passed_over) & set(parsed.names):
        return 1
    return 2 if missed else 0


def _tell(report: Report) -> int:
    """How many figures miss what they must reach; each is named."""
    judged = [row for row in report.rows if row.reached]
    if judged:
        print(f"{len(judged) - len(report.missed)} of {len(judged)} figures reach what they must")
    for row in report.missed:
        print(f"missed: {row.case}: {row.metric} {row.value:g} {row.unit}, must {row.must:g}")
    return len(report.missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
