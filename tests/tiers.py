"""Tests on real services: which are required, and where they run.

`HELIX_TIERS` names the services that must be there, or `all`. A test that needs one which is not
named is skipped and says so; one that is named and does not get ready fails its tests. Each process
of a run starts its own, but those of `SHARED` that run in the stack of `HELIX_TEST_ENV_FILE`, which
`helix-lab stack up` writes. (Not `HELIX_ENV_FILE`: the labs of the tests would use that, too.)
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from helix_lab.doors.cli.stacking import find_cache
from helix_lab.settings import read_env_file
from helix_lab.stack.catalog import SERVICES
from helix_lab.stack.stack import Stack

SHARED = frozenset({"kafka", "postgres", "s3", "spark"})
"""Here each test has a prefix, schema or path of its own; the others are emptied by tests."""

Running = Callable[[str], Mapping[str, str]]

KNOWN = {*SERVICES, "prometheus"}
"""Those of the stack, and programs that a test starts itself."""


def read_tiers() -> set[str]:
    """The services that are required."""
    named = set(filter(None, os.environ.get("HELIX_TIERS", "").replace(",", " ").split()))
    unknown = named - KNOWN - {"all"}
    if unknown:
        message = f"HELIX_TIERS names {unknown}; there are {', '.join(sorted(KNOWN))} and all"
        raise pytest.UsageError(message)
    return KNOWN if "all" in named else named


def check_tiers(item: pytest.Item) -> None:
    """Skip a test that needs a service which is not required in this run."""
    needed = {name for mark in item.iter_markers("services") for name in mark.args}
    missing = ", ".join(sorted(needed - read_tiers()))
    if missing:
        pytest.skip(f"needs {missing}: make test-services, or HELIX_TIERS={missing}")


@pytest.fixture(scope="session")
def running_services() -> Iterator[Running]:
    """Starts a service at its first use and gives the variables by which it is found."""
    with ExitStack() as on_end:
        folder = Path(on_end.enter_context(tempfile.TemporaryDirectory(prefix="helix-stack-")))
        folder.chmod(0o711)  # PostgreSQL may run as another user
        found: dict[str, Mapping[str, str]] = {}

        def run(name: str) -> Mapping[str, str]:
            env_file = os.environ.get("HELIX_TEST_ENV_FILE")
            if env_file and name in SHARED:
                return read_env_file(Path(env_file))
            if name not in found:
                own = Stack(folder / name, find_cache())
                on_end.enter_context(own.hold({name: 1}))
                found[name] = own.read_variables()
            return found[name]

        yield run


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services("postgres"))])
def records_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """None for the embedded record store, and an empty schema on PostgreSQL."""
    if request.param == "sqlite":
        yield None
        return
    running: Running = request.getfixturevalue("running_services")
    server = sa.make_url(running("postgres")["HELIX_RECORDS_URL"])
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f'CREATE SCHEMA "{name}"'))
    own = server.update_query_dict({"options": f"-c search_path={name}"})
    yield own.render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f'DROP SCHEMA "{name}" CASCADE'))
