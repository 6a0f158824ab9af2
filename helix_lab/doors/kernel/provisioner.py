"""Starts kernels that know the Helix Lab server which started them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from helix_lab.doors.server_environment import describe_server

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_EXTENSION = "helix_lab_server"


class HelixLabProvisioner(LocalProvisioner):
    """A local kernel whose environment says where the lab is and how to be let in.

    Without a server of ours, as under papermill and nbclient, the environment stays as it is;
    the kernel then looks for the owner of the data folder, or opens the lab itself.
    """

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Add `HELIX_LAB_URL` and `HELIX_LAB_TOKEN` to the environment of the kernel."""
        launch = await super().pre_launch(**kwargs)
        # Only now: the env of kernel.json is laid over what stood there before.
        server = _find_server(self.parent)
        if server is not None:
            launch["env"] = {**(launch.get("env") or os.environ), **describe_server(server)}
        return launch


def _find_server(ancestor: Any) -> ServerApp | None:
    """The Jupyter server above a kernel manager, if there is one that serves the lab."""
    module = sys.modules.get("jupyter_server.serverapp")
    while module is not None and ancestor is not None:
        if isinstance(ancestor, module.ServerApp):
            return ancestor if _serves_lab(ancestor) else None
        ancestor = getattr(ancestor, "parent", None)
    return None


def _serves_lab(server: ServerApp) -> bool:
    extension = server.extension_manager.extensions.get(_EXTENSION)
    # A socket file has no URL that an HTTP client would understand.
    return extension is not None and bool(extension.enabled) and not server.sock
