"""The graph viewer in a real notebook: by mouse, by keyboard, and as a table."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.test_widgets import SPEC, START_MS, TRIES, find_faults, run_cell
from tests.server.live import TOKEN, LiveServer

SAID = (
    "Docker uses MongoDB. Docker and Kubernetes run on Linux.",
    "Kubernetes and Helm belong together. Helm and Kubernetes!",
    "Kafka uses Redis.",
)
LARGE = """
from helix_lab.doors.widgets.graph import GraphView
large = GraphView("Large")
for n in range(1000):
    _ = large.add_node(str(n), f"node {n}", "person")
for n in range(1, 1000):
    large.add_edge(str(n), str(n * 7 % n if n % 3 else n // 3), "knows", n % 10 / 10)
large.place()
large
"""


@pytest.fixture(scope="module")
def notebook(server: LiveServer, browser: Browser) -> Iterator[Page]:
    """A notebook with a view around Docker, and one of 1,000 nodes."""
    with server.client() as client:
        client.post("v1/conversations", json={"conversation_id": "known"})
        messages = [{"role": "user", "content": text} for text in SAID]
        client.post("v1/conversations/known/messages", json=messages).raise_for_status()
    cells = [nbformat.v4.new_code_cell(cell) for cell in ("hx.view_graph('Docker')", LARGE)]
    written = nbformat.v4.new_notebook(cells=cells)
    written.metadata.kernelspec = SPEC
    written.metadata.language_info = {"name": "python"}
    nbformat.write(written, server.folder / "graph.ipynb")
    context = browser.new_context(viewport={"width": 1300, "height": 1800})
    context.set_default_timeout(START_MS)
    page = context.new_page()
    page.goto(f"{server.url}lab/tree/graph.ipynb?token={TOKEN}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    idle = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(idle).to_be_visible(timeout=START_MS)
    ready = page.get_by_text("Helix Lab | Idle")
    expect(ready).to_be_visible(timeout=START_MS)
    for shown in (1, 2):
        run_cell(page, shown)
        expect(page.locator(".hxw")).to_have_count(shown, timeout=START_MS)
    canvas = page.locator(".hxw").first.locator("canvas")
    expect(canvas).to_have_attribute("data-chosen", "Docker", timeout=START_MS)
    yield page
    context.close()
    with server.client() as client:
        for kernel in client.get("api/kernels").json():
            client.delete(f"api/kernels/{kernel['id']}").raise_for_status()


def press_until(page: Page, canvas: Locator, key: str, attribute: str, unlike: str) -> str:
    """Press a key on the canvas until one of its figures is another; gives that figure."""
    for _ in range(TRIES):
        canvas.focus()
        page.keyboard.press(key)
        try:
            expect(canvas).not_to_have_attribute(attribute, unlike, timeout=2_000)
        except AssertionError:
            continue
        return canvas.get_attribute(attribute) or ""
    message = f"{key} does nothing"
    raise AssertionError(message)


def test_the_keyboard_chooses_a_node_and_opens_it(notebook: Page) -> None:
    view = notebook.locator(".hxw").first
    canvas = view.locator("canvas")
    view.get_by_label("Find an entity").fill("Kubernetes")
    notebook.keyboard.press("Enter")
    expect(canvas).to_have_attribute("data-chosen", "Kubernetes")
    before = canvas.get_attribute("data-nodes") or ""

    press_until(notebook, canvas, "Enter", "data-nodes", before)

    expect(view.locator(".hxw-status")).to_contain_text("Kubernetes (technology)")
    view.locator("summary").click()
    expect(view.get_by_role("cell", name="Helm", exact=True).first).to_be_visible()
    assert "Kubernetes" != press_until(
        notebook, canvas, "ArrowLeft", "data-chosen", "Kubernetes"
    ) or press_until(notebook, canvas, "ArrowRight", "data-chosen", "Kubernetes")


def test_a_search_brings_an_entity_that_is_not_there_yet(notebook: Page) -> None:
    view = notebook.locator(".hxw").first
    view.get_by_label("Find an entity").fill("Kafka")
    notebook.keyboard.press("Enter")

    expect(view.locator("canvas")).to_have_attribute("data-chosen", "Apache Kafka")
    view.get_by_label("Find an entity").fill("qqqq")
    notebook.keyboard.press("Enter")
    expect(view.locator(".hxw-status")).to_contain_text("No entity is called like “qqqq”")


def test_a_thousand_nodes_are_filtered_by_strength_and_moved(notebook: Page) -> None:
    view = notebook.locator(".hxw").nth(1)
    canvas = view.locator("canvas")
    expect(canvas).to_have_attribute("data-nodes", "1000")
    status = view.locator(".hxw-status")
    expect(status).to_contain_text("999 of 999 relations")

    slider = view.get_by_label("Least strength of relations")
    slider.focus()
    notebook.keyboard.press("End")
    expect(status).to_contain_text("0 of 999 relations")
    notebook.keyboard.press("Home")
    expect(status).to_contain_text("999 of 999 relations")

    canvas.scroll_into_view_if_needed()
    view.get_by_role("button", name="Closer").click()
    expect(view.locator("summary")).to_contain_text("200 of 999")


def test_axe_finds_no_serious_fault(notebook: Page, axe: str) -> None:
    assert [] == find_faults(notebook, axe, ".hxw")
