"""The widgets of notebooks: what they show, and what a reader may ask of them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from helix_lab import HelixError, Lab
from helix_lab.domain.model.errors import InvalidRequest, Unavailable, UnknownRun
from helix_lab.doors.widgets.context import ContextView
from helix_lab.doors.widgets.conversation import (
    MOST_CHARACTERS,
    PAGE_MESSAGES,
    ConversationView,
    view_conversation,
)
from helix_lab.doors.widgets.monitor import RunMonitor
from tests.doors.conftest import SAMPLES
from tests.doors.kernel.running import start_kernel
from tests.server.live import wait_for

WIDGET = "application/vnd.jupyter.widget-view+json"
EVIL = "<script>alert(1)</script><button data-commandlinker-command='x'>*bold*"


def say(lab: Lab, conversation_id: str, *contents: str, **more: Any) -> list[str]:
    """Add messages of a user, and give their ids."""
    messages = [{"role": "user", "content": content, **more} for content in contents]
    recorded = lab.append_messages(conversation_id, messages).messages
    return [message.message_id for message in recorded]


@pytest.fixture
def long(lab: Lab) -> Lab:
    """A lab with a conversation of 53 messages; each twelfth speaks of Parquet."""
    lab.start_conversation(conversation_id="long", title="A long one")
    say(lab, "long", *(f"{'Parquet' if n % 12 == 0 else 'text'} {n}" for n in range(1, 54)))
    return lab


@pytest.fixture
def branched(lab: Lab) -> Lab:
    """A question that was asked again, and each version answered."""
    lab.start_conversation(conversation_id="tree")
    for name, parent, content in (
        ("root", None, "Hello"),
        ("first", "root", "the first answer"),
        ("thanks", "first", "thank you"),
        ("second", "root", "the second answer"),
        ("why", "second", "why this one?"),
    ):
        say(lab, "tree", content, message_id=name, parent_id=parent)
    return lab


def texts(view: ConversationView) -> list[str]:
    return [message["text"] for message in view.state["messages"]]


def test_a_viewer_gives_one_page_and_not_the_whole_history(long: Lab) -> None:
    view = view_conversation(long, "long")

    assert [f"text {n}" for n in range(1, 4)] == texts(view)[:3]
    assert (PAGE_MESSAGES, 53, 0) == (len(texts(view)), view.state["total"], view.state["first"])
    assert 13 == len(view.ask({"do": "page", "value": 40})["messages"])
    assert 40 == view.ask({"do": "page", "value": 4000})["first"]
    assert 0 == view.ask({"do": "page", "value": -20})["first"]


def test_a_search_goes_to_the_first_match_and_on_around(long: Lab) -> None:
    view = view_conversation(long, "long")

    found = view.ask({"do": "search", "value": "pARQUET"})

    assert (4, 0, 11) == (found["found"], found["match"], found["target"])
    assert ["Parquet 12"] == [one["text"] for one in found["messages"] if one["is_found"]]
    steps = [view.ask({"do": "match", "value": step})["target"] for step in (1, 1, 1, 1, -1)]
    assert [23, 35, 47, 11, 47] == steps
    assert 40 == view.state["first"]


def test_a_search_without_a_match_says_so_and_stays(long: Lab) -> None:
    view = view_conversation(long, "long", at=30)

    state = view.ask({"do": "search", "value": "nowhere"})

    assert ("No message holds “nowhere”.", 20, 0) == (
        state["notice"],
        state["first"],
        state["found"],
    )
    assert "" == view.ask({"do": "search", "value": ""})["notice"]
    assert 20 == view.ask({"do": "match", "value": 1})["first"]


def test_a_jump_goes_by_number_and_by_id(long: Lab) -> None:
    view = view_conversation(long, "long")
    message_id = view.ask({"do": "jump", "value": "45"})["messages"][4]["message_id"]

    assert (44, 40) == (view.state["target"], view.state["first"])
    view.ask({"do": "jump", "value": "1"})
    assert 44 == view.ask({"do": "jump", "value": message_id})["target"]


@pytest.mark.parametrize("to", ["0", "54", "nobody", "-1", "½"])
def test_a_jump_to_nowhere_says_what_is_allowed(long: Lab, to: str) -> None:
    view = view_conversation(long, "long", at=5)

    state = view.ask({"do": "jump", "value": to})

    assert f"There is no message {to!r}; allowed: 1 to 53, or the id of one." == state["notice"]
    assert 4 == state["target"]


def test_a_viewer_that_is_to_begin_nowhere_is_refused(long: Lab) -> None:
    with pytest.raises(InvalidRequest, match="allowed: 1 to 53"):
        view_conversation(long, "long", at=99)


def test_another_version_of_a_message_leads_along_its_branch(branched: Lab) -> None:
    view = view_conversation(branched, "tree")
    assert ["Hello", "the first answer", "thank you"] == texts(view)
    assert ["first", "second"] == view.state["messages"][1]["versions"]
    assert 2 == view.state["others"]

    view.ask({"do": "search", "value": "answer"})
    view.ask({"do": "version", "value": "second"})

    assert ["Hello", "the second answer", "why this one?"] == texts(view)
    assert (1, 1) == (view.state["found"], view.state["target"])
    view.ask({"do": "jump", "value": "thanks"})
    assert ["Hello", "the first answer", "thank you"] == texts(view)


def test_a_wish_that_nobody_knows_is_told(long: Lab) -> None:
    view = view_conversation(long, "long")

    for asked in ({}, {"do": "dance"}, {"do": "page", "value": "x"}, {"do": "search"}):
        assert "does not know" in view.ask(asked)["notice"]


def test_a_conversation_without_messages_has_an_empty_page(lab: Lab) -> None:
    lab.start_conversation(conversation_id="empty")
    view = view_conversation(lab, "empty")

    assert ([], 0) == (view.ask({"do": "page", "value": 20})["messages"], view.state["total"])
    assert "it is empty" in view.ask({"do": "jump", "value": "1"})["notice"]
    assert "No messages yet" in view._repr_mimebundle_()["text/html"]


def test_a_huge_message_is_cut_and_says_by_how_much(lab: Lab) -> None:
    lab.start_conversation(conversation_id="huge")
    say(lab, "huge", "x" * (MOST_CHARACTERS + 5))

    view = view_conversation(lab, "huge")

    (message,) = view.state["messages"]
    assert (MOST_CHARACTERS, 5) == (len(message["text"]), message["cut_characters"])
    assert "18,005 characters more" in view._repr_mimebundle_()["text/html"]


def test_static_html_shows_values_as_text(lab: Lab) -> None:
    lab.start_conversation(conversation_id="evil", title=EVIL)
    say(lab, "evil", EVIL + "\x1b[2J", name="Eve <b>")

    html = view_conversation(lab, "evil")._repr_mimebundle_()["text/html"]

    assert "&lt;script&gt;" in html
    assert [] == [tag for tag in ("<script", "<button", "<b>", "\x1b") if tag in html]


def test_a_conversation_that_nobody_knows_is_an_error(lab: Lab) -> None:
    with pytest.raises(HelixError, match="nobody"):
        view_conversation(lab, "nobody")


# --- the run monitor -----------------------------------------------------------------------------


class Away:
    """A lab that answers when it is told to."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.is_away = lab, False

    def __getattr__(self, name: str) -> Any:
        if self.is_away:
            message = "nobody listens"
            raise Unavailable(message, service="helix_lab")
        return getattr(self.lab, name)


@pytest.fixture
def ended(lab: Lab) -> str:
    run = lab.rebuild_store("analytics")
    wait_for(lambda: lab.get_run(run.run_id).state == "succeeded", "the rebuild")
    return str(run.run_id)


def test_a_monitor_shows_the_newest_runs_or_one(lab: Lab, ended: str) -> None:
    lab.start_import(str(SAMPLES / "debates.jsonl"), wait_s=60)

    assert ["import", "rebuild"] == [run["kind"] for run in RunMonitor(lab).state["runs"]]
    (run,) = RunMonitor(lab, ended).state["runs"]
    assert (ended, "succeeded", 1.0, False) == (
        run["run_id"],
        run["state"],
        run["progress"],
        run["can_cancel"],
    )


def test_a_run_that_nobody_knows_is_an_error(lab: Lab) -> None:
    with pytest.raises(UnknownRun):
        RunMonitor(lab, "nobody")


def test_a_run_that_cannot_be_cancelled_any_more_is_told(lab: Lab, ended: str) -> None:
    state = RunMonitor(lab, ended).ask({"do": "cancel", "value": ended})

    assert f"The run {ended} was not cancelled" in state["notice"]


def test_a_lab_that_goes_away_is_told_and_asked_again(lab: Lab, ended: str) -> None:
    away = Away(lab)
    monitor = RunMonitor(away, ended)
    away.is_away = True

    assert monitor.refresh()
    assert "nobody listens. It is asked again" in monitor.state["notice"]
    away.is_away = False
    assert not monitor.refresh()
    assert "" == monitor.state["notice"]


def test_a_monitor_follows_until_its_reader_leaves(lab: Lab) -> None:
    monitor = RunMonitor(lab)
    monitor.ask({"do": "watch"})
    monitor.ask({"do": "watch"})
    lab.start_import(str(SAMPLES / "debates.jsonl"), wait_s=60)
    wait_for(lambda: monitor.state["runs"], "the run in the monitor")
    assert 1 == count_followers()

    monitor.ask({"do": "leave"})

    wait_for(lambda: count_followers() == 0, "the end of the follower")


def count_followers() -> int:
    return sum(thread.name == "helix-monitor" for thread in threading.enumerate())


def test_a_monitor_of_one_run_ends_with_it(lab: Lab, ended: str) -> None:
    monitor = RunMonitor(lab, ended)

    monitor.ask({"do": "watch"})

    wait_for(lambda: count_followers() == 0, "the end of the follower")
    assert (
        '<th scope="col" style="text-align:left">run</th>'
        in (monitor._repr_mimebundle_()["text/html"])
    )


# --- the context viewer --------------------------------------------------------------------------


@pytest.fixture
def talk(lab: Lab) -> Lab:
    """A lab with a conversation that has something to leave out."""
    lab.start_conversation(conversation_id="talk")
    say(lab, "talk", *(
        f"Well, you know, Maria moved {n} crates of lemons to Lisbon on day {n}, not to Porto."
        for n in range(1, 40)
    ))  # fmt: skip
    return lab


def test_a_smaller_budget_leaves_less_and_says_what_it_costs(talk: Lab) -> None:
    view = ContextView(talk, "talk", max_tokens=400)
    figures = view.state["figures"]
    before = sum(len(line["text"]) for line in view.state["lines"])

    state = view.ask({"do": "budget", "value": 200})

    assert "quality 0." in figures
    assert 0 < sum(len(line["text"]) for line in state["lines"]) < before
    assert figures != state["figures"]
    assert {"window", "full"} < set(state["strategies"])
    assert "window" == view.ask({"do": "strategy", "value": "window"})["strategy"]


def test_a_line_opens_the_messages_that_it_came_from(talk: Lab) -> None:
    view = ContextView(talk, "talk", max_tokens=300)
    said = {message.message_id: message.content for message in talk.replay("talk").messages}

    state = view.ask({"do": "sources", "value": 0})

    assert state["lines"][0]["ids"] == [one["message_id"] for one in state["sources"]]
    assert all(said[one["message_id"]] == one["text"] for one in state["sources"])
    assert [] == view.ask({"do": "sources", "value": 0})["sources"]


def test_a_budget_that_holds_nothing_or_everything_is_told(talk: Lab) -> None:
    view = ContextView(talk, "talk", max_tokens=1)
    assert "give at least" in view.state["notice"]

    assert "fits into this budget" in view.ask({"do": "budget", "value": 10**9})["notice"]


def test_a_context_as_html_shows_values_as_text(lab: Lab) -> None:
    lab.start_conversation(conversation_id="evil")
    say(lab, "evil", *(f"{EVIL} Maria has {n} boats" for n in range(20)))

    html = ContextView(lab, "evil")._repr_mimebundle_()["text/html"]

    assert "source" in html
    assert [] == [tag for tag in ("<script", "<button") if tag in html]


# --- in a kernel ---------------------------------------------------------------------------------


def test_a_cell_shows_a_widget_to_a_person_and_html_to_everybody(tmp_path: Any) -> None:
    with start_kernel(tmp_path / "lab") as kernel:
        kernel.run("_ = hx.start_conversation(conversation_id='c', title='Talk')")
        assert "False" == kernel.run("import sys; 'anywidget' in sys.modules").text
        (seen,) = kernel.run("hx.view('c')").results
        (runs,) = kernel.run("hx.monitor()").results
        kernel.client.allow_stdin = False
        (printed,) = kernel.run("hx.view('c')").results
        unknown = kernel.run("hx.view('nobody')")

    assert {"text/plain", "text/html", WIDGET} == set(seen) == set(runs)
    assert {"text/plain", "text/html"} == set(printed)
    assert "<conversation 'Talk', 0 messages>" == seen["text/plain"]
    assert "UnknownConversation" == unknown.error
