"""How an answer looks, and what Python gets of it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest

from helix_lab import Lab
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.doors.kernel.result import TABLE_MIME, SqlResult
from helix_lab.doors.tables import to_text
from helix_lab.operations.sql import QueryAnswer


def ask(lab: Lab, sql: str, **options: Any) -> SqlResult:
    answer = lab.run_query(sql, **options)
    assert isinstance(answer, QueryAnswer)
    return SqlResult.from_answer(answer)


def make_result(columns: dict[str, list[Any]], *, total: int | None = None) -> SqlResult:
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    answer = QueryAnswer.model_validate(
        {
            "columns": [{"name": name, "type": "string"} for name in columns],
            "rows": rows,
            "row_count": len(rows),
            "total_rows": len(rows) if total is None else total,
            "truncated": total is not None,
            "execution_time_ms": 12.0,
        }
    )
    return SqlResult.from_answer(answer)


def test_values_have_the_types_of_the_engine(lab: Lab) -> None:
    result = ask(
        lab,
        "SELECT sum(range) AS s, 1.50 AS d, 'nan'::DOUBLE AS f, DATE '2026-01-30' AS day, "
        "TIMESTAMP '2026-01-30 10:00:00.5' AS t, TIMESTAMPTZ '2026-01-30 10:00:00+00' AS tz, "
        "TIME '10:00' AS clock, '\\xAA\\x00'::BLOB AS b, [1, NULL] AS l, NULL AS n, true AS yes "
        "FROM range(4)",
    )

    (row,) = result.rows
    assert row.pop("f") != row.get("f")
    assert row == {
        "s": 6,
        "d": Decimal("1.50"),
        "day": date(2026, 1, 30),
        "t": datetime(2026, 1, 30, 10, 0, 0, 500_000),  # noqa: DTZ001 - the engine keeps UTC without a zone
        "tz": datetime(2026, 1, 30, 10, tzinfo=UTC),
        "clock": time(10),
        "b": b"\xaa\x00",
        "l": [1, None],
        "n": None,
        "yes": True,
    }
    assert type(row["s"]) is int


def test_an_arrow_table_has_the_types_of_the_engine(lab: Lab) -> None:
    table = ask(
        lab,
        "SELECT sum(range) AS s, 1.5::DECIMAL(10, 2) AS d, now() AS tz, 'x' AS x, [1] AS l "
        "FROM range(4)",
    ).arrow()

    assert [
        pa.decimal128(38, 0),
        pa.decimal128(10, 2),
        pa.timestamp("us", tz="UTC"),
        pa.string(),
        pa.list_(pa.int64()),
    ] == table.schema.types


@pytest.mark.parametrize("rows", [0, 3])
def test_an_arrow_table_has_all_columns_even_without_rows(lab: Lab, rows: int) -> None:
    table = ask(lab, f"SELECT range AS a, 'x' AS b FROM range({rows})").arrow()

    assert (rows, ["a", "b"]) == (table.num_rows, table.column_names)


def test_columns_may_share_a_name(lab: Lab) -> None:
    result = ask(lab, "SELECT 1 AS a, 2 AS a")

    assert [(1, 2)] == result.values
    assert 2 == result.arrow().num_columns


def test_html_holds_nothing_but_escaped_text() -> None:
    evil = "<script>alert(1)</script>\"'&"
    result = make_result({evil: [evil, "x"]})

    html = result._repr_mimebundle_()["text/html"]

    assert "<script" not in html
    tree = ET.fromstring(html)
    assert evil == next(tree.iter("th")).text
    assert evil == next(tree.iter("td")).text


def test_html_can_be_walked_by_a_screen_reader() -> None:
    html = make_result({"a": ["x"]})._repr_mimebundle_()["text/html"]

    tree = ET.fromstring(html)
    assert ("region", "0") == (tree.get("role"), tree.get("tabindex"))
    assert tree.get("aria-label") == next(tree.iter("caption")).text
    assert ["col"] == [heading.get("scope") for heading in tree.iter("th")]


def test_the_bundle_is_json_and_holds_one_page() -> None:
    result = make_result({"n": list(range(150))}, total=999)

    bundle = json.loads(json.dumps(result._repr_mimebundle_()))

    page = bundle[TABLE_MIME]
    assert (100, 150, 999, True) == (
        len(page["rows"]),
        page["fetched_rows"],
        page["total_rows"],
        page["is_truncated"],
    )
    assert 101 == bundle["text/html"].count("<tr>")


@pytest.mark.parametrize(
    ("rows", "total", "shown", "caption"),
    [
        (1, None, 1, "1 row · 12 ms"),
        (3, None, 3, "3 rows · 12 ms"),
        (0, None, 0, "0 rows · 12 ms"),
        (150, None, 100, "showing 100 of 150 rows · 12 ms"),
        (150, 4_000, 100, "showing 100 of 4,000 rows · 150 fetched, see --max-rows · 12 ms"),
    ],
)
def test_the_caption_tells_how_much_is_seen(
    rows: int, total: int | None, shown: int, caption: str
) -> None:
    assert caption == make_result({"n": [1] * rows}, total=total).describe(shown)


def test_text_lines_up_and_long_values_are_cut() -> None:
    rows: list[list[Any]] = [[1, "x" * 50], [None, "a\nb"], [1234567.25, True], [0, {"k": "ü"}]]

    text = to_text(["n", "text"], rows, caption=lambda shown: f"{shown} rows")

    assert [
        "         n  text",
        f"{'─' * 10}  {'─' * 40}",
        f"         1  {'x' * 39}…",
        "      NULL  a⏎b",
        "1234567.25  true",
        '         0  {"k": "ü"}',
        "4 rows",
    ] == text.splitlines()


def test_what_could_steer_a_terminal_is_drawn() -> None:
    text = to_text(["t"], [["\x1b[2J\x07\x9b\r"]], caption=lambda _: "")

    assert "␛[2J␇␡␍" == text.splitlines()[-1]


def test_wide_characters_line_up() -> None:
    text = to_text(["a", "b"], [["三", 1], ["é", 2]], caption=lambda _: "")

    assert ["三  1", "é   2"] == text.splitlines()[2:]


def test_a_notebook_keeps_no_more_than_the_start_of_a_long_value() -> None:
    result = make_result({"text": ["x" * 100_000], "list": [["y" * 100_000]]})

    assert len(json.dumps(result._repr_mimebundle_())) < 10_000


def test_numbers_are_right_aligned_and_text_left() -> None:
    text = to_text(["n", "t"], [[1, "a"], [100, "bb"]], caption=lambda _: "")

    assert "  n  t\n───  ──\n  1  a\n100  bb" == text


@pytest.mark.parametrize(("form", "package"), [("df", "pandas"), ("polars", "polars")])
def test_a_package_is_asked_for_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, form: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ImportError, match=rf"pip install .helix-lab\[{package}\]"):
        getattr(make_result({"a": [1]}), form)()


@pytest.mark.parametrize("form", ["df", "polars"])
def test_a_frame_has_the_rows_and_the_names(lab: Lab, form: str) -> None:
    frame = getattr(ask(lab, "SELECT range AS n, 'x' AS t FROM range(3)"), form)()

    assert (["n", "t"], (3, 2)) == (list(frame.columns), frame.shape)
    assert [0, 1, 2] == list(frame["n"])


def test_polars_has_the_types_of_the_engine(lab: Lab) -> None:
    import polars as pl

    frame = ask(lab, "SELECT 1.5::DECIMAL(10, 2) AS d, DATE '2026-01-30' AS day").polars()

    assert [pl.Decimal(10, 2), pl.Date()] == frame.dtypes


def test_columns_of_one_name_are_too_much_for_polars(lab: Lab) -> None:
    with pytest.raises(InvalidRequest, match="'a' stands twice; use AS"):
        ask(lab, "SELECT 1 AS a, 2 AS a").polars()


@pytest.mark.parametrize(("columns", "rows"), [(1, 100), (100, 100), (101, 99), (500, 20)])
def test_a_wide_result_shows_fewer_rows(columns: int, rows: int) -> None:
    result = make_result({f"c{number}": [number] * 120 for number in range(columns)})

    bundle = result._repr_mimebundle_()

    assert rows == len(bundle[TABLE_MIME]["rows"])
    assert rows + 1 == bundle["text/html"].count("<tr>")


def test_a_result_without_rows_is_shown_in_all_forms(lab: Lab) -> None:
    bundle = ask(lab, "SELECT 1 AS a WHERE false", keep=True)._repr_mimebundle_()

    assert "0 rows" in bundle["text/plain"]
    assert ["a"] == [heading.text for heading in ET.fromstring(bundle["text/html"]).iter("th")]
    assert [] == bundle[TABLE_MIME]["rows"]


def test_the_bundle_names_the_answer_that_the_lab_keeps(lab: Lab) -> None:
    result = ask(lab, "SELECT range AS n FROM range(5000)", max_rows=10, keep=True)

    table = result._repr_mimebundle_()[TABLE_MIME]

    assert 5000 == table["kept_rows"]
    page = lab.get_result_page(table["result_id"], offset=4999)
    assert [[4999]] == page.rows


def test_one_row_is_a_dict_and_all_of_them_a_list() -> None:
    result = make_result({"a": ["x", "y"], "b": [1, 2]})

    assert {"a": "y", "b": 2} == result[-1]
    assert [{"a": "x", "b": 1}, {"a": "y", "b": 2}] == result.rows
    assert 2 == len(result)
