"""What the provisioner tells a kernel, for the ways in which a server can listen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

from helix_lab.doors.kernel.provisioner import HelixLabProvisioner

MINE = {"jpserver_extensions": {"helix_lab_server": True}}


def launch_below(parent: ServerApp | None, env: dict[str, str]) -> dict[str, str]:
    """The environment of a kernel that is launched below a server."""

    async def launch() -> dict[str, Any]:
        manager = AsyncKernelManager(kernel_name="helix-lab", parent=parent)
        spec = manager.kernel_spec
        provisioner = HelixLabProvisioner(kernel_id="k", kernel_spec=spec, parent=manager)
        try:
            return await provisioner.pre_launch(env=env)
        finally:
            manager.cleanup_connection_file()

    found: dict[str, str] = asyncio.run(launch())["env"]
    return found


def make_server(**options: Any) -> ServerApp:
    server = ServerApp(config=Config({"ServerApp": options}))
    server.init_configurables()
    server.find_server_extensions()
    server.init_server_extensions()
    return server


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({"ip": "127.0.0.1"}, "http://127.0.0.1:7061/"),
        ({"ip": "0.0.0.0"}, "http://127.0.0.1:7061/"),
        ({"ip": ""}, "http://127.0.0.1:7061/"),
        ({"ip": "::"}, "http://[::1]:7061/"),
        ({"ip": "::1"}, "http://[::1]:7061/"),
        ({"ip": "localhost"}, "http://localhost:7061/"),
        ({"base_url": "/user/ana"}, "http://127.0.0.1:7061/user/ana/"),
        ({"certfile": "/a/cert.pem"}, "https://127.0.0.1:7061/"),
    ],
)
def test_the_address_fits_how_the_server_listens(options: dict[str, str], url: str) -> None:
    server = make_server(**{"ip": "127.0.0.1", "port": 7061, "token": "t", **MINE, **options})

    env = launch_below(server, {"KEPT": "yes", "HELIX_LAB_URL": "http://old/"})

    assert {"KEPT": "yes", "HELIX_LAB_URL": url, "HELIX_LAB_TOKEN": "t"} == {
        name: env[name] for name in ("KEPT", "HELIX_LAB_URL", "HELIX_LAB_TOKEN")
    }


def test_a_server_without_the_lab_leaves_the_environment_alone() -> None:
    server = make_server(ip="127.0.0.1", port=7061, jpserver_extensions={"helix_lab_server": False})

    assert {} == {n: v for n, v in launch_below(server, {}).items() if n.startswith("HELIX_LAB")}


def test_without_a_server_the_environment_is_left_alone() -> None:
    assert {} == {n: v for n, v in launch_below(None, {}).items() if n.startswith("HELIX_LAB")}
