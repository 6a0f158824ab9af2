"""Neo4j Community, from its jars; a process of its own, since its licence is the GPL."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from helix_lab.stack.fetching import fetch_jars, find_java
from helix_lab.stack.ports import LOOPBACK, ask
from helix_lab.stack.service import Program, Service

VERSION = "5.26.30"
JAVA = 17
USER = "neo4j"
_CACHE = f"neo4j-{VERSION}"
_BOLT_MAGIC = bytes.fromhex("6060b017")
_BOLT_VERSIONS = bytes.fromhex("00000405" + "00000005" + "00000004" + "00000000")
_PACKAGES = ("nio", "io", "util.concurrent")
_JVM = [
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _PACKAGES),
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
]
_SETTINGS = {
    "server.default_listen_address": LOOPBACK,
    "server.http.enabled": "false",
    "server.https.enabled": "false",
    "server.memory.pagecache.size": "64m",
    "dbms.usage_report.enabled": "false",
    "dbms.security.auth_enabled": "true",
    # A statement of a user reaches neither files nor the network.
    "dbms.security.allow_csv_import_from_file_urls": "false",
    "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
    "db.transaction.timeout": "30s",
    "db.memory.transaction.max": "128m",
    "dbms.memory.transaction.total.max": "256m",
    # Half a gigabyte for an empty database, else.
    "db.tx_log.preallocate": "false",
    "db.tx_log.rotation.size": "16m",
    "internal.dbms.bolt.netty_server_shutdown_quiet_period": 0,
}


class Neo4j(Service):
    """One Neo4j that speaks bolt."""

    name = "neo4j"
    title = "Neo4j"
    secrets = ("password",)

    def fetch(self) -> None:
        """Neo4j and what it needs, by Maven; about 125 MB."""
        find_java(JAVA)
        fetch_jars(self.site, _CACHE, [f"org.neo4j:neo4j:{VERSION}"])

    def configure(self) -> None:
        """Write the settings, and set the password, once."""
        settings = {
            **_SETTINGS,
            "server.bolt.listen_address": f"{LOOPBACK}:{self.port}",
            "server.bolt.advertised_address": f"{LOOPBACK}:{self.port}",
        }
        self._conf.mkdir(parents=True, exist_ok=True)
        lines = [f"{name}={value}\n" for name, value in settings.items()]
        (self._conf / "neo4j.conf").write_text("".join(lines))
        is_set = self.site.folder / "password-is-set"
        if not is_set.exists():
            self._set_password()
            is_set.touch()

    def list_programs(self) -> Sequence[Program]:
        """The server."""
        home = [f"--home-dir={self.site.folder}", f"--config-dir={self._conf}", "--console-mode"]
        return [self._program("neo4j", "org.neo4j.server.CommunityEntryPoint", *home)]

    def is_ready(self) -> bool:
        """Whether it agrees on a version of bolt."""
        answer = ask(self.port, _BOLT_MAGIC + _BOLT_VERSIONS, at_least=4)
        return len(answer) == len(_BOLT_MAGIC) and any(answer)

    def list_variables(self) -> Mapping[str, str]:
        """The guide's variables."""
        return {
            "NEO4J_URI": f"bolt://{LOOPBACK}:{self.port}",
            "NEO4J_USERNAME": USER,
            "NEO4J_PASSWORD": self.site.secrets["password"],
            "NEO4J_DATABASE": "neo4j",
        }

    @property
    def _conf(self) -> Path:
        return self.site.folder / "conf"

    def _set_password(self) -> None:
        # The tool takes it as an argument only; an argument may be a file of arguments.
        path = self.site.folder / "password"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(self.site.secrets["password"])
        words = ["dbms", "set-initial-password", f"@{path}"]
        try:
            self.site.call(self._program("neo4j-setup", "org.neo4j.cli.AdminTool", *words))
        finally:
            path.unlink()

    def _program(self, name: str, main: str, *options: str) -> Program:
        jars = self.site.cache / _CACHE
        command = [find_java(JAVA), *_JVM, "-cp", f"{jars}/*", main, *options]
        home = {"NEO4J_HOME": str(self.site.folder), "NEO4J_CONF": str(self._conf)}
        return Program(name, command, self.site.folder, home)
