"""The files of a zip come as they were written, and no damage goes unseen."""

import hashlib
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearse.baseline import components, zip_files
from rehearse.baseline.components import file_digest
from rehearse.baseline.zip_files import read_zip

NAMES = ["a.xml", "ordner/ä.cls", "日本/b", "empty/", "big", "x" * 200]


def build(path: Path, contents: list[bytes], kind: int) -> dict[str, bytes]:
    files = dict(zip(NAMES, contents, strict=False))
    with zipfile.ZipFile(path, "w", kind) as zipped:
        for name, content in files.items():
            zipped.writestr(name, b"" if name.endswith("/") else content)
    return {name: b"" if name.endswith("/") else content for name, content in files.items()}


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_every_file_comes_as_it_was(tmp_path: Path, kind: int) -> None:
    files = build(tmp_path / "z", [b"<a/>", b"", b"\0" * 5000, b"", b"12345" * 300_000, b"x"], kind)
    assert {one.filename: content for one, content in read_zip(tmp_path / "z")} == files


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_a_damaged_zip_is_refused_or_means_the_same(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "z"
    files = build(path, [b"<a/>" * 30, b"b" * 100, b"c"], data.draw(st.sampled_from([0, 8])))
    raw = bytearray(path.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(raw))
    try:
        found = [content for _, content in read_zip(path)]
    except zipfile.BadZipFile:
        return
    assert found == list(files.values())[: len(found)]


def test_a_zip_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes of zeros: as a whole zip it is refused, as a static resource it counts by its bytes."""
    build(tmp_path / "z", [b"a", random.randbytes(2_000), b"\0" * 50_000], zipfile.ZIP_DEFLATED)
    resource = (tmp_path / "z").read_bytes()
    plain = file_digest(resource)
    assert len(list(read_zip(tmp_path / "z"))) == 3 and plain != hashlib.sha256(resource).hexdigest()
    for module in (zip_files, components):
        monkeypatch.setattr(module, "MOST_UNPACKED", 40_000)
    with pytest.raises(zipfile.BadZipFile):
        list(read_zip(tmp_path / "z"))
    assert file_digest(resource) == hashlib.sha256(resource).hexdigest()
