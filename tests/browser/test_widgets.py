"""The widgets in a real notebook, and as HTML where no widget can live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from playwright.sync_api import Error as PlaywrightError

from helix_lab.jobs.reports.artifacts import load_exporter
from tests.browser.test_accessibility import GRAVE, THEMES
from tests.browser.test_panel import start_debate
from tests.server.live import TOKEN, LiveServer

MESSAGES = 53
START_MS = 60_000
SHORT_MS = 2_000
TRIES = 30
SPEC = {"name": "helix-lab", "display_name": "Helix Lab", "language": "python"}
EVIL = "<script>document.title = 'evil'</script><b>bold</b>"


@pytest.fixture(scope="module")
def conversation(server: LiveServer) -> str:
    """A conversation of three pages; message 40 speaks of Parquet, message 3 has two versions."""
    said = [
        {"role": "user" if n % 2 else "assistant", "content": f"text {n}", "message_id": f"m{n}"}
        for n in range(1, MESSAGES + 1)
    ]
    said[39]["content"] = "Parquet, at last"
    said[40]["content"] = EVIL
    again = {"role": "user", "content": "said otherwise", "message_id": "m3b", "parent_id": "m2"}
    with server.client() as client:
        client.post("v1/conversations", json={"conversation_id": "long", "title": "A long talk"})
        for message in (*said, again):
            client.post("v1/conversations/long/messages", json=message).raise_for_status()
    return "long"


@pytest.fixture(scope="module")
def notebook(server: LiveServer, browser: Browser, conversation: str) -> Iterator[Page]:
    """A notebook of JupyterLab that shows all widgets; its last cell runs on."""
    cells = [
        f"hx.view({conversation!r})",
        "hx.monitor()",
        f"hx.view_context({conversation!r}, max_tokens=80)",
        "while True: __import__('time').sleep(1)",
    ]
    written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    written.metadata.kernelspec = SPEC
    written.metadata.language_info = {"name": "python"}
    nbformat.write(written, server.folder / "widgets.ipynb")
    context = browser.new_context(viewport={"width": 1300, "height": 1400})
    context.set_default_timeout(START_MS)
    page = context.new_page()
    page.goto(f"{server.url}lab/tree/widgets.ipynb?token={TOKEN}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    idle = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(idle).to_be_visible(timeout=START_MS)
    for shown in (1, 2, 3):
        run_cell(page, shown)
        expect(page.locator(".hxw")).to_have_count(shown, timeout=START_MS)
    yield page
    context.close()
    with server.client() as client:
        for kernel in client.get("api/kernels").json():
            client.delete(f"api/kernels/{kernel['id']}").raise_for_status()


def run_cell(page: Page, number: int) -> None:
    """Run one cell, again where the notebook was not ready to be told so.

    JupyterLab asks which kernel is meant as long as the one that it starts is not there.
    """
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number - 1)
    dialog = page.locator(".jp-Dialog")
    for _ in range(TRIES):
        try:
            if dialog.count():
                page.keyboard.press("Escape")
                expect(dialog).to_have_count(0, timeout=SHORT_MS)
            cell.locator(".cm-content").click(timeout=SHORT_MS)
            page.keyboard.press("Control+Enter")
            expect(cell.locator(".jp-InputArea-prompt")).not_to_have_text("[ ]:", timeout=SHORT_MS)
        except (PlaywrightError, AssertionError):
            continue
        return
    message = f"the cell does not run; dialogs: {dialog.all_inner_texts()}"
    raise AssertionError(message)


def message(page: Page, number: int) -> Locator:
    return page.locator(f'.hxw [data-message="m{number}"]')


@pytest.fixture
def run(client: httpx.Client) -> Iterator[str]:
    """A debate that goes on."""
    run = start_debate(client, "Tabs or spaces?")
    yield run
    client.post(f"v1/runs/{run}/cancel", json={})


def find_faults(page: Page, axe: str, *where: str) -> list[Any]:
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("where => axe.run({include: where})", list(where))
    assert len(found["passes"]) > 3
    return [
        (fault["id"], [node["html"] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]


def test_a_conversation_is_seen_searched_and_jumped_through(notebook: Page) -> None:
    page = notebook
    status = page.locator(".hxw-status")
    expect(status).to_have_text("Messages 1 to 20 of 53 · 1 on other branches")
    expect(message(page, 1)).to_contain_text("text 1")
    expect(page.locator(".hxw [data-message]")).to_have_count(20)

    page.get_by_label("Search in this conversation").fill("parquet")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("match 1 of 1 found")
    expect(message(page, 40)).to_be_in_viewport()
    expect(message(page, 40)).to_have_attribute("aria-current", "true")

    page.get_by_label("Go to message").fill("41")
    page.keyboard.press("Enter")
    expect(message(page, 41)).to_be_in_viewport()
    expect(message(page, 41)).to_contain_text(EVIL)
    expect(page.locator(".hxw b")).to_have_count(0)
    expect(page.get_by_role("button", name="Later", exact=True)).to_be_disabled()

    page.get_by_label("Go to message").fill("3")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Later version of message 3").click()
    expect(page.locator('.hxw [data-message="m3b"]')).to_contain_text("said otherwise")
    expect(status).to_contain_text("Messages 1 to 3 of 3")


def test_the_budget_of_a_context_is_moved_and_a_line_shows_its_sources(notebook: Page) -> None:
    context = notebook.locator(".hxw").nth(2)
    said = context.get_by_role("status")
    expect(said).to_contain_text("quality")
    before = said.inner_text()

    context.get_by_label("Budget in tokens").focus()
    for _ in range(20):
        notebook.keyboard.press("ArrowRight")
    expect(said).not_to_have_text(before)

    context.get_by_label("Strategy").select_option("window")
    expect(context.get_by_label("Strategy")).to_have_value("window")
    button = context.get_by_role("button", name="Sources of line 1", exact=True)
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(context.locator(".hxw-line .hxw-message").first).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_no_serious_fault_in_a_widget(
    theme: str, notebook: Page, run: str, axe: str
) -> None:
    expect(notebook.locator(f'.hxw [data-run="{run}"]')).to_contain_text("running")
    notebook.get_by_role("menuitem", name="Settings", exact=True).click()
    for label in ("Theme", theme):
        notebook.locator(".lm-Menu").get_by_text(label, exact=True).click()
    expect(notebook.locator("body")).to_have_attribute("data-jp-theme-name", theme)

    assert [] == find_faults(notebook, axe, ".hxw")


def test_a_monitor_follows_a_run_and_cancels_it(
    client: httpx.Client, notebook: Page, run: str
) -> None:
    row = notebook.locator(f'.hxw [data-run="{run}"]')
    expect(row).to_contain_text("running")

    notebook.locator(".hxw").get_by_role("button", name=f"Cancel run {run}").click()

    expect(row).to_contain_text("cancelled")
    expect(notebook.locator(".hxw [aria-live=polite]")).to_contain_text(f"{run}: cancelled")
    assert "cancelled" == client.get(f"v1/runs/{run}").json()["state"]


def test_a_monitor_stays_fresh_while_a_cell_runs(client: httpx.Client, notebook: Page) -> None:
    run_cell(notebook, 4)
    last = notebook.locator(".jp-Notebook .jp-CodeCell").last
    expect(last.locator(".jp-InputArea-prompt")).to_have_text("[*]:")

    run = start_debate(client, "Does it hang?")
    row = notebook.locator(f'.hxw [data-run="{run}"]')
    expect(row).to_contain_text("running")
    client.post(f"v1/runs/{run}/cancel", json={}).raise_for_status()

    expect(row).to_contain_text("cancelled")
    for kernel in client.get("api/kernels").json():
        client.post(f"api/kernels/{kernel['id']}/interrupt", json={}).raise_for_status()
    expect(last.locator(".jp-InputArea-prompt")).not_to_have_text("[*]:")


def test_a_notebook_that_ran_unattended_becomes_html_that_all_can_read(
    server: LiveServer,
    conversation: str,
    context: BrowserContext,
    axe: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HELIX_LAB_URL", server.url)
    monkeypatch.setenv("HELIX_LAB_TOKEN", TOKEN)
    code = nbformat.v4.new_code_cell(f"hx.view({conversation!r}, at=41)")
    runs = nbformat.v4.new_code_cell("hx.monitor()")
    notebook = nbformat.v4.new_notebook(cells=[code, runs])
    NotebookClient(notebook, kernel_name="helix-lab", timeout=60).execute()

    page = context.new_page()
    page.set_content(load_exporter().from_notebook_node(notebook)[0])

    assert "widgets" not in notebook.metadata
    shown = page.get_by_role("group", name="Conversation A long talk")
    expect(shown).to_contain_text("Messages 41 to 53 of 53")
    expect(shown.get_by_role("listitem")).to_have_count(13)
    expect(shown).to_contain_text(EVIL)
    assert [] == find_faults(page, axe, ".jp-OutputArea-output")
