"""The debate job: asks the providers that the protocol names, and records every turn.

A turn is recorded as requested before its provider is called, and as answered or failed
after. After a crash, what is recorded is taken up; a turn that was requested and has no
end is failed as INTERRUPTED and never asked again (see `docs/decisions/`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from helix_lab.domain.context.additions import read_additions
from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.debate import (
    DIGEST,
    KNOWN,
    DebatePlan,
    NextTurns,
    Turn,
    TurnRequest,
    Verdict,
    next_step,
    read_turn,
)
from helix_lab.domain.debate import fail_turn as make_failed_turn
from helix_lab.domain.model.errors import (
    BudgetTooSmall,
    HelixError,
    InvalidEvent,
    RunCancelled,
    UnknownProvider,
)
from helix_lab.domain.model.event import (
    DEBATE_STARTED,
    DEBATES,
    TURN_REQUESTED,
    Draft,
    Entry,
)
from helix_lab.jobs.contexts import ContextMaker, Wanted
from helix_lab.jobs.debate_record import TURN_ENDS, find_outcome, key_of, to_turn
from helix_lab.jobs.debate_request import draft_start, read_plan, topic_id
from helix_lab.jobs.runner import JobKind, RunContext
from helix_lab.ports.chat import (
    DEFAULT_WINDOW_TOKENS,
    ChatMessage,
    ChatProvider,
    ChatRequest,
    Reply,
)
from helix_lab.ports.event_log import EventLog
from helix_lab.record import drafts
from helix_lab.record.writer import Writer

CANCELLED = "cancelled"
LOGGER = logging.getLogger(__name__)
_CALLS_AT_ONCE = 8
_HISTORY_SHARE = 0.4
"""Of the smallest window: the answers of the others need room as well."""

_MAX_REASON_CHARS = 10_000


def make_debate_kind(
    writer: Writer,
    log: EventLog,
    providers: Mapping[str, ChatProvider],
    contexts: ContextMaker,
) -> JobKind:
    """The job that plays a debate with these providers."""

    def run(context: RunContext) -> Mapping[str, Any]:
        debate = _Debate(context, writer, log, providers, contexts)
        return debate.play()

    return JobKind("debate", run)


class _Debate:
    """One execution, from whatever is recorded of the debate to its end."""

    def __init__(
        self,
        context: RunContext,
        writer: Writer,
        log: EventLog,
        providers: Mapping[str, ChatProvider],
        contexts: ContextMaker,
    ) -> None:
        self._context = context
        self._writer = writer
        self._log = log
        self._providers = providers
        self._contexts = contexts
        self._plan = read_plan(context.request)
        self._turns: list[Turn] = []

    def play(self) -> Mapping[str, Any]:
        self._writer.record(draft_start(self._context.request))
        entries = self._read_entries()
        if outcome := find_outcome(entries):
            # The process ended between the last fact and the end of the run.
            if outcome == CANCELLED:
                raise RunCancelled(f"debate {self._plan.debate_id} was cancelled")  # noqa: EM102
            return {"debate_id": self._plan.debate_id, "outcome": outcome}
        history = self._take_up(entries)
        try:
            while isinstance(step := self._next_step(history), NextTurns):
                self._context.check()
                self._context.report(min(0.99, len(self._turns) / _expected_turns(self._plan)))
                # A turn counts as asked once it is recorded, so only what can be called now is.
                self._ask_all(step.requests[:_CALLS_AT_ONCE])
        except RunCancelled:
            # A closing lab is no cancel: then the debate goes on when it opens again.
            self._context.check_closing()
            self._record_end(CANCELLED, None)
            raise
        self._record_end(step.outcome, step)
        return {"debate_id": self._plan.debate_id, "outcome": step.outcome}

    def _next_step(self, history: Sequence[tuple[str, str]]) -> NextTurns | Verdict:
        return next_step(self._plan, self._turns, history, history_tokens=self._history_tokens)

    def _read_entries(self) -> list[Entry]:
        return [
            entry
            for entry in self._log.read_key(DEBATES, self._plan.conversation_id)
            if entry.event.subject == self._plan.debate_id
        ]

    def _take_up(self, entries: Sequence[Entry]) -> list[tuple[str, str]]:
        """Go on from what is recorded of the debate; returns what was said before it."""
        started = next(e for e in entries if e.event.type == DEBATE_STARTED.name)
        ended = {key_of(e): e for e in entries if e.event.type in TURN_ENDS}
        self._turns = [to_turn(entry) for entry in ended.values()]
        for entry in entries:
            if entry.event.type == TURN_REQUESTED.name and key_of(entry) not in ended:
                self._record_interruption(entry)
        return self._read_history(started)

    def _read_history(self, started: Entry) -> list[tuple[str, str]]:
        """What was said before: word for word where it fits, else compressed to what fits."""

        def is_before(entry: Entry) -> bool:
            is_topic = entry.event.subject == topic_id(self._plan)
            return entry.event.clock < started.event.clock and not is_topic

        reading = self._contexts.readings.read_part(self._plan.conversation_id, is_before)
        whole = [(message.role, message.content) for message in reading.history.messages]
        known = self._read_known()
        left_tokens = self._history_tokens - sum(count_tokens(text) for _, text in known)
        if reading.model_tokens <= left_tokens:
            return [*whole, *known]
        wanted = Wanted("debate", max_tokens=max(1, left_tokens), fills_budget=True)
        try:
            made = self._contexts.make(reading, wanted, should_stop=self._context.should_stop)
        except BudgetTooSmall:
            return known
        return [(DIGEST, made.compressed.render()), *known]

    def _read_known(self) -> list[tuple[str, str]]:
        """What else is known, as it was gathered when the debate began: it stays the same."""
        known = read_additions(self._context.request).render()
        return [(KNOWN, known)] if known else []

    @property
    def _history_tokens(self) -> int:
        """What a prompt may have of the conversation: a share of the smallest window."""
        names = {seat.provider for seat in (*self._plan.seats, self._plan.judge) if seat}
        windows = [p.context_window_tokens for n, p in self._providers.items() if n in names]
        return int(min(windows, default=DEFAULT_WINDOW_TOKENS) * _HISTORY_SHARE)

    def _record_interruption(self, entry: Entry) -> None:
        message = "the process ended while the provider was asked; the turn is not asked again"
        turn = {name: entry.event.data[name] for name in _TURN_FIELDS}
        self._writer.record(
            [
                drafts.fail_turn(
                    self._plan.debate_id,
                    **cast("drafts.Turn", turn),
                    error_code="INTERRUPTED",
                    error_message=message,
                )
            ]
        )
        round_number, role, seat = key_of(entry)
        self._turns.append(
            Turn(round_number, cast("Any", role), seat, is_failed=True, error=message)
        )

    def _ask_all(self, requests: Sequence[TurnRequest]) -> None:
        self._writer.record(
            [drafts.request_turn(self._plan.debate_id, **self._describe(r)) for r in requests]
        )
        with ThreadPoolExecutor(len(requests)) as pool:
            futures = [pool.submit(self._ask, request) for request in requests]
        self._turns.extend(future.result() for future in futures)

    def _ask(self, request: TurnRequest) -> Turn:
        try:
            reply = self._find_provider(request.seat.provider).complete(
                self._to_chat(request), should_stop=self._context.should_stop
            )
        except RunCancelled:
            raise
        except HelixError as error:
            return self._record_failure(request, error)
        except Exception as error:
            # A fault of one provider's program must not end the debate of the others.
            LOGGER.exception("provider %s failed unexpectedly", request.seat.provider)
            return self._record_failure(request, HelixError(f"{type(error).__name__}: {error}"))
        try:
            return self._record_answer(request, reply)
        except InvalidEvent as error:
            # Too long, or with characters that no store can keep.
            return self._record_failure(request, error)

    def _find_provider(self, name: str) -> ChatProvider:
        if name not in self._providers:
            message = f"no provider {name!r}; configured: {', '.join(self._providers)}"
            raise UnknownProvider(message, field="provider")
        return self._providers[name]

    def _to_chat(self, request: TurnRequest) -> ChatRequest:
        return ChatRequest(
            messages=[ChatMessage(role, content) for role, content in request.messages],
            model=request.seat.model,
            task=request.role,
            key=request.key,
            options=request.options,
            seed=self._plan.seed,
            timeout_s=self._context.request["turn_timeout_s"],
        )

    def _record_answer(self, request: TurnRequest, reply: Reply) -> Turn:
        turn = read_turn(request, reply.text)
        self._writer.record(
            [
                drafts.answer_turn(
                    self._plan.debate_id,
                    **self._describe(request),
                    text=reply.text,
                    confidence=turn.confidence,
                    choice=turn.choice,
                    response_time_ms=reply.response_time_ms,
                    ttft_ms=reply.ttft_ms,
                    input_tokens=reply.input_tokens,
                    output_tokens=reply.output_tokens,
                    cost_usd=reply.cost_usd,
                    finish_reason=reply.finish_reason,
                )
            ]
        )
        return turn

    def _record_failure(self, request: TurnRequest, error: HelixError) -> Turn:
        message = _to_storable(error.message)[:_MAX_REASON_CHARS]
        self._writer.record(
            [
                drafts.fail_turn(
                    self._plan.debate_id,
                    **self._describe(request),
                    error_code=error.code,
                    error_message=message,
                )
            ]
        )
        return make_failed_turn(request, message)

    def _describe(self, request: TurnRequest) -> drafts.Turn:
        return {
            "conversation_id": self._plan.conversation_id,
            "round": request.round,
            "role": request.role,
            "seat": request.seat.seat,
            "position": request.seat.position,
            "provider": request.seat.provider,
            "model": request.seat.model,
        }

    def _record_end(self, outcome: str, verdict: Verdict | None) -> None:
        plan = self._plan
        now = datetime.now(UTC)
        started_at = datetime.fromisoformat(self._context.request["started_at"])
        answer = _draft_answer(plan, verdict, now)
        end = drafts.complete_debate(
            plan.debate_id,
            conversation_id=plan.conversation_id,
            outcome=outcome,
            winner=asdict(verdict.winner) if verdict and verdict.winner else None,
            confidence=verdict.confidence if verdict else None,
            total_rounds=verdict.total_rounds if verdict else 0,
            verdict=verdict.text if verdict else None,
            reason=verdict.reason if verdict else "cancelled on request",
            duration_ms=max(0.0, (now - started_at).total_seconds() * 1000),
            votes=dict(verdict.votes) if verdict else None,
            metadata=dict(verdict.metadata) if verdict and verdict.metadata else None,
        )
        self._writer.record([*answer, end])


_TURN_FIELDS = ("conversation_id", "round", "role", "seat", "position", "provider", "model")


def _draft_answer(plan: DebatePlan, verdict: Verdict | None, now: datetime) -> list[Draft]:
    """The verdict as a message of the conversation, so that the conversation goes on from it."""
    if verdict is None or verdict.text is None:
        return []
    winner = verdict.winner
    return [
        drafts.add_message(
            plan.conversation_id,
            f"{plan.debate_id}/verdict",
            role="assistant",
            content=verdict.text,
            provider=winner.provider if winner else None,
            model=winner.model if winner else None,
            created_at=now,
        )
    ]


def _to_storable(text: str) -> str:
    """A text without what a log refuses; a provider's server may say anything."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _expected_turns(plan: DebatePlan) -> int:
    judged = plan.rounds if plan.judge else len(plan.seats)
    return plan.rounds * len(plan.seats) + judged
