"""What the pictures of the dashboards are drawn of, on real engines."""

from __future__ import annotations

import sys

import pytest

from helix_lab import Lab
from helix_lab.operations import dashboards


def test_messages_are_counted_by_when_they_were_said(lab: Lab) -> None:
    lab.start_conversation(conversation_id="now")
    lab.append_messages("now", [{"role": "user", "content": "Hello"}] * 3)

    activity = lab.get_activity()

    assert ("1h", "minute") == (activity.window, activity.granularity)
    assert 3 == sum(row.message_count for row in activity.messages)
    assert all(0 == row.at.second and row.at.tzinfo is not None for row in activity.messages)


def test_each_recorded_event_counts_for_the_ingest_rate(lab: Lab) -> None:
    lab.start_conversation(conversation_id="now")
    before = lab.get_activity().recorded_events

    lab.append_messages("now", [{"role": "user", "content": "Hello"}] * 5)

    assert 5 == lab.get_activity().recorded_events - before


def test_every_answer_falls_into_one_step_of_response_time(sampled: Lab) -> None:
    steps = sampled.get_response_times(window="all").steps

    measured = sampled.run_query(
        "SELECT count(*) FROM debate_metrics WHERE response_time_ms IS NOT NULL"
    )
    assert measured.rows[0][0] == sum(step.turns for step in steps)
    assert all(1.33 < step.until_ms / step.from_ms < 1.34 for step in steps)


def test_wins_by_position_add_up_to_the_wins(sampled: Lab) -> None:
    wins = sampled.get_wins_by_position(window="all").wins

    winners = sampled.get_debate_winners().top_winners
    assert sum(row.wins for row in winners) == sum(row.wins for row in wins)
    assert {"researcher", "critic", "synthesizer"} >= {row.position for row in wins}


def test_an_empty_lab_has_empty_pictures(lab: Lab) -> None:
    assert [] == lab.get_activity(window="all").messages
    assert [] == lab.get_response_times(window="all").steps
    assert [] == lab.get_wins_by_position(window="all").wins


def test_the_dashboards_are_listed_with_their_paths(lab: Lab) -> None:
    listed = lab.list_dashboards().dashboards

    names = [
        "overview",
        "providers",
        "context",
        "debates",
        "knowledge",
        "learning",
        "memory",
        "lake",
        "costs",
        "traces",
        "system",
    ]
    assert names == [page.name for page in listed]
    assert "helix-dash/overview" == listed[0].path


def test_without_the_extra_the_list_says_how_to_install_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboards, "find_spec", lambda name: None)

    listed = lab.list_dashboards().dashboards

    assert {False} == {page.is_available for page in listed}
    assert {"pip install 'helix-lab[dashboards]', then start the server again"} == {
        page.how_to for page in listed
    }


def test_where_no_unix_socket_is_the_list_says_so(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboards, "find_spec", lambda name: object())
    monkeypatch.setattr(sys, "platform", "win32")

    assert "Unix sockets" in str(lab.list_dashboards().dashboards[0].how_to)
