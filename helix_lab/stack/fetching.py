"""Downloads: by the clients of the package registries, as this machine has them configured.

Every download is one folder of the cache with a list of its files and their SHA-256, made when
it came in. It is compared at every use; a folder that differs is fetched again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from helix_lab.domain.model.errors import Unavailable
from helix_lab.stack.service import Program

if TYPE_CHECKING:
    from helix_lab.stack.service import Site

_MANIFEST = "files.json"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def fetch_jars(
    site: Site,
    name: str,
    artifacts: Sequence[str],
    *,
    alone: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Path:
    """A folder with artifacts of Maven Central and all that they need to run.

    Args:
        site: of the service.
        name: of the folder in the cache; has the version.
        artifacts: as `group:artifact:version`.
        alone: more of them, without what they need.
        without: patterns of the names of files that are not wanted.
    """

    def fill(folder: Path) -> None:
        maven = find_tool("mvn", "Maven", "apt-get install maven")
        pom = folder.parent / f"{folder.name}.pom"
        pom.write_text(_write_pom(artifacts, alone), encoding="utf-8")
        arguments = ["-q", "-B", "--strict-checksums", "-f", str(pom), _COPY]
        arguments += ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        try:
            site.call(Program(f"fetch-{name}", [maven, *arguments], folder))
        finally:
            pom.unlink()
        for unwanted in {path for pattern in without for path in folder.glob(pattern)}:
            unwanted.unlink()

    return keep(site.cache / name, fill)


def fetch_go_program(site: Site, name: str, package: str, *, least_go: tuple[int, int]) -> Path:
    """A folder with a program that Go built from a module, checked by Go's checksum database."""

    def fill(folder: Path) -> None:
        go = _find_go(least_go)
        variables = {"GOBIN": str(folder), "CGO_ENABLED": "0"}
        site.call(Program(f"fetch-{name}", [go, "install", package], folder, variables))

    return keep(site.cache / name, fill)


def fetch_debian_packages(site: Site, package: str) -> Path:
    """A folder with a package of Debian, and those that it needs and this machine lacks.

    They are unpacked, not installed: no root is needed, and nothing of the system changes.
    """

    def fill(folder: Path) -> None:
        for name in _list_missing_packages(package):
            site.call(Program(f"fetch-{package}", ["apt-get", "download", name], folder))
        for archive in list(folder.glob("*.deb")):
            command = ["dpkg-deb", "-x", str(archive), str(folder)]
            site.call(Program(f"fetch-{package}", command, folder))
            archive.unlink()

    return keep(site.cache / f"debian-{package}", fill)


def find_tool(program: str, title: str, remedy: str) -> str:
    """Where a program is.

    Raises:
        Unavailable: it is not on the PATH.
    """
    found = shutil.which(program)
    if found is None:
        message = f"{title} is not here (no `{program}` on the PATH); install it: {remedy}"
        raise Unavailable(message, service="stack", tool=program)
    return found


def find_java(least: int) -> str:
    """Where a Java of at least this version is.

    Raises:
        Unavailable: there is none, or an older one.
    """
    remedy = f"apt-get install openjdk-{least}-jre-headless"
    home = os.environ.get("JAVA_HOME")
    own = Path(home, "bin", "java") if home else None
    java = str(own) if own and own.exists() else find_tool("java", f"Java {least}", remedy)
    # `java -version` writes to stderr: openjdk version "17.0.15" 2025-04-15
    told = _run(java, "-version").stderr
    version = told.partition('"')[2].partition(".")[0].partition('"')[0]
    if not version.isdecimal() or int(version) < least:
        message = f"{java} is Java {version or 'of no known version'}; {least} is needed: {remedy}"
        raise Unavailable(message, service="stack", tool="java")
    return java


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def _find_go(least: tuple[int, int]) -> str:
    wanted = ".".join(map(str, least))
    remedy = f"Go {wanted} or newer from https://go.dev/dl, or apt-get install golang"
    go = find_tool("go", "Go", remedy)
    told = _run(go, "env", "GOVERSION").stdout.strip()
    numbers = told.removeprefix("go").split(".")[:2]
    if all(part.isdecimal() for part in numbers) and tuple(map(int, numbers)) < least:
        message = f"{go} is {told}; install {remedy}"
        raise Unavailable(message, service="stack", tool="go")
    return go


def _list_missing_packages(package: str) -> list[str]:
    """The package and those it needs that are not installed, by apt's own reckoning."""
    apt = find_tool("apt-get", "apt", f"install {package} by your system's package manager")
    told = _run(apt, "install", "--simulate", "--no-install-recommends", package)
    found = [line.split()[1] for line in told.stdout.splitlines() if line.startswith("Inst ")]
    if told.returncode != 0 or not found:
        reason = " ".join(told.stderr.split()) or "apt would install nothing"
        message = f"apt does not know {package} ({reason}); as root: apt-get update"
        raise Unavailable(message, service="stack", tool="apt-get")
    return found


def keep(folder: Path, fill: Callable[[Path], None]) -> Path:
    """The folder, filled if it is not there as it came in."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if _is_whole(folder):
            return folder
        fresh = folder.with_name(f"{folder.name}.part")
        for old in (fresh, folder):
            shutil.rmtree(old, ignore_errors=True)
        fresh.mkdir()
        fill(fresh)
        (fresh / _MANIFEST).write_text(json.dumps(_sum_up(fresh)), encoding="utf-8")
        fresh.rename(folder)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two stacks do not fetch the same at a time; the second finds it done."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_whole(folder: Path) -> bool:
    try:
        expected = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(expected) and expected == _sum_up(folder)


def _sum_up(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by its path in the folder."""
    return {
        str(path.relative_to(folder)): _hash(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.name != _MANIFEST
    }


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_pom(artifacts: Sequence[str], alone: Sequence[str]) -> str:
    everything = "<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>"
    nothing = f"<exclusions>{everything}</exclusions>"
    found = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>"
        "{}</dependency>".format(*artifact.split(":"), nothing if artifact in alone else "")
        for artifact in (*artifacts, *alone)
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>helix-lab</groupId><artifactId>stack</artifactId><version>1</version>"
        f"<packaging>pom</packaging><dependencies>{found}</dependencies></project>"
    )
