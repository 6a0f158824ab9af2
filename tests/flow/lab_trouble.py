"""Programs that bring a lab of their own process into trouble, and write what they saw as JSON.

    python -m tests.flow.lab_trouble read-only FOLDER
    python -m tests.flow.lab_trouble full FOLDER
    python -m tests.flow.lab_trouble import-and-die FOLDER

`read-only` opens a lab, as nobody where it runs as root. `full` adds messages until no file may
grow further, reads, makes room and adds one more. `import-and-die` imports `FOLDER/copy.jsonl`
as an upload into `FOLDER/lab`, and is killed the moment it has deleted that copy.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from helix_lab.domain.model.errors import HelixError, LogWriteFailed
from helix_lab.lab import Lab
from tests.flow.labs import catch_up, contents, open_at, say, wait_until

NOBODY = 65534
MARGIN_BYTES = 3_000_000


def open_read_only(folder: Path) -> dict[str, Any]:
    """What opening a lab says."""
    if os.geteuid() == 0:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        open_at(folder).close()
    except HelixError as error:
        return {"code": error.code, "message": error.message}
    return {"code": None, "message": "it opened"}


def fill(folder: Path) -> dict[str, Any]:
    """What happens around a full disk."""
    with open_at(folder) as lab:
        lab.start_conversation(conversation_id="c")
        catch_up(lab)
        sizes = [path.stat().st_size for path in folder.iterdir()]
        limit_file_size(max(sizes) + MARGIN_BYTES)
        acknowledged, error = say_until_refused(lab)
        while_full = contents(lab, "c")
        limit_file_size(resource.RLIM_INFINITY)
        lab.append_messages("c", [say("after")])
        wait_until(lambda: not lab.get_info().projection_faults)
        return {
            "acknowledged": acknowledged,
            "code": error.code,
            "message": error.message,
            "while_full": while_full,
            "finally": contents(lab, "c"),
        }


def import_and_die(folder: Path) -> dict[str, Any]:
    """Does not return."""
    copy = folder / "copy.jsonl"
    unlink = Path.unlink

    def unlink_and_die(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        if path == copy:
            os.kill(os.getpid(), signal.SIGKILL)

    with patch.object(Path, "unlink", unlink_and_die), open_at(folder / "lab") as lab:
        lab.start_import(str(copy), is_upload=True)
        wait_until(lambda: False)
    return {}


def say_until_refused(lab: Lab) -> tuple[list[str], LogWriteFailed]:
    """The texts that were acknowledged, and why the next one was not."""
    acknowledged: list[str] = []
    while True:
        text = f"{len(acknowledged)} {'x' * 20_000}"
        try:
            lab.append_messages("c", [say(text)])
        except LogWriteFailed as error:
            return acknowledged, error
        acknowledged.append(text)


def limit_file_size(size_bytes: int) -> None:
    """Let no file of this process grow beyond a size."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


if __name__ == "__main__":
    command, place = sys.argv[1:]
    commands = {"read-only": open_read_only, "full": fill, "import-and-die": import_and_die}
    json.dump(commands[command](Path(place)), sys.stdout)
