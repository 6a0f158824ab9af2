"""The table of operations: all that a user can ask for, in the order of the documentation."""

from __future__ import annotations

from helix_lab.operations import (
    analytics,
    batch_jobs,
    bigdata,
    charts,
    chat,
    compressions,
    context,
    conversations,
    costs,
    dashboards,
    debate_analytics,
    debates,
    entity_analytics,
    imports,
    knowledge,
    knowledge_activity,
    knowledge_merges,
    knowledge_query,
    knowledge_topics,
    lake,
    learning,
    memories,
    memory_conflicts,
    memory_history,
    memory_proposals,
    memory_sync,
    messages,
    prompts,
    recall,
    reports,
    results,
    runs,
    schedules,
    sql,
    suggestions,
    system,
    system_analytics,
    topics,
    traces,
    users,
)
from helix_lab.operations.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *system.OPERATIONS,
    *bigdata.OPERATIONS,
    *conversations.OPERATIONS,
    *messages.OPERATIONS,
    *chat.OPERATIONS,
    *prompts.OPERATIONS,
    *context.OPERATIONS,
    *recall.OPERATIONS,
    *compressions.OPERATIONS,
    *debates.OPERATIONS,
    *memories.OPERATIONS,
    *memory_history.OPERATIONS,
    *memory_proposals.OPERATIONS,
    *knowledge.OPERATIONS,
    *knowledge_activity.OPERATIONS,
    *knowledge_merges.OPERATIONS,
    *knowledge_query.OPERATIONS,
    *knowledge_topics.OPERATIONS,
    *learning.OPERATIONS,
    *suggestions.OPERATIONS,
    *memory_sync.OPERATIONS,
    *memory_conflicts.OPERATIONS,
    *analytics.OPERATIONS,
    *debate_analytics.OPERATIONS,
    *entity_analytics.OPERATIONS,
    *costs.OPERATIONS,
    *traces.OPERATIONS,
    *system_analytics.OPERATIONS,
    *sql.OPERATIONS,
    *topics.OPERATIONS,
    *results.OPERATIONS,
    *charts.OPERATIONS,
    *batch_jobs.OPERATIONS,
    *lake.OPERATIONS,
    *dashboards.OPERATIONS,
    *imports.OPERATIONS,
    *reports.OPERATIONS,
    *schedules.OPERATIONS,
    *runs.OPERATIONS,
    *users.OPERATIONS,
)


def find_operation(name: str) -> Operation:
    """The operation of this name.

    Raises:
        LookupError: there is none.
    """
    for operation in OPERATIONS:
        if operation.name == name:
            return operation
    message = f"no operation {name!r}"
    raise LookupError(message)
