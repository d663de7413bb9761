from __future__ import annotations

import gzip
import io
import stat
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubyard.client.source import unpack
from hubyard.contract.errors import HubyardError, Invalid, NotFound, TooLarge
from hubyard_hub.sources import packed as packed_module
from hubyard_hub.sources.blobs import Blobs, receive
from hubyard_hub.sources.packed import file_names, read_file
from support.platform import packed

if TYPE_CHECKING:
    from pathlib import Path


def a_file(folder: Path, content: bytes) -> Path:
    path = folder / "source.tgz"
    path.write_bytes(content)
    return path


def tar_of(*members: tarfile.TarInfo, content: bytes = b"x") -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb") as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in members:
            if member.isreg():
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            else:
                archive.addfile(member)
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def test_the_files_are_listed_and_read(tmp_path: Path):
    path = a_file(tmp_path, packed({"b.py": b"1", "./a/n.ipynb": b"{}" * 300_000}))
    assert file_names(path) == ("a/n.ipynb", "b.py")
    assert read_file(path, "a/n.ipynb") == b"{}" * 300_000
    with pytest.raises(NotFound, match="no 'c"):
        read_file(path, "c.py")


def test_folders_are_passed_over(tmp_path: Path):
    path = a_file(tmp_path, tar_of(member("a", tarfile.DIRTYPE), member("a/b")))
    assert file_names(path) == ("a/b",)


@pytest.mark.parametrize(
    "bad",
    [
        member("/etc/passwd"),
        member("../up"),
        member("a/../../up"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, "other"),
        member("device", tarfile.CHRTYPE),
        member("block", tarfile.BLKTYPE),
        member("pipe", tarfile.FIFOTYPE),
        member("back\\slash"),
        member("new\nline"),
        member("not-utf8-\udcff"),
        member("long" * 200),
        member("../folder", tarfile.DIRTYPE),
    ],
    ids=lambda bad: bad.name[:10].encode("unicode_escape").decode(),
)
def test_what_a_source_may_not_hold_is_refused(tmp_path: Path, bad: tarfile.TarInfo):
    path = a_file(tmp_path, tar_of(member("good"), bad))
    with pytest.raises(Invalid):
        file_names(path)


@pytest.mark.parametrize(
    "members",
    [
        [member("a"), member("a/b.py")],
        [member("a/b.py"), member("a")],
        [member("a", tarfile.DIRTYPE), member("a")],
        [member("a"), member("a", tarfile.DIRTYPE)],
        [member("a/b"), member("a/b/c/d.py")],
        [member("é.py"), member("e\u0301.py")],
        [member("é"), member("e\u0301/a.py")],
    ],
    ids=range(7),
)
def test_no_two_files_want_the_same_place(
    tmp_path: Path, members: list[tarfile.TarInfo]
):
    with pytest.raises(Invalid, match="The source holds"):
        file_names(a_file(tmp_path, tar_of(*members)))


def test_names_that_only_look_alike_to_some_are_two(tmp_path: Path):
    path = a_file(tmp_path, packed({"readme.md": b"", "README.md": b"", "a/b": b""}))
    assert file_names(path) == ("README.md", "a/b", "readme.md")


NAMES = st.lists(st.text("ab/", min_size=1, max_size=5), min_size=1, max_size=6)


@given(NAMES)
def test_what_is_accepted_can_be_unpacked(tmp_path_factory, names: list[str]):
    folder = tmp_path_factory.mktemp("unpacked")
    path = a_file(folder, tar_of(*map(member, names)))
    try:
        kept = file_names(path)
    except HubyardError:
        return
    unpack(path.read_bytes(), folder / "into")
    assert all((folder / "into" / name).is_file() for name in kept)


def test_an_archive_of_headers_takes_no_memory(tmp_path: Path):
    many = [member(f"{n}.py") for n in range(200)]
    for each in many:
        each.pax_headers = {"comment": "x" * 2**19}
    path = a_file(tmp_path, tar_of(*many))
    tracemalloc.start()
    assert len(file_names(path)) == 200
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()


def test_a_name_may_be_there_once(tmp_path: Path):
    path = a_file(tmp_path, tar_of(member("a"), member("./a")))
    with pytest.raises(Invalid, match="twice"):
        file_names(path)


def sparse(size: str) -> tarfile.TarInfo:
    made = member("a")
    made.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": size}
    return made


@pytest.mark.parametrize(
    "content",
    [
        # Named, for gzip writes the time into the bytes.
        pytest.param(b"", id="nothing"),
        pytest.param(b"not a tar", id="no gzip"),
        pytest.param(gzip.compress(b"not a tar"), id="no tar"),
        pytest.param(packed()[:-20], id="no end"),
        pytest.param(packed()[:40], id="no member"),
        pytest.param(b"\x1f\x8b" + b"\x00" * 100, id="zeros"),
        pytest.param(tar_of(member("a"))[:-9] + b"\xff" * 9, id="no trailer"),
        pytest.param(tar_of(sparse("not a number")), id="no size"),
    ],
)
def test_what_is_no_gzipped_tar_is_refused(tmp_path: Path, content: bytes):
    with pytest.raises(Invalid, match="gzipped tar"):
        file_names(a_file(tmp_path, content))


def test_a_bomb_of_bytes_is_refused_before_it_is_read(tmp_path: Path):
    huge = tarfile.TarInfo("zeros")
    huge.size = 600 * 2**20
    path = a_file(tmp_path, gzip.compress(huge.tobuf()))
    with pytest.raises(TooLarge, match="500 MiB"):
        file_names(path)


def test_a_bomb_of_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packed_module, "MEMBER_LIMIT", 3)
    path = a_file(tmp_path, tar_of(*(member(str(n)) for n in range(4))))
    with pytest.raises(TooLarge, match="files"):
        file_names(path)


def test_a_header_that_would_fill_memory_is_refused(tmp_path: Path):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 2**26
    path = a_file(tmp_path, gzip.compress(header.tobuf() + b"\0" * 2**22))
    with pytest.raises(TooLarge, match="header"):
        file_names(path)


def test_a_file_too_large_for_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(packed_module, "FILE_LIMIT_BYTES", 3)
    path = a_file(tmp_path, packed({"n.ipynb": b"1234"}))
    with pytest.raises(TooLarge):
        read_file(path, "n.ipynb")


@settings(max_examples=150)
@given(st.binary(max_size=3000), st.integers(0, 2000), st.booleans())
def test_nothing_but_our_own_errors_comes_out(
    tmp_path_factory: pytest.TempPathFactory,
    noise: bytes,
    at: int,
    inside: bool,  # noqa: FBT001  hypothesis gives it by position
):
    """Noise in the packed bytes, or in the tar within them."""
    good = packed({"a": b"1" * 100, "b": b"2" * 100})
    if inside:
        raw = gzip.decompress(good)
        broken = gzip.compress(raw[:at] + noise + raw[at + len(noise) :])
    else:
        broken = good[:at] + noise + good[at + len(noise) :]
    path = a_file(tmp_path_factory.mktemp("fuzz"), broken)
    try:
        names = file_names(path)
    except HubyardError:
        return
    assert all(
        not name.startswith("/") and ".." not in name.split("/") for name in names
    )


def test_a_blob_is_whole_private_and_named_after_itself(tmp_path: Path):
    blobs = Blobs(tmp_path / "blobs")
    with blobs.receive(100) as upload:
        upload.write(b"hello ")
        upload.write(b"world")
        digest = blobs.keep(upload)
    assert digest == upload.digest
    path = blobs.path(digest)
    assert path.read_bytes() == b"hello world"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == [digest]


def test_an_upload_that_is_not_kept_leaves_nothing(tmp_path: Path):
    with pytest.raises(TooLarge), receive(tmp_path, 3) as upload:
        upload.write(b"1234")
    with receive(tmp_path, 3) as upload:
        upload.write(b"123")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_blob_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(NotFound, match="choose the notebook again"):
        Blobs(tmp_path).path("0" * 64)
