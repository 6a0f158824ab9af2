"""Redis: the one that is installed, or Debian's, unpacked into the cache."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from helix_lab.stack.fetching import fetch_debian_packages
from helix_lab.stack.ports import LOOPBACK, ask
from helix_lab.stack.service import Program, Service


class Redis(Service):
    """One Redis that keeps nothing on the disk: a cache."""

    name = "redis"
    title = "Redis"
    secrets = ("password",)

    def fetch(self) -> None:
        """Look for an installed one; else unpack Debian's."""
        if shutil.which("redis-server") is None:
            fetch_debian_packages(self.site, "redis-server")

    def configure(self) -> None:
        """Write its settings; the password must not be on the command line."""
        lines = [f"bind {LOOPBACK}", f"port {self.port}", 'save ""', "appendonly no"]
        lines += [f"requirepass {self.site.secrets['password']}", "maxmemory 128mb"]
        lines += ["maxmemory-policy allkeys-lru"]
        path = self.site.folder / "redis.conf"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")

    def list_programs(self) -> Sequence[Program]:
        """The server."""
        unpacked = self.site.cache / "debian-redis-server/usr"
        program = shutil.which("redis-server") or str(unpacked / "bin/redis-server")
        libraries = [str(path) for path in sorted(unpacked.glob("lib/*-linux-gnu"))]
        variables = {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}
        command = [program, str(Path(self.site.folder, "redis.conf"))]
        return [Program("redis", command, self.site.folder, variables)]

    def is_ready(self) -> bool:
        """Whether it answers a ping, with the password."""
        word = self.site.secrets["password"]
        request = f"AUTH {word}\r\nPING\r\n".encode()
        expected = b"+OK\r\n+PONG\r\n"
        return expected == ask(self.port, request, at_least=len(expected))

    def list_variables(self) -> Mapping[str, str]:
        """The guide's variables."""
        return {
            "REDIS_HOST": LOOPBACK,
            "REDIS_PORT": str(self.port),
            "REDIS_PASSWORD": self.site.secrets["password"],
        }
