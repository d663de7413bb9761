"""What a step hands over is packed whole and quickly, or refused in words."""

from __future__ import annotations

import errno
import gzip
import os
import tarfile

import pytest

from hubyard.client.source import unpack
from hubyard_runtime.run.step import failure, handover

RANDOM = os.urandom(2**20)


@pytest.fixture
def outputs(tmp_path):
    folder = tmp_path / "outputs"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "m.bin").write_bytes(RANDOM)
    (folder / "rows.json").write_text("7")
    (folder / ".hidden").write_text("of nobody")
    return folder


def test_what_was_packed_is_unpacked_as_it_was(outputs, tmp_path):
    into = tmp_path / "packed"
    assert handover.pack(outputs, into)
    unpack(into.read_bytes(), tmp_path / "again")
    again = handover.read(tmp_path / "again")
    assert again["rows"] == 7
    assert (tmp_path / "again" / "model" / "m.bin").read_bytes() == RANDOM
    assert not (tmp_path / "again" / ".hidden").exists()


def test_nothing_is_no_archive(tmp_path):
    assert not handover.pack(tmp_path / "gone", tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_only_what_becomes_smaller_is_compressed(outputs, tmp_path):
    handover.pack(outputs, tmp_path / "random")
    assert len(RANDOM) < (tmp_path / "random").stat().st_size < 1.02 * len(RANDOM)
    (outputs / "text").mkdir()
    (outputs / "text" / "t.csv").write_bytes(b"1,2,3\n" * 300_000)
    handover.pack(outputs, tmp_path / "mixed")
    assert (tmp_path / "mixed").stat().st_size < 1.1 * len(RANDOM)


def test_what_fits_only_compressed_is_compressed(outputs, tmp_path):
    """Though its beginning, by which that is decided, does not become smaller."""
    (outputs / "model" / "m.bin").write_bytes(RANDOM + bytes(3 * 2**20))
    limit_bytes = 2 * 2**20
    assert handover.pack(outputs, tmp_path / "packed", limit_bytes)
    assert (tmp_path / "packed").stat().st_size < limit_bytes


def test_more_than_is_kept_is_refused_and_leaves_nothing(outputs, tmp_path):
    with pytest.raises(handover.TooMuch, match="at most 1 MiB, packed,"):
        handover.pack(outputs, tmp_path / "packed", 2**20)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["outputs"]


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("UNPACKED_LIMIT_BYTES", 2**20, "at most 0.000976562 GiB, unpacked,"),
        ("MEMBER_LIMIT", 2, "at most 1 outputs"),
    ],
)
def test_what_could_not_be_unpacked_is_refused(
    outputs, tmp_path, monkeypatch, limit, value, words
):
    monkeypatch.setattr(handover, limit, value)
    with pytest.raises(handover.TooMuch, match=words):
        handover.pack(outputs, tmp_path / "packed")


def test_the_archive_is_a_gzipped_tar(outputs, tmp_path):
    handover.pack(outputs, tmp_path / "packed")
    with gzip.open(tmp_path / "packed") as plain, tarfile.open(fileobj=plain) as tar:
        assert tar.getnames() == ["model", "model/m.bin", "rows.json"]


def test_why_nothing_was_handed_over_is_said():
    full = failure.output_not_packed(OSError(errno.ENOSPC, "No space left on device"))
    assert full.failure.message.startswith("No space is left on the disk for what it")
    broken = failure.output_not_packed(OSError(errno.EIO, "Input/output error"))
    assert broken.failure.message.endswith("could not be packed: Input/output error.")
    large = failure.too_much_output("at most 200 MiB, packed,").failure
    assert large.message.startswith("It hands over too much: at most 200 MiB, packed, ")
