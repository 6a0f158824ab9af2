"""What docs/import.md says is true of the readers."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from helix_lab.record.importers.debates import _Debate, _Turn
from helix_lab.record.importers.reader import FORMATS, detect_format
from tests.importers.reading import read_good

DOCUMENT = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```jsonl\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_read(tmp_path: Path, example: str) -> None:
    path = tmp_path / "example"
    path.write_text(example, encoding="utf-8")

    assert read_good(path)
    assert detect_format(path) in FORMATS


def test_there_is_an_example_of_each_format_of_lines() -> None:
    assert len(EXAMPLES) == 3


def test_every_format_is_described() -> None:
    described = re.findall(r"^\| `(\w+)` \|", DOCUMENT.split("## What goes in")[0], re.MULTILINE)

    assert sorted(described) == sorted(FORMATS)


@pytest.mark.parametrize("form", [_Debate, _Turn])
def test_every_field_of_a_debate_is_described(form: type[msgspec.Struct]) -> None:
    section = DOCUMENT.split("## Debates")[1]

    names = {field.encode_name for field in msgspec.structs.fields(form)}
    described = set(re.findall(r"`(\w+)`", section)) | set(re.findall(r"\w+", section))
    assert names - described == set()
