"""The kernel that a Helix Lab server starts: connected to that server before its first cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.doors.conftest import ENDLESS_SQL, FAR_BELOW_THE_LIMIT_S
from tests.doors.kernel.running import LIMIT_S, RunningKernel
from tests.server.live import TOKEN, LiveServer, wait_for


@pytest.fixture(scope="module")
def kernel(server: LiveServer) -> Iterator[RunningKernel]:
    with server.client() as http:
        kernel_id = (
            http.post("api/kernels", json={"name": "helix-lab"}).raise_for_status().json()["id"]
        )
        connection_file = server.folder / "runtime" / f"kernel-{kernel_id}.json"
        wait_for(connection_file.exists, "the connection file")
        client = BlockingKernelClient(connection_file=str(connection_file))
        client.load_connection_file()
        client.start_channels()
        client.wait_for_ready(timeout=LIMIT_S)
        yield RunningKernel(client, lambda: http.post(f"api/kernels/{kernel_id}/interrupt"))
        client.stop_channels()
        http.delete(f"api/kernels/{kernel_id}")


def test_the_environment_says_where_the_lab_is(server: LiveServer, kernel: RunningKernel) -> None:
    shown = kernel.run("import os; (os.environ['HELIX_LAB_URL'], os.environ['HELIX_LAB_TOKEN'])")

    assert repr((server.url, TOKEN)) == shown.text


def test_hx_is_connected_to_the_server_that_started_the_kernel(
    server: LiveServer, kernel: RunningKernel
) -> None:
    assert f"<Helix Lab at {server.url}>" == kernel.run("hx").text
    assert "'healthy'" == kernel.run("hx.get_health().status").text


def test_what_a_cell_records_is_seen_by_the_server(
    server: LiveServer, kernel: RunningKernel
) -> None:
    kernel.run("talk = hx.start_conversation(conversation_id='from-a-cell')")

    with server.client() as http:
        assert http.get("v1/conversations/from-a-cell").is_success


def test_an_interrupt_stops_a_query_on_the_server(
    server: LiveServer, kernel: RunningKernel
) -> None:
    engine = psutil.Process(server.process.pid)

    used_s = engine.cpu_times().user

    shown, stopped_after_s = kernel.run_and_interrupt(
        f"%%sql --timeout 120\n{ENDLESS_SQL}",
        when=lambda: engine.cpu_times().user > used_s + 0.5,
    )

    assert ("KeyboardInterrupt", True) == (shown.error, stopped_after_s < FAR_BELOW_THE_LIMIT_S)
    wait_for(lambda: engine.cpu_percent(interval=0.5) < 10, "the stop", limit_s=60)
    assert "1" in kernel.run("%sql SELECT 1 AS a").text


def test_the_token_is_in_nothing_that_a_notebook_keeps(kernel: RunningKernel) -> None:
    cells = ["hx", "repr(hx)", "hx.replay('nobody')", "%sql SELECT nothing", "hx.get_info()"]

    shown = [kernel.run(cell) for cell in cells]

    assert [] == [one for one in shown if TOKEN in str(one)]


def test_the_launcher_offers_the_kernel(server: LiveServer) -> None:
    with server.client() as http:
        specs = http.get("api/kernelspecs").json()["kernelspecs"]

    assert "Helix Lab" == specs["helix-lab"]["spec"]["display_name"]


def test_the_kernel_and_its_provisioner_ship_in_one_distribution() -> None:
    from importlib.metadata import distribution

    files = [Path(str(file)).as_posix() for file in distribution("helix-lab").files or []]
    points = distribution("helix-lab").entry_points.select(
        group="jupyter_client.kernel_provisioners"
    )

    assert any(file.endswith("share/jupyter/kernels/helix-lab/kernel.json") for file in files)
    assert ["helix-lab"] == [point.name for point in points]
