"""A file of the lake where engines find it: itself in a folder, a copy of it from a bucket."""

from __future__ import annotations

from pathlib import Path

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.jobs.batch.inputs import Source
from helix_lab.ports.batch import InputFile
from helix_lab.ports.lake import Lake


def stage_file(lake: Lake, source: Source, folder: Path) -> InputFile:
    """The file on this machine.

    Args:
        lake: where it is.
        source: which.
        folder: for a copy, where one is needed.

    Raises:
        InvalidRequest: it is no Parquet file, or it is cut off.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow.fs import LocalFileSystem

    filesystem, root = lake.open_filesystem()
    if isinstance(filesystem, LocalFileSystem):
        path = Path(root) / source.path
    else:
        path = folder / f"{source.id}.parquet"
        path.write_bytes(lake.read(source.path))
    try:
        rows = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        message = (
            f"{source.path} in the lake cannot be read: {reason}; archive it again, or remove it"
        )
        raise InvalidRequest(message, field="input_path", path=source.path) from error
    return InputFile(source.id, str(path), rows)
