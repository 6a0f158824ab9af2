"""Where a Kafka cluster is: `kafka://[user:password@]host:port[,host:port…][/prefix][?options]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from helix_lab.domain.model.errors import InvalidRequest

_SCHEMES = {"kafka": False, "kafka+ssl": True}
_OPTIONS = {"mechanism": "sasl.mechanism", "ca": "ssl.ca.location"}
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SERVER = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/\[\]@,]+)(:[0-9]{1,5})?")
_PREFIX = re.compile(r"[a-zA-Z0-9._-]{1,100}")
_PORT = 9092
_FORM = "kafka://host:port[,host:port…], with user:password@ before it where the cluster asks"


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """A cluster, how to log in, and what the names of our topics begin with.

    Attributes:
        servers: of any brokers; they name the others.
        prefix: before the name of each topic, so that several labs can share a cluster.
        security: settings of librdkafka, with the password.
    """

    servers: str
    prefix: str = ""
    security: Mapping[str, str] = field(default_factory=dict, repr=False)

    def name_topic(self, topic: str) -> str:
        """What a topic is called on the cluster."""
        return f"{self.prefix}.{topic}" if self.prefix else topic


def read_address(url: str) -> KafkaAddress:
    """The address in a URL; no message shows its password.

    Raises:
        InvalidRequest: it has another form.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        reason = f"it begins with {parts.scheme[:20]!r}"
        raise _refuse(reason)
    login, at, hosts = parts.netloc.rpartition("@")
    if not at and "@" in url:
        # What looks like a host is the beginning of a password then, and is not shown.
        reason = "in a user or password the characters / ? # must be written as %2F %3F %23"
        raise _refuse(reason)
    servers = [_read_server(server) for server in hosts.split(",")]
    prefix = parts.path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        reason = f"the prefix {prefix!r} may have letters, digits, dots, - and _ alone"
        raise _refuse(reason)
    security = _read_login(login, is_secret=_SCHEMES[parts.scheme]) if at else {}
    if _SCHEMES[parts.scheme]:
        security.setdefault("security.protocol", "SSL")
    security.update(_read_options(parts.query))
    return KafkaAddress(",".join(servers), prefix, security)


def _read_server(text: str) -> str:
    found = _SERVER.fullmatch(text)
    if found is None:
        reason = f"{text!r} is no host:port"
        raise _refuse(reason)
    host, port = found[1], int((found[2] or f":{_PORT}")[1:])
    if not 0 < port <= 65535:  # noqa: PLR2004 - the greatest there is
        reason = f"{port} is no port"
        raise _refuse(reason)
    return f"{host}:{port}"


def _read_login(login: str, *, is_secret: bool) -> dict[str, str]:
    user, colon, password = login.partition(":")
    if not (user and colon and password):
        reason = "before the @ must be user:password"
        raise _refuse(reason)
    return {
        "security.protocol": "SASL_SSL" if is_secret else "SASL_PLAINTEXT",
        "sasl.mechanism": _MECHANISMS[0],
        "sasl.username": unquote(user),
        "sasl.password": unquote(password),
    }


def _read_options(query: str) -> dict[str, str]:
    found = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            reason = f"the option {name!r} is not known; there are {', '.join(_OPTIONS)}"
            raise _refuse(reason)
        if name == "mechanism" and value not in _MECHANISMS:
            reason = f"the mechanism {value!r} is none of {', '.join(_MECHANISMS)}"
            raise _refuse(reason)
        found[_OPTIONS[name]] = value
    return found


def _refuse(reason: str) -> InvalidRequest:
    message = f"the address of Kafka cannot be used: {reason}; it must be {_FORM}"
    return InvalidRequest(message, field="HELIX_LOG_URL")
