"""A model's copy: an endpoint's own, so that it needs no MLflow and none can change it.

The files are copied as they are. Only text is read from them; see `model_text`.
"""

from __future__ import annotations

import gzip
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from hubyard.contract.errors import Invalid, TooLarge
from hubyard_hub.models.model_text import EXAMPLE, MLMODEL, UNREADABLE, described
from hubyard_hub.sandbox import READ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from hubyard_hub.models.mlflow_client import MlflowClient, Streamed
    from hubyard_hub.sources.blobs import Blobs

LIMIT_BYTES = 2 * 2**30
_FILES, _DEPTH = 10_000, 12
_TEXT_LIMIT_BYTES = 2**20
_CHUNK = 2**18


@dataclass(frozen=True)
class ModelCopy:
    """A kept copy and what its texts say."""

    digest: str
    size_bytes: int
    signature: dict[str, Any] | None
    example: dict[str, Any] | None


@dataclass(frozen=True)
class _Folder:
    """A model's folder in MLflow: how to list it and how to open a file of it."""

    list: Callable[[str], list[Mapping[str, Any]]]
    open: Callable[[str], Streamed]

    def walk(self, path: str = "", depth: int = 0) -> Iterator[str]:
        if depth > _DEPTH:
            raise Invalid("The model's folders are nested too deeply.")
        for file in self.list(path):
            name = str(file["path"])
            parts = PurePosixPath(name).parts
            if PurePosixPath(name).is_absolute() or ".." in parts:
                raise Invalid(f"The model holds {name[:80]!r}, outside its folder.")
            if file.get("is_dir"):
                yield from self.walk(name, depth + 1)
            else:
                yield name


def copy_model(
    mlflow: MlflowClient, token: str, version: Mapping[str, Any], blobs: Blobs
) -> ModelCopy:
    """Copy a version's folder, as `Models.find` describes it, into a blob.

    Raises:
        Rejected: MLflow's no, or the version holds no model.
        TooLarge: more than is copied.
    """
    folder, root = folder_of(mlflow, token, version)
    texts: dict[str, bytes] = {}
    with blobs.receive(LIMIT_BYTES) as upload:
        with (
            gzip.GzipFile("", "wb", 1, cast("BinaryIO", upload), mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            for count, path in enumerate(sorted(folder.walk(root)), 1):
                if count > _FILES:
                    raise TooLarge(f"A model of at most {_FILES} files is served.")
                name = path.removeprefix(root).lstrip("/")
                _add(archive, name, folder.open(path), texts)
        if MLMODEL not in texts:
            raise Invalid("This version holds no MLflow model.", field="version")
        signature, example = _read(token, texts)
        return ModelCopy(blobs.keep(upload), upload.size, signature, example)


def _read(
    token: str, texts: dict[str, bytes]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    try:
        return READ.call(token, described, texts)
    except TooLarge:  # it had no end, or its worker crashed
        raise Invalid(UNREADABLE) from None


def _logged_model(source: str) -> str | None:
    """The id in `models:/m-<id>`: MLflow's answers name it nowhere else."""
    kind, _, model_id = source.partition(":/")
    return model_id if kind == "models" and model_id.startswith("m-") else None


def folder_of(
    mlflow: MlflowClient, token: str, version: Mapping[str, Any]
) -> tuple[_Folder, str]:
    """Where a version's files are, and the path of its folder there."""
    source = str(version["source"])
    model_id = version.get("model_id") or _logged_model(source)
    if model_id:
        route = f"/logged-models/{model_id}/artifacts/directories"

        def list_model(path: str) -> list[Mapping[str, Any]]:
            asked = {"artifact_directory_path": path} if path else {}
            return mlflow.get(token, route, **asked).get("files", [])

        return _Folder(list_model, lambda p: mlflow.model_file(token, model_id, p)), ""
    run_id = str(version.get("run_id") or "")
    run = mlflow.get(token, "/runs/get", run_id=run_id)["run"]
    home = str(run["info"]["artifact_uri"]).rstrip("/") + "/"
    if not source.startswith(home):
        raise Invalid("This version's files are outside MLflow.", field="version")

    def list_run(path: str) -> list[Mapping[str, Any]]:
        listed = mlflow.get(token, "/artifacts/list", run_id=run_id, path=path)
        return listed.get("files", [])

    inside = source.removeprefix(home)
    return _Folder(list_run, lambda p: mlflow.run_file(token, run_id, p)), inside


def _add(
    archive: tarfile.TarFile, name: str, opened: Streamed, texts: dict[str, bytes]
) -> None:
    """Put one file into the archive, and keep it aside where it is to be read."""
    with opened as answer, tempfile.TemporaryFile() as file:
        for chunk in answer.iter_bytes(_CHUNK):
            file.write(chunk)
            if file.tell() > LIMIT_BYTES:
                raise TooLarge(f"At most {LIMIT_BYTES // 2**30} GiB are served.")
        member = tarfile.TarInfo(name)
        member.size, member.mode = file.tell(), 0o600
        file.seek(0)
        if name in {MLMODEL, EXAMPLE} and member.size <= _TEXT_LIMIT_BYTES:
            texts[name] = file.read()
            file.seek(0)
        archive.addfile(member, file)
