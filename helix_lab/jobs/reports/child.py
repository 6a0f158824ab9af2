"""The process that runs one report: papermill and a kernel, watched over two pipes.

It reads a plan as one line of JSON from its input, and writes an event a line to its output.
When its input ends, its parent is gone: then it kills the kernel and leaves.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from helix_lab.jobs.reports.processes import kill_descendants
from helix_lab.jobs.reports.redaction import Redactor

_START_TIMEOUT_S = 60
_PARAMETER_TAGS = {"parameters", "injected-parameters"}
_ENGINE = "helix-lab"


class Execution:
    """One report, from its plan to its last event."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._plan = plan
        self._printed_bytes = 0
        self._redactor = Redactor([*plan["secrets"].values(), *plan["hidden"]])
        # What else writes to the output of this process must not meet the events.
        self._events = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def run(self) -> None:
        """Run the notebook and tell how it ended."""
        try:
            execute_notebook(
                _literal(self._plan["notebook"]),
                _literal(self._plan["output"]),
                parameters=self._plan["parameters"],
                engine_name=_ENGINE,
                kernel_name=self._plan["kernel"],
                progress_bar=False,
                start_timeout=_START_TIMEOUT_S,
                cwd=self._plan["folder"],
                execution=self,
            )
        except PapermillExecutionError as error:
            self._fail("REPORT_FAILED", f"cell {error.cell_index + 1} raised {_name(error)}")
        except DeadKernelError:
            message = "the kernel ended by itself; for lack of memory, as a rule"
            self._fail("KERNEL_DIED", message)
        except RuntimeError as error:
            self._fail("KERNEL_DIED", f"the kernel did not start: {error}")
        else:
            self.tell(is_done=True)

    def tell(self, **event: Any) -> None:
        """Write an event; a parent that is gone is noticed elsewhere."""
        with contextlib.suppress(OSError):
            self._events.write(json.dumps(self._redactor.clean(event)) + "\n")
            self._events.flush()

    def _fail(self, code: str, message: str) -> None:
        self.tell(failure={"code": code, "message": message[:2000]})

    def attach(self, manager: Any) -> None:
        """Clean the notebook before each save, and tell each cell that is done."""
        save, complete = manager.save, manager.cell_complete
        cells = [index for index, cell in enumerate(manager.nb.cells) if cell.cell_type == "code"]

        def save_cleaned(**kwargs: Any) -> None:
            self._redactor.clean_outputs(manager.nb)
            save(**kwargs)

        def complete_and_tell(cell: Any, cell_index: int, **kwargs: Any) -> None:
            complete(cell, cell_index=cell_index, **kwargs)
            done = sum(index <= cell_index for index in cells)
            self.tell(cells_done=done, cells=len(cells))

        manager.save, manager.cell_complete = save_cleaned, complete_and_tell

    def count(self, content: Any, manager: Any) -> None:
        """Count what a cell printed; over the limit, save what there was and wait for the end."""
        self._printed_bytes += _measure(content)
        limit = self._plan["max_output_bytes"]
        if self._printed_bytes > limit:
            manager.save()
            message = f"it printed more than {limit / 2**20:.3g} MiB; write large results to files"
            self._fail("REPORT_FAILED", message)
            # The parent kills this process with its kernel.
            threading.Event().wait()

    def secret_code(self) -> str:
        """What sets the secret parameters; it runs unseen and is kept nowhere."""
        return "\n".join(f"{name} = {value!r}" for name, value in self._plan["secrets"].items())


class _Client(PapermillNotebookClient):  # type: ignore[misc] # papermill has no types
    def __init__(self, manager: Any, execution: Execution, **options: Any) -> None:
        super().__init__(manager, **options)
        self._execution = execution
        tagged = [
            index
            for index, cell in enumerate(manager.nb.cells)
            if _PARAMETER_TAGS & set(cell.metadata.get("tags", []))
        ]
        self._last_parameters = max(tagged)

    def execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        done = super().execute_cell(cell, cell_index, **options)
        code = self._execution.secret_code()
        if cell_index == self._last_parameters and code:
            self.wait_for_reply(self.kc.execute(code, silent=True, store_history=False))
        return done

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        self._execution.count(msg.get("content"), self.nb_man)
        return super().process_message(msg, cell, cell_index)


class _Engine(NBClientEngine):  # type: ignore[misc] # papermill has no types
    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, execution: Execution, **options: Any
    ) -> None:
        execution.attach(nb_man)
        client = _Client(
            nb_man,
            execution,
            kernel_name=kernel_name,
            startup_timeout=options["start_timeout"],
            timeout=None,
        )
        client.execute()


def _literal(path: str) -> str:
    """A path that papermill takes as it stands, though it fills in parameters at braces."""
    return path.replace("{", "{{").replace("}", "}}")


def _name(error: PapermillExecutionError) -> str:
    return f"{error.ename}: {error.evalue}"


def _measure(value: Any) -> int:
    """About how many bytes a JSON value takes."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_measure, value.values()))
    return sum(map(_measure, value)) if isinstance(value, list) else 8


def _leave_with_parent() -> None:
    while sys.stdin.readline():
        continue
    kill_descendants(os.getpid())
    os._exit(1)


def main() -> None:
    """Run the report of the plan."""
    plan = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    papermill_engines.register(_ENGINE, _Engine)
    Execution(plan).run()


if __name__ == "__main__":
    main()
