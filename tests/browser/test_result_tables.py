"""Results of `%%sql` in a real notebook: pages and order from the server, values as text."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from helix_lab.doors.kernel.result import TABLE_MIME
from tests.browser.conftest import OpenLab
from tests.browser.test_accessibility import GRAVE, SETTING, THEMES
from tests.browser.test_sql_cells import write
from tests.browser.test_widgets import run_cell
from tests.server.live import LiveServer

EVIL = [
    "<img src=x onerror='document.title=1'>",
    "<button data-commandlinker-command='filebrowser:hide-main'>go</button>",
    "<script>document.title = 1</script>",
    "**bold** [link](javascript:alert(1)) $x$",
]


def run_and_find_table(page: Page, source: str) -> Locator:
    """Run one cell of a new notebook, and give its table."""
    write(page, source)
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).to_be_visible()
    run_cell(page, 1)
    table = page.locator(".jp-Notebook .hx-Table")
    expect(table).to_be_visible()
    return table


def test_a_million_rows_are_paged_and_sorted(server: LiveServer, open_lab: OpenLab) -> None:
    page = open_lab(server)
    table = run_and_find_table(
        page,
        "%%sql\nSELECT range AS n, (range * 7919) % 1000003 AS mixed, 'text ' || range AS t "
        "FROM range(1000000)",
    )
    first = table.locator("tbody tr").first
    million = "1,?000,?000"  # as the browser's language writes it
    expect(table.locator("caption")).to_have_text(re.compile(f"{million} rows, 3 columns"))
    expect(table.locator("tbody tr")).to_have_count(100)

    table.get_by_role("button", name="Next page").click()
    expect(first).to_have_text("101100791900text 100")
    table.get_by_role("button", name="Last page").click()
    expect(table.get_by_role("status").first).to_have_text(
        re.compile(f"Rows 999,?901 to {million} of {million}")
    )

    heading = table.get_by_role("button", name="Sort by mixed")
    heading.focus()
    page.keyboard.press("Enter")
    expect(table.locator("th[aria-sort=ascending]")).to_contain_text("mixed")
    expect(first).to_have_text("100text 0")
    page.keyboard.press("Enter")
    expect(table.locator("th[aria-sort=descending]")).to_contain_text("mixed")
    greatest = max((n * 7919) % 1000003 for n in range(1_000_000))
    expect(first.locator("td").nth(1)).to_have_text(str(greatest))


def test_a_notebook_opened_later_shows_what_it_keeps_and_nothing_but_text(
    server: LiveServer, open_lab: OpenLab
) -> None:
    save_notebook(server, rows=[[number, EVIL[number % len(EVIL)]] for number in range(20)])
    page = open_lab(server, "lab/tree/kept.ipynb")
    table = page.locator(".jp-Notebook .hx-Table")

    expect(table.locator("tbody tr")).to_have_count(20)
    assert EVIL == table.locator("tbody tr td:last-child").all_text_contents()[: len(EVIL)]
    assert 0 == table.locator("td *, img, script, [data-commandlinker-command]").count()
    table.get_by_role("button", name="Last page").click()

    expect(table).to_contain_text("The notebook keeps the first 20 rows. Run the cell again")
    expect(table.locator("tbody tr")).to_have_count(20)
    expect(table.get_by_role("button")).to_have_count(0)
    assert "1" != page.title()


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_no_serious_fault_in_a_table(
    theme: str, server: LiveServer, client: httpx.Client, open_lab: OpenLab, axe: str
) -> None:
    save_notebook(server, rows=[[1, None]])
    client.put(SETTING, json={"raw": json.dumps({"theme": theme})}).raise_for_status()
    try:
        page = open_lab(server, "lab/tree/kept.ipynb")
    finally:
        client.put(SETTING, json={"raw": "{}"}).raise_for_status()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    expect(page.locator(".jp-Notebook .hx-Table")).to_be_visible()

    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("() => axe.run('.hx-Table')")

    assert found["passes"]
    assert [] == [
        (fault["id"], [node["html"] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]


def save_notebook(server: LiveServer, rows: list[list[Any]]) -> None:
    """A notebook with the output of a lab that is not there any more."""
    table = {
        "columns": [{"name": "n", "type": "int64"}, {"name": EVIL[0], "type": "string"}],
        "rows": rows,
        "fetched_rows": 1000,
        "total_rows": 5000,
        "is_truncated": True,
        "elapsed_ms": 3,
        "result_id": "kept-by-another-lab",
        "kept_rows": 5000,
    }
    data = {"text/plain": "n", "text/html": "<table></table>", TABLE_MIME: table}
    output = nbformat.v4.new_output("execute_result", data, execution_count=1)
    cell = nbformat.v4.new_code_cell("%%sql\nSELECT …", outputs=[output], execution_count=1)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.kernelspec = {"name": "helix-lab", "display_name": "Helix Lab"}
    nbformat.write(notebook, server.folder / "kept.ipynb")
