"""The configuration file: YAML in the shape of the guide, with `${VAR}` and `${VAR:-default}`.

Its keys are other names of the variables, so a value is checked by the same reader wherever it
stands. References are put in after the YAML is read: no value can change its structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings.catalog import VARIABLES, Kind, Variable

Node: TypeAlias = Any  # of PyYAML, which is loaded only where a file is named

_BY_PATH = {variable.path: variable for variable in VARIABLES if variable.path}
_SECTIONS = {
    ".".join(words[:depth])
    for words in (path.split(".") for path in _BY_PATH)
    for depth in range(len(words))
}
_FORMS: dict[Kind, tuple[str, str]] = {
    "integer": (r"-?[0-9]+", "a whole number"),
    "number": (r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)", "a number"),
    "boolean": (r"true|false", "true or false"),
}
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(rf"\$\$|\$\{{(?P<name>{_NAME})(:-(?P<default>[^{{}}]*))?\}}|(?P<odd>\$\{{)")
MAX_FILE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class FileValue:
    """A value of the file, and where it stands: `file:line`."""

    text: str
    place: str


def read_config_file(path: Path, environment: Mapping[str, str]) -> dict[str, FileValue]:
    """The variables that a configuration file sets.

    Raises:
        InvalidRequest: it cannot be read, has an unknown key, a value of another type, or refers
            to a variable that is not set; with the line.
    """
    return _FileReader(path, environment).read()


class _FileReader:
    """Walks through the nodes of one file, which know their lines."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment

    def read(self) -> dict[str, FileValue]:
        root = self._compose()
        try:
            return {} if root is None else dict(self._read_section(root, ""))
        except RecursionError:
            message = f"{self._path} has a list that holds itself"
            raise InvalidRequest(message, field="HELIX_CONFIG") from None

    def _compose(self) -> Node | None:
        import yaml

        try:
            raw = self._path.expanduser().read_bytes()
            text = raw[: MAX_FILE_BYTES + 1].decode()
        except (OSError, ValueError, RuntimeError) as error:
            message = f"HELIX_CONFIG names a file that cannot be read: {error}"
            raise InvalidRequest(message, field="HELIX_CONFIG") from None
        if len(raw) > MAX_FILE_BYTES:
            message = f"{self._path} is larger than the {MAX_FILE_BYTES} bytes that settings take"
            raise InvalidRequest(message, field="HELIX_CONFIG")
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            # What stands in the line is not shown: it may hold a password.
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            message = f"{self._path}:{line} is no YAML: {error.problem}"
        except (yaml.YAMLError, RecursionError) as error:
            message = f"{self._path} is no YAML: {type(error).__name__}"
        raise InvalidRequest(message, field="HELIX_CONFIG")

    def _read_section(self, node: Node, path: str) -> Iterator[tuple[str, FileValue]]:
        if _is_nothing(node):
            return
        if node.id != "mapping":
            self._refuse(node, f"{path or 'the file'} must be a mapping with {_list_keys(path)}")
        known: set[str] = set()
        for key, value in node.value:
            if key.id != "scalar":
                self._refuse(key, f"a key must be one word; allowed are {_list_keys(path)}")
            name = str(key.value)
            if name in known:
                self._refuse(key, f"{name} stands here twice")
            known.add(name)
            place = f"{path}.{name}" if path else name
            if place in _SECTIONS:
                yield from self._read_section(value, place)
            elif place in _BY_PATH:
                yield from self._read_value(value, _BY_PATH[place])
            else:
                near = get_close_matches(name, _keys(path), 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._refuse(
                    key, f"there is no setting {place}{hint}; allowed are {_list_keys(path)}"
                )

    def _read_value(self, node: Node, variable: Variable) -> Iterator[tuple[str, FileValue]]:
        text = self._read_text(node, variable)
        if text:
            yield variable.name, FileValue(text, self._locate(node))

    def _read_text(self, node: Node, variable: Variable) -> str:
        if variable.kind == "providers" and node.id == "sequence":
            import msgspec

            return msgspec.json.encode(self._to_json(node)).decode()
        if _is_nothing(node):
            return ""
        if node.id != "scalar":
            self._refuse(node, f"{variable.path} must be one value, not a {node.id}")
        text = self._expand(node)
        form, words = _FORMS.get(variable.kind, ("", ""))
        if not form or not text:
            return text
        found = text.lower() if variable.kind == "boolean" else text
        if not re.fullmatch(form, found, re.ASCII):
            self._refuse(node, f"{variable.path} is {text!r}; it must be {words}")
        return found

    def _to_json(self, node: Node) -> Any:
        if node.id == "sequence":
            return [self._to_json(item) for item in node.value]
        if node.id == "mapping":
            return {str(key.value): self._to_json(value) for key, value in node.value}
        text = self._expand(node)
        if _is_nothing(node):
            return None
        return int(text) if not node.style and re.fullmatch(r"[0-9]{1,18}", text) else text

    def _expand(self, node: Node) -> str:
        def give(found: re.Match[str]) -> str:
            if found[0] == "$$":
                return "$"
            if found["odd"]:
                self._refuse(node, "${ must be ${NAME} or ${NAME:-default}; $$ is a plain $")
            name, default = found["name"], found["default"]
            if default is not None:
                return self._environment.get(name) or default
            if name not in self._environment:
                self._refuse(
                    node,
                    f"the variable {name} is not set: set it, or write ${{{name}:-default}}",
                    variable=name,
                )
            return self._environment[name]

        return _REFERENCE.sub(give, str(node.value))

    def _locate(self, node: Node) -> str:
        return f"{self._path}:{node.start_mark.line + 1}"

    def _refuse(self, node: Node, problem: str, **details: str) -> NoReturn:
        message = f"{self._locate(node)}: {problem}"
        raise InvalidRequest(message, field="HELIX_CONFIG", **details)


def _is_nothing(node: Node) -> bool:
    return node.id == "scalar" and not node.style and node.value in ("", "~", "null")


def _keys(path: str) -> list[str]:
    prefix = f"{path}." if path else ""
    places = (place for place in _BY_PATH if place and place.startswith(prefix))
    return list(dict.fromkeys(place[len(prefix) :].split(".")[0] for place in places))


def _list_keys(path: str) -> str:
    return ", ".join(_keys(path))
