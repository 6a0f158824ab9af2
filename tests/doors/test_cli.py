"""The command line: every operation has a command, errors are one line and an exit code."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import Kind
from helix_lab.doors.cli import run
from helix_lab.doors.cli.commands import HAND_MADE, make_command, name_commands
from helix_lab.doors.cli.reference import write_reference
from helix_lab.doors.cli.root import EXIT_CODES, SUMMARIES, root
from helix_lab.operations.table import OPERATIONS
from tests.doors.conftest import ENDLESS_SQL, SAMPLES
from tests.server.live import TOKEN, LiveServer, free_port, wait_for

ROOT = Path(__file__).parents[2]
HELIX_LAB = Path(sys.executable).parent / "helix-lab"

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command: exit code, stdout, stderr."""

    def ask(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ask


@pytest.fixture
def ask_json(ask: Ask) -> Callable[..., Any]:
    """Run a command that succeeds, and read its JSON."""

    def ask_json(*arguments: str) -> Any:
        code, out, err = ask("--json", *arguments)
        assert (0, "") == (code, err)
        return json.loads(out)

    return ask_json


def test_every_operation_has_one_command() -> None:
    made = [o.name for commands in name_commands().values() for o in commands.values()]

    assert sorted(o.name for o in OPERATIONS) == sorted([*made, *HAND_MADE])


def test_no_two_operations_share_a_command() -> None:
    groups = name_commands()

    assert len(OPERATIONS) - len(HAND_MADE) == sum(map(len, groups.values()))


def test_the_help_lists_what_there_is() -> None:
    assert set(SUMMARIES) == {*name_commands(), *HAND_MADE.values(), "serve"}


def test_a_group_of_one_command_has_the_summary_of_its_operation() -> None:
    groups = name_commands()
    single = {g: next(iter(c.values())).summary for g, c in groups.items() if len(c) == 1}

    assert single == {group: SUMMARIES[group] for group in single}


def test_the_reference_in_the_docs_is_current() -> None:
    assert write_reference() == (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_every_kind_of_error_has_an_exit_code() -> None:
    assert set(Kind.__args__) == set(EXIT_CODES)  # type: ignore[attr-defined]


@pytest.mark.parametrize("group", sorted(SUMMARIES))
def test_every_command_has_help(group: str, ask: Ask) -> None:
    code, out, _ = ask(group, "--help")

    assert 0 == code
    assert f"helix-lab {group}" in out


def test_help_comes_within_half_a_second() -> None:
    def measure() -> float:
        began_s = time.perf_counter()
        subprocess.run([HELIX_LAB, "--help"], check=True, capture_output=True)
        return time.perf_counter() - began_s

    assert min(measure() for _ in range(3)) < 0.5


@pytest.mark.parametrize("command", [[str(HELIX_LAB)], [sys.executable, "-m", "helix_lab"]])
def test_both_ways_to_start_tell_the_version(command: list[str]) -> None:
    done = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True)

    assert done.stdout.startswith("helix-lab 0.")


def test_a_conversation_goes_in_and_comes_back(ask: Ask, ask_json: Callable[..., Any]) -> None:
    started = ask_json("conversations", "start", "--title", "Tea")
    conversation_id = started["conversation_id"]
    message = json.dumps({"role": "user", "content": "Black or green?"})

    ask_json("conversations", "append", conversation_id, "--messages", message)
    code, out, err = ask("conversations", "replay", conversation_id)

    assert 0 == code
    assert "Black or green?" in out
    assert "1 messages" in err


def test_messages_come_from_a_file(tmp_path: Path, ask_json: Callable[..., Any]) -> None:
    ask_json("conversations", "start", "--conversation-id", "c")
    path = tmp_path / "messages.json"
    path.write_text(json.dumps([{"role": "user", "content": "ünïcode"}] * 2))

    recorded = ask_json("conversations", "append", "c", "--messages", f"@{path}")

    assert 2 == len(recorded["messages"])


def test_a_debate_that_is_started_here_is_awaited(ask: Ask) -> None:
    code, out, _ = ask("debates", "start", "--topic", "Tea or coffee?")

    assert 0 == code
    assert "succeeded" in out
    assert "round 1 · answer · researcher · offline" in out


def test_a_sample_is_imported_and_answers_questions(ask: Ask) -> None:
    code, out, err = ask("import", str(SAMPLES / "debates.jsonl"))
    assert (0, "6 items taken in from debates_jsonl: 53 new events\n", "") == (code, out, err)

    code, out, _ = ask("analytics", "debates-winners")

    assert ["aurora", "borealis", "cirrus"] == [row.split()[0] for row in out.splitlines()[2:5]]


def test_importing_twice_tells_what_was_known(ask: Ask) -> None:
    ask("import", str(SAMPLES / "conversations.jsonl"))

    _, out, _ = ask("import", str(SAMPLES / "conversations.jsonl"))

    assert "1 item taken in from messages_jsonl: 0 new events, 32 known before\n" == out


def test_refused_items_are_listed_and_the_others_go_in(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "chats.jsonl"
    good = (SAMPLES / "conversations.jsonl").read_text().splitlines()[0]
    path.write_text(f"{good}\n{{broken\n", encoding="utf-8")

    code, out, err = ask("import", str(path))

    assert (8, "1 item taken in") == (code, out[:15])
    assert err.startswith("1 refused:\n  ")


def test_a_file_that_is_nothing_known_fails_with_one_line(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "nothing.txt"
    path.write_text("hello")

    code, out, err = ask("import", str(path))

    assert (2, "") == (code, out)
    assert 1 == err.count("\n")
    assert err.startswith("error: ")


def test_a_store_is_rebuilt(ask: Ask) -> None:
    ask("import", str(SAMPLES / "debates.jsonl"))
    before = ask("analytics", "providers", "--window", "all")

    assert (0, "rebuilt analytics\n", "") == ask("rebuild", "analytics")

    assert before == ask("analytics", "providers", "--window", "all")


def test_a_query_prints_a_table_and_its_size(ask: Ask) -> None:
    code, out, err = ask("query", "SELECT $a AS a, $b AS b", "--param", "a=7", "--param", "b=x y")

    assert (0, "a  b\n─  ───\n7  x y\n") == (code, out)
    assert err.startswith("1 row · ")


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ('"7"', "7"), ("null", None), ("07", "07"), ("a=b", "a=b")]
)
def test_a_parameter_is_json_or_text(text: str, value: Any, ask_json: Callable[..., Any]) -> None:
    answer = ask_json("query", "SELECT $a AS a", "--param", f"a={text}")

    assert [[value]] == answer["rows"]


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (2, ["query", "SELECT nothing"]),
        (2, ["query", "DROP TABLE message_metrics"]),
        (2, ["query", "SELECT 1", "--param", "1=2"]),
        (2, ["analytics", "providers", "--window", "3h"]),
        (2, ["runs", "list", "--limit", "0"]),
        (2, ["runs", "list", "--limit", "many"]),
        (2, ["conversations", "append", "c", "--messages", "{"]),
        (2, ["conversations", "append", "c", "--messages", "@no-such-file"]),
        (2, ["rebuild", "nothing"]),
        (2, ["import", "no-such-file"]),
        (2, ["nothing"]),
        (3, ["conversations", "replay", "nobody"]),
        (3, ["runs", "get", "nothing"]),
        (6, ["--url", "http://127.0.0.1:1/", "info"]),
    ],
)
def test_an_error_is_told_without_a_traceback(code: int, arguments: list[str], ask: Ask) -> None:
    found, out, err = ask(*arguments)

    assert (code, "") == (found, out)
    assert "rror: " in err
    assert "Traceback" not in err


def test_a_conflict_has_its_own_exit_code(ask: Ask) -> None:
    ask("conversations", "start", "--conversation-id", "c", "--user-id", "ana")

    code, _, err = ask("conversations", "start", "--conversation-id", "c", "--user-id", "ben")

    assert 4 == code
    assert err.startswith("error: there is a conversation 'c'")


def test_commands_go_to_a_server(server: LiveServer, ask: Ask) -> None:
    options = ("--url", server.url, "--token", TOKEN)

    assert 0 == ask(*options, "info")[0]
    assert 5 == ask("--url", server.url, "--token", "wrong", "info")[0]
    assert 0 == ask(*options, "import", str(SAMPLES / "conversations.jsonl"))[0]


def test_the_owner_of_the_folder_is_asked(server: LiveServer, ask: Ask) -> None:
    code, out, _ = ask("--data-dir", str(server.folder / "lab"), "info", "--json")

    assert (0, "helix-lab") == (code, json.loads(out)["name"])


def test_a_page_tells_how_to_get_the_next(ask: Ask, ask_json: Callable[..., Any]) -> None:
    for number in range(3):
        ask_json("conversations", "start", "--conversation-id", f"c{number}")

    _, _, err = ask("conversations", "list", "--limit", "2")
    rest = ask_json("conversations", "list", "--cursor", err.split()[-1])

    assert ["c0"] == [row["conversation_id"] for row in rest["conversations"]]


def test_a_table_is_not_wider_than_the_terminal() -> None:
    printed = run_on_terminal([str(HELIX_LAB), "catalog"], columns=40)

    assert max(map(len, printed.splitlines())) <= 40


def run_on_terminal(command: list[str], *, columns: int) -> str:
    """What a program prints on a terminal of this width."""
    leader, follower = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns)}
    with subprocess.Popen(command, stdout=follower, stderr=follower, env=environment):
        os.close(follower)
        printed = b""
        while chunk := _read(leader):
            printed += chunk
    os.close(leader)
    return printed.decode().replace("\r", "")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the other side is closed
        return b""


def test_ctrl_c_stops_a_query(tmp_path: Path) -> None:
    with subprocess.Popen(
        [HELIX_LAB, "query", ENDLESS_SQL, "--timeout", "100"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for((tmp_path / "lab" / "analytics.duckdb").exists, "the opening")
        wait_for(lambda: _cpu_s(process.pid) > 1.5, "the query")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=5)

    assert (130, "", "\nstopped\n") == (process.returncode, out, err)


def _cpu_s(pid: int) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def test_a_reader_that_leaves_early_is_no_error(ask: Ask) -> None:
    ask("import", str(SAMPLES / "conversations.jsonl"))
    head = shutil.which("head")

    done = subprocess.run(
        [
            "/bin/sh",
            "-c",
            f"{HELIX_LAB} query 'SELECT * FROM range(5000)' --max-rows 5000 | {head} -1",
        ],
        check=True,
        capture_output=True,
        text=True,
    )

    assert "Traceback" not in done.stderr


def test_serve_hands_its_options_to_jupyter(tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | {
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "run"),
    }
    folder = str(tmp_path / "served")
    command = [str(HELIX_LAB), "--data-dir", folder, "serve", f"--port={port}", "--no-browser"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(lambda: run(["--url", url, "health"]) == 0, "the start", limit_s=60)
            assert 0 == run(["--data-dir", folder, "info"])
        finally:
            process.terminate()
            process.wait(30)


def test_the_root_command_knows_every_group() -> None:
    assert all(root.get_command(None, name) for name in SUMMARIES)  # type: ignore[arg-type]
    assert root.get_command(None, "nothing") is None  # type: ignore[arg-type]
    assert make_command("nothing", summary="") is None
