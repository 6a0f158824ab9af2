"""The grammar of international addresses (IRIs), loaded when the first one is checked.

Jupyter loads jsonschema with all its formats, and that makes a parser of this grammar at once: a
third of the processor time in which a server starts. No schema here or in Jupyter has an IRI.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_PACKAGE = "rfc3987_syntax"


def defer_iri_grammar() -> None:
    """Have jsonschema, which is not loaded yet, import a stand-in for the parser's package."""
    if "jsonschema" in sys.modules or _PACKAGE in sys.modules or find_spec(_PACKAGE) is None:
        return
    stand_in: Any = ModuleType(_PACKAGE, "Loads the package of this name when it is used.")
    stand_in.is_valid_syntax = _is_valid_syntax
    sys.modules[_PACKAGE] = stand_in


def _is_valid_syntax(term: str, value: str) -> bool:
    """As the function of the package."""
    return bool(_load().is_valid_syntax(term, value))


@cache
def _load() -> Any:
    del sys.modules[_PACKAGE]
    return import_module(_PACKAGE)
