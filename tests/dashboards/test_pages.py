"""Pages are functions of the lab: what they show of an empty one, a full one, and a silent one."""

from __future__ import annotations

import asyncio
import csv
import io
import subprocess
import sys
from typing import Any

import pytest

from helix_lab import Client, Lab
from helix_lab.domain.model.errors import Unavailable
from helix_lab.operations.analytics import ProviderRow
from helix_lab.operations.dashboards import PAGES
from helix_lab.operations.lake import LakeDescription
from tests.flow.teaching import talk

pn = pytest.importorskip("panel", reason="needs the extra dashboards")

from helix_lab.doors.dashboards import charts, lake  # noqa: E402 - only where Panel is
from helix_lab.doors.dashboards.pages import MAKERS  # noqa: E402
from helix_lab.doors.dashboards.parts import Following, write_table  # noqa: E402
from helix_lab.doors.dashboards.providers import write_csv  # noqa: E402

BY_NAME = pytest.mark.parametrize("name", MAKERS)


def text_of(page: Any) -> str:
    """All HTML of a page."""
    return "\n".join(pane.object for pane in page.select(pn.pane.HTML))


def sources_of(page: Any) -> list[dict[str, list[Any]]]:
    """The values of all charts of a page that can be seen."""
    figures = [pane.object for pane in page.select(pn.pane.Bokeh)]
    return [dict(figure.renderers[0].data_source.data) for figure in figures]


def test_every_dashboard_that_is_listed_has_a_page() -> None:
    assert [page.name for page in PAGES] == list(MAKERS)


@pytest.mark.parametrize(
    "name", [name for name in MAKERS if name not in {"lake", "memory", "system", "traces"}]
)
def test_a_page_of_an_empty_lab_says_what_to_do(lab: Lab, name: str) -> None:
    page = MAKERS[name](lab)

    page.get_root()
    first = "conversations replay" if name == "context" else "debates start"
    assert f"helix-lab {first}" in text_of(page)
    assert "helix-lab import" in text_of(page)


def test_the_overview_shows_what_was_said_last(sampled: Lab) -> None:
    sampled.start_conversation(conversation_id="fresh", title="Fresh from the lab")
    sampled.append_messages("fresh", [{"role": "user", "content": "Hello"}] * 4)

    page = MAKERS["overview"](sampled)

    assert "Fresh from the lab" in text_of(page)
    assert "Should an incident review name people?" in text_of(page)
    assert "healthy" in text_of(page)
    assert "Nothing is recorded yet" not in text_of(page)
    assert 4 == sum(sources_of(page)[0]["messages"])


def test_every_store_and_backend_has_a_row_in_the_overview(sampled: Lab) -> None:
    text = text_of(MAKERS["overview"](sampled))

    info = sampled.get_info()
    assert all(f">{name}<" in text for name in [*info.projection_lag, *info.backends])
    assert len(info.projection_lag) == text.count(">level<")


def test_the_providers_page_shows_the_measures_of_its_window(sampled: Lab) -> None:
    page = MAKERS["providers"](sampled)
    select = page.select(pn.widgets.Select)[0]
    assert "No provider answered in this window" in text_of(page)

    asyncio.run(choose(select, "all"))

    assert all(f">{name}<" in text_of(page) for name in ("aurora", "borealis", "cirrus"))
    assert "No provider answered" not in text_of(page)
    times, wins = sources_of(page)
    assert 24 == sum(times["turns"])
    assert 5 == sum(wins["wins"])


def test_the_context_page_shows_compressions_by_strategy(sampled: Lab) -> None:
    assert "Nothing was compressed in this window" in text_of(MAKERS["context"](sampled))
    chosen = max(sampled.list_conversations().conversations, key=lambda row: row.total_tokens)
    made = [
        sampled.replay(
            chosen.conversation_id, compression_ratio=0.6, compression_strategy=strategy
        ).compression_stats
        for strategy in ("window", "full")
    ]

    page = MAKERS["context"](sampled)

    assert all(f">{name}<" in text_of(page) for name in ("window", "full"))
    assert "Nothing was compressed" not in text_of(page)
    quality, ratio = sources_of(page)
    assert {"window", "full"} == set(quality["who"])
    assert sorted(s.quality_score for s in made) == pytest.approx(sorted(quality["share"]))
    assert sorted(s.ratio for s in made) == pytest.approx(sorted(ratio["share"]))


def test_the_debates_page_shows_how_they_ended_and_who_was_sure(sampled: Lab) -> None:
    page = MAKERS["debates"](sampled)
    assert "No debate ended in this window" in text_of(page)

    asyncio.run(choose(page.select(pn.widgets.Select)[0], "all"))

    found = sampled.get_debate_statistics(window="all")
    wins, calibration = sources_of(page)
    assert all(f">{row.outcome}<" in text_of(page) for row in found.outcomes)
    assert 5 == sum(wins["wins"])
    assert [row.win_rate for row in found.calibration] == calibration["won"]


def test_the_knowledge_page_shows_what_was_talked_about_and_how_it_grows(sampled: Lab) -> None:
    page = MAKERS["knowledge"](sampled)

    asyncio.run(choose(page.select(pn.widgets.Select)[0], "all"))

    found = sampled.get_knowledge_activity(window="all", limit=25)
    text = text_of(page)
    assert f"<dd>{found.total_entities:,}</dd>" in text
    assert found.entities
    assert all(f">{row.name}<" in text for row in found.entities[:5])
    (growth,) = sources_of(page)
    assert [day.new_entities for day in found.growth] == growth["share"]


def test_the_costs_page_sums_up_by_model(sampled: Lab) -> None:
    page = MAKERS["costs"](sampled)

    asyncio.run(choose(page.select(pn.widgets.Select)[0], "all"))

    found = sampled.get_costs(window="all")
    assert f"${found.total_cost_usd:,.4f}" in text_of(page)
    assert all(f">{row.provider}<" in text_of(page) for row in found.costs)


def test_the_system_page_shows_what_was_asked(sampled: Lab) -> None:
    sampled.list_conversations()

    page = MAKERS["system"](sampled)

    assert ">list_conversations<" in text_of(page)
    assert "MiB" in text_of(page)


def test_the_lake_page_of_an_empty_lab_says_how_to_archive(lab: Lab) -> None:
    text = text_of(MAKERS["lake"](lab))

    assert "helix-lab archive --all" in text
    assert "helix-lab job submit" in text


def test_the_lake_page_shows_files_archives_and_jobs(sampled: Lab) -> None:
    page = MAKERS["lake"](sampled)
    archived = sampled.archive_conversations(all=True)
    sampled.services.jobs.wait(archived.job_id, timeout_s=60)
    job = sampled.submit_batch_job(job_type="DebateAnalysis", engine="duckdb", wait_s=60)

    page = MAKERS["lake"](sampled)

    text, described = text_of(page), sampled.describe_lake()
    assert "Nothing is archived yet" not in text
    assert all(f">{name}<" in text for name in described.files)
    assert f">{sum(described.files.values())}<" in text
    assert described.newest_day in text
    assert f"{job.debates_analysed} debates" in text
    assert text.count("██████████ 100%") == 2


def test_the_lake_page_looks_at_the_files_again_when_a_job_has_ended(
    sampled: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[LakeDescription] = []
    describe = sampled.describe_lake

    def look() -> LakeDescription:
        looks.append(describe())
        return looks[-1]

    monkeypatch.setattr(sampled, "describe_lake", look, raising=False)
    page = lake._Lake(sampled)

    page.read()
    page.read()
    before = len(looks)
    archived = sampled.archive_conversations(all=True)
    sampled.services.jobs.wait(archived.job_id, timeout_s=60)
    page.read()

    assert (1, 2) == (before, len(looks))


def test_the_learning_page_shows_patterns_with_intervals_and_insights(lab: Lab) -> None:
    for number in range(3):
        lab.services.writer.record(talk(f"c{number}", "How do I run Docker on Kubernetes?"))
    assert lab.services.projections.catch_up(timeout_s=60)
    assert lab.services.learner.look() > 0

    page = MAKERS["learning"](lab)

    patterns = lab.list_top_patterns(min_frequency=1, limit=15).patterns
    insights = lab.list_insights(min_confidence=0, limit=15).insights
    text = text_of(page)
    assert insights
    assert all(one.description in text for one in [*patterns, *insights])
    growth, sureness = sources_of(page)
    told = [
        count
        for count, kind in zip(growth["share"], growth["who"], strict=True)
        if kind == "insights"
    ]
    assert lab.get_learning_stats().total_insights == sum(told)
    assert [one.interval[0] for one in reversed(patterns)] == sureness["low"]


async def choose(select: Any, value: str) -> None:
    """Choose as a browser does, and wait until what that starts has ended."""
    select.value = value
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})


def test_values_are_shown_as_text_and_never_as_html(lab: Lab) -> None:
    evil = "<script>alert(1)</script><button data-commandlinker-command='x'>"
    lab.start_conversation(conversation_id="evil", title=evil)

    text = text_of(MAKERS["overview"](lab))

    assert "<script" not in text
    assert "<button" not in text
    assert "&lt;script&gt;" in text


def test_the_csv_has_all_measures_under_their_names(sampled: Lab) -> None:
    rows = sampled.get_provider_performance(window="all").providers

    read = list(csv.DictReader(io.StringIO(write_csv(rows))))

    assert list(ProviderRow.model_fields) == list(read[0])
    assert [row.provider for row in rows] == [row["provider"] for row in read]


def test_boxes_of_one_step_stand_on_top_of_each_other(sampled: Lab) -> None:
    steps = sampled.get_response_times(window="all").steps

    boxes = charts.stack_steps([*steps, *steps])

    tops: dict[float, int] = {}
    for left, bottom, top in zip(boxes["from_s"], boxes["bottom"], boxes["top"], strict=True):
        assert tops.get(left, 0) == bottom
        tops[left] = top
    assert 2 * sum(step.turns for step in steps) == sum(boxes["turns"])


def test_a_name_keeps_its_colour_whatever_the_order() -> None:
    assert charts.colour_of(["a", "b", "c"]) == charts.colour_of(["c", "a", "b", "a"])


def test_a_lab_that_does_not_answer_is_named_on_the_page() -> None:
    with Client("http://127.0.0.1:9", "token") as nobody:
        page = MAKERS["overview"](nobody)

    assert "Helix Lab cannot tell" in text_of(page)


def test_a_lab_that_answers_again_is_not_complained_of_any_more() -> None:
    troubles = [Unavailable("away", service="helix_lab")]
    shown: list[str] = []

    def read() -> str:
        if troubles:
            raise troubles.pop()
        return "facts"

    following = Following(read, shown.append)
    following.begin(every_ms=1000)
    assert "away" in following.trouble.object

    asyncio.run(following.refresh())

    assert (["facts"], "") == (shown, following.trouble.object)


def test_an_empty_table_says_what_to_do() -> None:
    assert "<p>do &lt;this&gt;</p>" in write_table("Title", ("a",), [], empty="do <this>")


def test_the_package_is_not_loaded_with_the_lab() -> None:
    code = "import sys, helix_lab.lab, helix_lab_server.app; print('panel' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False" == done.stdout.strip()
