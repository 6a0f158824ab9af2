"""What a lab does while its broker is dead, stopped or not up yet, and when it is back."""

from __future__ import annotations

import random
import re
import resource
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from helix_lab.adapters.log_kafka.client_settings import WRITE_TIMEOUT_S
from helix_lab.domain.model.errors import InvalidRequest, LogWriteFailed, Unavailable
from helix_lab.lab import Lab
from helix_lab.stack.ports import LOOPBACK, find_free_port
from helix_lab.stack.stack import Stack
from tests.flow.labs import contents, open_at, rebuild, say, wait_until
from tests.stack.kafka import address_on, broker, stopped
from tests.tiers import Running

PATIENCE_S = 90.0
KEYS = ("a", "b", "c")
__all__ = ["broker"]
pytestmark = [pytest.mark.services("kafka"), pytest.mark.timeout(400)]


@pytest.fixture
def address(broker: Stack, tmp_path: Path) -> str:
    if "ready" != broker.read_state().services["kafka"].state:
        broker.up({"kafka": 1})
    return address_on(broker, tmp_path)


def kill(broker: Stack) -> None:
    broker.kill("kafka")
    wait_until(lambda: "failed" == broker.read_state().services["kafka"].state)


class Load:
    """Writes numbered messages to each key, one after the other, until stopped.

    A message that was refused is sent again with its id, as a client should.
    """

    def __init__(self, lab: Lab) -> None:
        self.acknowledged: dict[str, list[str]] = {key: [] for key in KEYS}
        self.refused = 0
        self.errors: list[BaseException] = []
        self._lab = lab
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(key,)) for key in KEYS]
        for key in KEYS:
            lab.start_conversation(conversation_id=key)
        for thread in self._threads:
            thread.start()

    @property
    def count(self) -> int:
        return min(map(len, self.acknowledged.values()))

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _write(self, key: str) -> None:
        number = 0
        while not self._stopping.is_set():
            word = f"{number:06d}"
            try:
                self._lab.append_messages(key, [{**say(word), "message_id": f"{key}-{word}"}])
            except LogWriteFailed:
                self.refused += 1
            except BaseException as error:
                self.errors.append(error)
                return
            else:
                self.acknowledged[key].append(word)
                number += 1


def has_messages(lab: Lab, key: str, count: int) -> bool:
    return bool(count == lab.get_conversation(key).message_count)


def check_sequences(lab: Lab, load: Load) -> None:
    """Nothing lost, nothing doubled, each key in its order; in the log and in the stores."""
    assert [] == load.errors
    for key in KEYS:
        told = contents(lab, key)
        acknowledged = load.acknowledged[key]
        assert acknowledged == told[: len(acknowledged)]
        # The last one may be in the log although its answer was lost.
        assert len(told) - len(acknowledged) <= 1
        assert sorted(set(told)) == told
        wait_until(partial(has_messages, lab, key, len(told)))


def test_a_broker_that_is_killed_and_comes_back_loses_and_doubles_nothing(
    broker: Stack, address: str, tmp_path: Path
) -> None:
    with open_at(tmp_path / "lab", log_url=address) as lab:
        load = Load(lab)
        wait_until(lambda: load.count >= 10, timeout_s=PATIENCE_S)
        kill(broker)
        wait_until(lambda: load.refused, timeout_s=PATIENCE_S)
        assert "unreachable" == lab.get_health().services["kafka"]
        assert contents(lab, "a")  # reads go on
        broker.up({"kafka": 1})
        before = load.count
        wait_until(lambda: load.count >= before + 10, timeout_s=PATIENCE_S)
        load.stop()

        wait_until(lambda: "healthy" == lab.get_health().status)
        check_sequences(lab, load)
        rebuild(lab, "conversations")
        check_sequences(lab, load)


def test_a_broker_whose_disk_is_full_refuses_and_loses_nothing(
    broker: Stack, address: str, tmp_path: Path
) -> None:
    with open_at(tmp_path / "lab", log_url=address) as lab:
        lab.start_conversation(conversation_id="a")
        lab.append_messages("a", [say("before")])
        fill_disk(broker)
        acknowledged = append_until_refused(lab)
        assert contents(lab, "a") == ["before", *acknowledged]  # reads go on

        kill(broker)
        broker.up({"kafka": 1})
        wait_until(lambda: "healthy" == lab.get_health().status, timeout_s=PATIENCE_S)
        lab.append_messages("a", [say("after")])

        told = contents(lab, "a")
        # What was refused may be in the log, once: its answer says so.
        assert ["before", *acknowledged] == told[: 1 + len(acknowledged)]
        assert len(set(told)) == len(told) <= 3 + len(acknowledged)
        assert "after" == told[-1]


def fill_disk(broker: Stack) -> None:
    """No file of the broker may grow any further than a little."""
    pid = broker.read_state().services["kafka"].processes[0][0]
    sizes = [path.stat().st_size for path in broker.folder.path.rglob("*.log")]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(sizes) + 2**20, resource.RLIM_INFINITY))


def append_until_refused(lab: Lab) -> list[str]:
    """Append large messages; those that were acknowledged."""
    acknowledged: list[str] = []
    for number in range(100):
        text = f"{number} {random.randbytes(50_000).hex()}"  # not to be compressed
        try:
            lab.append_messages("a", [say(text)])
        except LogWriteFailed:
            return acknowledged
        acknowledged.append(text)
    pytest.fail("nothing was refused")


def test_a_broker_that_says_nothing_is_given_up_in_time_and_used_again(
    broker: Stack, address: str, tmp_path: Path
) -> None:
    with open_at(tmp_path / "lab", log_url=address) as lab:
        load = Load(lab)
        wait_until(lambda: load.count >= 10)
        with stopped(broker):
            begun_s = time.monotonic()
            with pytest.raises(LogWriteFailed, match=r"same ids|nothing was"):
                lab.append_messages("a", [say("nobody hears this")])
            assert time.monotonic() - begun_s < 3 * WRITE_TIMEOUT_S
            assert "unreachable" == lab.get_health().services["kafka"]
            assert contents(lab, "b")
        before = load.count
        wait_until(lambda: load.count >= before + 10, timeout_s=PATIENCE_S)
        load.stop()

        wait_until(lambda: "healthy" == lab.get_health().status)
        # What had no answer may be there, once.
        assert contents(lab, "a").count("nobody hears this") <= 1
        for key in ("b", "c"):
            told = contents(lab, key)
            assert load.acknowledged[key] == told[: len(load.acknowledged[key])]
            assert sorted(set(told)) == told


def test_a_lab_opens_without_its_broker_and_works_once_it_is_there(
    broker: Stack, address: str, tmp_path: Path
) -> None:
    with open_at(tmp_path / "lab", log_url=address) as lab:
        lab.start_conversation(conversation_id="old")
        lab.append_messages("old", [say("kept")])
    kill(broker)

    with open_at(tmp_path / "lab", log_url=address) as lab:
        health = lab.get_health()
        assert ("degraded", "unreachable") == (health.status, health.services["kafka"])
        assert ["kept"] == contents(lab, "old")
        with pytest.raises(LogWriteFailed, match=r"could not be written .*onnect"):
            lab.append_messages("old", [say("refused")])
        with (
            open_at(tmp_path / "new", log_url=address) as empty,
            pytest.raises(Unavailable, match="cannot be used"),
        ):
            empty.get_conversation("old")  # it cannot know whether there is one

        broker.up({"kafka": 1})
        wait_until(lambda: "healthy" == lab.get_health().status, timeout_s=PATIENCE_S)
        lab.append_messages("old", [say("taken")])

        assert ["kept", "taken"] == contents(lab, "old")


def test_a_wrong_address_is_told_without_its_password(tmp_path: Path) -> None:
    port = find_free_port(set())
    url = f"kafka://user:geheim@{LOOPBACK}:{port}"
    with (
        open_at(tmp_path / "lab", log_url=url) as lab,
        pytest.raises(Unavailable, match=re.escape(f"{LOOPBACK}:{port}")) as refused,
    ):
        lab.start_conversation(conversation_id="c")
    assert "geheim" not in str(refused.value)
    with pytest.raises(InvalidRequest, match="user:password") as refused_url:
        open_at(tmp_path / "other", log_url=f"kafka://geheim@{LOOPBACK}:{port}")
    assert "geheim" not in str(refused_url.value)


@pytest.mark.parametrize("form", ["kafka+ssl://{}", "kafka://user:geheim@{}"])
def test_tls_or_a_password_where_none_is_is_refused(
    tmp_path: Path, running_services: Running, form: str
) -> None:
    url = form.format(running_services("kafka")["KAFKA_BOOTSTRAP_SERVERS"])
    with (
        open_at(tmp_path / "lab", log_url=url) as lab,
        pytest.raises(Unavailable, match=r"(?i)ssl|sasl|disconnected") as refused,
    ):
        lab.start_conversation(conversation_id="c")
    assert "geheim" not in str(refused.value)
