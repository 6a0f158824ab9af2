"""What a service is: how it is fetched, configured, started, found ready, and stopped."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the system other than the one who runs the stack."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """One process of a service.

    Attributes:
        name: of its log; `kafka-2` for the second of three.
        command: program and arguments, never with a secret: others can see them.
        folder: where it runs.
        variables: added to the environment.
        account: as whom it runs; None for the user of the stack.
        is_spare: the service goes on where this process has ended.
    """

    name: str
    command: Sequence[str]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    is_spare: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """What the stack gives to a service.

    Attributes:
        cache: folder of downloads, shared by all stacks of this user.
        folder: of this service in this stack, with its data; there when `configure` is called.
        ports: by the names of `Service.ports`; the same at every start where they are free.
        secrets: by the names of `Service.secrets`; made once for a stack.
        call: runs a program that ends by itself, such as a download; raises if it fails.
        nodes: how many processes the service is spread over, where it can be.
    """

    cache: Path
    folder: Path
    ports: Mapping[str, int]
    secrets: Mapping[str, str]
    call: Callable[[Program], None]
    nodes: int = 1


class Service(ABC):
    """One service of the stack. An instance is made for a site and keeps no other state."""

    name: ClassVar[str]
    title: ClassVar[str]
    secrets: ClassVar[Sequence[str]] = ()
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_patience_s: ClassVar[float] = 20.0
    most_nodes: ClassVar[int] = 1

    def __init__(self, site: Site) -> None:
        self.site = site

    @classmethod
    def list_ports(cls, nodes: int) -> Sequence[str]:  # noqa: ARG003 - for those that spread
        """The names of the ports that it needs."""
        return ("port",)

    @abstractmethod
    def fetch(self) -> None:
        """Bring the programs into the cache; quick where they are there.

        Raises:
            Unavailable: a tool is missing or a download failed; the message says what to do.
        """

    @abstractmethod
    def configure(self) -> None:
        """Write the configuration, and make the data folder where there is none yet."""

    @abstractmethod
    def list_programs(self) -> Sequence[Program]:
        """The processes that make up the service."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers its clients."""

    @abstractmethod
    def list_variables(self) -> Mapping[str, str]:
        """The environment variables by which Helix Lab finds it."""

    @property
    def port(self) -> int:
        """The only port, or the first."""
        return self.site.ports["port"]
