"""Votes: a team's answer by learned reliability, how true its confidence is, who wins a debate.

`--gsm8k DIR` holds `example_model_solutions.jsonl`, `--debates DIR` the folder `judgments`. Half is
learned and half is tested, 20 times; the halves of the debates share no motion. The best single
voter is the one that was best in the learned half. The calibration error of one half has a floor:
chance alone makes an error that is shown beside it as "exactly true confidence". Teams are tried in
a simulation: who wins is drawn from the real share of debates that each won from each side.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from bench.evaluations import simulated_teams
from bench.evaluations.gsm8k import Question, read_questions
from bench.evaluations.judged_debates import JudgedDebate, read_debates
from bench.harness import CannotRunError, Options, Report
from helix_lab.domain.learning.calibration import (
    accuracy_at,
    calibration_error,
    chance_error,
    log_loss,
)
from helix_lab.domain.learning.reliability import learn_reliability
from helix_lab.domain.learning.stopping import Panel, learn_panel, rank_voters
from helix_lab.domain.learning.strengths import Match, learn_strengths, share_of_margin
from helix_lab.domain.learning.votes import count_majority
from tests.data.loaders import find_data

SPLITS = 20
MAJORITY, SINGLE, TEXT = "majority", "best single", "TF-IDF + logistic regression"


@dataclass
class Tested:
    """What one way of deciding came to, a list for each split."""

    right: list[list[bool]] = field(default_factory=list)
    said: list[list[float]] = field(default_factory=list)
    tokens: list[float] = field(default_factory=list)

    def add(self, picked: Sequence[tuple[bool, float]]) -> None:
        """The cases of one split: whether right, and the confidence."""
        self.right.append([is_right for is_right, _ in picked])
        self.said.append([confidence for _, confidence in picked])

    @property
    def accuracy(self) -> float:
        """Mean over the splits, in percent."""
        return 100 * fmean(map(fmean, self.right))

    def measure(self, measure: Callable[[list[float], list[bool]], float]) -> float:
        """Mean of a measure over the splits, in percent."""
        pairs = zip(self.said, self.right, strict=True)
        return 100 * fmean(measure(said, right) for said, right in pairs)

    @property
    def pooled_error(self) -> float:
        """The calibration error over all splits together, in percent."""
        said = [value for split in self.said for value in split]
        return 100 * calibration_error(said, [value for split in self.right for value in split])


def run(report: Report, options: Options) -> None:
    """Print every target beside its baselines."""
    data = find_data()
    gsm8k = options.gsm8k or (data / "gsm8k-solvers" if data else None)
    judged = options.debates or (data / "debates" if data else None)
    if gsm8k is None and judged is None:
        raise CannotRunError("it needs --gsm8k DIR, --debates DIR, or both")
    if gsm8k is not None:
        _vote(report, options, read_questions(gsm8k))
    if judged is not None:
        debates = read_debates(judged)
        _predict(report, options, debates)
        simulated_teams.measure(report, options, debates)


# GSM8K ----------------------------------------------------------------------------------


def _vote(report: Report, options: Options, questions: list[Question]) -> None:
    from bench.evaluations import text_baseline

    tested = {name: Tested() for name in (MAJORITY, SINGLE, TEXT, "ours", "early")}
    for number in range(SPLITS):
        order = random.Random(f"{options.seed}/{number}").sample(questions, len(questions))
        train, test = order[: len(order) // 2], order[len(order) // 2 :]
        learned = learn_reliability([item.case for item in train])
        panel = learn_panel([item.case for item in train])
        best = rank_voters(learned)[0]
        tested[MAJORITY].add([_by_majority(item, panel) for item in test])
        rate = learned.records[best].right / learned.records[best].total
        tested[SINGLE].add([(_is_right_of(item, best), rate) for item in test])
        tested[TEXT].add(text_baseline.vote(train, test))
        tested["ours"].add([_decide(panel, item, None)[:2] for item in test])
        early = [_decide(panel, item, panel.is_settled) for item in test]
        tested["early"].add([picked[:2] for picked in early])
        tested["early"].tokens.append(
            100 * sum(picked[2] for picked in early) / sum(sum(t.model_tokens) for t in test)
        )
    _report_votes(report, options, f"GSM8K, 4 solvers, {len(questions):,} questions", tested)


def _report_votes(report: Report, options: Options, case: str, tested: dict[str, Tested]) -> None:
    ours, early = tested["ours"], tested["early"]
    for name in (MAJORITY, SINGLE, TEXT):
        report.add(
            case, "right answers", ours.accuracy, "%", baseline=name,
            baseline_value=tested[name].accuracy, runs=SPLITS, targets=(56.8, 58.5),
        )  # fmt: skip
    error, text = "calibration error", tested[TEXT]
    report.add(
        case, error + ", mean of the splits", ours.measure(calibration_error), "%",
        baseline="exactly true confidence",
        baseline_value=ours.measure(lambda said, _: chance_error(said, seed=options.seed)),
        runs=SPLITS, targets=(4, 2),
    )  # fmt: skip
    report.add(
        case, error + ", all splits together", ours.pooled_error, "%", baseline=TEXT,
        baseline_value=text.pooled_error, runs=SPLITS, targets=(4, 2),
    )  # fmt: skip
    report.add(
        case, "right among the most confident half", ours.measure(_of_half), "%",
        baseline=TEXT, baseline_value=text.measure(_of_half), runs=SPLITS,
    )  # fmt: skip
    stopped = case + ", stopped when settled"
    report.add(
        stopped, "right answers", early.accuracy, "%", baseline="all four asked",
        baseline_value=ours.accuracy, runs=SPLITS,
    )  # fmt: skip
    report.add(
        stopped, "tokens of answers", fmean(early.tokens), "%", baseline="all four asked",
        baseline_value=100.0, runs=SPLITS, targets=(82.6, 70),
    )  # fmt: skip
    report.add(
        stopped, error + ", mean of the splits", early.measure(calibration_error), "%",
        baseline="all four asked", baseline_value=ours.measure(calibration_error), runs=SPLITS,
    )  # fmt: skip


def _of_half(said: list[float], right: list[bool]) -> float:
    return accuracy_at(said, right, coverage=0.5)


def _by_majority(item: Question, panel: Panel) -> tuple[bool, float]:
    """The majority; where it is a tie, the tied option of the most reliable voter."""
    decision = count_majority(item.case.ballots)
    if decision.winner is not None:
        return decision.winner in item.case.right, decision.chances[decision.winner]
    by_voter = {ballot.voter: ballot.choice for ballot in item.case.ballots}
    best = max(decision.chances.values(), default=0.0)
    leaders = {option for option, share in decision.chances.items() if share == best}
    tied = [by_voter[name] for name in panel.order if by_voter[name] in leaders]
    return (bool(tied) and tied[0] in item.case.right), best


def _is_right_of(item: Question, voter: str) -> bool:
    return any(b.voter == voter and b.choice in item.case.right for b in item.case.ballots)


def _decide(
    panel: Panel, item: Question, is_settled: Callable[..., bool] | None
) -> tuple[bool, float, int]:
    """Whether it is right, its confidence, the tokens of the answers that were asked for."""
    by_voter = {ballot.voter: ballot for ballot in item.case.ballots}
    cost = dict(zip((b.voter for b in item.case.ballots), item.model_tokens, strict=True))
    asked = []
    for name in panel.order:
        asked.append(by_voter[name])
        if is_settled is not None and is_settled(asked):
            break
    decision = panel.weigh(asked)
    tokens = sum(cost[ballot.voter] for ballot in asked)
    return decision.winner in item.case.right, decision.confidence or 0.0, tokens


# debates --------------------------------------------------------------------------------


def _predict(report: Report, options: Options, debates: list[JudgedDebate]) -> None:
    from bench.evaluations import text_baseline

    losses: dict[str, list[float]] = {"base rate": [], TEXT: [], "ours": []}
    hits, base_hits = [], []
    motions = sorted({debate.motion for debate in debates})
    for number in range(SPLITS):
        learned = set(random.Random(f"{options.seed}/{number}").sample(motions, len(motions) // 2))
        train = [debate for debate in debates if debate.motion in learned]
        test = [debate for debate in debates if debate.motion not in learned]
        won = [debate.margin > 0 for debate in test]
        rate = fmean(debate.margin > 0 for debate in train)
        strengths = learn_strengths(list(map(_to_match, train)))
        chances = [strengths.predict(debate.pro, debate.con) for debate in test]
        losses["base rate"].append(log_loss([rate] * len(test), won))
        losses[TEXT].append(log_loss(text_baseline.predict_winners(train, test), won))
        losses["ours"].append(log_loss(chances, won))
        hits.append(
            fmean((chance > 0.5) == is_won for chance, is_won in zip(chances, won, strict=True))
        )
        base_hits.append(fmean((rate > 0.5) == is_won for is_won in won))
    case = f"winners of {len(debates)} judged debates, foretold before the judging"
    base = fmean(losses["base rate"])
    report.add(
        case, "log loss below the base rate", 100 * (1 - fmean(losses["ours"]) / base), "%",
        baseline=TEXT, baseline_value=100 * (1 - fmean(losses[TEXT]) / base), runs=SPLITS,
        targets=(5, 10),
    )  # fmt: skip
    report.add(
        case, "log loss", fmean(losses["ours"]), "", baseline="base rate", baseline_value=base,
        runs=SPLITS,
    )  # fmt: skip
    report.add(
        case, "winner foretold", 100 * fmean(hits), "%", baseline="always the usual side",
        baseline_value=100 * fmean(base_hits), runs=SPLITS,
    )  # fmt: skip


def _to_match(debate: JudgedDebate) -> Match:
    return Match(debate.pro, debate.con, share_of_margin(debate.margin))
