"""Chromium for the browser tests and the pictures: found on the PATH, else installed by apt.

`python -m tests.chromium` installs it where that is possible without asking anybody: as root, on a
machine that has `apt-get`. Elsewhere it only says what to do. It never fails: the tests judge.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

HOW = "no Chromium on the PATH: apt-get install chromium fonts-dejavu-core"
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
_APT = ["apt-get", "--quiet", "--yes"]
_LIMIT_S = 600


def find_chromium() -> str | None:
    """Give the path of a Chromium, if the machine has one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def install() -> None:
    """Install Chromium by apt; the package lists are fetched only if it is not in those at hand."""
    packages = ["--no-install-recommends", "chromium", "fonts-dejavu-core"]
    if not _apt("install", *packages):
        _apt("update")
        _apt("install", *packages)


def _apt(*arguments: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        [*_APT, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
        timeout=_LIMIT_S,
    )
    return done.returncode == 0


def main() -> None:
    """Make sure that there is a Chromium, or say why there is none."""
    may_install = shutil.which("apt-get") is not None and os.geteuid() == 0
    if find_chromium() is None and may_install:
        sys.stdout.write("installing Chromium for the browser tests\n")
        install()
    if find_chromium() is None:
        sys.stdout.write(f"{HOW}\n")


if __name__ == "__main__":
    main()
