"""Operations on the lab itself: health, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from pydantic import Field

from helix_lab.domain.model.errors import Unavailable
from helix_lab.operations.operation import Operation, Request, Response
from helix_lab.operations.probing import State, ask_all, probe
from helix_lab.operations.services import Services

_NAMES = {"records": "postgresql"}


class Nothing(Request):
    """Nothing to say."""


class Health(Response):
    """Whether the lab works, and each backend; every answer is a fresh, real probe."""

    status: Literal["healthy", "degraded"]
    services: Mapping[str, State]


class Info(Response):
    """What this lab is."""

    name: str
    version: str
    node_id: str
    backends: Mapping[str, str]
    providers: list[str]
    provider_problems: Mapping[str, str] = Field(
        description="why a provider cannot answer, as known without asking it"
    )
    projection_lag: Mapping[str, int]
    projection_faults: Mapping[str, str]


def get_health(services: Services, request: Nothing) -> Health:  # noqa: ARG001
    """Probe every backend, all at the same time, each for two seconds at most."""
    found = {
        name: state or "unreachable"
        for name, state in ask_all(
            {name: partial(probe, service) for name, service in services.backends.items()}
        ).items()
    }
    is_healthy = "unreachable" not in found.values()
    return Health.model_validate(
        {"status": "healthy" if is_healthy else "degraded", "services": found}
    )


def describe_outage(error: Unavailable) -> Health | None:
    """The health of a lab that could not be opened because a service is away; None if not so."""
    name = _NAMES.get(str(error.details.get("service")))
    return Health(status="degraded", services={name: "unreachable"}) if name else None


def get_info(services: Services, request: Nothing) -> Info:  # noqa: ARG001
    """Version, node, backends, providers, and how far the stores are behind the log."""
    return Info(
        name="helix-lab",
        version=services.version,
        node_id=services.node_id,
        backends={name: service.backend for name, service in services.backends.items()},
        providers=list(services.providers),
        provider_problems={
            name: provider.problem
            for name, provider in services.providers.items()
            if provider.problem
        },
        projection_lag=services.projections.measure_lag(),
        projection_faults=services.projections.list_faults(),
    )


OPERATIONS = (
    Operation(
        name="get_health",
        summary="Probe every backend",
        method="GET",
        path="/health",
        scope="public",
        request=Nothing,
        response=Health,
        run=get_health,
    ),
    Operation(
        name="get_info",
        summary="Tell what this lab is",
        method="GET",
        path="/v1/info",
        scope="read",
        request=Nothing,
        response=Info,
        run=get_info,
    ),
)
