"""The server extension: opens the lab, serves its operations, closes it."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Int, Unicode

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from helix_lab.lab import Lab
    from helix_lab_server.dashboards import DashboardProcess
    from helix_lab_server.engine import Engine
    from helix_lab_server.holder import LabHolder
    from helix_lab_server.metrics import LabMetrics
    from helix_lab_server.run_events import RunEvents


class HelixLabApp(ExtensionApp):
    """Helix Lab on a Jupyter server."""

    name = "helix_lab"
    default_url = "/lab"
    load_other_extensions = True

    data_dir = Unicode(
        "", help="Folder of the lab's data; HELIX_DATA_DIR or the platform's if empty."
    ).tag(config=True)
    max_body_bytes = Int(64 * 2**20, help="Largest JSON body that is accepted.").tag(config=True)
    max_upload_bytes = Int(16 * 2**30, help="Largest file that can be uploaded.").tag(config=True)
    dashboards = Bool(
        default_value=True, help="Serve the dashboards, where their extra is installed."
    ).tag(config=True)
    workers = Int(8, min=1, help="Operations that run at the same time.").tag(config=True)

    _holder: LabHolder
    _engine: Engine | None = None
    _run_events: RunEvents
    _dashboards: DashboardProcess | None = None
    _metrics: LabMetrics | None = None

    def initialize_settings(self) -> None:
        """Open the lab; a lab that cannot be opened is told by every route, not by a crash."""
        if self.dashboards:
            self._start_dashboards()
        from helix_lab_server.engine import Engine, Limits
        from helix_lab_server.holder import LabHolder
        from helix_lab_server.log_masking import mask_tokens
        from helix_lab_server.run_events import RunEvents

        server = self.serverapp
        assert server is not None and server.event_logger is not None  # noqa: S101, PT018 - linked before
        mask_tokens(server.log)
        self._run_events = RunEvents(server.event_logger, server.io_loop)
        self._holder = LabHolder(self._open_lab, self.log)
        self._holder.when_open(self._welcome)
        self._holder.open()
        limits = Limits(
            max_body_bytes=self.max_body_bytes,
            max_upload_bytes=self.max_upload_bytes,
            workers=self.workers,
        )
        self._engine = Engine(self._holder, limits)

    def initialize_handlers(self) -> None:
        """Add the routes of all operations."""
        from helix_lab.operations.table import OPERATIONS
        from helix_lab_server.handlers import make_routes
        from helix_lab_server.otlp import SPANS_PATH, SpanIntake

        assert self._engine is not None  # noqa: S101 - settings come before handlers
        bases = {SPANS_PATH: SpanIntake}
        routes = make_routes(OPERATIONS, self._engine, version=version("helix-lab"), bases=bases)
        self.handlers.extend(routes)

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Tell other processes where this server is, now that its port is known."""
        token = serverapp.identity_provider.token or None
        self._holder.announce(url=serverapp.connection_url, token=token)
        from helix_lab.doors.dashboards.endpoint import end_meeting

        end_meeting()
        if self._dashboards is not None:
            await self._show_dashboards(self._dashboards, serverapp)

    def _start_dashboards(self) -> None:
        """Start their process; it gets ready beside the server, which does not wait for it."""
        from helix_lab_server.dashboards import make_process

        self._dashboards = make_process(self.log)
        if self._dashboards is not None:
            self._dashboards.start()

    async def _show_dashboards(self, dashboards: DashboardProcess, server: ServerApp) -> None:
        from helix_lab.doors.server_environment import describe_server

        if not dashboards.is_reachable:
            self.log.info("no dashboards: jupyter-server-proxy is not enabled in this server")
            self._dashboards = None
            await asyncio.get_running_loop().run_in_executor(None, dashboards.stop)
            return
        known = describe_server(server)
        dashboards.tell(
            url=known["HELIX_LAB_URL"],
            token=known["HELIX_LAB_TOKEN"],
            base_url=server.base_url,
        )

    async def stop_extension(self) -> None:
        """Stop what runs, and close the lab."""
        loop = asyncio.get_running_loop()
        # There is none where another extension kept the server from starting.
        if self._engine is not None:
            self._run_events.close()
            self._engine.stop()
        if self._dashboards is not None:
            await loop.run_in_executor(None, self._dashboards.stop)
        if self._metrics is not None:
            await loop.run_in_executor(None, self._metrics.close)
        if self._engine is not None:
            await loop.run_in_executor(None, self._engine.close)

    def _open_lab(self) -> Lab:
        from helix_lab.lab import open_lab

        return open_lab(self.data_dir or None)

    def _welcome(self, lab: Lab) -> None:
        from helix_lab_server.metrics import LabMetrics
        from helix_lab_server.uploads import remove_orphans

        self._metrics = LabMetrics(lab)
        self._metrics.start()
        jobs = lab.services.jobs
        jobs.listen(self._run_events.tell)
        kept = {str(run.request.get("path")) for run in jobs.store.list_unfinished()}
        remove_orphans(lab.data_folder.path / "uploads", kept=kept)
        self.log.info("Helix Lab keeps its data in %s", lab.data_folder.path)

    def current_activity(self) -> bool:
        """Whether a run goes on: Jupyter must not stop the server as idle meanwhile."""
        lab = self._holder.peek()
        return lab is not None and bool(lab.services.jobs.store.list_unfinished())
