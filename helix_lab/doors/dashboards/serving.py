"""The server of the pages: Bokeh's, on a socket that it is given, with two rules of ours.

A websocket is opened only by a page of the same host that the browser asked; Jupyter has checked
that host. What lets a browser in at Jupyter (token, cookie) is forgotten before a page is made,
for Bokeh writes what it knows of a request into the page.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import panel as pn
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from bokeh.server.urls import per_app_patterns
from panel.io.application import build_applications
from panel.io.server import DocHandler, WSHandler
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import RedirectHandler

from helix_lab.domain.model.errors import Unavailable
from helix_lab.doors.dashboards.pages import MAKERS
from helix_lab.operations.dashboards import PAGES
from helix_lab.operations.methods import Methods
from helix_lab.operations.operation import Operation

if TYPE_CHECKING:
    from pydantic import BaseModel

_SECRETS = ("Authorization", "Cookie")
_TEMPLATE = """
{% block postamble %}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  html { background: #ffffff; color: #1f2328; }
  {% if theme_name == "dark" %}
  html { background: #121212; color: #e6e6e6; color-scheme: dark; }
  {% endif %}
  body { max-width: 1200px; margin: 0 auto; }
</style>
{% endblock %}
"""


class PageHandler(DocHandler):  # type: ignore[misc] # Panel has no types here
    """Gives a page; the token of its address goes into Jupyter's cookie, and out of sight."""

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Send the page, or the browser to the address without a token."""
        for name in _SECRETS:
            self.request.headers.pop(name, None)
        self.request.cookies.clear()
        if "token" in self.request.arguments:
            kept = {n: v for n, v in self.request.query_arguments.items() if n != "token"}
            query = urlencode(kept, doseq=True)
            self.redirect(f"{self.request.path}?{query}" if query else self.request.path)
            return
        await super().get(*args, **kwargs)


class SocketHandler(WSHandler):  # type: ignore[misc] # Panel has no types here
    """The connection over which a page is kept fresh."""

    def check_origin(self, origin: str) -> bool:
        """Whether the page that asks comes from where it asks."""
        return bool(urlsplit(origin).netloc.lower() == self.request.host.lower())


def make_application(lab: Methods, *, prefix: str) -> BokehTornado:
    """All pages below a prefix, as one Tornado application."""
    pn.extension(notifications=False)
    per_app_patterns[:] = [(r"/ws", SocketHandler), (r"/?", PageHandler)]
    apps = build_applications(
        {page.name: _make_opener(lab, page.name) for page in PAGES},
        title={page.name: f"{page.title} · Helix Lab" for page in PAGES},
        location=False,
    )
    first = f"{prefix}/{PAGES[0].name}"
    return BokehTornado(
        apps,
        prefix=prefix,
        extra_patterns=[(r"/?", RedirectHandler, {"url": first, "permanent": False})],
        extra_websocket_origins=[],
        include_headers=[],
        include_cookies=[],
        use_index=False,
    )


def _make_opener(lab: Methods, name: str) -> Callable[[], pn.Column]:
    """What makes the page for one browser; Panel accepts nothing but a plain function."""
    svg = Path(__file__).with_name("icon.svg").read_bytes()
    icon = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"

    def open_page() -> pn.Column:
        pn.state.curdoc.template = _TEMPLATE
        pn.state.curdoc.template_variables["app_favicon"] = icon
        return MAKERS[name](lab)

    return open_page


class _NoLab(Methods):
    """Stands for a lab that is not known yet."""

    def call(self, operation: Operation, values: dict[str, Any]) -> BaseModel:  # noqa: ARG002
        """Answer nothing."""
        message = "the lab is not known yet"
        raise Unavailable(message, service="helix_lab")


def draw_once() -> None:
    """Draw every page for nobody: what is slow the first time is then done."""
    for name in MAKERS:
        MAKERS[name](_NoLab()).get_root()


def serve(lab: Methods, listening: socket.socket, *, prefix: str) -> None:
    """Answer on a socket until the process ends."""
    loop = IOLoop.current()
    application = make_application(lab, prefix=prefix)
    http = HTTPServer(application, xheaders=True)
    http.add_socket(listening)
    BaseServer(loop, application, http).start()
    loop.start()
