"""What commands print, and the exit code that they leave."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.doors.cli.conftest import Ask
from tests.doors.conftest import SAMPLES
from tests.server.live import TOKEN, LiveServer


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


def test_a_user_is_erased_and_the_receipt_printed(ask: Ask) -> None:
    ask("conversations", "start", "--user-id", "alice")
    ask("conversations", "start", "--user-id", "bob")

    code, out, _ = ask("forget", "--user", "alice", "--yes")

    assert 0 == code
    assert re.search(r"^conversations +1$", out, re.MULTILINE)
    assert re.search(r"^others unchanged +True$", out, re.MULTILINE)
    assert "alice" not in out
    assert 3 == ask("forget", "--user", "alice", "--yes")[0]


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
