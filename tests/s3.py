"""Buckets for tests: on moto in this process, or on the S3 of the stack."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from minio import Minio

from helix_lab.settings import LakeSettings, read_settings


@contextmanager
def serve_moto() -> Iterator[Mapping[str, str]]:
    """The variables of an S3 in this process; it takes any keys."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield {
            "MINIO_ENDPOINT": f"{host}:{port}",
            "MINIO_ACCESS_KEY": "helixagent",
            "MINIO_SECRET_KEY": "helixagent123",
        }
    finally:
        server.stop()


def make_bucket(variables: Mapping[str, str]) -> LakeSettings:
    """A new bucket of a server, as a lab's settings name it."""
    name = f"test-{uuid.uuid4().hex}"
    place = read_settings(environment={**variables, "HELIX_LAKE_URL": f"s3://{name}/the/lake"}).lake
    assert place is not None
    client = Minio(
        place.endpoint,
        access_key=place.access_key,
        secret_key=place.secret_key,
        secure=False,
        region="us-east-1",
    )
    client.make_bucket(name)
    return place
