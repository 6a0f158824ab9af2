"""`helix-lab report`: on a server that runs, and on one of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors.cli.conftest import Ask
from tests.reports.making import write_report
from tests.server.live import TOKEN, LiveServer

RULES = {
    "word": {"type": "string"},
    "count": {"type": "integer"},
    "key": {"type": "string", "secret": True},
}
PARAMETERS = "word = ''\ncount = 0\nkey = ''"


def test_without_a_server_the_command_starts_one(ask: Ask, tmp_path: Path) -> None:
    write_report(
        tmp_path / "lab" / "reports", "words", "print(word)", parameters=PARAMETERS, schema=RULES
    )

    code, out, err = ask("report", "run", "words", "-p", "word=01")

    assert (0, "no server runs; starting one for this command\n") == (code, err)
    assert Path(out.strip()).is_relative_to(tmp_path / "lab" / "runs")
    assert "01" in Path(out.strip()).read_text()
    assert not (tmp_path / "lab" / "owner.json").exists()


@pytest.fixture
def on_server(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of reports of a server that the command line uses."""
    monkeypatch.setenv("HELIX_LAB_URL", server.url)
    monkeypatch.setenv("HELIX_LAB_TOKEN", TOKEN)
    return server.folder / "lab" / "reports"


def test_values_are_read_as_the_report_has_them(ask: Ask, on_server: Path, tmp_path: Path) -> None:
    checks = "assert (word, count, key) == ('7', 7, 'a secret of mine')"
    write_report(on_server, "typed", checks, parameters=PARAMETERS, schema=RULES)
    (tmp_path / "key").write_text("a secret of mine\n")

    code, out, err = ask(
        *("report", "run", "typed", "-p", "word=7", "-p", "count=7"),
        *("-p", f"key=@{tmp_path / 'key'}"),
    )

    assert (0, "") == (code, err)
    assert out.strip().endswith("/artifacts/report.html")


def test_a_report_that_fails_says_where_its_files_are(ask: Ask, on_server: Path) -> None:
    write_report(on_server, "failing", "1 / 0")

    code, out, err = ask("report", "run", "failing")

    assert (1, "") == (code, out)
    assert "what it made until then: http" in err
    assert "error: failing: cell 2 raised ZeroDivisionError: division by zero" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "nothing"), 3, "no report 'nothing'"),
        (("run", "provider-performance", "-p", "window=2h"), 2, "window must be one of"),
        (("run", "provider-performance", "-p", "colour=1"), 2, "no parameter 'colour'"),
        (("run", "provider-performance", "-p", "window"), 2, "must be name=value"),
    ],
)
def test_what_does_not_fit_is_refused(
    ask: Ask, on_server: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = ask("report", *arguments)

    assert (code, True) == (found, said in err)


def test_the_group_answers_to_both_its_names(ask: Ask, on_server: Path) -> None:
    assert ask("report", "list") == ask("reports", "list")
    assert "conversation-review" in ask("reports", "list")[1]


def test_a_schedule_is_made_listed_and_deleted(ask: Ask, on_server: Path) -> None:
    write_report(on_server, "typed", parameters=PARAMETERS, schema=RULES)

    code, out, err = ask(
        *("report", "schedule", "typed", "0 7 * * 1", "--timezone", "Europe/Berlin"),
        *("-p", "word=7", "-p", "count=7", "--json"),
    )

    assert (0, "") == (code, err)
    made = json.loads(out)
    assert ({"word": "7", "count": 7}, "At 07:00 on Monday") == (
        made["parameters"],
        made["meaning"],
    )
    assert made["schedule_id"] in ask("schedules", "list", "--report", "typed")[1]
    assert "Europe/Berlin" in ask("schedules", "get", made["schedule_id"])[1]
    assert 0 == ask("schedules", "pause", made["schedule_id"])[0]
    assert 0 == ask("schedules", "resume", made["schedule_id"])[0]
    assert 0 == ask("schedules", "delete", made["schedule_id"])[0]
    assert 3 == ask("schedules", "get", made["schedule_id"])[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["whenever"], "'whenever' has 1 fields"),
        (["0 7 * * 1", "--timezone", "Mars/Olympus"], "there is no time zone 'Mars/Olympus'"),
        (["0 7 * * 1", "-p", "key=a secret of mine"], "a schedule keeps no secret"),
        (["0 7 * * 1", "-p", "count=many"], "must be integer"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    ask: Ask, on_server: Path, options: list[str], said: str
) -> None:
    write_report(on_server, "typed", parameters=PARAMETERS, schema=RULES)

    code, out, err = ask("report", "schedule", "typed", *options)

    assert (2, "") == (code, out)
    assert said in err


def test_without_a_server_a_schedule_is_kept_and_waits_for_one(ask: Ask, tmp_path: Path) -> None:
    write_report(tmp_path / "lab" / "reports", "words")

    code, _, err = ask("report", "schedule", "words", "0 7 * * 1")

    assert (0, "no server runs: it waits for `helix-lab serve`\n") == (code, err)
    assert "words" in ask("schedules", "list")[1]
