"""Finding the lab: the server that owns it, or the lab itself in this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from helix_lab.data_folder import read_owner
from helix_lab.domain.model.errors import DataFolderInUse
from helix_lab.doors.client import Client
from helix_lab.settings import read_settings

if TYPE_CHECKING:
    from helix_lab.lab import Lab


def connect(
    url: str | None = None, *, token: str | None = None, data_dir: Path | str | None = None
) -> Client | Lab:
    """The lab, wherever it is: the first of these that is known.

    1. `url`.
    2. `HELIX_LAB_URL`, which the kernel "Helix Lab" sets; not where `data_dir` is given.
    3. The server that owns the data folder: `data_dir`, else `HELIX_DATA_DIR`, else the user's own.
    4. The lab itself, opened in this process.

    Args:
        url: of a server.
        token: that it asks for; else `HELIX_LAB_TOKEN`, unless that belongs to another server.
        data_dir: a data folder of this machine.

    Raises:
        DataFolderInUse: a process without a server owns the data folder.
        InvalidRequest: the address or a setting cannot be used.
    """
    env = os.environ
    known_url = url or (None if data_dir else env.get("HELIX_LAB_URL"))
    if known_url:
        return Client(known_url, token or _token_for(known_url, env))
    settings = read_settings(data_dir=data_dir)
    client = _find_owner(settings.data_dir, token)
    if client is not None:
        return client
    from helix_lab.lab import open_lab

    try:
        return open_lab(settings=settings)
    except DataFolderInUse:
        # A server may have come between the look and the opening.
        client = _find_owner(settings.data_dir, token)
        if client is None:
            raise
        return client


def _token_for(url: str, env: Mapping[str, str]) -> str | None:
    """The token of the environment, unless it is known to be another server's."""
    named = env.get("HELIX_LAB_URL")
    if named and named.rstrip("/") != url.rstrip("/"):
        return None
    return env.get("HELIX_LAB_TOKEN")


def _find_owner(data_dir: Path, token: str | None) -> Client | None:
    owner = read_owner(data_dir)
    if owner is None or owner.url is None:
        return None
    return Client(owner.url, token or owner.token)
