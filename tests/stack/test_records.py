"""The record store on PostgreSQL: probed for real, refused clearly, back after a crash."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from helix_lab.domain.model.errors import InvalidRequest, Unavailable
from helix_lab.doors.cli.stacking import find_cache
from helix_lab.operations.cancellation import CancelScope
from helix_lab.operations.table import OPERATIONS
from helix_lab.records.database import Records
from helix_lab.records.tables import CONVERSATION
from helix_lab.settings import read_settings
from helix_lab.stack.ports import LOOPBACK, find_free_port
from helix_lab.stack.stack import Stack
from helix_lab_server.answering import Answer, carry_out
from helix_lab_server.asking import Asked
from helix_lab_server.holder import LabHolder
from tests.flow.labs import contents, open_at, say, wait_until
from tests.tiers import Running

postgres = pytest.mark.services("postgres")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def address(running_services: Running) -> sa.URL:
    return sa.make_url(running_services("postgres")["HELIX_RECORDS_URL"])


def show(address: sa.URL) -> str:
    return address.render_as_string(hide_password=False)


def row(name: str, at: datetime) -> Mapping[str, object]:
    counts = dict.fromkeys(("message_count", "token_count", "debate_count", "clock"), 0)
    return {"conversation_id": name, "started_at": at, "updated_at": at, **counts}


def test_ids_sort_by_their_bytes_on_both(records_url: str | None, tmp_path: Path) -> None:
    records = Records(records_url) if records_url else Records.embedded(tmp_path / "r.sqlite")
    names = ["ä", "a-b", "a_b", "B", "a", "ab", "Z", "10", "9"]
    with records.write() as connection:
        records.upsert(connection, CONVERSATION, [row(n, datetime.now(UTC)) for n in names])

    query = sa.select(CONVERSATION.c.conversation_id).order_by(CONVERSATION.c.conversation_id)
    with records.read() as connection:
        found = [name for (name,) in connection.execute(query)]
    records.close()

    assert sorted(names, key=str.encode) == found


def test_times_come_back_in_utc_whatever_the_session(
    records_url: str | None, tmp_path: Path
) -> None:
    if records_url:
        own = sa.make_url(records_url)
        asked = f"{own.query['options']} -c timezone=Asia/Kathmandu"
        records = Records(own.update_query_dict({"options": asked}))
    else:
        records = Records.embedded(tmp_path / "records.sqlite")
    moment = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=-7)))
    with records.write() as connection:
        records.upsert(connection, CONVERSATION, [row("c", moment)])

    with records.read() as connection:
        found = connection.execute(sa.select(CONVERSATION.c.started_at)).scalar_one()
    records.close()

    assert datetime(2026, 3, 1, 19, tzinfo=UTC) == found
    assert timedelta(0) == found.utcoffset()


def test_a_long_id_is_kept_whole_on_both(records_url: str | None, tmp_path: Path) -> None:
    records = Records(records_url) if records_url else Records.embedded(tmp_path / "r.sqlite")
    name = "n" * 500
    with records.write() as connection:
        records.upsert(connection, CONVERSATION, [row(name, datetime.now(UTC))])

    with records.read() as connection:
        found = connection.execute(sa.select(CONVERSATION.c.conversation_id)).scalar_one()
    records.close()

    assert name == found


@postgres
@pytest.mark.parametrize("records_url", ["postgres"], indirect=True)
def test_two_labs_may_make_the_tables_at_the_same_time(records_url: str) -> None:
    failed: list[BaseException] = []

    def open_one() -> None:
        try:
            Records(records_url).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failed


@postgres
def test_a_wrong_password_is_told_without_any_password(address: sa.URL) -> None:
    with pytest.raises(Unavailable, match="password authentication failed") as refused:
        Records(address.set(password="not-the-password"))

    assert "not-the-password" not in str(refused.value)
    assert str(address.password) not in str(refused.value)
    assert "HELIX_RECORDS_URL" in str(refused.value)


@postgres
def test_a_database_that_is_not_there_is_told(address: sa.URL) -> None:
    with pytest.raises(Unavailable, match='database "nowhere" does not exist'):
        Records(address.set(database="nowhere"))


@postgres
def test_tls_where_none_is_is_told(address: sa.URL) -> None:
    with pytest.raises(Unavailable, match="does not support SSL"):
        Records(address.update_query_dict({"sslmode": "require"}))


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    port = find_free_port(set())

    with pytest.raises(Unavailable, match="onnection refused"):
        Records(f"postgresql+psycopg://u:secret@{LOOPBACK}:{port}/d")


@pytest.mark.parametrize("url", ["mysql://u:geheim@h/d", "geheim", "://geheim", "postgresql://"])
def test_an_address_of_another_kind_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidRequest, match="must be postgresql") as refused:
        read_settings(environment={"HELIX_RECORDS_URL": url})

    assert "geheim@" not in str(refused.value)


@postgres
def test_health_says_where_the_records_are_and_whether_they_answer(
    tmp_path: Path, folder: Path
) -> None:
    stack = Stack(folder, find_cache())
    with stack.hold({"postgres": 1}) as state:
        pid = state.services["postgres"].processes[0][0]
        url = stack.read_variables()["HELIX_RECORDS_URL"]
        with open_at(tmp_path / "lab", records_url=url) as lab:
            assert "connected" == lab.get_health().services["postgresql"]
            assert "postgresql" == lab.get_info().backends["postgresql"]
            family = [psutil.Process(pid), *psutil.Process(pid).children()]

            for process in family:
                process.send_signal(signal.SIGSTOP)
            try:
                health = lab.get_health()
            finally:
                for process in family:
                    process.send_signal(signal.SIGCONT)

            assert "degraded" == health.status
            assert "unreachable" == health.services["postgresql"]
            wait_until(lambda: "healthy" == lab.get_health().status)


@postgres
def test_a_server_that_starts_before_postgres_says_so_and_opens_its_lab_later(
    tmp_path: Path, folder: Path
) -> None:
    stack = Stack(folder, find_cache())
    with stack.hold({"postgres": 1}):
        url = stack.read_variables()["HELIX_RECORDS_URL"]
    holder = LabHolder(
        lambda: open_at(tmp_path / "lab", records_url=url), logging.getLogger("test")
    )
    holder.open()

    def ask(name: str, body: bytes = b"") -> Answer:
        (operation,) = (operation for operation in OPERATIONS if operation.name == name)
        asked = Asked(path=(), query={}, body=body, upload=None, prefer="")
        return carry_out(holder, operation, asked, scope=CancelScope())

    assert {"status": "degraded", "services": {"postgresql": "unreachable"}} == json.loads(
        ask("get_health").body
    )
    with pytest.raises(Unavailable, match="HELIX_RECORDS_URL"):
        ask("start_conversation", b"{}")
    with stack.hold({"postgres": 1}):
        wait_until(lambda: "healthy" == json.loads(ask("get_health").body)["status"])
        assert 201 == ask("start_conversation", b"{}").status
        holder.close()


@postgres
def test_the_records_come_level_after_postgres_was_killed_amid_writes(
    tmp_path: Path, folder: Path
) -> None:
    stack = Stack(folder, find_cache())
    with stack.hold({"postgres": 1}) as state:
        url = stack.read_variables()["HELIX_RECORDS_URL"]
        with open_at(tmp_path / "lab", records_url=url) as lab:
            lab.start_conversation(conversation_id="c")
            for number in range(30):
                if number == 10:
                    os.kill(state.services["postgres"].processes[0][0], signal.SIGKILL)
                # The log takes them, whether the records are there or not.
                lab.append_messages("c", [say(f"message {number}")])
            wait_until(lambda: "conversations" in lab.get_info().projection_faults)
            wait_until(lambda: "failed" == stack.read_state().services["postgres"].state)
            stack.up({"postgres": 1})

            wait_until(lambda: 0 == lab.get_info().projection_lag["conversations"], timeout_s=60)

            assert 30 == lab.get_conversation("c").message_count
            assert [f"message {number}" for number in range(30)] == contents(lab, "c")
