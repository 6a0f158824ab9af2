"""ClickHouse's engine as a process of its own: chDB behind HTTP."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from helix_lab.domain.model.errors import Unavailable
from helix_lab.stack.ports import LOOPBACK, ask
from helix_lab.stack.service import Program, Service

USER = "helixagent"
DATABASE = "helixagent"
_SERVER = "helix_lab.stack.chdb_server"


class ClickHouse(Service):
    """One engine with one database and one account; no replicas, no native protocol."""

    name = "clickhouse"
    title = "ClickHouse (chDB)"
    secrets = ("password",)

    def fetch(self) -> None:
        """See that chDB is there: no package index has ClickHouse's own server.

        Raises:
            Unavailable: it is not installed.
        """
        if find_spec("chdb") is None:
            message = (
                'the stack runs ClickHouse by chDB, which is missing: pip install "helix-lab[chdb]"'
            )
            raise Unavailable(message, service=self.name)

    def configure(self) -> None:
        """Make the folder of its data."""
        (self.site.folder / "data").mkdir(parents=True, exist_ok=True)

    def list_programs(self) -> Sequence[Program]:
        """The server; the password goes by the environment, where others cannot see it."""
        command = [sys.executable, "-m", _SERVER, str(self.port), str(self.site.folder / "data")]
        variables = {
            "CLICKHOUSE_USERNAME": USER,
            "CLICKHOUSE_PASSWORD": self.site.secrets["password"],
        }
        return [Program("clickhouse", command, self.site.folder, variables)]

    def is_ready(self) -> bool:
        """Whether it answers a ping."""
        request = f"GET /ping HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode()
        return b"Ok." in ask(self.port, request, at_least=10_000)

    def list_variables(self) -> Mapping[str, str]:
        """The guide's variables."""
        return {
            "CLICKHOUSE_HOST": LOOPBACK,
            "CLICKHOUSE_PORT": str(self.port),
            "CLICKHOUSE_DATABASE": DATABASE,
            "CLICKHOUSE_USERNAME": USER,
            "CLICKHOUSE_PASSWORD": self.site.secrets["password"],
        }
