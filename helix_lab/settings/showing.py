"""The settings in force, one by one, with their values and where these come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helix_lab.settings import read_sources
from helix_lab.settings.catalog import ALTERNATIVES, VARIABLES, Variable
from helix_lab.settings.form import Settings
from helix_lab.settings.sources import Sources

MASK = "********"
_ACCOUNT = re.compile(r"(?:(?<=://)|^(?![\w+.-]*://))([^\s:@/?\"]*):([^\s\"]*)(?=@)")
_SECRET_PART = re.compile(
    r"([?&][^=&\s\"]*(?:password|secret|token|key)[^=&\s\"]*=)[^&\s\"]+", re.I
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as it is shown.

    Attributes:
        value: its text, secrets masked; None if there is none.
        origin: `default`, `environment`, `file:line`, or the option that goes before them.
        key: where it stands in a configuration file; None if it cannot stand there.
        note: why it changes nothing, if it does not.
    """

    name: str
    value: str | None
    origin: str
    key: str | None
    note: str | None


def show_settings(
    *,
    data_dir: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, tuple[str, str]] | None = None,
) -> list[Shown]:
    """All settings, and those that are given without an effect.

    Args:
        data_dir: as for `read_settings`.
        environment: instead of that of this process.
        options: variable → (value, name of the option that gives it).

    Raises:
        InvalidRequest: a setting cannot be used.
    """
    env = os.environ if environment is None else environment
    sources, settings = read_sources(data_dir=data_dir, environment=env)
    given = dict(options or {})
    if data_dir is not None:
        given["HELIX_DATA_DIR"] = (str(settings.data_dir), "--data-dir")
    return [
        _show(variable, settings, sources, given.get(variable.name))
        for variable in VARIABLES
        if not variable.waits_for or sources.values.get(variable.name)
    ]


def mask(text: str) -> str:
    """A text without the passwords of the addresses in it."""
    return _SECRET_PART.sub(rf"\1{MASK}", _ACCOUNT.sub(rf"\1:{MASK}", text))


def _show(
    variable: Variable, settings: Settings, sources: Sources, option: tuple[str, str] | None
) -> Shown:
    text, origin = option or (sources.values.get(variable.name), sources.name_origin(variable.name))
    if variable.in_force is not None and (not text or variable.kind == "providers"):
        text = str(variable.in_force(settings)) or None
    if text is not None:
        text = MASK if variable.is_secret else mask(text)
    return Shown(variable.name, text, origin, variable.path, _explain(variable, sources))


def _explain(variable: Variable, sources: Sources) -> str | None:
    if variable.waits_for:
        return f"not read yet: {variable.waits_for}"
    if not sources.values.get(variable.name):
        return None
    for group in ALTERNATIVES:
        if variable.name in group:
            first = next(name for name in group if sources.values.get(name))
            return None if first == variable.name else f"not used: {first} goes before it"
    return None
