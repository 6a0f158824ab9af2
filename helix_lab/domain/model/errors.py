"""The error tree: what failed, the value, what is allowed, what to do next.

Every error that a user can meet is a `HelixError`. A class carries two facts that the
doors need and the core never uses: `code`, a stable name for programs, and `kind`, the
family from which a door chooses its own status (an HTTP status, an exit code).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal

_SHOWN_NAME: Final = 100

Kind = Literal[
    "invalid",
    "forbidden",
    "not_found",
    "conflict",
    "gone",
    "stale",
    "too_large",
    "unavailable",
    "cancelled",
    "internal",
]
"""Family of an error; a door maps it to its own status."""


class HelixError(Exception):
    """Root of all errors that Helix Lab raises on purpose.

    Attributes:
        message: one or two sentences for a person.
        details: JSON values for a program, such as the field and the value. Never a secret.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    kind: ClassVar[Kind] = "internal"

    def __init__(self, message: str, /, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = details

    def __str__(self) -> str:
        return self.message


# What a user asked for ------------------------------------------------------------------


class InvalidRequest(HelixError, ValueError):
    """A field is missing, of the wrong type, too long, unknown, or not one of the allowed values.

    `details["field"]` names the field where one is to blame.
    """

    code = "INVALID_REQUEST"
    kind = "invalid"


class InvalidEvent(InvalidRequest):
    """An event does not fit the schema of its type."""

    code = "INVALID_EVENT"


class BudgetTooSmall(InvalidRequest):
    """The history does not fit the token budget; `details["needed_tokens"]` would do."""

    code = "BUDGET_TOO_SMALL"


class TooLarge(HelixError, ValueError):
    """An input is over a stated limit."""

    code = "TOO_LARGE"
    kind = "too_large"


class Unauthorized(HelixError, PermissionError):
    """The caller has no token, a wrong one, or lacks the scope."""

    code = "UNAUTHORIZED"
    kind = "forbidden"


class NotFound(HelixError, LookupError):
    """Nothing of that name is here."""

    code = "NOT_FOUND"
    kind = "not_found"


class UnknownConversation(NotFound):
    """No conversation has this id."""

    code = "CONVERSATION_NOT_FOUND"

    def __init__(self, conversation_id: str) -> None:
        super().__init__(
            f"no conversation {conversation_id!r}; list them with GET /v1/conversations "
            "or `helix-lab conversations list`",
            conversation_id=conversation_id,
        )


class UnknownDebate(NotFound):
    """No debate has this id."""

    code = "DEBATE_NOT_FOUND"

    def __init__(self, debate_id: str) -> None:
        super().__init__(
            f"no debate {debate_id!r}; list them with GET /v1/debates or `helix-lab debates list`",
            debate_id=debate_id,
        )


class UnknownTrace(NotFound):
    """No trace has this id."""

    code = "TRACE_NOT_FOUND"

    def __init__(self, trace_id: str) -> None:
        super().__init__(
            f"no trace {trace_id!r}; list them with GET /v1/traces or `helix-lab traces list`",
            trace_id=trace_id,
        )


class UnknownMemory(NotFound):
    """No memory has this id."""

    code = "MEMORY_NOT_FOUND"

    def __init__(self, memory_id: str) -> None:
        super().__init__(
            f"no memory {memory_id!r}; list them with GET /v1/memory or `helix-lab memory list`",
            memory_id=memory_id,
        )


class MemoryDeleted(HelixError, LookupError):
    """The memory was deleted; `details` tell when, and by which node."""

    code = "MEMORY_DELETED"
    kind = "gone"


class StaleVersion(HelixError, ValueError):
    """The memory has changed since the version that the caller knows; `details` have it."""

    code = "STALE_VERSION"
    kind = "stale"


class UnknownEntity(NotFound):
    """No entity has this id or is called so; `details["nearest"]` has the names most like it."""

    code = "ENTITY_NOT_FOUND"

    def __init__(self, entity: str, nearest: Sequence[str] = ()) -> None:
        shown = entity if len(entity) <= _SHOWN_NAME else entity[:_SHOWN_NAME] + "…"
        like = (
            f"did you mean {', '.join(map(repr, nearest))}?" if nearest else "nothing is like it;"
        )
        super().__init__(
            f"no entity {shown!r} in the graph; {like} search with GET /v1/knowledge/search "
            "or `helix-lab knowledge search`",
            entity=shown,
            nearest=list(nearest),
        )


class UnknownConflict(NotFound):
    """No conflict of memories has this id."""

    code = "CONFLICT_NOT_FOUND"

    def __init__(self, conflict_id: str) -> None:
        super().__init__(
            f"no conflict {conflict_id!r}; list them with GET /v1/memory/conflicts",
            conflict_id=conflict_id,
        )


class UnknownNode(NotFound):
    """No node of this name exchanges memories with this one."""

    code = "NODE_NOT_FOUND"

    def __init__(self, node_id: str) -> None:
        super().__init__(
            f"no node {node_id!r} takes part; list them with GET /v1/memory/sync/peers",
            node_id=node_id,
        )


class UnknownPattern(NotFound):
    """No pattern has this id, or nothing shows it any more."""

    code = "PATTERN_NOT_FOUND"

    def __init__(self, pattern_id: str) -> None:
        super().__init__(
            f"no pattern {pattern_id!r}; GET /v1/learning/patterns/top lists them with their ids",
            pattern_id=pattern_id,
        )


class UnknownUser(NotFound):
    """Nothing in the log is of this user."""

    code = "USER_NOT_FOUND"

    def __init__(self, user: str) -> None:
        super().__init__(
            f"nothing in the log is of the user {user}; ids are compared letter by letter, and "
            "GET /v1/conversations tells that of each conversation",
            user=user,
        )


class UnknownRun(NotFound):
    """No run has this id."""

    code = "RUN_NOT_FOUND"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"no run {run_id!r}; list them with GET /v1/runs or `helix-lab runs list`",
            run_id=run_id,
        )


class UnknownReport(NotFound):
    """No report has this name; the message lists those that there are."""

    code = "REPORT_NOT_FOUND"


class UnknownSchedule(NotFound):
    """No schedule has this id."""

    code = "SCHEDULE_NOT_FOUND"

    def __init__(self, schedule_id: str) -> None:
        super().__init__(
            f"no schedule {schedule_id!r}; list them with GET /v1/schedules "
            "or `helix-lab schedules list`",
            schedule_id=schedule_id,
        )


class UnknownArtifact(NotFound):
    """A run made no file of this name; the message lists those that it made."""

    code = "ARTIFACT_NOT_FOUND"


class UnknownResult(NotFound):
    """No answer is kept by this id, or it is not kept any more."""

    code = "RESULT_NOT_FOUND"

    def __init__(self, result_id: str) -> None:
        super().__init__(
            f"no result {result_id!r} is kept: it was left alone for an hour, newer ones took its "
            "place, or the server was started again; ask the query again",
            result_id=result_id,
        )


class Conflict(HelixError, ValueError):
    """The request contradicts what is recorded."""

    code = "CONFLICT"
    kind = "conflict"


class NodeAlone(Conflict):
    """This node exchanges its memories with no other."""

    code = "NODE_ALONE"


class DuplicateId(Conflict):
    """An id was recorded before with other content. Nothing of the batch was written."""

    code = "DUPLICATE_ID"


class NodeIdInUse(Conflict):
    """Another data folder, or another process, writes memories under the name of this node."""

    code = "NODE_ID_IN_USE"

    def __init__(self, node_id: str) -> None:
        super().__init__(
            f"another node writes memories under the name {node_id!r}; give each node a NODE_ID "
            "of its own, and no two of them a copy of one data folder",
            node_id=node_id,
        )


class NodeRemoved(Conflict):
    """The other nodes declared this one gone."""

    code = "NODE_REMOVED"

    def __init__(self, node_id: str, *, removed_by: str) -> None:
        super().__init__(
            f"node {node_id!r} was removed from the exchange of memories by {removed_by!r}, for "
            "good; start it with a new NODE_ID on the same data folder: what it had not sent is "
            "then written again",
            node_id=node_id,
            removed_by=removed_by,
        )


# Queries --------------------------------------------------------------------------------


class QueryRefused(InvalidRequest):
    """A statement that is not a single read-only query, or that reaches outside the store."""

    code = "QUERY_REFUSED"


class QueryFailed(InvalidRequest):
    """The store could not run the statement: a syntax error, an unknown column, a bad value."""

    code = "ANALYTICS_QUERY_ERROR"


class GraphQueryFailed(QueryFailed):
    """The graph store could not run the statement."""

    code = "KNOWLEDGE_GRAPH_ERROR"


class QueryTimedOut(InvalidRequest):
    """The statement ran longer than its limit and was stopped."""

    code = "QUERY_TIMED_OUT"


class QueryCancelled(HelixError):
    """The caller went away or asked to stop; the statement was stopped."""

    code = "QUERY_CANCELLED"
    kind = "cancelled"


# Jobs -----------------------------------------------------------------------------------


class RunCancelled(HelixError):
    """A run was asked to stop, and stopped."""

    code = "RUN_CANCELLED"
    kind = "cancelled"


class RunInterrupted(HelixError):
    """The process ended before the run did, and the run cannot be taken up; start it again."""

    code = "INTERRUPTED"


class ReportFailed(HelixError):
    """A cell of a report raised, or it printed too much; what it made until then is kept."""

    code = "REPORT_FAILED"


class ReportTimedOut(ReportFailed):
    """A report ran longer than its limit; its kernel was killed."""

    code = "REPORT_TIMED_OUT"


class KernelDied(ReportFailed):
    """The kernel of a report could not start, or ended by itself: often for lack of memory."""

    code = "KERNEL_DIED"


# Services -------------------------------------------------------------------------------


class Unavailable(HelixError, ConnectionError):
    """A service cannot be reached or refuses to work; `details["service"]` names it."""

    code = "SERVICE_UNAVAILABLE"
    kind = "unavailable"


class DamagedFile(HelixError):
    """A file of the lake is cut short, or holds something else than its name says."""

    code = "DATA_LAKE_ERROR"
    kind = "conflict"


class LogWriteFailed(Unavailable):
    """The event log could not make an append durable; nothing of it was written."""

    code = "LOG_WRITE_FAILED"


class DataFolderInUse(Unavailable):
    """Another process owns the data folder; the message names its URL and pid."""

    code = "DATA_FOLDER_IN_USE"

    def __init__(self, folder: str, *, pid: int | None, url: str | None) -> None:
        owner = f"process {pid}" if pid else "another process"
        where = f" at {url}" if url else ""
        super().__init__(
            f"the data folder {folder} is in use by {owner}{where}; use helix_lab.connect() to "
            "work with it, stop that process, or choose another folder by HELIX_DATA_DIR",
            folder=folder,
            pid=pid,
            url=url,
        )


class ServerUnreachable(Unavailable):
    """A Helix Lab server does not answer at its URL."""

    code = "SERVER_UNREACHABLE"


class MissingDriver(HelixError, ImportError):
    """A backend is configured whose client library is missing; the message names the extra."""

    code = "MISSING_DRIVER"
    kind = "unavailable"


# LLM providers --------------------------------------------------------------------------


class ProviderError(Unavailable):
    """An LLM provider gave no usable answer. `is_retryable`: asking again may help."""

    code = "PROVIDER_ERROR"
    is_retryable: ClassVar[bool] = False


class ProviderUnreachable(ProviderError):
    """No connection, a broken stream, or a 5xx answer."""

    code = "PROVIDER_UNREACHABLE"
    is_retryable = True


class ProviderTimedOut(ProviderError):
    """No complete answer within the time limit."""

    code = "PROVIDER_TIMED_OUT"
    is_retryable = True


class ProviderRateLimited(ProviderError):
    """The provider asks to slow down, for `details["retry_after_s"]` where known."""

    code = "PROVIDER_RATE_LIMITED"
    is_retryable = True


class ProviderRefused(ProviderError):
    """A 4xx answer, a content filter, or an answer that is not of the protocol's form."""

    code = "PROVIDER_REFUSED"


class UnknownProvider(InvalidRequest):
    """No provider of this name is configured; the message lists those that are."""

    code = "UNKNOWN_PROVIDER"
