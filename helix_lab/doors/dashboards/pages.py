"""The pages by name: each is a function from the lab to what Panel shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from helix_lab.doors.dashboards.context import make_context
from helix_lab.doors.dashboards.costs import make_costs
from helix_lab.doors.dashboards.debates import make_debates
from helix_lab.doors.dashboards.knowledge import make_knowledge
from helix_lab.doors.dashboards.lake import make_lake
from helix_lab.doors.dashboards.learning import make_learning
from helix_lab.doors.dashboards.memory import make_memory
from helix_lab.doors.dashboards.overview import make_overview
from helix_lab.doors.dashboards.providers import make_providers
from helix_lab.doors.dashboards.system import make_system
from helix_lab.doors.dashboards.traces import make_traces
from helix_lab.operations.methods import Methods

if TYPE_CHECKING:
    import panel as pn

MAKERS: dict[str, Callable[[Methods], pn.Column]] = {
    "overview": make_overview,
    "providers": make_providers,
    "context": make_context,
    "debates": make_debates,
    "knowledge": make_knowledge,
    "learning": make_learning,
    "memory": make_memory,
    "lake": make_lake,
    "costs": make_costs,
    "traces": make_traces,
    "system": make_system,
}
