"""The rules of debates: from the turns so far to the next requests, or to the verdict.

Pure: the same plan, turns and history always give the same step, so a debate that was cut
off resumes with exactly the requests that are still open, and with the same prompts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from helix_lab.domain.debate.prompts import (
    ask_answer,
    ask_judge,
    ask_vote,
    fit_history,
    label_sides,
    shuffle,
)
from helix_lab.domain.debate.replies import explanation_of, normalise, read_reply
from helix_lab.domain.debate.values import (
    TIE,
    DebatePlan,
    NextTurns,
    Role,
    Seat,
    Turn,
    Verdict,
)

HISTORY_TOKENS = 4_000
"""Earlier messages of the conversation go into each prompt within this many tokens."""

MAX_REASON_CHARS = 10_000

_Answers = Mapping[str, Turn]
_History = Sequence[tuple[str, str]]
_Key = tuple[int, Role, str]


def next_step(
    plan: DebatePlan,
    turns: Sequence[Turn],
    history: Sequence[tuple[str, str]] = (),
    *,
    history_tokens: int = HISTORY_TOKENS,
) -> NextTurns | Verdict:
    """What to ask now, or how the debate ended.

    Args:
        plan: what was agreed at the start.
        turns: all turns so far, in any order, failed ones too; of two with the same key
            the first counts, and a turn that the plan does not know is ignored.
        history: messages of the conversation before the debate began, oldest first, as
            (role, content); a compressed one has the role `DIGEST`. A resumed debate must be
            given the same ones.
        history_tokens: how much of the history is shown, newest first.

    Returns:
        The open requests of the current round, or the verdict. A debate of n seats and r
        rounds asks for at most r·n + max(n, r) turns, whatever the replies are.
    """
    state = _State(plan, turns)
    shown = fit_history(history, history_tokens)
    if plan.judge is not None and plan.protocol == "moderated":
        return _step_moderated(state, plan.judge, shown)
    return _step_majority(state, shown)


class _State:
    """The turns of a plan, found by key."""

    def __init__(self, plan: DebatePlan, turns: Sequence[Turn]) -> None:
        self.plan = plan
        self._by_key: dict[_Key, Turn] = {}
        for turn in turns:
            self._by_key.setdefault(turn.key, turn)

    def find(self, round_number: int, role: Role, seat: str) -> Turn | None:
        return self._by_key.get((round_number, role, seat))

    def answers(self, round_number: int) -> dict[str, Turn]:
        """Usable answers of a round by seat, in the plan's order."""
        found = {s.seat: self.find(round_number, "answer", s.seat) for s in self.plan.seats}
        return {
            name: turn
            for name, turn in found.items()
            if turn is not None and not turn.is_failed and turn.text.strip()
        }

    def latest(self, round_number: int) -> dict[str, Turn]:
        """The newest usable answer of each seat up to a round."""
        merged: dict[str, Turn] = {}
        for answers in self.rounds(round_number):
            merged.update(answers)
        return merged

    def rounds(self, last: int) -> list[dict[str, Turn]]:
        """Usable answers of each round up to `last`."""
        return [self.answers(number) for number in range(1, last + 1)]

    def is_last(self, round_number: int) -> bool:
        """Whether answers end here: where nobody said anything, another round is the same again."""
        return round_number >= self.plan.rounds or not self.answers(round_number)

    def open_seats(self, round_number: int, role: Role, names: Sequence[str]) -> list[Seat]:
        """Seats among `names` without a turn yet, in the order that the seed decides."""
        by_name = {seat.seat: seat for seat in self.plan.seats}
        order = shuffle(self.plan, names, "order", role, str(round_number))
        return [by_name[name] for name in order if self.find(round_number, role, name) is None]

    def open_answers(self, round_number: int, history: _History) -> NextTurns | None:
        """Requests for the answers of a round that are not there yet."""
        names = [seat.seat for seat in self.plan.seats]
        seats = self.open_seats(round_number, "answer", names)
        latest = self.latest(round_number - 1)
        requests = [ask_answer(self.plan, s, round_number, latest, history) for s in seats]
        return NextTurns(tuple(requests)) if requests else None

    def errors(self, otherwise: str) -> str:
        """Why turns failed, each reason once; `otherwise` where none did."""
        failed = (turn for turn in self._by_key.values() if turn.is_failed)
        reasons = dict.fromkeys(
            f"{turn.seat}: {turn.error or 'no reason given'}" for turn in failed
        )
        return "; ".join(sorted(reasons)) or otherwise

    def metadata(self) -> dict[str, bool]:
        """What a reader of the verdict should know about the judge."""
        judge = self.plan.judge
        pairs = {(seat.provider, seat.model) for seat in self.plan.seats}
        is_participant = judge is not None and (judge.provider, judge.model) in pairs
        return {"judge_is_participant": True} if is_participant else {}

    def seat(self, name: str) -> Seat:
        return next(seat for seat in self.plan.seats if seat.seat == name)


def _step_majority(state: _State, history: _History) -> NextTurns | Verdict:
    number, is_over = 0, False
    latest: _Answers = {}
    while not is_over:
        number += 1
        if asked := state.open_answers(number, history):
            return asked
        latest = state.latest(number)
        if not latest:
            return _failed(state, number, "no seat gave an answer")
        if len(latest) > 1 and len({normalise(turn.text) for turn in latest.values()}) == 1:
            return _consensus(number, latest)
        is_over = state.is_last(number)
    if len(latest) == 1:
        return _walkover(state, number, latest)
    voters = state.open_seats(number, "vote", list(latest))
    if voters:
        requests = [ask_vote(state.plan, seat, number, latest, history) for seat in voters]
        return NextTurns(tuple(requests))
    return _count_votes(state, number, latest)


def _step_moderated(state: _State, judge: Seat, history: _History) -> NextTurns | Verdict:
    number, is_over = 0, False
    latest: _Answers = {}
    while not is_over:
        number += 1
        if asked := state.open_answers(number, history):
            return asked
        latest = state.latest(number)
        if not latest:
            return _failed(state, number, "no side gave an argument")
        is_over = state.is_last(number)
        if len(latest) == 1:
            continue
        decision = state.find(number, "judge", judge.seat)
        if decision is None:
            rounds = state.rounds(number)
            return NextTurns((ask_judge(state.plan, judge, rounds, history, is_last=is_over),))
        if is_over or decision.choice in latest:
            return _judged(state, number, judge, decision)
    return _walkover(state, number, latest)


def _count_votes(state: _State, number: int, latest: _Answers) -> Verdict:
    """Most votes win; then the greater sum of confidences; then it is a tie.

    Confidence of the verdict = (winner's votes / valid votes) · (mean confidence of the
    winner's votes that gave one).
    """
    valid = _valid_votes(state, number, latest)
    said = {name: [c for choice, c in valid if choice == name and c is not None] for name in latest}
    votes = {name: sum(choice == name for choice, _ in valid) for name in latest}
    if not valid:
        reason = f"no valid vote; {state.errors('every vote was unreadable')}"[:MAX_REASON_CHARS]
        return Verdict("tie", None, None, None, reason, number, votes)
    # Sums are rounded so that the same confidences in another order stay equal.
    rank = {name: (votes[name], round(math.fsum(said[name]), 9)) for name in latest}
    best = max(rank.values())
    leaders = [name for name in latest if rank[name] == best]
    if len(leaders) > 1:
        reason = f"{best[0]} of {len(valid)} votes each for {', '.join(leaders)}"
        return Verdict("tie", None, None, None, reason, number, votes)
    winner = leaders[0]
    confidence = votes[winner] / len(valid) * fmean(said[winner]) if said[winner] else None
    is_close = sum(count == best[0] for count in votes.values()) > 1
    reason = f"{best[0]} of {len(valid)} votes" + (", ahead by confidence" if is_close else "")
    text = latest[winner].text
    return Verdict("decided", state.seat(winner), confidence, text, reason, number, votes)


def _valid_votes(state: _State, number: int, latest: _Answers) -> list[tuple[str, float | None]]:
    """Choice and confidence of each vote for another seat's answer."""
    cast = (state.find(number, "vote", name) for name in latest)
    return [
        (turn.choice, turn.confidence)
        for turn in cast
        if turn and turn.choice is not None and turn.choice in latest and turn.choice != turn.seat
    ]


def _judged(state: _State, number: int, judge: Seat, decision: Turn) -> Verdict:
    latest, metadata = state.latest(number), state.metadata()
    if decision.is_failed:
        reason = f"the moderator gave no decision: {decision.error or 'no reason given'}"
        return Verdict("failed", None, None, None, reason[:MAX_REASON_CHARS], number, {}, metadata)
    reading = read_reply(decision.text, (TIE,))
    labels = label_sides(state.plan, judge, state.rounds(number))
    legend = ", ".join(f"{label} is {name}" for label, name in labels.items())
    words = (reading.reason or explanation_of(decision.text))[:MAX_REASON_CHARS]
    if decision.choice not in latest:
        what = "no side is better" if reading.label == TIE else "the moderator named no side"
        reason = f"{what} ({legend}): {words}"
        return Verdict("tie", None, decision.confidence, None, reason, number, {}, metadata)
    winner = state.seat(decision.choice)
    reason = f"the moderator chose {winner.seat} ({legend}): {words}"
    text, confidence = latest[winner.seat].text, decision.confidence
    return Verdict("decided", winner, confidence, text, reason, number, {}, metadata)


def _consensus(number: int, latest: _Answers) -> Verdict:
    """All agree: nobody won against anybody. Confidence = mean of those that were given."""
    said = [turn.confidence for turn in latest.values() if turn.confidence is not None]
    text = next(iter(latest.values())).text
    reason = f"all {len(latest)} answers agree after round {number}"
    confidence = fmean(said) if said else None
    return Verdict("decided", None, confidence, text, reason, number, {}, {"is_consensus": True})


def _walkover(state: _State, number: int, latest: _Answers) -> Verdict:
    """One seat has an answer: it wins without a vote, with the confidence it gave itself."""
    name, turn = next(iter(latest.items()))
    reason = f"only {name} gave an answer; {state.errors('the others were empty')}"
    return Verdict(
        "decided",
        state.seat(name),
        turn.confidence,
        turn.text,
        reason[:MAX_REASON_CHARS],
        number,
        metadata=state.metadata(),
    )


def _failed(state: _State, number: int, what: str) -> Verdict:
    reason = f"{what}; {state.errors('every reply was empty')}"[:MAX_REASON_CHARS]
    return Verdict("failed", None, None, None, reason, number, metadata=state.metadata())
