"""Makes the pictures of the documentation from a real server and a real browser.

`python -m tests.screenshots` starts an empty lab, runs notebook 01 in JupyterLab, and takes it, the
panel, three dashboards, the page of a report, the conversation viewer and the graph viewer on the
same samples into `docs/images/`. Without Chromium it says so and makes nothing.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect, sync_playwright

from helix_lab.testing.fake_llm import FakeLLM
from tests.chromium import ARGUMENTS, HOW, find_chromium
from tests.server.live import TOKEN, WITH_DASHBOARDS, LiveServer, serve, wait_for

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
NOTEBOOK = "01-first-answers.ipynb"
WIDTH, HEIGHT = 1200, 1130
DASHBOARD_HEIGHT = 1130
LIMIT_MS = 120_000
MAX_BYTES = 300_000
PANEL = "helix-lab-panel"
SLOW_MS = 600_000
REPORT = "provider-performance"
CONVERSATION = "sample-nightly-report"
SEARCHED = "analyze"
ENTITY = "Kubernetes"
SAID = (
    "Docker and Kubernetes run on Linux. Our shop uses Docker with PostgreSQL.",
    "Kubernetes uses Docker images, and Helm belongs to Kubernetes.",
    "PostgreSQL and Redis hold our data; Redis runs in Docker, too.",
    "Ada Lovelace works at Example Corp in Oslo, and Example Corp uses Kubernetes.",
    "Prometheus and Grafana watch Kubernetes; Grafana reads PostgreSQL.",
)

# All cells in the page, so that the last one can be waited for; nothing that blinks or moves.
_SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none", "recordTiming": False},
    "codemirror-extension/plugin": {"defaultConfig": {"cursorBlinkRate": 0}},
}


def take_all(chromium: str) -> None:
    """Make every picture."""
    with tempfile.TemporaryDirectory(prefix="helix-screenshots-") as folder:
        home = Path(folder)
        shutil.copytree(ROOT / "notebooks", home, dirs_exist_ok=True)
        for name, settings in _SETTINGS.items():
            path = home / f"config/lab/user-settings/@jupyterlab/{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(settings), encoding="utf-8")
        with (
            FakeLLM(delay_ms=SLOW_MS) as fake,
            serve(home, WITH_DASHBOARDS, HELIX_PROVIDERS=name_providers(fake)) as server,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            take_notebook(page, server.url)
            take_panel(page, server)
            take_viewer(page)
            take_graph(page, server)
            take_report(page, server)
            take_overview(page, server.url)
            take_providers(page, server.url)
            take_knowledge(page, server.url)
            browser.close()


def name_providers(fake: FakeLLM) -> str:
    """Configure one provider that never answers in time, for a run that goes on."""
    return json.dumps([{"name": "slow", "base_url": fake.base_url, "model": "sage"}])


def take_notebook(page: Page, url: str) -> None:
    """Run notebook 01 and take the part that asks in SQL."""
    page.goto(f"{url}lab/tree/{NOTEBOOK}?token={TOKEN}&reset", timeout=LIMIT_MS)
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=LIMIT_MS)
    page.get_by_role("button", name="Helix Lab", exact=True).wait_for(timeout=LIMIT_MS)
    run_all(page)
    hide_side_bar(page)
    page.keyboard.press("Control+s")
    heading = page.locator(".jp-Notebook .jp-MarkdownCell", has_text="Who wins, and how long")
    heading.evaluate("cell => cell.scrollIntoView({block: 'start'})")
    take(page, "notebook-01.png")


def take_panel(page: Page, server: LiveServer) -> None:
    """Open the panel beside notebook 01, with runs of its debates and one that goes on."""
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.locator(f'li.lm-TabBar-tab[data-id="{PANEL}"]').click()
    panel = page.locator(f"#{PANEL}")
    with server.client() as client:
        for topic in ("Tabs or spaces?", "One repository or many?", "Types or tests first?"):
            start_debate(client, topic, provider="offline", wait_s=30)
        run_id = start_debate(client, "Rewrite or repair?", provider="slow", wait_s=0)
        expect(panel.locator(f'[data-run="{run_id}"]')).to_contain_text("running")
        panel.locator("summary", has_text="message_metrics").click()
        page.locator(".jp-Notebook .jp-CodeCell", has_text="%%sql").first.evaluate(
            "cell => cell.scrollIntoView({block: 'center'})"
        )
        take(page, "panel.png")
        client.post(f"v1/runs/{run_id}/cancel").raise_for_status()


def start_debate(client: httpx.Client, topic: str, *, provider: str, wait_s: int) -> str:
    """Start a debate of one provider with itself, and give its id."""
    seats = [{"provider": provider}] * 2
    asked = {"topic": topic, "participants": seats, "wait_s": wait_s}
    answer = client.post("v1/debates", json=asked).raise_for_status()
    return str(answer.json()["debate_id"])


def take_viewer(page: Page) -> None:
    """Show a conversation at the end of notebook 01, with what was searched in it."""
    page.locator(f'li.lm-TabBar-tab[data-id="{PANEL}"]').click()
    page.set_viewport_size({"width": WIDTH, "height": 620})
    page.locator(".jp-Notebook-footer").click()
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
    page.keyboard.insert_text(f"hx.view({CONVERSATION!r})")
    page.keyboard.press("Control+Enter")
    viewer = page.locator(".hxw")
    expect(viewer).to_be_visible(timeout=LIMIT_MS)
    viewer.get_by_label("Search in this conversation").fill(SEARCHED)
    page.keyboard.press("Enter")
    expect(viewer.locator(".hxw-status")).to_contain_text("match 1", timeout=LIMIT_MS)
    viewer.evaluate("viewer => viewer.scrollIntoView({block: 'end'})")
    take(page, "conversation-viewer.png")


def take_graph(page: Page, server: LiveServer) -> None:
    """Show the graph of what was said around an entity, below the conversation."""
    with server.client() as client:
        client.post("v1/conversations", json={"conversation_id": "boxes"}).raise_for_status()
        messages = [{"role": "user", "content": text} for text in SAID]
        client.post("v1/conversations/boxes/messages", json=messages).raise_for_status()
    page.set_viewport_size({"width": WIDTH, "height": 720})
    page.locator(".jp-Notebook-footer").click()
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
    page.keyboard.insert_text("hx.view_graph()")
    page.keyboard.press("Control+Enter")
    canvas = page.locator("canvas.hxw-graph")
    expect(canvas).to_be_visible(timeout=LIMIT_MS)
    page.get_by_label("Find an entity").fill(ENTITY)
    page.keyboard.press("Enter")
    expect(canvas).to_have_attribute("data-chosen", ENTITY, timeout=LIMIT_MS)
    page.locator(".hxw").last.evaluate("viewer => viewer.scrollIntoView({block: 'end'})")
    take(page, "graph-viewer.png")


def take_report(page: Page, server: LiveServer) -> None:
    """Run the report on providers, and take the page that it made."""
    with server.client() as client:
        asked = {"parameters": {"window": "all"}, "wait_s": 50}
        answer = client.post(f"v1/reports/{REPORT}/runs", json=asked).raise_for_status()
        run_id = answer.json()["run_id"]
        wait_for(
            lambda: client.get(f"v1/runs/{run_id}").json()["state"] == "succeeded",
            "the report",
            limit_s=LIMIT_MS / 1000,
        )
    page.set_viewport_size({"width": WIDTH, "height": DASHBOARD_HEIGHT})
    page.goto(f"{server.url}v1/runs/{run_id}/artifacts/report.html?token={TOKEN}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    take(page, "report.png")


def take_overview(page: Page, url: str) -> None:
    """Take the dashboard Overview."""
    page.goto(f"{url}helix-dash/overview?token={TOKEN}", timeout=LIMIT_MS)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=LIMIT_MS)
    expect(page.locator(".bk-Canvas canvas").first).to_be_visible(timeout=LIMIT_MS)
    page.wait_for_load_state("networkidle")
    take(page, "dashboard-overview.png")


def take_providers(page: Page, url: str) -> None:
    """Take the dashboard Providers, with what notebook 01 has imported."""
    page.set_viewport_size({"width": WIDTH, "height": DASHBOARD_HEIGHT})
    page.goto(f"{url}helix-dash/providers?token={TOKEN}&window=all", timeout=LIMIT_MS)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=LIMIT_MS)
    expect(page.locator(".bk-Canvas canvas").first).to_be_visible(timeout=LIMIT_MS)
    page.wait_for_load_state("networkidle")
    take(page, "dashboard-providers.png")


def take_knowledge(page: Page, url: str) -> None:
    """Take the dashboard Knowledge."""
    page.set_viewport_size({"width": WIDTH, "height": DASHBOARD_HEIGHT})
    page.goto(f"{url}helix-dash/knowledge?token={TOKEN}&window=all", timeout=LIMIT_MS)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=LIMIT_MS)
    expect(page.locator(".bk-Canvas canvas").first).to_be_visible(timeout=LIMIT_MS)
    page.wait_for_load_state("networkidle")
    take(page, "dashboard-knowledge.png")


def take(page: Page, name: str) -> None:
    """Write one picture, and say how large it is."""
    target = IMAGES / name
    target.parent.mkdir(exist_ok=True)
    page.screenshot(path=target, animations="disabled")
    size = target.stat().st_size
    sys.stdout.write(f"{target.relative_to(ROOT)}: {size / 1000:.0f} kB\n")
    assert size < MAX_BYTES


def run_all(page: Page) -> None:
    """Run every cell, and wait until the last one has ended without an error."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Run All Cells")).first.click()
    last = page.locator(".jp-Notebook .jp-CodeCell").last
    expect(last.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=LIMIT_MS)
    expect(page.locator(".jp-OutputArea-output[data-mime-type*='error']")).to_have_count(0)


def hide_side_bar(page: Page) -> None:
    """Give the notebook the whole width."""
    page.get_by_role("tab", name=re.compile("^File Browser")).click()


def main() -> int:
    """Make the pictures, or say why not."""
    chromium = find_chromium()
    if chromium is None:
        sys.stdout.write(f"no pictures: {HOW}\n")
        return 0
    take_all(chromium)
    return 0


if __name__ == "__main__":
    sys.exit(main())
