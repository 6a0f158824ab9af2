"""What every `BatchEngine` must do. An adapter subclasses the suite and gives `engine`."""

from __future__ import annotations

import abc
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helix_lab.domain.model.errors import HelixError, InvalidRequest, RunCancelled
from helix_lab.ports.batch import SOURCE, BatchEngine, InputFile, Stage, Watch

if TYPE_CHECKING:
    import pyarrow as pa

QUIET = Watch(lambda: None, lambda _: None)
SUM = """
SELECT words.word, cast(sum(words.length) AS BIGINT) AS length
FROM words
INNER JOIN inputs ON inputs.source = words.source
WHERE words.length >= $shortest AND words.word <> $without
GROUP BY words.word
ORDER BY length DESC, words.word
"""


def find_words(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The words of texts, as a stage."""
    words = [word for text in columns["text"] for word in (text or "").split()]
    return {"word": words, "length": [len(word) for word in words]}


def count_rows(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """How many rows are given at once."""
    return {"rows": [len(columns["text"])]}


def make_stage() -> Stage:
    """Words of the column `text`."""
    import pyarrow as pa

    schema = pa.schema([("word", pa.string()), ("length", pa.int64())])
    return Stage(f"{__name__}:find_words", ("text",), schema)


class BatchEngineTests(abc.ABC):
    """The contract of `BatchEngine`, sentence by sentence."""

    @pytest.fixture
    @abc.abstractmethod
    def engine(self) -> BatchEngine:
        """An engine on this machine; tests may share it."""

    @pytest.fixture
    def out(self, tmp_path: Path) -> Path:
        """An empty folder."""
        folder = tmp_path / "out"
        folder.mkdir()
        return folder

    def test_every_row_of_every_file_is_read_once(
        self, engine: BatchEngine, tmp_path: Path, out: Path
    ) -> None:
        """And each that is found tells its file."""
        texts = {f"file-{number}": [f"w{number} x"] * (number * 7) for number in range(1, 40)}
        files = [write(tmp_path, name, text) for name, text in texts.items()]

        found = read_all(engine.read(make_stage(), files, out, watch=QUIET))

        expected = [
            (word, name) for name, rows in texts.items() for row in rows for word in row.split()
        ]
        assert sorted(expected) == sorted((row["word"], row[SOURCE]) for row in found)

    def test_progress_never_goes_back_and_ends_with_all_rows(
        self, engine: BatchEngine, tmp_path: Path, out: Path
    ) -> None:
        """Whatever the order in which the parts are done."""
        files = [write(tmp_path, f"f{number}", ["a b"] * 900) for number in range(6)]
        told: list[int] = []

        engine.read(make_stage(), files, out, watch=Watch(lambda: None, told.append), parts=6)

        assert sorted(told) == told
        assert 5400 == told[-1]

    def test_files_without_rows_or_words_give_nothing(
        self, engine: BatchEngine, tmp_path: Path, out: Path
    ) -> None:
        """Nor do no files."""
        files = [write(tmp_path, "empty", []), write(tmp_path, "blank", ["", " "])]

        assert [] == engine.read(make_stage(), files, out, watch=QUIET)
        assert [] == engine.read(make_stage(), [], out, watch=QUIET)
        assert [] == list(out.iterdir())

    def test_a_stage_may_take_whole_files(
        self, engine: BatchEngine, tmp_path: Path, out: Path
    ) -> None:
        """Otherwise it is given some rows at a time."""
        import pyarrow as pa

        files = [write(tmp_path, "long", ["x"] * 1700), write(tmp_path, "short", ["x"] * 3)]
        schema = pa.schema([("rows", pa.int64())])
        name = f"{__name__}:count_rows"
        whole = Stage(name, ("text",), schema, is_whole=True)

        found = read_all(engine.read(whole, files, out, watch=QUIET))

        assert [3, 1700] == sorted(row["rows"] for row in found)

    @pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 is not enough PAR1"])
    def test_a_file_that_cannot_be_read_is_named(
        self, engine: BatchEngine, tmp_path: Path, out: Path, content: bytes
    ) -> None:
        """The error is that of a bad request."""
        (tmp_path / "bad.parquet").write_bytes(content)
        files = [
            write(tmp_path, "good", ["a"] * 10),
            InputFile("bad", str(tmp_path / "bad.parquet"), 5),
        ]

        with pytest.raises(InvalidRequest, match=r"bad\.parquet"):
            engine.read(make_stage(), files, out, watch=QUIET)

    def test_a_file_that_is_missing_or_of_another_schema_is_named(
        self, engine: BatchEngine, tmp_path: Path, out: Path
    ) -> None:
        """With the column that it lacks."""
        other = write(tmp_path, "other", ["a"], column="body")
        gone = InputFile("gone", str(tmp_path / "gone.parquet"), 1)

        with pytest.raises(InvalidRequest, match=r"other\.parquet.*'text'"):
            engine.read(make_stage(), [other], out, watch=QUIET)
        with pytest.raises(InvalidRequest, match=r"gone\.parquet"):
            engine.read(make_stage(), [gone], out, watch=QUIET)

    def test_reading_stops_when_it_is_told_to(
        self, engine: BatchEngine, tmp_path: Path, out: Path
    ) -> None:
        """What the watch raises comes out; the engine can be used afterwards."""
        files = [write(tmp_path, f"f{number}", ["a b"] * 500) for number in range(8)]
        checks = iter(range(3))

        def check() -> None:
            if next(checks, None) is None:
                message = "enough"
                raise RunCancelled(message)

        def slow(_: int) -> None:
            check()

        with pytest.raises(RunCancelled, match="enough"):
            engine.read(make_stage(), files * 40, out, watch=Watch(check, slow))

        again = out / "again"
        again.mkdir()
        assert 1000 == len(read_all(engine.read(make_stage(), files[:1], again, watch=QUIET)))

    def test_a_statement_sums_up_files_and_tables(
        self, engine: BatchEngine, tmp_path: Path, out: Path
    ) -> None:
        """With parameters, in its own order."""
        import pyarrow as pa

        texts = {"one": ["aaa bb aaa"], "two": ["bb cc dddd"], "not asked": ["zzzzz"]}
        files = [write(tmp_path, name, text) for name, text in texts.items()]
        found = engine.read(make_stage(), files, out, watch=QUIET, parts=3)
        inputs = pa.table({"source": ["one", "two"]})

        answer = engine.ask(
            SUM,
            {"words": found, "inputs": inputs},
            {"shortest": 2, "without": "cc'; --", "unused": 1},
            watch=QUIET,
        )

        expected = [("aaa", 6), ("bb", 4), ("dddd", 4), ("cc", 2)]
        assert expected == [(row["word"], row["length"]) for row in answer.to_pylist()]

    def test_tables_without_rows_are_summed_up_to_nothing(self, engine: BatchEngine) -> None:
        """The columns are there."""
        import pyarrow as pa

        schema = pa.schema([*make_stage().schema, (SOURCE, pa.string())])
        inputs = pa.table({"source": pa.array([], pa.string())})

        answer = engine.ask(
            SUM,
            {"words": schema.empty_table(), "inputs": inputs},
            {"shortest": 0, "without": ""},
            watch=QUIET,
        )

        assert (0, ["word", "length"]) == (answer.num_rows, answer.column_names)

    def test_a_statement_that_fails_says_why(self, engine: BatchEngine) -> None:
        """As an error of Helix Lab, not of the engine."""
        with pytest.raises(HelixError, match="no_such_table"):
            engine.ask("SELECT a FROM no_such_table", {}, {}, watch=QUIET)

    def test_the_same_input_gives_the_same_answer_whatever_the_parts(
        self, engine: BatchEngine, tmp_path: Path, out: Path
    ) -> None:
        """Row by row."""
        import pyarrow as pa

        dice = random.Random(1)  # noqa: S311 - texts, no secrets
        texts = [" ".join(dice.choices(["abc", "ab", "b", "d", "dd"], k=9)) for _ in range(600)]
        files = [
            write(tmp_path, f"f{place}", texts[place : place + 100]) for place in range(0, 600, 100)
        ]
        inputs = pa.table({"source": [file.source for file in files]})
        answers = []
        for parts in (1, 5):
            folder = out / str(parts)
            folder.mkdir()
            found = engine.read(make_stage(), files, folder, watch=QUIET, parts=parts)
            answers.append(
                engine.ask(
                    SUM,
                    {"words": found, "inputs": inputs},
                    {"shortest": 0, "without": ""},
                    watch=QUIET,
                )
            )

        assert answers[0].to_pylist() == answers[1].to_pylist()

    def test_it_can_be_used_and_says_so(self, engine: BatchEngine) -> None:
        """A probe of an engine that works returns."""
        engine.probe()


def write(folder: Path, name: str, texts: Sequence[str], *, column: str = "text") -> InputFile:
    """A file of texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{name}.parquet"
    rows = {"place": list(range(len(texts))), column: pa.array(list(texts), pa.string())}
    pq.write_table(pa.table(rows), path, row_group_size=400)
    return InputFile(name, str(path), len(texts))


def read_all(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The rows of files."""
    import pyarrow.parquet as pq

    tables: list[pa.Table] = [pq.read_table(path) for path in paths]
    return [row for table in tables for row in table.to_pylist()]
