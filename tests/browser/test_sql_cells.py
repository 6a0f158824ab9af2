"""`%%sql` cells in a real notebook: colours and completion."""

from __future__ import annotations

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenLab
from tests.server.live import LiveServer

KEYWORD = "--jp-mirror-editor-keyword-color"
TRIES = 8
SHORT_MS = 2_000
TEXT = "--jp-mirror-editor-string-color"

# The colour of the piece of code that reads so, and the one that the theme has for a variable.
_COLOUR_OF = """([text, variable]) => {
  const code = [...document.querySelectorAll('.jp-CodeCell .cm-line *')];
  const found = code.find(span => span.textContent === text && !span.children.length);
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = `var(${variable})`;
  const wanted = getComputedStyle(probe).color;
  probe.remove();
  return [found ? getComputedStyle(found).color : null, wanted];
}"""


def write(page: Page, text: str) -> None:
    page.get_by_role("menuitem", name="Helix Lab", exact=True).click()
    page.get_by_role("menuitem", name="New Helix Lab Notebook").click()
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    expect(cell).to_be_visible()
    cell.click()
    page.keyboard.insert_text(text)
    expect(cell).to_contain_text(text.splitlines()[-1])


def test_sql_has_the_colours_of_the_theme(server: LiveServer, open_lab: OpenLab) -> None:
    page = open_lab(server)
    write(page, "%%sql\nSELECT 'text' FROM message_metrics")

    for text, variable in (("SELECT", KEYWORD), ("FROM", KEYWORD), ("'text'", TEXT)):
        page.wait_for_function(
            f"arg => (([found, wanted]) => found === wanted)(({_COLOUR_OF})(arg))",
            arg=[text, variable],
        )


def test_names_of_the_catalog_are_completed(server: LiveServer, open_lab: OpenLab) -> None:
    page = open_lab(server)
    expect(page.locator("#helix-lab-panel")).to_contain_text("message_metrics")
    write(page, "%%sql\nSELECT count(*) FROM deb")
    # A kernel that arrives closes an open list.
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).to_be_visible()
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    expect(cell.locator(".jp-mod-completer-enabled")).to_be_visible()

    page.keyboard.press("Tab")

    # Once the kernel answers, its magics of this beginning stand below.
    offered = page.locator(".jp-Completer-item")
    expect(offered.nth(0)).to_contain_text("debate_metrics")
    expect(offered.nth(1)).to_contain_text("debate_winners")
    choose(page, "debate_metrics")
    expect(cell.locator(".cm-line").last).to_have_text("SELECT count(*) FROM debate_metrics")


def choose(page: Page, name: str) -> None:
    """Click what is offered, again where the list was drawn anew under the mouse."""
    line = page.locator(".jp-Notebook .jp-CodeCell .cm-line").last
    offered = page.locator(".jp-Completer-item").filter(has_text=name)
    for _ in range(TRIES):
        if offered.count() == 0:
            line.click()
            page.keyboard.press("End")
            page.keyboard.press("Tab")
        try:
            offered.first.click(timeout=SHORT_MS)
            expect(line).to_contain_text(name, timeout=SHORT_MS)
            return
        except (PlaywrightError, AssertionError):
            continue
