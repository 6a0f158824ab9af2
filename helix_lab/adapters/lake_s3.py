"""The lake in a bucket of S3: the minio client writes, pyarrow scans.

No conditional write is relied on: servers of this API differ in what they promise there
(docs/decisions/0023). One lab writes to a lake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error

from helix_lab.domain.model.errors import NotFound, Unavailable
from helix_lab.ports.lake import Lake, LakeFile

_THREADS = 8
_CONNECT_S, _READ_S = 3.0, 60.0
_LEAST_PART = 5 * 1024 * 1024
_REGION = "us-east-1"
_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound"}
"""What servers call wrong keys; the last one is of versitygw."""
_FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}
"""What servers call a bucket that takes no more."""


class S3Lake(Lake):
    """Objects of a bucket below a prefix.

    Args:
        endpoint: host and port.
        access_key: of an account that may list, read, write and delete in the bucket; empty for
            a bucket that anybody may use.
        secret_key: of the same account.
        bucket: must be there.
        prefix: the part of the bucket that is the lake; empty for all of it.
        is_secure: whether to speak TLS.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        access_key: str,
        secret_key: str,
        bucket: str,
        prefix: str = "",
        is_secure: bool = False,
    ) -> None:
        self._endpoint, self._bucket, self._is_secure = endpoint, bucket, is_secure
        self._keys = (access_key, secret_key)
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
            maxsize=_THREADS,
            retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503]),
        )
        self._client = Minio(
            endpoint,
            access_key=access_key or None,
            secret_key=secret_key or None,
            secure=is_secure,
            region=_REGION,
            http_client=self._http,
        )
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="helix-lake")

    def list_files(self, prefix: str = "") -> Iterator[LakeFile]:
        """See `Lake.list_files`."""
        start = self._prefix + (f"{prefix.rstrip('/')}/" if prefix else "")
        with self._explained():
            found = sorted(
                (item.object_name.removeprefix(self._prefix), item.size)
                for item in self._client.list_objects(self._bucket, start, recursive=True)
                if not item.is_dir
            )
        yield from (LakeFile(path, size) for path, size in found)

    def read(self, path: str) -> bytes:
        """See `Lake.read`."""
        with self._explained(path):
            answer = self._client.get_object(self._bucket, self._prefix + path)
            try:
                content: bytes = answer.read()
            finally:
                answer.close()
                answer.release_conn()
        return content

    def write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """See `Lake.write`; each object is one request, which the server takes whole or not."""
        with self._explained():
            for _ in self._pool.map(lambda file: self._put(*file), files):
                pass

    def delete(self, paths: Sequence[str]) -> None:
        """See `Lake.delete`."""
        doomed = [DeleteObject(self._prefix + path) for path in paths]
        with self._explained():
            for error in self._client.remove_objects(self._bucket, doomed):
                told = self._advise(error.code or "", error.message or "")
                reason = f"{error.name!r} could not be deleted: {told}"
                raise self._explain(reason)

    def sweep(self) -> int:
        """See `Lake.sweep`; an object that was cut short never was."""
        return 0

    def open_filesystem(self) -> tuple[Any, str]:
        """See `Lake.open_filesystem`."""
        from pyarrow import fs

        access_key, secret_key = self._keys
        system = fs.S3FileSystem(
            access_key=access_key or None,
            secret_key=secret_key or None,
            anonymous=not access_key,
            endpoint_override=self._endpoint,
            scheme="https" if self._is_secure else "http",
            region=_REGION,
            connect_timeout=_CONNECT_S,
            request_timeout=_READ_S,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=2),
        )
        return system, f"{self._bucket}/{self._prefix}".rstrip("/")

    def probe(self) -> str:
        """See `Lake.probe`."""
        with self._explained():
            next(iter(self._client.list_objects(self._bucket, self._prefix)), None)
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def close(self) -> None:
        """See `Lake.close`."""
        self._pool.shutdown()
        self._http.clear()

    def _put(self, path: str, content: bytes) -> None:
        part_size = max(_LEAST_PART, len(content))
        self._client.put_object(
            self._bucket, self._prefix + path, BytesIO(content), len(content), part_size=part_size
        )

    @contextmanager
    def _explained(self, path: str = "") -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            if error.code == "NoSuchKey" and path:
                message = f"the lake has no file {path!r}"
                raise NotFound(message, path=path) from None
            raise self._explain(self._advise(error.code or "", error.message or "")) from error
        except (MinioException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            reason = f"{type(error).__name__} at {self._endpoint}; see that the server runs there"
            raise self._explain(reason) from error

    def _advise(self, code: str, message: str) -> str:
        if code == "NoSuchBucket":
            return f"there is no bucket {self._bucket!r}: make it, or name another by MINIO_BUCKET"
        if code in _REFUSED:
            return (
                f"{self._endpoint} refuses ({code}): look at MINIO_ACCESS_KEY and "
                "MINIO_SECRET_KEY, and at what the account may do in the bucket"
            )
        if code in _FULL:
            return f"{self._endpoint} has no room left ({code}): make room, then do it again"
        return f"{self._endpoint} answers {code}: {message}"

    def _explain(self, reason: str) -> Unavailable:
        message = f"the lake in the bucket {self._bucket!r} cannot be used: {reason}"
        return Unavailable(message, service="minio", bucket=self._bucket)
