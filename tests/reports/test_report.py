"""A report says what it takes, and refuses all else before a kernel starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from helix_lab.domain.model.errors import InvalidRequest, UnknownReport
from helix_lab.jobs.reports.library import ReportLibrary
from helix_lab.jobs.reports.report import Report, read_report
from tests.reports.making import write_report

SCHEMA = {
    "window": {"type": "string", "enum": ["1h", "24h"], "default": "24h"},
    "days": {"type": "integer", "minimum": 1},
    "key": {"type": "string", "secret": True},
    "nested": {"type": "object", "properties": {"depth": {"type": "integer"}}},
}


@pytest.fixture
def report(tmp_path: Path) -> Report:
    path = write_report(tmp_path, "mine", parameters="window = '24h'", schema=SCHEMA)
    return read_report(path, "own")


@pytest.mark.parametrize(
    "values",
    [{}, {"window": "1h", "days": 3}, {"key": "12345678"}, {"key": ""}, {"nested": {"depth": 1}}],
)
def test_parameters_that_fit_are_taken(report: Report, values: dict[str, Any]) -> None:
    report.check(values)


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"colour": "red"}, "parameters.colour", "it has: days, key, nested, window"),
        ({"window": "2h"}, "parameters.window", "window must be one of ['1h', '24h']"),
        ({"days": "3"}, "parameters.days", "days must be integer"),
        ({"days": True}, "parameters.days", "days must be integer"),
        ({"days": 0}, "parameters.days", "days must be bigger than or equal to 1"),
        ({"key": 12345678}, "parameters.key", "key must be string"),
        ({"key": "short"}, "parameters.key", "a secret has 8 characters or more"),
        ({"nested": {"depth": "x"}}, "parameters.nested.depth", "nested.depth must be integer"),
        ({"days": float("nan")}, "parameters", "must be JSON"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(
    report: Report, values: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        report.check(values)

    assert field == caught.value.details["field"]
    assert said in caught.value.message


def test_a_parameter_that_is_required_is_missed(tmp_path: Path) -> None:
    path = write_report(tmp_path, "mine", schema={"day": {"type": "string"}})
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.helix_lab.parameters["required"] = ["day"]
    nbformat.write(notebook, path)

    with pytest.raises(InvalidRequest, match="must contain \\['day'\\]"):
        read_report(path, "own").check({})


def test_a_secret_that_does_not_fit_is_not_shown(report: Report) -> None:
    with pytest.raises(InvalidRequest) as caught:
        report.check({"key": ["hush-hush-hush"]})

    assert "hush" not in f"{caught.value} {caught.value.details}"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"a": {"type": "text"}}, "no JSON Schema"),
        ({"a b": {}}, "'a b' is no name of a Python variable"),
        ({"class": {}}, "'class' is no name of a Python variable"),
        ({"a": {"type": "integer", "secret": True}}, "secret, so it must be a string"),
        ({"a": {"type": "string", "secret": True, "default": "x"}}, "without a default"),
        ({"a": {"$ref": "http://127.0.0.1:9/schema.json"}}, "it must stand alone"),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_problem(
    tmp_path: Path, schema: dict[str, Any], said: str
) -> None:
    report = read_report(write_report(tmp_path, "odd", schema=schema), "own")

    assert said in str(report.problem)


def test_a_notebook_without_a_parameters_cell_is_a_problem(tmp_path: Path) -> None:
    report = read_report(write_report(tmp_path, "bare", "1 + 1", parameters=None), "own")

    with pytest.raises(InvalidRequest, match="0 cells tagged 'parameters'"):
        report.check({})


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 1}', "\udcff"])
def test_a_file_that_is_no_notebook_is_a_problem_and_hides_no_other(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "broken.ipynb").write_bytes(content.encode("utf-8", "surrogateescape"))
    write_report(tmp_path, "sound")

    found = {report.name: report for report in ReportLibrary(tmp_path).list_all()}

    assert "broken.ipynb is not a notebook" in str(found["broken"].problem)
    assert found["sound"].problem is None


def test_the_library_has_the_shipped_reports_and_ones_own(tmp_path: Path) -> None:
    write_report(tmp_path, "mine")
    write_report(tmp_path, "a name with spaces")

    library = ReportLibrary(tmp_path)

    shipped = ["context-quality", "conversation-review", "learned-this-week", "mine"]
    assert [
        *shipped,
        "provider-performance",
        "sync-health",
        "talked-about",
        "topics-of-the-month",
    ] == [report.name for report in library.list_all()]
    assert {"helix-lab", "own"} == {report.origin for report in library.list_all()}
    assert [] == [report.problem for report in library.list_all() if report.problem]


def test_ones_own_report_goes_before_a_shipped_one(tmp_path: Path) -> None:
    write_report(tmp_path, "provider-performance")

    assert "own" == ReportLibrary(tmp_path).get("provider-performance").origin


@pytest.mark.parametrize("name", ["nothing", "../reports/mine", "", "mine.ipynb", "/etc/passwd"])
def test_a_name_that_nobody_has_is_refused_with_those_there_are(tmp_path: Path, name: str) -> None:
    write_report(tmp_path, "mine")

    with pytest.raises(
        UnknownReport, match="context-quality, conversation-review, learned-this-week, mine,"
    ):
        ReportLibrary(tmp_path).get(name)
