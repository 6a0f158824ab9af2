"""Where the lake is, by HELIX_LAKE_URL and the guide's variables of MinIO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings.form import LakeSettings

DEFAULT_BUCKET = "helixagent-datalake"
_S3 = "s3://"


def read_lake(env: Mapping[str, str]) -> LakeSettings | None:
    """The folder or bucket that is named; None for a folder in the data folder.

    No message shows a key.
    """
    url = env.get("HELIX_LAKE_URL")
    if url and not url.startswith(_S3):
        return LakeSettings(folder=_read_folder(url))
    endpoint = env.get("MINIO_ENDPOINT")
    if not endpoint and not url:
        return None
    if not endpoint:
        message = (
            "HELIX_LAKE_URL names a bucket, so MINIO_ENDPOINT must say host:port of its server"
        )
        raise InvalidRequest(message, field="MINIO_ENDPOINT")
    if "://" in endpoint or "/" in endpoint or "@" in endpoint:
        message = "MINIO_ENDPOINT must be host:port alone; MINIO_USE_SSL=true chooses https"
        raise InvalidRequest(message, field="MINIO_ENDPOINT")
    keys = {
        "MINIO_ACCESS_KEY": env.get("MINIO_ACCESS_KEY") or "",
        "MINIO_SECRET_KEY": env.get("MINIO_SECRET_KEY") or "",
    }
    missing = [name for name, key in keys.items() if not key]
    if len(missing) == 1:
        message = (
            f"one of MINIO_ACCESS_KEY and MINIO_SECRET_KEY is set, so {missing[0]} must be, too"
        )
        raise InvalidRequest(message, field=missing[0])
    bucket, prefix = _read_bucket(url, env.get("MINIO_BUCKET"))
    return LakeSettings(
        endpoint=endpoint,
        access_key=keys["MINIO_ACCESS_KEY"],
        secret_key=keys["MINIO_SECRET_KEY"],
        bucket=bucket,
        prefix=prefix,
        is_secure=_read_switch("MINIO_USE_SSL", env.get("MINIO_USE_SSL")),
    )


def read_archiving(text: str | None) -> bool:
    """Whether each day is archived after its end, by HELIX_LAKE_ARCHIVE."""
    if text and text not in {"daily", "off"}:
        message = f"HELIX_LAKE_ARCHIVE is {text!r}; it must be daily or off"
        raise InvalidRequest(message, field="HELIX_LAKE_ARCHIVE")
    return text == "daily"


def _read_folder(url: str) -> Path:
    path = url.removeprefix("file://")
    if "://" in path or not path:
        message = (
            f"HELIX_LAKE_URL begins with {url.partition('://')[0][:20]!r}; it must be a folder or "
            "s3://bucket/prefix, or unset for the folder `lake` of the data folder"
        )
        raise InvalidRequest(message, field="HELIX_LAKE_URL")
    return Path(path).expanduser().absolute()


def _read_bucket(url: str | None, bucket: str | None) -> tuple[str, str]:
    if not url:
        return bucket or DEFAULT_BUCKET, ""
    named, _, prefix = url.removeprefix(_S3).partition("/")
    if not named or any(part in {".", ".."} for part in prefix.split("/")):
        message = f"HELIX_LAKE_URL is {url!r}; it must be s3://bucket or s3://bucket/prefix"
        raise InvalidRequest(message, field="HELIX_LAKE_URL")
    return named, prefix.strip("/")


def _read_switch(name: str, text: str | None) -> bool:
    if (text or "false").lower() not in {"true", "false"}:
        message = f"{name} is {text!r}; it must be true or false"
        raise InvalidRequest(message, field=name)
    return (text or "").lower() == "true"
