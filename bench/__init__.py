"""Benchmarks and evaluations: one module each, with a function `run(report, options)`.

`python -m bench` runs all of them, `python -m bench NAME` one. Each figure stands beside a named
baseline that was measured in the same run, turn by turn, so that a busy machine bends both alike.
Results go to `bench/results/<name>.json`, and from there to `docs/benchmarks.md`.
"""
