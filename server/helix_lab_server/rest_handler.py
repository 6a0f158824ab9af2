"""Base of all handlers: who may come in, and one shape for every error."""

from __future__ import annotations

import logging
from http import HTTPStatus
from types import TracebackType
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from helix_lab.domain.model.errors import HelixError
from helix_lab.operations.problems import status_of
from helix_lab_server.answering import Answer, tell_problem

LOGGER = logging.getLogger(__name__)

_SERVER_ERROR = HTTPStatus.INTERNAL_SERVER_ERROR
_CODES = {
    HTTPStatus.BAD_REQUEST: "INVALID_REQUEST",
    HTTPStatus.FORBIDDEN: "UNAUTHORIZED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
}
_WHO_ARE_YOU = (
    "no token, or a wrong one: send the header `Authorization: token <token>`; `jupyter server "
    "list` shows the token of a running server"
)
_NO_AUTHENTICATION = (
    "this Jupyter server runs without a token and without a password, so Helix Lab answers "
    "nobody; start it with JUPYTER_TOKEN or let it make a token"
)
_WRONG_HOST = (
    "this server answers only to the names of its own machine, such as localhost, lest a page of "
    "another site reaches it by a name; see ServerApp.allow_remote_access"
)
_NO_XSRF = (
    "a request that is authenticated by a cookie must carry the XSRF token: send the header "
    "X-XSRFToken with the value of the cookie _xsrf, or use `Authorization: token <token>` instead"
)


class RestHandler(APIHandler):
    """A handler that answers JSON, also when it refuses."""

    allowed_methods: tuple[str, ...] = ()
    """What a 405 names in its header Allow."""

    fault: Exception | None = None
    """Why the request was refused before its body came; told instead of what follows from it."""

    is_hanging_up = False
    """The connection will be closed after the answer, which has to say so."""

    def set_default_headers(self) -> None:
        """Answers are private and change: nobody may keep them."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    async def prepare(self) -> None:  # type: ignore[override] # as in APIHandler
        """Let in who may come in, before any of the body is read."""
        # Whatever goes wrong from here on, nobody is known yet.
        self.current_user = None
        is_public = self._is_public()
        if not is_public and not self.identity_provider.auth_enabled:
            raise web.HTTPError(HTTPStatus.FORBIDDEN, _NO_AUTHENTICATION)
        if not self.check_host():
            raise web.HTTPError(HTTPStatus.FORBIDDEN, _WRONG_HOST)
        await super().prepare()
        if not is_public and self.current_user is None:
            raise web.HTTPError(HTTPStatus.FORBIDDEN, _WHO_ARE_YOU)

    def _is_public(self) -> bool:
        verb = getattr(self, (self.request.method or "").lower(), None)
        return bool(getattr(verb, "__allow_unauthenticated", False))

    def get_login_url(self) -> str:
        """Refuse instead of leading a program to a page for people."""
        raise web.HTTPError(HTTPStatus.FORBIDDEN, _WHO_ARE_YOU)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Text out of a URL; what is not UTF-8 becomes half pairs, which every field refuses."""
        del name
        return value.decode("utf-8", "surrogateescape")

    def compute_etag(self) -> None:
        """No tag: nothing may be kept, so there is nothing to compare."""
        return

    def send(self, answer: Answer) -> None:
        """Send an answer."""
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        if answer.location is not None:
            self.set_header("Location", url_path_join(self.base_url, answer.location))
        if self.is_hanging_up:
            self.set_header("Connection", "close")
        self.finish(answer.body)

    # Errors -------------------------------------------------------------------------------

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Choose the status by the error that was raised."""
        error = self.fault or kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, HelixError):
            status_code = status_of(error)
        elif isinstance(error, web.HTTPError):
            status_code = error.status_code
        super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell an error in the one shape of all errors."""
        error = self.fault or kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, HelixError) and type(error) is not HelixError:
            answer = tell_problem(
                status_code, code=error.code, message=error.message, details=error.details
            )
        elif isinstance(error, web.HTTPError):
            answer = self._tell_http_error(status_code, error)
        else:
            message = "an unexpected error; the server's log has the details"
            answer = tell_problem(500, code="INTERNAL_ERROR", message=message)
        self.send(answer)

    def _tell_http_error(self, status: int, error: web.HTTPError) -> Answer:
        code = _CODES.get(HTTPStatus(status), "HTTP_ERROR")
        message = error.get_message() or HTTPStatus(status).description or HTTPStatus(status).phrase
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(self.allowed_methods)
            message = f"{self.request.method} is not offered here; allowed: {allowed}"
            return tell_problem(status, code=code, message=message, headers={"Allow": allowed})
        if status == HTTPStatus.FORBIDDEN and "xsrf" in message.lower():
            is_known = getattr(self, "_jupyter_current_user", None) is not None
            message = _NO_XSRF if is_known else _WHO_ARE_YOU
        return tell_problem(status, code=code, message=message)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what is our fault with its trace; what a client did is in the access log."""
        if isinstance(value, HelixError) and type(value) is not HelixError:
            level = logging.WARNING if status_of(value) >= _SERVER_ERROR else logging.DEBUG
            LOGGER.log(level, "%s: %s", self._request_summary(), value)
        elif isinstance(value, web.HTTPError):
            super().log_exception(typ, value, tb)
        elif typ is not None and value is not None:
            LOGGER.error("%s failed", self._request_summary(), exc_info=(typ, value, tb))

    def _request_summary(self) -> str:
        """Without the query, which may hold a token."""
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"
