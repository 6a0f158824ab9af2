"""One call of the command line: where the lab is, and how to print."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from helix_lab.doors.client import Client
    from helix_lab.lab import Lab
    from helix_lab.operations.operation import Operation

# A process that opened the lab itself must stay until the work that it began is done.
_STAY_S = 300.0


@dataclass(slots=True)
class Session:
    """The global options, and the lab once a command needs it."""

    url: str | None = None
    token: str | None = None
    data_dir: Path | None = None
    is_json: bool = False
    _lab: Client | Lab | None = field(default=None, repr=False)

    @property
    def lab(self) -> Client | Lab:
        """The lab, connected at the first use."""
        if self._lab is None:
            from helix_lab.doors.connection import connect

            self._lab = connect(self.url, token=self.token, data_dir=self.data_dir)
        return self._lab

    @property
    def is_remote(self) -> bool:
        """Whether a server carries the operations out."""
        from helix_lab.doors.client import Client

        return isinstance(self.lab, Client)

    def has_server(self) -> bool:
        """Whether a server is named, or owns the data folder; opens nothing."""
        import os

        from helix_lab.data_folder import read_owner

        if self._lab is not None:
            return self.is_remote
        if self.url or (self.data_dir is None and os.environ.get("HELIX_LAB_URL")):
            return True
        owner = read_owner(self.find_folder())
        return owner is not None and owner.url is not None

    def find_folder(self) -> Path:
        """The data folder in force."""
        from helix_lab.settings import read_settings

        return read_settings(data_dir=self.data_dir).data_dir

    def call(self, operation: Operation, texts: dict[str, Any]) -> BaseModel:
        """Carry out an operation; values may be text as it was typed."""
        from helix_lab.doors.interruptible import run_interruptibly
        from helix_lab.operations.operation import parse_request

        if "wait_s" in operation.request.model_fields and not self.is_remote:
            texts = {"wait_s": _STAY_S, **texts}
        request = parse_request(operation.request, texts, lenient=True)
        values = request.model_dump(exclude_unset=True)
        lab = self.lab
        return run_interruptibly(lambda: lab.call(operation, values))

    def call_by_name(self, name: str, /, **values: Any) -> Any:
        """Carry out the operation of this name."""
        from helix_lab.operations.table import find_operation

        return self.call(find_operation(name), values)

    def close(self) -> None:
        """Let go of the lab."""
        if self._lab is not None:
            self._lab.close()
            self._lab = None
