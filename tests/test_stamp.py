from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import pytest

from tagger.stamp import file_stamp, hash_bytes, hash_file


def test_a_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert hash_file(tmp_path / "a") == hash_bytes(b"abc" * 100_000)
    assert hash_bytes(b"abc") == blake2b(b"abc", digest_size=16).hexdigest()


def test_what_cannot_be_hashed(tmp_path: Path) -> None:
    assert hash_file(tmp_path / "nothing") is None
    assert hash_file(tmp_path) == "", "a folder cannot be read"


@pytest.mark.parametrize("change", ["text", "time", "file"])
def test_a_stamp_differs_after_a_change(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    before = file_stamp(path)
    assert before == file_stamp(path)
    if change == "text":
        path.write_text("three")
        os.utime(path, ns=(0, before.mtime_ns if before else 0))
    elif change == "time":
        os.utime(path, ns=(0, 0))
    else:
        (tmp_path / "b").write_text("two")
        os.utime(tmp_path / "b", ns=(0, before.mtime_ns if before else 0))
        (tmp_path / "b").replace(path)
    assert file_stamp(path) != before


def test_nothing_has_no_stamp(tmp_path: Path) -> None:
    assert file_stamp(tmp_path / "nothing") is None
