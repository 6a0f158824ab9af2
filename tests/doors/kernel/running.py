"""A real kernel for tests: run a cell, see what it shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

LIMIT_S = 60.0


@dataclass
class Shown:
    """What a cell showed."""

    error: str | None = None
    error_text: str = ""
    traceback: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    printed: str = ""

    @property
    def text(self) -> str:
        """The one result as text."""
        (result,) = self.results
        text: str = result["text/plain"]
        return text


@dataclass
class RunningKernel:
    """A kernel that runs, and the way to interrupt it."""

    client: BlockingKernelClient
    interrupt: Callable[[], object]

    def run(self, code: str) -> Shown:
        """Run a cell to its end."""
        return self._collect(self.client.execute(code))

    def run_and_interrupt(self, code: str, when: Callable[[], object]) -> tuple[Shown, float]:
        """Run a cell, interrupt it once `when` is true; gives the seconds from there to its end."""
        message_id = self.client.execute(code)
        deadline = time.monotonic() + LIMIT_S
        while not when():
            assert time.monotonic() < deadline
        began_s = time.monotonic()
        self.interrupt()
        return self._collect(message_id), time.monotonic() - began_s

    def complete(self, code: str) -> list[str]:
        """What is offered at the end of the code."""
        self.client.complete(code)
        while True:
            content = self.client.get_shell_msg(timeout=LIMIT_S)["content"]
            if "matches" in content:
                matches: list[str] = content["matches"]
                return matches

    def _collect(self, message_id: str) -> Shown:
        shown = Shown()
        while True:
            message = self.client.get_iopub_msg(timeout=LIMIT_S)
            content = message["content"]
            if message["parent_header"].get("msg_id") != message_id:
                continue
            match message["msg_type"]:
                case "status" if content["execution_state"] == "idle":
                    return shown
                case "execute_result" | "display_data":
                    shown.results.append(content["data"])
                case "update_display_data":
                    shown.updates.append(content["data"])
                case "stream":
                    shown.printed += content["text"]
                case "error":
                    shown.error, shown.error_text = content["ename"], content["evalue"]
                    shown.traceback = "\n".join(content["traceback"])


@contextmanager
def start_kernel(folder: Path, **environment: str) -> Iterator[RunningKernel]:
    """The kernel "Helix Lab" without a server, as papermill and nbval start it."""
    import os

    env = {name: value for name, value in os.environ.items() if not name.startswith("HELIX_")}
    env |= {"HELIX_DATA_DIR": str(folder), "IPYTHONDIR": str(folder.parent / "ipython")}
    manager, client = start_new_kernel(kernel_name="helix-lab", env=env | environment)
    try:
        yield RunningKernel(client, manager.interrupt_kernel)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
