"""The operation that lists the dashboards, and says what is missing to open them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec

from helix_lab.operations.operation import Operation, Request, Response
from helix_lab.operations.services import Services

PREFIX = "helix-dash"
"""The part of the server's address below which the dashboards lie."""

_PACKAGES = ("panel", "jupyter_server_proxy")
_INSTALL = "pip install 'helix-lab[dashboards]', then start the server again"
_PLATFORM = "dashboards need Unix sockets: Linux, macOS, or WSL on Windows"


@dataclass(frozen=True, slots=True)
class Page:
    """A dashboard that ships."""

    name: str
    title: str
    summary: str


PAGES = (
    Page(
        "overview", "Overview", "What is recorded now, how far the stores are, what was said last"
    ),
    Page("providers", "Providers", "How providers answer, how long they take, and who wins"),
    Page("context", "Context", "How far and how well conversations are compressed, by strategy"),
    Page("debates", "Debates", "How debates end, who wins them, and whether the sure ones do"),
    Page("knowledge", "Knowledge", "What was talked about, and how the graph of it grows"),
    Page("learning", "Learning", "What conversations and debates taught, and how sure that is"),
    Page("memory", "Memory", "How nodes stand, and what they wrote side by side"),
    Page("lake", "Jobs and lake", "What is archived, how fresh it is, and the jobs over it"),
    Page("costs", "Costs", "What providers cost over time"),
    Page("traces", "Traces", "What instrumented programs told of their work, span by span"),
    Page("system", "System", "What this lab uses, what it is asked, how fast it answers"),
)


class ListDashboards(Request):
    """Nothing to say."""


class Dashboard(Response):
    """A page that can be opened in a browser."""

    name: str
    title: str
    summary: str
    path: str  # below the base URL of the server; `?theme=dark` makes it dark
    is_available: bool
    how_to: str | None  # what to do where it is not available


class Dashboards(Response):
    """All dashboards, in the order in which a menu shows them."""

    dashboards: list[Dashboard]


def list_dashboards(services: Services, request: ListDashboards) -> Dashboards:  # noqa: ARG001
    """The dashboards, and whether what they need is installed."""
    how_to = explain_absence()
    return Dashboards(
        dashboards=[
            Dashboard(
                name=page.name,
                title=page.title,
                summary=page.summary,
                path=f"{PREFIX}/{page.name}",
                is_available=how_to is None,
                how_to=how_to,
            )
            for page in PAGES
        ]
    )


def explain_absence() -> str | None:
    """What to do so that dashboards can be served here; None where all is in place."""
    if any(find_spec(package) is None for package in _PACKAGES):
        return _INSTALL
    return _PLATFORM if sys.platform == "win32" else None


OPERATIONS = (
    Operation(
        name="list_dashboards",
        summary="List the dashboards, and whether they can be opened",
        method="GET",
        path="/v1/dashboards",
        scope="read",
        request=ListDashboards,
        response=Dashboards,
        run=list_dashboards,
    ),
)
