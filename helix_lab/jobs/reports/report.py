"""One report: a notebook with a title, a question and typed parameters."""

from __future__ import annotations

import json
import keyword
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from helix_lab.domain.model.errors import InvalidRequest

Origin = Literal["helix-lab", "own"]
"""Whether a report came with Helix Lab or lies in the data folder."""

DEFAULT_KERNEL = "helix-lab"
SHORTEST_SECRET = 8
"""Characters; a shorter secret could not be told from other text in an output."""

_NO_PARAMETERS = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Report:
    """A parameterised notebook.

    Attributes:
        name: of its file, without the suffix.
        parameters: JSON Schema of an object; a property with `"secret": true` is never kept.
        kernel: name of the kernel spec that runs it.
        problem: why it cannot run; None if it can.
    """

    name: str
    path: Path
    origin: Origin
    title: str
    question: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: _NO_PARAMETERS)
    kernel: str = DEFAULT_KERNEL
    problem: str | None = None

    @property
    def secrets(self) -> list[str]:
        """Names of the parameters that are secret."""
        return [name for name, rule in self.parameters["properties"].items() if _is_secret(rule)]

    def check(self, values: Mapping[str, Any]) -> None:
        """Check values for the parameters.

        Raises:
            InvalidRequest: one is unknown, missing or of the wrong form; names it, but never
                shows its value.
        """
        if self.problem is not None:
            message = f"report {self.name!r} cannot run: {self.problem}"
            raise InvalidRequest(message, field="name")
        known = list(self.parameters["properties"])
        for name in values:
            if name not in known:
                message = f"report {self.name!r} has no parameter {name!r}; it has: "
                raise _refuse(name, message + (", ".join(known) or "none"))
        _check_form(self, values)
        for name in self.secrets:
            if 0 < len(values.get(name, "")) < SHORTEST_SECRET:
                message = f"parameter {name!r}: a secret has {SHORTEST_SECRET} characters or more"
                raise _refuse(name, message)


def read_report(path: Path, origin: Origin) -> Report:
    """The report of a notebook file; one that cannot be used has a `problem`."""
    try:
        notebook = _read_notebook(path)
        metadata = notebook.metadata.get("helix_lab", {})
        report = Report(
            name=path.stem,
            path=path,
            origin=origin,
            title=str(metadata.get("title") or path.stem),
            question=str(metadata.get("question", "")),
            parameters=_read_schema(metadata.get("parameters", _NO_PARAMETERS)),
            kernel=str(notebook.metadata.get("kernelspec", {}).get("name", DEFAULT_KERNEL)),
        )
        _check_cells(notebook.cells)
        _compile(report.parameters)
    except ValueError as error:
        return Report(path.stem, path, origin, title=path.stem, problem=str(error))
    return report


def _read_notebook(path: Path) -> Any:
    import nbformat

    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        message = f"{path.name} is not a notebook: {reason}"
        raise ValueError(message) from None
    return notebook


def _check_cells(cells: Sequence[Any]) -> None:
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if [cell.cell_type for cell in tagged] != ["code"]:
        message = (
            f"it has {len(tagged)} cells tagged 'parameters'; tag one code cell so, with the "
            "defaults of all parameters"
        )
        raise ValueError(message)


def _read_schema(schema: Any) -> dict[str, Any]:
    properties = schema.get("properties", {}) if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or schema.get("type", "object") != "object":
        message = "helix_lab.parameters in its metadata must be a JSON Schema of type object"
        raise ValueError(message)
    for name, rule in properties.items():
        if not name.isidentifier() or keyword.iskeyword(name):
            message = f"parameter {name!r} is no name of a Python variable"
            raise ValueError(message)
        if _is_secret(rule) and (rule.get("type") != "string" or rule.get("default")):
            message = f"parameter {name!r} is secret, so it must be a string without a default"
            raise ValueError(message)
    # Plain JSON, so that it can be shown by every door.
    kept: dict[str, Any] = json.loads(json.dumps(schema))
    return {**kept, "type": "object", "properties": kept.get("properties", {})}


def _is_secret(rule: Any) -> bool:
    return isinstance(rule, Mapping) and rule.get("secret") is True


def _compile(schema: Mapping[str, Any]) -> Callable[[Any], Any]:
    import fastjsonschema

    def refuse(uri: str) -> None:
        message = f"the schema of the parameters refers to {uri}; it must stand alone"
        raise ValueError(message)

    schemes = dict.fromkeys(("http", "https", "ftp", "file"), refuse)
    try:
        compiled: Callable[[Any], Any] = fastjsonschema.compile(
            {**schema, "additionalProperties": False}, handlers=schemes, use_default=False
        )
    except Exception as error:
        message = f"helix_lab.parameters in its metadata is no JSON Schema: {error}"
        raise ValueError(message) from None
    return compiled


def _check_form(report: Report, values: Mapping[str, Any]) -> None:
    import fastjsonschema

    try:
        json.dumps(values, allow_nan=False).encode("utf-8")
        _compile(report.parameters)(dict(values))
    except fastjsonschema.JsonSchemaValueException as error:
        place = ".".join(map(str, error.path[1:]))
        problem = error.message.replace(f"data.{place}", place, 1) if place else error.message[5:]
        raise _refuse(place, f"report {report.name!r}: {problem}") from None
    except (TypeError, ValueError) as error:
        message = f"report {report.name!r}: parameters must be JSON: {error}"
        raise InvalidRequest(message, field="parameters") from None


def _refuse(parameter: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, field=f"parameters.{parameter}" if parameter else "parameters")
