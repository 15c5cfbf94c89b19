"""The zip of a deployment, unpacked with distrust into manifests and files.

Refused before anything is read: entries that leave the folder, that are links, more than 10,000 files, more than
600 MB unpacked, and entries that unpack to more than they claim. Everything stays in memory; nothing touches the disk.
"""

from __future__ import annotations

import io
import lzma
import stat
import struct
import zipfile
import zlib

from rehearse.practice.deploy_model import DeployPackage, DeployProblem
from rehearse.practice.meta_package import Package, parse_package
from rehearse.practice.meta_xml import BrokenXml

MOST_FILES = 10_000
MOST_BYTES = 629_145_600
MOST_RATIO = 1_000
BROKEN = (  # what the reader of zips says of damaged, encrypted, split and oddly packed ones
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError, RuntimeError,
    ValueError,
)  # fmt: skip
MANIFEST = "package.xml"
DESTRUCTIVE = {
    "pre": "destructiveChangesPre.xml",
    "plain": "destructiveChanges.xml",
    "post": "destructiveChangesPost.xml",
}


class ZipRefused(Exception):
    """A zip that is not even looked into: the status code and the text of the failed deployment."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def open_package(body: bytes, *, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES) -> DeployPackage:
    """The package in a zip: its root, or the first folder that has a package.xml. Raises ZipRefused, DeployProblem."""
    files = unpack(body, most_bytes=most_bytes, most_files=most_files)
    folder = _find_root(files)
    inside = {path.removeprefix(folder): data for path, data in files.items() if path.startswith(folder)}
    manifests = {name: _manifest(inside.get(file), file) for name, file in DESTRUCTIVE.items()}
    package = _manifest(inside[MANIFEST], MANIFEST)
    names = {MANIFEST, *DESTRUCTIVE.values()}
    content = {path: data for path, data in inside.items() if path not in names}
    return DeployPackage(package, content, folder=folder, **manifests)


def unpack(body: bytes, *, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES) -> dict[str, bytes]:
    """The files of a zip by path. Raises ZipRefused."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if len(entries) > most_files:
                raise ZipRefused("LIMIT_EXCEEDED", f"Maximum number of files in a zip is {most_files}")
            if sum(one.file_size for one in entries) > most_bytes:
                raise ZipRefused("LIMIT_EXCEEDED", f"Maximum size of uncompressed zip is {most_bytes} bytes")
            for one in entries:
                _check_entry(one)
            return {one.filename: archive.read(one) for one in entries}
    except BROKEN as error:
        raise ZipRefused("INVALID_OPERATION", f"Unable to open the zip file: {error}") from error


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or "\0" in name or ":" in parts[0] or ".." in parts or "." in parts:
        raise ZipRefused("INVALID_OPERATION", f"Invalid path in zip file: {name}")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ZipRefused("INVALID_OPERATION", f"Links are not allowed in a zip file: {name}")
    if entry.file_size > 1_000_000 and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        raise ZipRefused("LIMIT_EXCEEDED", f"Compression ratio is too high in zip file: {name}")


def _find_root(files: dict[str, bytes]) -> str:
    if MANIFEST in files:
        return ""
    roots = sorted(
        path.removesuffix(MANIFEST) for path in files if path.endswith(f"/{MANIFEST}") and path.count("/") == 1
    )
    if not roots:
        raise DeployProblem("No package.xml found")
    return roots[0]


def _manifest(data: bytes | None, name: str) -> Package:
    if data is None:
        return Package()
    try:
        return parse_package(data)
    except BrokenXml as error:
        raise DeployProblem(f"{name}: {error.problem}", line=error.line, column=error.column) from error
