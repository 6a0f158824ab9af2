"""`HELIX_ENV_FILE`: settings in a file, below those of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings import read_env_file, read_settings


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "stack.env"
    path.write_text("# of the stack\n\nexport NODE_ID='node one'\nHELIX_PORT=7070 # free\n")

    settings = read_settings(environment={"HELIX_ENV_FILE": str(path), "HELIX_PORT": "7071"})

    assert "node one" == settings.node_id
    assert 7071 == settings.port


def test_the_records_go_where_the_file_says_and_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "stack.env"
    path.write_text("HELIX_RECORDS_URL=postgres://u:geheim@h:1/d\n")

    settings = read_settings(environment={"HELIX_ENV_FILE": str(path)})

    assert "postgresql+psycopg://u:geheim@h:1/d" == settings.records_url
    assert "geheim" not in repr(settings)


@pytest.mark.parametrize("line", ["geheim", "a b=geheim", "=geheim", "1A=geheim", "A='geheim"])
def test_a_line_that_is_no_assignment_is_named_by_its_number_alone(
    tmp_path: Path, line: str
) -> None:
    path = tmp_path / "stack.env"
    path.write_text(f"A=1\n{line}\n")

    with pytest.raises(InvalidRequest, match="line 2") as refused:
        read_env_file(path)

    assert "geheim" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="HELIX_ENV_FILE names a file that cannot be read"):
        read_settings(environment={"HELIX_ENV_FILE": str(tmp_path / "none.env")})
