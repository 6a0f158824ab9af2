"""What choosing by evidence is worth: debates drawn from the real win rates of each side."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from bench.evaluations.judged_debates import JudgedDebate
from bench.harness import Options, Report
from helix_lab.domain.learning.teams import Experience, choose_team

_RUNS = 20
_DEBATES = 400
_CANDIDATES = 5
_LEAST_SEEN = 5
_SIDE = "PRO"

Rates = Mapping[str, float]


def measure(report: Report, options: Options, debates: Sequence[JudgedDebate]) -> None:
    """Share of debates won by whom the bandit seats, against any provider and the best."""
    rates = _find_rates(debates)
    chosen: list[float] = []
    late: list[float] = []
    anyone: list[float] = []
    best: list[float] = []
    for number in range(_RUNS):
        draw = random.Random(f"{options.seed}/team/{number}")
        names = draw.sample(sorted(rates), _CANDIDATES)
        wins = _play(names, rates, draw, options.size(_DEBATES))
        chosen.append(fmean(wins))
        late.append(fmean(wins[len(wins) // 2 :]))
        anyone.append(fmean(rates[name] for name in names))
        best.append(max(rates[name] for name in names))
    case = f"{_SIDE} seated among {_CANDIDATES} of {len(rates)} models, simulated"
    for metric, values, other, others in (
        (f"won of {_DEBATES} debates from nothing learned", chosen, "any of them", anyone),
        ("won of the later half", late, "always the best", best),
    ):
        report.add(
            case,
            metric,
            100 * fmean(values),
            "%",
            baseline=other,
            baseline_value=100 * fmean(others),
            runs=_RUNS,
        )


def _find_rates(debates: Sequence[JudgedDebate]) -> Rates:
    """The real share of debates that each model won as PRO, of those seen often enough."""
    won: dict[str, list[bool]] = defaultdict(list)
    for debate in debates:
        won[debate.pro].append(debate.margin > 0)
    return {name: fmean(results) for name, results in won.items() if len(results) >= _LEAST_SEEN}


def _play(names: Sequence[str], rates: Rates, draw: random.Random, debates: int) -> list[bool]:
    known: dict[tuple[str, str], Experience] = {}
    wins: list[bool] = []
    for _ in range(debates):
        name = choose_team([_SIDE], names, known, seed=draw.getrandbits(53))[0].provider
        is_won = draw.random() < rates[name]
        before = known.get((name, _SIDE), Experience(0, 0))
        known[name, _SIDE] = Experience(before.wins + is_won, before.attempts + 1)
        wins.append(is_won)
    return wins
