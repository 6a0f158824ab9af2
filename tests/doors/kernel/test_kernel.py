"""The kernel "Helix Lab" as notebooks see it, on a lab of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.doors.conftest import ENDLESS_SQL, FAR_BELOW_THE_LIMIT_S
from tests.doors.kernel.running import RunningKernel, start_kernel
from tests.server.live import free_port, wait_for

pytestmark = pytest.mark.long

TABLE_MIME = "application/vnd.helix-lab.table+json"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKernel]:
    with start_kernel(tmp_path_factory.mktemp("kernel") / "lab") as kernel:
        kernel.run("talk = hx.start_conversation(conversation_id='c')")
        kernel.run("said = [{'role': 'user', 'content': 'one'}]")
        kernel.run("_ = hx.append_messages('c', said)")
        yield kernel


def pid_of(kernel: RunningKernel) -> int:
    return int(kernel.run("import os; os.getpid()").text)


def test_a_fresh_kernel_has_hx_and_has_loaded_no_driver(tmp_path: Path) -> None:
    heavy = "{'duckdb', 'httpx', 'pyarrow', 'pydantic', 'sqlalchemy'}"
    with start_kernel(tmp_path / "lab") as kernel:
        shown = kernel.run(
            f"import sys; (repr(hx), {heavy} & {{m.split('.')[0] for m in sys.modules}})"
        )

    assert "('<Helix Lab, not connected yet>', set())" == shown.text
    assert not (tmp_path / "lab").exists()


def test_hx_says_where_it_is_connected(tmp_path: Path) -> None:
    with start_kernel(tmp_path / "lab") as kernel:
        assert f"<Lab {tmp_path / 'lab'}>" == kernel.run("hx").text


def test_a_server_that_is_away_is_told_at_the_first_use(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    with start_kernel(tmp_path / "lab", HELIX_LAB_URL=url) as kernel:
        assert "2" == kernel.run("1 + 1").text
        shown = kernel.run("hx.get_health()")
        asked = kernel.run("%sql SELECT 1")

    assert "ServerUnreachable" == shown.error
    assert url in shown.error_text
    assert "ServerUnreachable" == asked.error


def test_a_setting_that_cannot_be_used_is_told_at_the_first_use(tmp_path: Path) -> None:
    with start_kernel(tmp_path / "lab", HELIX_PORT="many") as kernel:
        assert "InvalidRequest" == kernel.run("hx.get_health()").error
        assert "not connected: HELIX_PORT" in kernel.run("hx").text


def test_loading_the_extension_again_changes_nothing(kernel: RunningKernel) -> None:
    kernel.run("before = hx\nfrom helix_lab import load_ipython_extension")

    shown = kernel.run("load_ipython_extension(get_ipython())\nbefore is hx")

    assert "True" == shown.text


def test_a_name_of_the_users_own_is_left_alone(kernel: RunningKernel) -> None:
    shown = kernel.run("mine, hx = hx, 'mine'\n%reload_ext helix_lab\nseen, hx = hx, mine\nseen")

    assert "'mine'" == shown.text


def test_completion_on_hx_offers_the_operations(kernel: RunningKernel) -> None:
    assert "True" == kernel.run("{'replay', 'run_query', 'close'} <= set(dir(hx))").text


def test_a_name_that_hx_does_not_have_is_told_as_such(kernel: RunningKernel) -> None:
    shown = kernel.run("hx.replai('c')")

    assert ("AttributeError", "a lab has no 'replai'; dir(hx) lists what it has") == (
        shown.error,
        shown.error_text,
    )


def test_help_on_a_method_names_its_fields(kernel: RunningKernel) -> None:
    shown = kernel.run("print(hx.replay.__doc__)")

    assert "conversation_id: a conversation that exists" in shown.printed


def test_an_error_of_hx_does_not_show_its_way_through_the_lab(kernel: RunningKernel) -> None:
    shown = kernel.run("hx.replay('nobody')")

    assert "UnknownConversation" == shown.error
    assert 1 == shown.traceback.count("helix_lab/")


def test_sql_gives_a_table_in_three_forms(kernel: RunningKernel) -> None:
    sql = "SELECT role, tokens FROM message_metrics WHERE conversation_id = 'c'"
    (result,) = kernel.run(f"%%sql\n{sql}").results

    assert {"text/plain", "text/html", TABLE_MIME} == set(result)
    assert [["user", 1]] == result[TABLE_MIME]["rows"]


def test_the_body_goes_to_the_engine_untouched(kernel: RunningKernel) -> None:
    kernel.run("tables = 'replaced'")
    sql = (
        """SELECT '{tables} $tables :tables %s -- x' AS a, [1,2,3][:2] AS b, '{"a":1}'::JSON AS c"""
    )

    (result,) = kernel.run(f"%%sql\n{sql}").results

    assert ["{tables} $tables :tables %s -- x", [1, 2], '{"a":1}'] == result[TABLE_MIME]["rows"][0]


def test_the_line_form_leaves_spaces_and_quotes_alone(kernel: RunningKernel) -> None:
    (result,) = kernel.run("%sql --max-rows 3 SELECT 'a  b' AS \"c  d\" -- {no}").results

    assert [["a  b"]] == result[TABLE_MIME]["rows"]


def test_parameters_are_bound_to_python_values(kernel: RunningKernel) -> None:
    kernel.run("floor = 7")

    shown = kernel.run(
        "%sql --param floor --param name='it''s'+\"; --\" SELECT $floor AS a, $name AS b"
    )

    assert [[7, "its; --"]] == shown.results[0][TABLE_MIME]["rows"]


def test_parameters_see_the_variables_of_a_function(kernel: RunningKernel) -> None:
    shown = kernel.run(
        "def f():\n  inner = 8\n  r = %sql --param inner SELECT $inner AS a\n  return r\nf()[0]"
    )

    assert "{'a': 8}" == shown.text


def test_a_result_is_assigned_to_a_name(kernel: RunningKernel) -> None:
    shown = kernel.run("%%sql -o kept\nSELECT range AS n FROM range(3)")
    kept = kernel.run("[row['n'] for row in kept], kept.arrow().schema.field('n').type")

    assert [] == shown.results
    assert "([0, 1, 2], DataType(int64))" == kept.text


@pytest.mark.parametrize(
    ("form", "type_"), [("df", "pandas"), ("arrow", "pyarrow.lib"), ("polars", "polars")]
)
def test_a_result_is_given_in_another_form(kernel: RunningKernel, form: str, type_: str) -> None:
    kernel.run(f"%%sql --output frame --as {form}\nSELECT range AS n FROM range(3)")

    assert type_ in kernel.run("type(frame).__module__").text
    assert "(3, 1)" == kernel.run("frame.shape").text


def test_a_form_without_a_name_is_shown(kernel: RunningKernel) -> None:
    assert "3" == kernel.run("frame = %sql --as arrow SELECT * FROM range(3)\nlen(frame)").text


def test_a_quick_statement_shows_no_progress(kernel: RunningKernel) -> None:
    shown = kernel.run("%sql SELECT 1 AS a")

    assert (1, []) == (len(shown.results), shown.updates)


def test_a_long_statement_shows_one_line_that_tells_the_end(kernel: RunningKernel) -> None:
    shown = kernel.run(f"%%sql --timeout 4\n{ENDLESS_SQL}")

    (line,) = shown.results
    assert "QueryTimedOut" == shown.error
    assert line["text/plain"].startswith("running for ")
    assert "--timeout stops it after 4 s" in line["text/plain"]
    assert re.search(r"running for \d+ s · \d+% done · ", shown.updates[-2]["text/plain"])
    assert shown.updates[-1]["text/plain"].startswith("failed after ")


def test_an_interrupt_is_told_by_the_line(kernel: RunningKernel) -> None:
    process = psutil.Process(pid_of(kernel))
    used_s = process.cpu_times().user

    shown, _ = kernel.run_and_interrupt(
        f"%%sql --timeout 120\n{ENDLESS_SQL}",
        when=lambda: process.cpu_times().user > used_s + 6,
    )

    assert "KeyboardInterrupt" == shown.error
    assert shown.updates[-1]["text/plain"].startswith("stopped after ")


def test_rows_over_the_limit_are_told(kernel: RunningKernel) -> None:
    shown = kernel.run("%sql --max-rows 50 SELECT * FROM range(5000)")

    assert "showing 20 of 5,000 rows · 50 fetched, see --max-rows · " in shown.text


@pytest.mark.parametrize(
    ("error", "cell"),
    [
        ("QueryFailed", "%%sql\nSELECT nothing"),
        ("QueryRefused", "%%sql\nDROP TABLE message_metrics"),
        ("QueryTimedOut", f"%%sql --timeout 0.2\n{ENDLESS_SQL}"),
        ("InvalidRequest", "%%sql --nothing 1\nSELECT 1"),
        ("InvalidRequest", "%%sql --max-rows many\nSELECT 1"),
        ("InvalidRequest", "%%sql --param a=nothing\nSELECT $a"),
        ("InvalidRequest", "%%sql --param a=object()\nSELECT $a"),
        ("InvalidRequest", "%%sql SELECT 1\nSELECT 1"),
        ("InvalidRequest", "%sql"),
        ("InvalidRequest", "%%sql --as pandas\nSELECT 1"),
        ("InvalidRequest", "%hx nothing"),
        ("InvalidRequest", "%hx status now"),
        ("InvalidRequest", "%hx replay"),
        ("InvalidRequest", "%hx runs many"),
        ("UnknownConversation", "%hx replay nobody"),
        ("GraphQueryFailed", "%%cypher\nMATCH (n) RETURN m"),
        ("QueryRefused", "%%cypher\nMATCH (n) DELETE n"),
        ("InvalidRequest", "%%cypher --as picture\nMATCH (n) RETURN n"),
        ("InvalidRequest", "%%sql --as graph\nSELECT 1"),
        ("InvalidRequest", "%%cypher --nothing 1\nMATCH (n) RETURN n"),
        ("InvalidRequest", "%%cypher MATCH (n)\nRETURN n"),
    ],
)
def test_an_error_of_the_magic_is_ordinary_and_short(
    kernel: RunningKernel, error: str, cell: str
) -> None:
    shown = kernel.run(cell)

    assert error == shown.error
    assert f"{error}: {shown.error_text}" == shown.traceback


def test_an_error_of_the_magic_can_be_caught(kernel: RunningKernel) -> None:
    shown = kernel.run(
        "from helix_lab import HelixError\n"
        "try:\n    get_ipython().run_cell_magic('sql', '', 'SELECT nothing')\n"
        "except HelixError as error:\n    code = error.code\ncode"
    )

    assert "'ANALYTICS_QUERY_ERROR'" == shown.text


@pytest.mark.parametrize("cell", ["%%sql --timeout 120\n{}", "hx.run_query({!r}, timeout_s=120)"])
def test_an_interrupt_stops_a_query(kernel: RunningKernel, cell: str) -> None:
    process = psutil.Process(pid_of(kernel))

    used_s = process.cpu_times().user

    shown, stopped_after_s = kernel.run_and_interrupt(
        cell.format(ENDLESS_SQL), when=lambda: process.cpu_times().user > used_s + 0.5
    )

    assert "KeyboardInterrupt" == shown.error
    assert stopped_after_s < FAR_BELOW_THE_LIMIT_S
    assert "1" in kernel.run("%sql SELECT 1 AS a").text
    wait_for(lambda: process.cpu_percent(interval=0.5) < 20, "the stop", limit_s=60)


def test_sql_asks_the_lab_that_hx_is_now(kernel: RunningKernel, tmp_path: Path) -> None:
    kernel.run(f"import helix_lab\nfirst, hx = hx, helix_lab.connect(data_dir={str(tmp_path)!r})")

    (result,) = kernel.run("%sql SELECT count(*) AS n FROM message_metrics").results
    kernel.run("hx.close(); hx = first")

    assert [[0]] == result[TABLE_MIME]["rows"]


def test_a_closed_hx_lets_the_folder_go_and_connects_again(kernel: RunningKernel) -> None:
    kernel.run("hx.close()")

    assert "'<Helix Lab, not connected yet>'" == kernel.run("repr(hx)").text
    assert "'healthy'" == kernel.run("hx.get_health().status").text


def test_cypher_gives_rows_frames_and_graphs(kernel: RunningKernel) -> None:
    kernel.run(
        "_ = hx.start_conversation(conversation_id='graph'); "
        "_ = hx.append_messages('graph', [{'role': 'user', 'content': 'Redis and MongoDB.'}])"
    )

    cell = "%%cypher --param who=('Re' + 'dis') -o answer {}\nMATCH (a:Entity {{name: $who}})"
    kernel.run(cell.format("") + "-[r:RELATED_TO]-(b) RETURN b.name AS name, r.strength AS much")
    assert "[{'name': 'MongoDB', 'much': 0.5}]" == kernel.run("answer.rows").text
    kernel.run(cell.format("--as graph") + "-[r:RELATED_TO]-(b) RETURN a, r, b")
    told = kernel.run("len(answer.nodes), len(answer.edges), answer.edges[0]['label']").text
    assert "(2, 1, 'RELATED_TO')" == told
    assert "2 nodes · 1 edges" in kernel.run("answer").text


def test_cypher_cells_are_completed_by_what_the_graph_has(kernel: RunningKernel) -> None:
    kernel.run("hx.get_health()")

    assert ["Entity"] == kernel.complete("%%cypher\nMATCH (e:Ent")
    assert ["RELATED_TO"] == kernel.complete("%%cypher\nMATCH (a)-[r:REL")
    (found,) = kernel.complete("%%cypher\nMATCH (e) RETURN e.mention_c")
    assert found.endswith("mention_count")
    assert ["RETURN"] == kernel.complete("%%cypher -o x\nMATCH (e:Entity)\nRET")
    assert "RETURN" not in kernel.complete("RET")


def test_unloading_takes_hx_and_the_magic_away(tmp_path: Path) -> None:
    with start_kernel(tmp_path / "lab") as kernel:
        kernel.run("hx.get_health()")
        kernel.run("%unload_ext helix_lab")

        assert "NameError" == kernel.run("hx").error
        for magic in ("%sql SELECT 1", "%hx", "%%cypher\nRETURN 1"):
            assert "not found" in kernel.run(magic).printed
        assert "status" not in kernel.complete("%hx st")
        assert "<Lab " in kernel.run("%load_ext helix_lab\nhx").text
