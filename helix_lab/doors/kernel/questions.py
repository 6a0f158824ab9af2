"""The questions that `%hx` answers, one row each; a new capability adds its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.doors.kernel.listing import Listing
from helix_lab.doors.timeline import COLUMNS, list_spans, sum_up

_READABLE = 2_000


@dataclass(frozen=True, slots=True)
class Question:
    """One word of `%hx`.

    Attributes:
        word: what is typed.
        argument: what may follow it, as the help shows it; in brackets where it may be left out.
        shows: what the answer is.
        ask: from the lab and the argument, empty if left out, to the answer.
    """

    word: str
    argument: str
    shows: str
    ask: Callable[[Any, str], Listing]


def answer(lab: Any, line: str) -> Listing:
    """The answer to a line of `%hx`; without a word, what can be asked.

    Raises:
        InvalidRequest: the word is unknown, or what follows it does not belong to it.
    """
    word, _, argument = line.strip().partition(" ")
    if word in {"", "help"}:
        return describe_questions()
    question = _find(word)
    argument = argument.strip()
    if argument and not question.argument:
        _refuse(line, f"nothing follows {word!r}")
    if not argument and question.argument and not question.argument.startswith("["):
        _refuse(line, f"{word!r} needs {question.argument}")
    return question.ask(lab, argument)


def describe_questions() -> Listing:
    """Every word, and what it shows."""
    rows = [
        (f"%hx {question.word} {question.argument}".rstrip(), question.shows)
        for question in QUESTIONS
    ]
    return Listing(
        ("ask", "to see"), rows, "hx.<Tab> lists all that the lab can do; %%sql asks in SQL"
    )


def list_words() -> list[str]:
    """The words that may follow `%hx`."""
    return [question.word for question in QUESTIONS]


def _find(word: str) -> Question:
    for question in QUESTIONS:
        if question.word == word:
            return question
    message = f"%hx {word}: there is no such question; allowed: {', '.join(list_words())}"
    raise InvalidRequest(message, field="line")


def _refuse(line: str, problem: str) -> NoReturn:
    message = f"%hx {line.strip()}: {problem}; %hx alone lists what can be asked"
    raise InvalidRequest(message, field="line")


def _read_count(line: str, text: str, *, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or not text.isascii() or int(text) < 1:
        _refuse(f"{line} {text}", f"{text!r} is not a whole number above 0")
    return int(text)


def _list(things: Iterable[Any], fields: Sequence[str], note: str = "") -> Listing:
    """One row a thing, with these fields of it; times to the second."""
    return Listing(
        fields, [[_flatten(getattr(thing, field)) for field in fields] for thing in things], note
    )


def _flatten(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if hasattr(value, "seat"):
        return f"{value.provider} ({value.seat})"
    return value


def _say_more(page: Any, call: str) -> str:
    return f"there are more: {call}" if page.next_cursor else ""


def _ask_status(lab: Any, _: str) -> Listing:
    health, info = lab.get_health(), lab.get_info()
    rows: list[tuple[str, str, str]] = [
        (f"service {name}", state, info.backends.get(name, ""))
        for name, state in health.services.items()
    ]
    for store, lag in info.projection_lag.items():
        state = "level with the log" if lag == 0 else f"{lag:,} events behind the log"
        rows.append((f"store {store}", state, info.projection_faults.get(store, "")))
    note = f"{health.status} · version {info.version} · node {info.node_id}"
    return Listing(("what", "state", "detail"), rows, note)


def _ask_conversations(lab: Any, text: str) -> Listing:
    page = lab.list_conversations(limit=_read_count("conversations", text, default=10))
    fields = ("conversation_id", "title", "updated_at", "message_count", "total_tokens")
    return _list(page.conversations, fields, _say_more(page, "hx.list_conversations"))


def _ask_providers(lab: Any, window: str) -> Listing:
    measured = lab.get_provider_performance(window=window or "all")
    fields = (
        *("provider", "model", "total_requests", "success_rate", "avg_response_time_ms"),
        *("total_tokens", "total_cost_usd", "debates", "wins", "win_rate"),
    )
    return _list(measured.providers, fields, f"window: {measured.window}")


def _ask_debates(lab: Any, text: str) -> Listing:
    page = lab.list_debates(limit=_read_count("debates", text, default=10))
    fields = ("debate_id", "topic", "status", "outcome", "winner", "confidence", "started_at")
    return _list(page.debates, fields, _say_more(page, "hx.list_debates"))


def _ask_memory(lab: Any, words: str) -> Listing:
    page = lab.list_memories(q=words or None, limit=10)
    in_conflict = lab.get_sync_status().memories_in_conflict
    notes = [
        _say_more(page, "hx.list_memories"),
        f"{in_conflict:,} in conflict: %hx conflicts" if in_conflict else "",
    ]
    fields = ("memory_id", "type", "importance", "has_conflict", "updated_at", "content")
    listing = _list(page.memories, fields, " · ".join(filter(None, notes)))
    return replace(listing, cell_width=_READABLE)


def _ask_conflicts(lab: Any, text: str) -> Listing:
    limit = _read_count("conflicts", text, default=10)
    page = lab.list_memory_conflicts(state="open", limit=limit)
    rows = [row for conflict in page.conflicts for row in _list_sides(conflict)]
    more = _say_more(page, "hx.list_memory_conflicts")
    notes = [more, 'hx.resolve_memory_conflict("…", "choose", node_id="…") ends one']
    fields = ("conflict_id", "memory_id", "field", "node", "wrote")
    return Listing(fields, rows, " · ".join(filter(None, notes)), _READABLE)


def _list_sides(conflict: Any) -> list[tuple[Any, ...]]:
    """All values, one row each; where a delete stands against an edit, what each node did too."""
    sides: list[tuple[Any, ...]] = []
    if conflict.conflict_type == "concurrent_delete":
        sides = [("action", node.id, node.action) for node in conflict.nodes]
    for name, values in conflict.values.items():
        sides += [(name, value.node_id, value.value) for value in values]
    return [(conflict.conflict_id, conflict.memory_id, *side) for side in sides]


def _ask_traces(lab: Any, text: str) -> Listing:
    page = lab.list_traces(limit=_read_count("traces", text, default=10))
    fields = (
        *("trace_id", "name", "service", "started_at", "duration_ms", "span_count"),
        *("request_count", "input_tokens", "output_tokens", "cost_usd", "error_count"),
    )
    return _list(page.traces, fields, _say_more(page, "hx.list_traces"))


def _ask_trace(lab: Any, trace_id: str) -> Listing:
    trace = lab.get_trace(trace_id)
    return Listing(COLUMNS, list_spans(trace), sum_up(trace))


def _ask_runs(lab: Any, text: str) -> Listing:
    page = lab.list_runs(limit=_read_count("runs", text, default=10))
    fields = ("run_id", "kind", "state", "progress", "created_at", "ended_at")
    return _list(page.runs, fields, _say_more(page, "hx.list_runs"))


def _ask_reports(lab: Any, _: str) -> Listing:
    fields = ("name", "question", "origin", "problem")
    return _list(lab.list_reports().reports, fields, 'hx.run_report("…") runs one')


def _ask_dashboards(lab: Any, _: str) -> Listing:
    return _list(lab.list_dashboards().dashboards, ("name", "summary", "path", "how_to"))


def _ask_learned(lab: Any, user_id: str) -> Listing:
    """Patterns of all users together, or of one, with the span that their share lies in."""
    patterns = lab.list_top_patterns(user_id=user_id or None, min_frequency=1, limit=20).patterns
    rows = [
        (
            *(one.pattern_id, one.pattern_type, one.description, one.frequency),
            f"{one.confidence:.2f}",
            "{:.2f} to {:.2f}".format(*one.interval),
        )
        for one in patterns
    ]
    fields = ("pattern_id", "type", "description", "frequency", "confidence", "95 %")
    note = 'hx.get_pattern("…") shows the messages; hx.review_pattern("…", "confirm") or "mute"'
    return Listing(fields, rows, note, _READABLE)


def _ask_tables(lab: Any, _: str) -> Listing:
    tables: dict[str, list[str]] = {}
    for column in lab.list_catalog().columns:
        tables.setdefault(column.table, []).append(column.column)
    rows = [(name, ", ".join(columns)) for name, columns in tables.items()]
    return Listing(("table", "columns"), rows, "%%sql asks them", _READABLE)


def _ask_replay(lab: Any, conversation_id: str) -> Listing:
    replayed = lab.replay(conversation_id)
    rows = [
        (_flatten(message.timestamp), message.role, message.content)
        for message in replayed.messages
    ]
    note = f"{replayed.stats.total_tokens:,} tokens · hx.replay(…) gives all of it"
    return Listing(("at", "role", "content"), rows, note, _READABLE)


QUESTIONS = (
    Question("status", "", "health, backends, and how far the stores are", _ask_status),
    Question("conversations", "[N]", "the newest conversations", _ask_conversations),
    Question("replay", "ID", "what was said in a conversation", _ask_replay),
    Question("providers", "[WINDOW]", "speed, cost and wins; 1h 24h 7d 30d all", _ask_providers),
    Question("debates", "[N]", "the newest debates and who won", _ask_debates),
    Question("memory", "[WORDS]", "memories that hold these words, or the latest", _ask_memory),
    Question("conflicts", "[N]", "what was written to memories side by side", _ask_conflicts),
    Question("learned", "[USER]", "patterns seen most, of all users or of one", _ask_learned),
    Question("traces", "[N]", "the newest traces of instrumented programs", _ask_traces),
    Question("trace", "ID", "the spans of a trace: timing, tokens, errors", _ask_trace),
    Question("runs", "[N]", "the newest runs and their states", _ask_runs),
    Question("reports", "", "the reports that can be run", _ask_reports),
    Question("dashboards", "", "the dashboards, and how to open them", _ask_dashboards),
    Question("tables", "", "what %%sql can ask", _ask_tables),
)
