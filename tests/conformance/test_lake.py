"""Every lake keeps the contract of its port."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from minio import Minio

from helix_lab.adapters.lake_folder import FolderLake
from helix_lab.adapters.lake_s3 import S3Lake
from helix_lab.domain.model.errors import Unavailable
from helix_lab.ports.lake import Lake
from helix_lab.settings import LakeSettings
from helix_lab.testing.lake import LakeTests
from tests.s3 import make_bucket, serve_moto
from tests.tiers import Running


def open_bucket(place: LakeSettings) -> S3Lake:
    return S3Lake(
        place.endpoint,
        access_key=place.access_key,
        secret_key=place.secret_key,
        bucket=place.bucket,
        prefix=place.prefix,
        is_secure=place.is_secure,
    )


class TestFolderLake(LakeTests):
    @pytest.fixture
    def make_lake(self, tmp_path: Path) -> Iterator[Callable[[], Lake]]:
        made: list[Lake] = []

        def make() -> Lake:
            made.append(FolderLake(tmp_path / "lake"))
            return made[-1]

        yield make
        for lake in made:
            lake.close()

    def test_a_place_that_is_no_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        lake = FolderLake(tmp_path / "file")

        with pytest.raises(Unavailable, match="HELIX_LAKE_URL"):
            lake.probe()

    def test_what_a_killed_write_left_is_not_listed_and_swept_away(self, tmp_path: Path) -> None:
        lake = FolderLake(tmp_path / "lake")
        lake.write([("a/b.json", b"1")])
        (tmp_path / "lake" / ".unfinished" / "half").write_bytes(b"ha")

        listed = [file.path for file in lake.list_files()]

        assert ["a/b.json"] == listed
        assert 1 == lake.sweep()


class BucketTests(LakeTests):
    @pytest.fixture
    def place(self, server: Mapping[str, str]) -> LakeSettings:
        return make_bucket(server)

    @pytest.fixture
    def make_lake(self, place: LakeSettings) -> Iterator[Callable[[], Lake]]:
        made: list[Lake] = []

        def make() -> Lake:
            made.append(open_bucket(place))
            return made[-1]

        yield make
        for lake in made:
            lake.close()

    def test_a_missing_bucket_is_named(self, place: LakeSettings) -> None:
        lake = open_bucket(dataclasses.replace(place, bucket="never-made"))

        with pytest.raises(Unavailable, match="there is no bucket 'never-made'"):
            lake.probe()
        with pytest.raises(Unavailable, match="never-made"):
            lake.write([("a/b.json", b"1")])

    def test_a_server_that_is_away_is_named(self, place: LakeSettings) -> None:
        lake = open_bucket(dataclasses.replace(place, endpoint="127.0.0.1:1"))

        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
            lake.probe()


@pytest.fixture(scope="module")
def moto() -> Iterator[Mapping[str, str]]:
    with serve_moto() as variables:
        yield variables


class TestMotoLake(BucketTests):
    @pytest.fixture
    def server(self, moto: Mapping[str, str]) -> Mapping[str, str]:
        return moto


@pytest.mark.services("s3")
class TestVersitygwLake(BucketTests):
    @pytest.fixture
    def server(self, running_services: Running) -> Mapping[str, str]:
        return running_services("s3")

    @pytest.mark.parametrize("keys", [("", "wrong-secret"), ("nobody", "")], ids=["secret", "key"])
    def test_wrong_keys_are_said_to_be_so(self, place: LakeSettings, keys: tuple[str, str]) -> None:
        access_key, secret_key = keys[0] or place.access_key, keys[1] or place.secret_key
        wrong = dataclasses.replace(place, access_key=access_key, secret_key=secret_key)
        lake = open_bucket(wrong)

        with pytest.raises(Unavailable, match="MINIO_ACCESS_KEY and MINIO_SECRET_KEY") as error:
            lake.probe()

        assert not any(key and key in str(error.value) for key in keys)

    def test_a_bucket_that_may_only_be_read_is_read_and_refuses_the_rest(
        self, place: LakeSettings
    ) -> None:
        open_bucket(place).write([("a/b.json", b"1")])
        allow_everybody_to_read(place)
        lake = open_bucket(dataclasses.replace(place, access_key="", secret_key=""))

        assert b"1" == lake.read("a/b.json")
        assert ["a/b.json"] == [file.path for file in lake.list_files()]
        for act in (lambda: lake.write([("a/c.json", b"2")]), lambda: lake.delete(["a/b.json"])):
            with pytest.raises(Unavailable, match="what the account may do in the bucket"):
                act()  # type: ignore[no-untyped-call]
        assert ["a/b.json"] == [file.path for file in lake.list_files()]


def allow_everybody_to_read(place: LakeSettings) -> None:
    """A policy of the bucket for those without keys."""
    anybody = {"Effect": "Allow", "Principal": "*"}
    bucket = f"arn:aws:s3:::{place.bucket}"
    reading = [
        {**anybody, "Action": ["s3:ListBucket"], "Resource": [bucket]},
        {**anybody, "Action": ["s3:GetObject"], "Resource": [f"{bucket}/*"]},
    ]
    client = Minio(
        place.endpoint, access_key=place.access_key, secret_key=place.secret_key, secure=False
    )
    policy = {"Version": "2012-10-17", "Statement": reading}
    client.set_bucket_policy(place.bucket, json.dumps(policy))
