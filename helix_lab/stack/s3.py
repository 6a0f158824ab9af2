"""S3 by versitygw: objects are plain files of a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from helix_lab.stack.fetching import fetch_go_program
from helix_lab.stack.ports import LOOPBACK, ask
from helix_lab.stack.service import Program, Service

VERSION = "v1.7.0"
ACCESS_KEY = "helixagent"
REGION = "us-east-1"
BUCKET = "helixagent-datalake"
_CACHE = f"versitygw-{VERSION}"
_PACKAGE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
# As MinIO had it, so that what watches a MinIO watches this.
_HEALTH = "/minio/health/live"


class S3(Service):
    """One S3 server with the bucket of the data lake."""

    name = "s3"
    title = "S3 (versitygw)"
    secrets = ("secret_key",)

    def fetch(self) -> None:
        """Build the program by Go; minutes, the first time."""
        fetch_go_program(self.site, _CACHE, _PACKAGE, least_go=(1, 25))

    def configure(self) -> None:
        """Make the folders; a bucket is a folder."""
        (self.site.folder / "data" / BUCKET).mkdir(parents=True, exist_ok=True)

    def list_programs(self) -> Sequence[Program]:
        """The server; keys go by the environment, where others cannot see them."""
        program = str(self.site.cache / _CACHE / "versitygw")
        options = ["--port", f"{LOOPBACK}:{self.port}", "--health", _HEALTH, "--quiet"]
        command = [program, *options, "--region", REGION, "posix", str(self.site.folder / "data")]
        keys = {
            "ROOT_ACCESS_KEY": ACCESS_KEY,
            "ROOT_SECRET_KEY": self.site.secrets["secret_key"],
        }
        return [Program("s3", command, self.site.folder, keys)]

    def is_ready(self) -> bool:
        """Whether it says that it is healthy."""
        request = f"GET {_HEALTH} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode()
        return b" 200 " in ask(self.port, request, at_least=15)

    def list_variables(self) -> Mapping[str, str]:
        """The guide's variables, which are named after MinIO."""
        return {
            "MINIO_ENDPOINT": f"{LOOPBACK}:{self.port}",
            "MINIO_ACCESS_KEY": ACCESS_KEY,
            "MINIO_SECRET_KEY": self.site.secrets["secret_key"],
            "MINIO_BUCKET": BUCKET,
            "MINIO_USE_SSL": "false",
        }
