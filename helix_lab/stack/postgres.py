"""PostgreSQL: the one that is installed, or Debian's, unpacked into the cache."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from helix_lab.domain.model.errors import Unavailable
from helix_lab.stack.fetching import fetch_debian_packages
from helix_lab.stack.ports import LOOPBACK, ask
from helix_lab.stack.service import Account, Program, Service

USER = "helixagent"
DATABASE = "helixagent"
_LEAST = 15
_INSTALLED = Path("/usr/lib/postgresql")
_UNDER_ROOT = ("postgres", "nobody")
# A request for TLS, to which every PostgreSQL that takes connections answers with one letter.
_SSL_REQUEST = bytes([0, 0, 0, 8, 4, 210, 22, 47])


class Postgres(Service):
    """One PostgreSQL with the database `helixagent`."""

    name = "postgres"
    title = "PostgreSQL"
    secrets = ("password",)
    stop_signal = signal.SIGINT  # ends sessions; SIGTERM would wait for them

    def fetch(self) -> None:
        """Look for an installed one; else unpack Debian's."""
        if _find_newest(_INSTALLED) is None:
            fetch_debian_packages(self.site, "postgresql")
        self._find_programs()

    def configure(self) -> None:
        """Make the cluster and its database, once."""
        if self._data.exists():
            return
        if account := self._account:
            os.chown(self.site.folder, account.uid, account.gid)
            _check_way(self.site.folder, account)
        fresh = self.site.folder / "data.part"
        shutil.rmtree(fresh, ignore_errors=True)
        word = self._write("password", self.site.secrets["password"])
        options = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={word}", "--no-sync"]
        options += ["-E", "UTF8", "--locale=C.UTF-8", "-D", str(fresh)]
        self.site.call(self._program("postgres-setup", "initdb", *options))
        word.unlink()
        self._make_database(fresh)
        fresh.rename(self._data)

    def list_programs(self) -> Sequence[Program]:
        """The server; it listens on this machine alone."""
        settings = [f"port={self.port}", f"listen_addresses={LOOPBACK}"]
        settings += [f"unix_socket_directories={self.site.folder}", "max_connections=60"]
        options = [word for setting in settings for word in ("-c", setting)]
        return [self._program("postgres", "postgres", "-D", str(self._data), *options)]

    def is_ready(self) -> bool:
        """Whether it answers; while it starts it closes connections or asks to wait."""
        return ask(self.port, _SSL_REQUEST) in (b"N", b"S") and self._says_ready()

    def list_variables(self) -> Mapping[str, str]:
        """The address of the record store."""
        word = self.site.secrets["password"]
        address = f"{USER}:{word}@{LOOPBACK}:{self.port}/{DATABASE}"
        return {"HELIX_RECORDS_URL": f"postgresql+psycopg://{address}"}

    @property
    def _data(self) -> Path:
        return self.site.folder / "data"

    @property
    def _account(self) -> Account | None:
        """PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return None
        known = {user.pw_name: Account(user.pw_uid, user.pw_gid) for user in pwd.getpwall()}
        return next(known[name] for name in _UNDER_ROOT if name in known)

    def _says_ready(self) -> bool:
        # The last line of the file is its state, as `pg_ctl` reads it.
        try:
            lines = (self._data / "postmaster.pid").read_text().split()
        except OSError:
            return False
        return lines[-1] == "ready"

    def _find_programs(self) -> Path:
        unpacked = self.site.cache / "debian-postgresql/usr/lib/postgresql"
        found = _find_newest(_INSTALLED) or _find_newest(unpacked)
        if found is None:
            message = (
                f"PostgreSQL {_LEAST} or newer is needed; install it: apt-get install postgresql"
            )
            raise Unavailable(message, service=self.name)
        return found

    def _make_database(self, cluster: Path) -> None:
        """By the server itself, without a network or a password."""
        wish = self._write("database.sql", f'CREATE DATABASE "{DATABASE}";\n')
        program = self._find_programs() / "postgres"
        script = f'exec "{program}" --single -F -D "$1" postgres < "$2"'
        command = ["sh", "-c", script, "sh", str(cluster), str(wish)]
        self.site.call(Program("postgres-setup", command, self.site.folder, account=self._account))
        wish.unlink()

    def _write(self, name: str, content: str) -> Path:
        path = self.site.folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        if account := self._account:
            os.chown(path, account.uid, account.gid)
        return path

    def _program(self, name: str, program: str, *options: str) -> Program:
        folder = self._find_programs()
        library = {"LD_LIBRARY_PATH": os.pathsep.join(_list_libraries(folder))}
        command = [str(folder / program), *options]
        variables = {} if folder.is_relative_to(_INSTALLED) else library
        return Program(name, command, self.site.folder, variables, self._account)


def _find_newest(folder: Path) -> Path | None:
    """The programs of the newest version there that is new enough."""
    found = [path.parent.parent for path in folder.glob("*/bin/initdb")]
    versions = {int(path.name): path for path in found if path.name.isdecimal()}
    newest = max(versions, default=0)
    return versions[newest] / "bin" if newest >= _LEAST else None


def _list_libraries(folder: Path) -> list[str]:
    root = folder.parents[4]
    return [str(path) for path in sorted(root.glob("usr/lib/*-linux-gnu"))]


def _check_way(folder: Path, account: Account) -> None:
    """Whether another user can get there.

    Raises:
        Unavailable: a folder on the way is closed to it.
    """
    for step in folder.parents:
        found = step.stat()
        if found.st_uid != account.uid and not found.st_mode & 0o001:
            message = (
                f"PostgreSQL does not run as root, and its user cannot enter {step}; set "
                "HELIX_STACK_DIR to a folder that all can enter, or do not work as root"
            )
            raise Unavailable(message, service="postgres", folder=str(step))
