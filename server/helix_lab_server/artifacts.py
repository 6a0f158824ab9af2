"""The files that runs made, served so that a page of theirs can do nothing as its reader."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web

from helix_lab.operations.reports import find_artifact
from helix_lab_server.engine import Engine
from helix_lab_server.rest_handler import RestHandler

ARTIFACT_PATH = "/v1/runs/{run_id}/artifacts/{artifact}"
SANDBOX = "sandbox allow-scripts"
"""A page runs its scripts in an origin of its own: no cookie, no token, no request as the user."""

_CHUNK_BYTES = 1 << 18
_UNKNOWN = "application/octet-stream"


class _Form(NamedTuple):
    content_type: str
    is_shown: bool


_FORMS = {
    ".html": _Form("text/html; charset=utf-8", is_shown=True),
    ".txt": _Form("text/plain; charset=utf-8", is_shown=True),
    ".png": _Form("image/png", is_shown=True),
    ".jpg": _Form("image/jpeg", is_shown=True),
    ".ipynb": _Form("application/x-ipynb+json", is_shown=False),
    ".json": _Form("application/json", is_shown=False),
    ".csv": _Form("text/csv; charset=utf-8", is_shown=False),
    ".parquet": _Form("application/vnd.apache.parquet", is_shown=False),
}


class ArtifactHandler(RestHandler):
    """One file of one run; what a browser does not know is saved, not shown."""

    allowed_methods = ("GET", "HEAD", "OPTIONS")

    def initialize(self, engine: Engine) -> None:
        """Take what all handlers share; Tornado calls it before each request."""
        self._engine = engine

    @web.authenticated
    @authorized("read", resource="helix_lab:runs")
    async def get(self, run_id: str, artifact: str) -> None:
        """Send the file."""
        path, form = await self._begin(run_id, artifact)
        file = await self._engine.run(lambda: path.open("rb"))
        try:
            while chunk := await self._engine.run(lambda: file.read(_CHUNK_BYTES)):
                self.write(chunk)
                await self.flush()
        finally:
            file.close()
        self.finish(set_content_type=form.content_type)

    @web.authenticated
    @authorized("read", resource="helix_lab:runs")
    async def head(self, run_id: str, artifact: str) -> None:
        """Send what stands before the file."""
        _, form = await self._begin(run_id, artifact)
        self.finish(set_content_type=form.content_type)

    async def _begin(self, run_id: str, artifact: str) -> tuple[Path, _Form]:
        path, size_bytes = await self._engine.run(lambda: self._look(run_id, artifact))
        form = _FORMS.get(path.suffix.lower(), _Form(_UNKNOWN, is_shown=False))
        place = "inline" if form.is_shown else "attachment"
        self.set_header("Content-Type", form.content_type)
        self.set_header("Content-Length", str(size_bytes))
        self.set_header("Content-Disposition", f"{place}; filename*=UTF-8''{quote(path.name)}")
        return path, form

    def _look(self, run_id: str, artifact: str) -> tuple[Path, int]:
        path = find_artifact(self._engine.holder.get().services, run_id, artifact)
        return path, path.stat().st_size

    @property
    def content_security_policy(self) -> str:
        """What Jupyter sends as Content-Security-Policy, beside nosniff."""
        return SANDBOX
