"""Packing a source: the file that was chosen, and what belongs to it.

In it go the file itself, every `.py` of its root and below, `hubyard.yml`, and the data
that this names; with a pipeline also every notebook of the project. Nothing hidden, no
links, no virtual environments. The same files always give the same bytes, so a source
that has not changed has the same hash.

root  the folder that is packed, from which paths within the source begin. Of what a
      run executes it is the project's: the nearest folder above that has a
      `hubyard.yml`, so that `../data/x.csv` means the same in the run. Of a pipeline it
      is the one that holds `pipelines/`; of an app, and where there is no project, the
      file's own folder
"""

from __future__ import annotations

import errno
import gzip
import io
import os
import tarfile
import zlib
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from hubyard.contract.errors import Invalid, NotFound, TooLarge
from hubyard.contract.pipeline import PIPELINES_FOLDER, is_pipeline
from hubyard.contract.project import PROJECT_FILE
from hubyard.contract.source import SOURCE_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENVIRONMENT_MARK = "pyvenv.cfg"
_IGNORED = {"__pycache__", "node_modules", "site-packages"}
UNPACKED_LIMIT_BYTES = 4 * 2**30
MEMBER_LIMIT = 20_000
_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}


def root_of(file: Path) -> Path:
    """The root of the source of an app."""
    folder = _placed(file).parent
    of_project = is_pipeline(file.name) and folder.name == PIPELINES_FOLDER
    return folder.parent if of_project else folder


def root_of_run(file: Path) -> Path:
    """The root of the source of what a run executes."""
    file = _placed(file)
    if is_pipeline(file.name):
        return root_of(file)
    return project_of(file.parent) or file.parent


def root_by_name(file: Path, name: str) -> Path:
    """The root of which a file has a name; of another file, that of what a run runs.

    A schedule keeps the name that its file had, also where a project was made since.
    """
    file = _placed(file)
    parts = PurePosixPath(name).parts
    is_called_so = file.parts[-len(parts) :] == parts
    return file.parents[len(parts) - 1] if is_called_so else root_of_run(file)


def project_of(folder: Path) -> Path | None:
    """The nearest folder from one on upwards that has a project file.

    The home, and what lies above it, is the project of nothing below it.
    """
    home = Path.home().resolve()
    folder = folder.resolve()
    for above in (folder, *folder.parents):
        if above != folder and (above == home or above in home.parents):
            return None
        if (above / PROJECT_FILE).is_file():
            return above
    return None


def name_of(file: Path, root: Path | None = None) -> str:
    """The path of a file within its source."""
    path = _placed(file)
    return path.relative_to(root or root_of(path)).as_posix()


def pack(file: Path, root: Path | None = None) -> bytes:
    """A gzipped tar of a notebook, script, pipeline or file and what belongs to it.

    Args:
        file: what was chosen.
        root: of the source; None: as an app has it.

    Raises:
        NotFound: there is no such file.
        Invalid: it, or a module beside it, cannot be read.
        TooLarge: what belongs to it is more than a source may be.
    """
    _check(file)
    file = _placed(file)
    root = root or root_of(file)
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted({file, *_companions(root, is_pipeline(file.name))}):
            _add(archive, path, str(path.relative_to(root)))
            if buffer.tell() > SOURCE_LIMIT_BYTES:
                raise _too_large(file)
    if buffer.tell() > SOURCE_LIMIT_BYTES:
        raise _too_large(file)
    return buffer.getvalue()


def _placed(file: Path) -> Path:
    """Where a file truly lies; one that is a link keeps its name."""
    return file.parent.resolve() / file.name


def unpack(archive: bytes | BinaryIO, into: Path) -> None:
    """Unpack a source or a model folder, never outside `into`.

    Raises:
        Invalid: it is no archive of ours, or would write elsewhere.
        TooLarge: it holds more than it may.
    """
    stream = io.BytesIO(archive) if isinstance(archive, bytes) else archive
    try:
        with tarfile.open(fileobj=stream, mode="r:gz") as packed:
            _extract(packed, into)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        # What an OSError says of itself names a path of this machine.
        why = error.strerror if isinstance(error, OSError) and error.errno else error
        raise Invalid(f"This source cannot be unpacked: {why}.") from None


def _check(file: Path) -> None:
    try:
        if file.is_dir():
            raise Invalid(f"{str(file)!r} is a folder: name a notebook or file in it.")
        if not file.is_file():
            raise NotFound(f"There is no file {file.name!r} here: save it first.")
    except OSError as error:
        raise _unreadable(file.name, error) from None


def _unreadable(name: str, error: OSError) -> Invalid:
    return Invalid(f"{name[:80]!r} cannot be read: {error.strerror}.")


def _extract(packed: tarfile.TarFile, into: Path) -> None:
    size = 0
    for count, member in enumerate(packed, start=1):
        size += member.size
        if size > UNPACKED_LIMIT_BYTES or count > MEMBER_LIMIT:
            raise TooLarge("This source holds too much when it is unpacked.")
        if not (member.isreg() or member.isdir()):
            raise Invalid(f"This source holds {member.name!r}, which is no file.")
        _extract_one(packed, member, into)


def _extract_one(packed: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    try:
        packed.extract(member, into, filter="data")
    except tarfile.FilterError:
        raise Invalid(
            f"This source cannot be unpacked: {member.name!r} lies outside of it."
        ) from None
    except OSError as error:
        if error.errno not in _IN_THE_WAY:
            raise
        raise Invalid(
            f"This source holds {member.name!r} as a file and as a folder: rename one."
        ) from None


def _companions(folder: Path, of_pipeline: bool) -> Iterator[Path]:  # noqa: FBT001  it is read by name
    """What belongs to a file of a folder; links are not followed."""
    ends = (".py", ".ipynb") if of_pipeline else (".py",)
    data = _declared_data(folder / PROJECT_FILE)
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if is_ours(here / name)]
        for name in files:
            path = here / name
            inside = path.relative_to(folder)
            wanted = (
                name.endswith(ends)
                or inside == Path(PROJECT_FILE)
                or any(fnmatchcase(inside.as_posix(), each) for each in data)
            )
            if wanted and not name.startswith(".") and not path.is_symlink():
                yield path


def _declared_data(file: Path) -> list[str]:
    """The patterns of a project's data. What is wrong with it the platform will say."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        return []
    if "data" not in text:
        return []
    import yaml  # noqa: PLC0415  few projects name data

    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError:
        return []
    found = said.get("data") if isinstance(said, dict) else None
    patterns = [found] if isinstance(found, str) else found or []
    return [each for each in patterns if isinstance(each, str)]


def is_ours(folder: Path) -> bool:
    """Whether a folder holds what a person wrote: none is hidden or an environment."""
    name = folder.name
    environment = (folder / _ENVIRONMENT_MARK).exists()
    return not (name.startswith(".") or name in _IGNORED or environment)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(name, error) from None
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))


def _too_large(file: Path) -> TooLarge:
    limit = SOURCE_LIMIT_BYTES // 2**20
    return TooLarge(f"{file.name} and its modules are larger than {limit} MB packed.")
