"""The files that runs made, served so that a page of theirs can do nothing as its reader."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web

from helix_lab.operations.openapi_files import ARTIFACT_FORMS, UNKNOWN_FORM
from helix_lab.operations.reports import find_artifact
from helix_lab_server.engine import Engine
from helix_lab_server.rest_handler import RestHandler

SANDBOX = "sandbox allow-scripts"
"""A page runs its scripts in an origin of its own: no cookie, no token, no request as the user."""

_CHUNK_BYTES = 1 << 18
_SHOWN = frozenset({".html", ".txt", ".png", ".jpg"})
"""What a browser may show; all else is saved."""


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
        path, content_type = await self._begin(run_id, artifact)
        file = await self._engine.run(lambda: path.open("rb"))
        try:
            while chunk := await self._engine.run(lambda: file.read(_CHUNK_BYTES)):
                self.write(chunk)
                await self.flush()
        finally:
            file.close()
        self.finish(set_content_type=content_type)

    @web.authenticated
    @authorized("read", resource="helix_lab:runs")
    async def head(self, run_id: str, artifact: str) -> None:
        """Send what stands before the file."""
        _, content_type = await self._begin(run_id, artifact)
        self.finish(set_content_type=content_type)

    async def _begin(self, run_id: str, artifact: str) -> tuple[Path, str]:
        path, size_bytes = await self._engine.run(lambda: self._look(run_id, artifact))
        suffix = path.suffix.lower()
        content_type = ARTIFACT_FORMS.get(suffix, UNKNOWN_FORM)
        place = "inline" if suffix in _SHOWN else "attachment"
        self.set_header("Content-Type", content_type)
        self.set_header("Content-Length", str(size_bytes))
        self.set_header("Content-Disposition", f"{place}; filename*=UTF-8''{quote(path.name)}")
        return path, content_type

    def _look(self, run_id: str, artifact: str) -> tuple[Path, int]:
        path = find_artifact(self._engine.holder.get().services, run_id, artifact)
        return path, path.stat().st_size

    @property
    def content_security_policy(self) -> str:
        """What Jupyter sends as Content-Security-Policy, beside nosniff."""
        return SANDBOX
