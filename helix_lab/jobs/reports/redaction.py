"""Secrets taken out of what a report printed, before anything reaches the disk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

MASK = "[secret]"


class Redactor:
    """Replaces secrets, also where they stand quoted as in Python or JSON.

    A secret that a notebook changes before it prints it, such as by cutting it, is not found.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def clean_text(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def clean(self, value: Any) -> Any:
        """A JSON value whose texts hold no secret."""
        if isinstance(value, str):
            return self.clean_text(value)
        if isinstance(value, list):
            return [self.clean(item) for item in value]
        if isinstance(value, dict):
            return type(value)({name: self.clean(item) for name, item in value.items()})
        return value

    def clean_outputs(self, notebook: Any) -> None:
        """Take secrets out of the outputs of a notebook, in place."""
        for cell in notebook.cells:
            if cell.get("outputs"):
                cell.outputs = [self.clean(output) for output in cell.outputs]


def _forms(secret: str) -> set[str]:
    return {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]}
