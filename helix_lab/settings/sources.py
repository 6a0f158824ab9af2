"""Where settings come from: the environment, else its env file, else the configuration file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings.catalog import ALTERNATIVES
from helix_lab.settings.config_file import read_config_file
from helix_lab.settings.env_file import read_env_lines

ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Sources:
    """The variables in force, and the place of those that a file sets: `file:line`."""

    values: Mapping[str, str]
    places: Mapping[str, str]

    @contextmanager
    def locating(self) -> Iterator[None]:
        """Say where a refused value stands, if it stands in a file."""
        try:
            yield
        except InvalidRequest as error:
            place = self.places.get(str(error.details.get("field")))
            if place is None:
                raise
            message = f"{place}: {error.message}"
            raise InvalidRequest(message, **error.details) from None

    def name_origin(self, variable: str) -> str:
        """What sets a variable: a place in a file, the environment, or `default`."""
        if variable in self.places:
            return self.places[variable]
        return ENVIRONMENT if self.values.get(variable) else "default"


def gather_sources(environment: Mapping[str, str]) -> Sources:
    """Lay the files below the environment; an empty variable says nothing.

    Raises:
        InvalidRequest: a file cannot be read.
    """
    env = {name: text for name, text in environment.items() if text}
    places: dict[str, str] = {}
    if env_file := env.get("HELIX_ENV_FILE"):
        lines = read_env_lines(Path(env_file))
        _lay_below(env, places, {n: (t, f"{env_file}:{line}") for n, t, line in lines})
    if config := env.get("HELIX_CONFIG"):
        # A variable that is set, though empty, may be referred to.
        found = read_config_file(Path(config), {**environment, **env})
        _lay_below(env, places, {name: (one.text, one.place) for name, one in found.items()})
    return Sources(env, places)


def _lay_below(
    values: dict[str, str], places: dict[str, str], layer: Mapping[str, tuple[str, str]]
) -> None:
    # Whoever names Kafka one way in the environment does not mean the other way of a file.
    settled = {name for group in ALTERNATIVES if values.keys() & set(group) for name in group}
    for name, (text, place) in layer.items():
        if text and name not in values and name not in settled:
            values[name] = text
            places[name] = place
