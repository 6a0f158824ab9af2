"""Stores are what the log says: live, rebuilt, and after odd events."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from helix_lab.domain.model.errors import InvalidEvent
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES, MESSAGE_ADDED, Draft, Event
from helix_lab.lab import Lab
from helix_lab.record import drafts
from tests.flow.labs import (
    catch_up,
    contents,
    dump_stores,
    open_at,
    read_dead_letters,
    rebuild,
    say,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEATS = [
    {"seat": name, "position": name, "provider": f"p-{name}", "model": "m"} for name in ("A", "B")
]

times = st.none() | st.integers(-(10**9), 10**9).map(lambda s: NOON + timedelta(seconds=s))
titles = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
numbers = st.none() | st.integers(0, 10**6)
fractions = st.none() | st.floats(0, 1)


@st.composite
def conversation_drafts(draw: st.DrawFn, key: str, number: int) -> Draft:
    """A fact about a conversation; `number` keeps its id its own."""
    time = draw(times)
    match draw(st.integers(0, 4)):
        case 0:
            user_id = f"user of {key}"
            return replace(
                drafts.start_conversation(key, user_id=user_id, source="test"), time=time
            )
        case 1:
            metadata = draw(st.none() | st.dictionaries(st.text("ab"), st.integers()))
            return drafts.describe_conversation(
                key, title=draw(titles), metadata=metadata, time=time, at=str(number)
            )
        case 2:
            outcome = draw(st.sampled_from(["successful", "abandoned", "error"]))
            return drafts.complete_conversation(key, outcome=outcome, time=time, at=str(number))
        case 3:
            return drafts.select_branch(key, f"{key}-m0", at=str(number), time=time)
        case _:
            content = draw(titles) or ""
            return replace(
                drafts.add_message(key, f"{key}-m{number}", role="user", content=content),
                time=time,
            )


def start_debate(key: str) -> Draft:
    return drafts.start_debate(
        f"{key}-d", conversation_id=key, topic="t", protocol="x", rounds=2, seed=1, seats=SEATS
    )


@st.composite
def debate_drafts(draw: st.DrawFn, key: str, number: int) -> Draft:
    """A fact about a debate; of its turns and its end there is one each."""
    debate_id = f"{key}-d"
    seat = SEATS[number % 2]
    turn: drafts.Turn = {
        "conversation_id": key,
        "round": 1 + number,
        "role": "answer",
        **seat,  # type: ignore[typeddict-item]
    }
    match draw(st.integers(1, 4)):
        case 1:
            return drafts.request_turn(debate_id, **turn, time=draw(times))
        case 2:
            return drafts.answer_turn(
                debate_id,
                **turn,
                text=draw(titles) or "",
                confidence=draw(fractions),
                input_tokens=draw(numbers),
                output_tokens=draw(numbers),
                cost_usd=draw(fractions),
                time=draw(times),
            )
        case 3:
            return drafts.fail_turn(
                debate_id, **turn, error_code="X", error_message="x", time=draw(times)
            )
        case _:
            return drafts.complete_debate(
                debate_id,
                conversation_id=key,
                outcome="decided",
                winner=SEATS[0],
                confidence=0.5,
                total_rounds=1,
            )


@st.composite
def batches(draw: st.DrawFn) -> list[list[Draft]]:
    """Facts about some conversations, as they are recorded one call after the other."""
    made: dict[str, Draft] = {}
    for number in range(draw(st.integers(1, 25))):
        key = f"c{draw(st.integers(0, 2))}"
        kinds = conversation_drafts(key, number) | debate_drafts(key, number)
        draft = draw(kinds)
        if draft.type.topic == DEBATES:
            start = start_debate(key)
            made.setdefault(start.event_id, start)
        made.setdefault(draft.event_id, draft)
    rest = list(made.values())
    found: list[list[Draft]] = []
    while rest:
        size = draw(st.integers(1, 6))
        found.append(rest[:size])
        rest = rest[size:]
    return found


@settings(max_examples=30, deadline=None, phases=set(Phase) - {Phase.shrink})
@given(batches())
def test_a_rebuilt_store_equals_the_live_one(recorded: Sequence[Sequence[Draft]]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_at(Path(folder)) as lab:
        for number, batch in enumerate(recorded):
            lab.services.writer.record(batch)
            if number % 2:
                catch_up(lab)
        live = dump_stores(lab)

        rebuild(lab, "conversations")
        rebuild(lab, "analytics")

        assert live == dump_stores(lab)
        assert [] == read_dead_letters(lab)


def make_event(name: str, /, **fields: Any) -> Event:
    data = {
        "conversation_id": "c",
        "message_id": name,
        "role": "user",
        "content": "x",
        "model_tokens": 1,
    }
    known: dict[str, Any] = {
        "type": MESSAGE_ADDED.name,
        "node_id": "stranger",
        "key": "c",
        "subject": name,
        "time": NOON,
        "clock": 1,
        "data": data | fields.pop("data", {}),
    }
    return Event(event_id=name, **(known | fields))


ODD = {
    "unknown type": make_event("odd", type="helixagent.message.sung"),
    "future version": make_event("odd", version=2),
    "missing field": make_event("odd", data={"model_tokens": None}),
    "text for a number": make_event("odd", data={"model_tokens": "many"}),
    "number beyond 64 bits": make_event("odd", data={"model_tokens": 2**63}),
    "null for a text": make_event("odd", data={"role": None}),
    "number for a text": make_event("odd", data={"role": 5, "message_id": {}, "model_tokens": []}),
}


@pytest.mark.parametrize("name", ODD)
def test_an_event_that_cannot_be_taken_is_a_dead_letter_and_the_store_goes_on(
    lab: Lab, name: str
) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("before")])
    (odd,) = lab.services.log.append([(CONVERSATIONS, ODD[name])])
    lab.append_messages("c", [say("after")])

    catch_up(lab)

    assert {} == lab.get_info().projection_faults
    letters = [letter for letter in read_dead_letters(lab) if letter["projection"] == "analytics"]
    assert [(CONVERSATIONS, 0, odd.offset, "odd", ODD[name].type)] == [
        tuple(letter[key] for key in ("topic", "partition", "offset", "event_id", "event_type"))
        for letter in letters
    ]
    assert letters[0]["reason"]
    texts = lab.run_query("SELECT count(*) AS n FROM message_metrics").rows
    assert [[2]] == texts
    assert lab.get_conversation("c").message_count in {2, 3}


def test_a_dead_letter_stays_one_after_a_rebuild(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.services.log.append([(CONVERSATIONS, ODD["unknown type"])])
    live = dump_stores(lab)
    letters = [{**letter, "refused_at": None} for letter in read_dead_letters(lab)]

    rebuild(lab, "conversations")
    rebuild(lab, "analytics")
    rebuild(lab, "graph")
    rebuild(lab, "learning")

    assert live == dump_stores(lab)
    assert letters == [{**letter, "refused_at": None} for letter in read_dead_letters(lab)]
    refusing = ["analytics", "conversations", "graph", "learning"]
    assert refusing == [letter["projection"] for letter in letters]


def test_a_rebuild_forgets_letters_that_it_does_not_refuse_again(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    catch_up(lab)
    letter = {"topic": DEBATES, "partition": 0, "offset": 0, "event_id": "e", "event_type": "t"}
    for projection in ("analytics", "conversations"):
        lab.services.records.add_dead_letters(
            [{**letter, "projection": projection, "reason": "an older program did not know it"}]
        )

    rebuild(lab, "conversations")
    rebuild(lab, "analytics")

    assert [] == read_dead_letters(lab)


def test_a_number_that_no_store_could_keep_is_not_recorded(lab: Lab) -> None:
    turn: drafts.Turn = {"conversation_id": "c", "round": 1, "role": "answer", **SEATS[0]}  # type: ignore[typeddict-item]

    with pytest.raises(InvalidEvent, match="input_tokens"):
        lab.services.writer.record([drafts.answer_turn("d", **turn, text="", input_tokens=2**60)])
    with pytest.raises(InvalidEvent, match="seed"):
        lab.services.writer.record([replace_data(start_debate("c"), seed=2**60)])


def replace_data(draft: Draft, **fields: Any) -> Draft:
    return replace(draft, data={**draft.data, **fields})


def fill(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    """Put something in every table, and give what the stores hold."""
    lab.start_conversation(conversation_id="c", user_id="u", title="Tea")
    lab.append_messages("c", [say("a"), say("b", "assistant", model="m")])
    lab.start_debate(topic="Is tea good?", conversation_id="c", wait_s=60)
    return dump_stores(lab)


def test_a_store_made_with_another_schema_is_made_anew_and_filled(tmp_path: Path) -> None:
    with open_at(tmp_path) as lab:
        before = fill(lab)
    with duckdb.connect(str(tmp_path / "analytics.duckdb")) as connection:
        connection.execute("UPDATE helix_schema SET digest = 'of an older version'")
        connection.execute("DROP TABLE debate_winners")
        connection.execute("INSERT INTO message_metrics SELECT * FROM message_metrics")

    with open_at(tmp_path) as lab:
        assert before == dump_stores(lab)


@pytest.mark.parametrize("pattern", ["analytics.duckdb*", "records.sqlite*"])
def test_a_store_whose_file_is_gone_is_filled_again(tmp_path: Path, pattern: str) -> None:
    with open_at(tmp_path) as lab:
        before = fill(lab)
    for path in tmp_path.glob(pattern):
        path.unlink()

    with open_at(tmp_path) as lab:
        assert before == dump_stores(lab)
        assert 3 <= len(contents(lab, "c"))
