"""JupyterLab in a browser: its start with and without the panel, many runs, a stopped query."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.harness import CannotRunError
from bench.server import serve
from helix_lab import open_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from jupyter_client.blocking.client import BlockingKernelClient
    from playwright.sync_api import Browser, Page

    from bench.harness import Options, Report

_EXTENSION = "@helix-lab/extension"
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
_PANEL_TAB = 'li.lm-TabBar-tab[data-id="helix-lab-panel"]'
_LIMIT_S = 60.0
_LOADS = 3
"""Loads a measurement; its median is taken, for a single load varies much."""

_RUNNING_S = 3.0
_LONG_QUERY = (
    "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE a.range <> b.range"
)

# Scrolls by a third of a screen a frame to the very end, older pages included; all frames in ms.
_SCROLL = """list => new Promise(done => {
  const frames = [];
  let before = performance.now(), still = 0;
  const step = now => {
    frames.push(now - before);
    before = now;
    const top = list.scrollTop;
    list.scrollTop += list.clientHeight / 3;
    still = list.scrollTop === top ? still + 1 : 0;
    still < 60 ? requestAnimationFrame(step) : done(frames);
  };
  requestAnimationFrame(step);
})"""


def run(report: Report, options: Options) -> None:
    """The start of JupyterLab, the scrolling of the runs, Ctrl-C in a cell."""
    with _browse() as browser:
        compare_starts(report, browser)
        measure_scrolling(report, browser, runs=options.size(1_000))
    measure_interrupts(report, options)


def compare_starts(report: Report, browser: Browser) -> None:
    """From the request of the page until JupyterLab is there, with an empty cache."""
    with (
        tempfile.TemporaryDirectory(prefix="helix-bench-") as folder,
        serve(**_without_extension(Path(folder))) as bare,
        serve() as full,
    ):

        def start_full() -> float:
            return _start_s(browser, full, has_panel=True)

        def start_bare() -> float:
            return _start_s(browser, bare, has_panel=False)

        start_full(), start_bare()
        report.compare(
            "JupyterLab starts with the extension, empty cache",
            lambda: median(start_full() for _ in range(_LOADS)),
            baseline="the same with the extension disabled",
            measure_baseline=lambda: median(start_bare() for _ in range(_LOADS)),
            metric="time",
            unit="s",
        )


def measure_scrolling(report: Report, browser: Browser, *, runs: int) -> None:
    """The longest frame while the list of runs is scrolled from the newest to the oldest."""
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as folder:
        _record_runs(Path(folder), runs)
        with serve(HELIX_DATA_DIR=folder) as client:
            found = [_scroll(browser, client) for _ in range(report.options.runs)]
    case = f"scroll through {runs:,} runs in the panel"
    report.add(case, "longest frame", median(max(frames) for frames in found), "ms")
    report.add(case, "median frame", median(median(frames) for frames in found), "ms")


def measure_interrupts(report: Report, options: Options) -> None:
    """From the interrupt of the kernel to its answer, on a query that takes far over a minute."""
    from jupyter_client.manager import start_new_kernel

    with tempfile.TemporaryDirectory(prefix="helix-bench-") as folder:
        manager, client = start_new_kernel(
            kernel_name="helix-lab", env={**_environment(), "HELIX_DATA_DIR": folder}
        )
        try:
            waits = []
            for _ in range(options.runs):
                request = client.execute(f"%%sql --timeout 120\n{_LONG_QUERY}")
                _wait_until_busy(client, request)
                time.sleep(_RUNNING_S)
                start = time.perf_counter()
                manager.interrupt_kernel()
                status = _wait_for_reply(client, request)["status"]
                waits.append(time.perf_counter() - start)
                if status != "error":
                    message = f"the query was not stopped, it ended with {status!r}"
                    raise RuntimeError(message)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    report.add("Ctrl-C in a cell whose query runs over a minute", "time", median(waits), "s")


@contextmanager
def _browse() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if path is None:
        raise CannotRunError("it needs a Chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def _without_extension(folder: Path) -> dict[str, str]:
    """Make a configuration of Jupyter that switches our front end off."""
    page = folder / "labconfig" / "page_config.json"
    page.parent.mkdir()
    page.write_text(json.dumps({"disabledExtensions": {_EXTENSION: True}}), encoding="utf-8")
    return {"JUPYTER_CONFIG_DIR": str(folder)}


@contextmanager
def _open(browser: Browser, client: httpx.Client) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(_LIMIT_S * 1000)
    token = client.headers["Authorization"].removeprefix("token ")
    page = context.new_page()
    page.goto(str(client.base_url.join(f"/lab?token={token}&reset")))
    page.locator("#jp-main-dock-panel .jp-Launcher").wait_for()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    yield page
    context.close()


def _start_s(browser: Browser, client: httpx.Client, *, has_panel: bool) -> float:
    start = time.perf_counter()
    with _open(browser, client) as page:
        elapsed_s = time.perf_counter() - start
        if has_panel != (page.locator(_PANEL_TAB).count() == 1):
            message = f"has_panel should be {has_panel}: what was started is not what is measured"
            raise RuntimeError(message)
    return elapsed_s


def _record_runs(folder: Path, number: int) -> None:
    import sqlalchemy as sa

    from helix_lab.records.tables import RUN

    with (
        open_lab(folder) as lab,
        lab.services.records.write() as connection,
    ):
        connection.execute(sa.insert(RUN), [_make_run(position) for position in range(number)])


def _make_run(number: int) -> dict[str, Any]:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return {
        "run_id": f"run-{number:06}",
        "kind": "rebuild",
        "state": "cancelled",
        "progress": 0.5,
        "request": {"store": "analytics"},
        "artifacts": [],
        "cancel_requested": True,
        "created_at": moment,
        "started_at": moment,
        "ended_at": moment,
    }


def _scroll(browser: Browser, client: httpx.Client) -> list[float]:
    with _open(browser, client) as page:
        page.locator(_PANEL_TAB).click()
        page.locator(".hx-Runs-row").first.wait_for()
        page.wait_for_load_state("networkidle")
        frames: list[float] = page.locator(".hx-Runs-list").evaluate(_SCROLL)
        page.locator('[data-run="run-000000"]').wait_for()
    return frames


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HELIX_")}


def _wait_until_busy(client: BlockingKernelClient, request: str) -> None:
    while True:
        message = client.get_iopub_msg(timeout=_LIMIT_S)
        is_ours = message["parent_header"].get("msg_id") == request
        if is_ours and message["msg_type"] == "execute_input":
            return


def _wait_for_reply(client: BlockingKernelClient, request: str) -> dict[str, Any]:
    while True:
        message = client.get_shell_msg(timeout=_LIMIT_S)
        if message["parent_header"].get("msg_id") == request:
            content: dict[str, Any] = message["content"]
            return content
