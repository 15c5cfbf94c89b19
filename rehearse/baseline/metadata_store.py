"""The metadata of captures: a bare git repository, one commit a capture, the org's own bytes.

New objects are written into one pack that is flushed to the disk before any reference names it: a crash leaves at worst
a pack that nobody names. `refs/captures/<ULID>` keeps a capture; the branch of a sandbox is its history, for `git log`
and `git diff`. The folder is clear text and readable by its owner only. Names that git refuses (`.git`, `..`) are
encoded in the tree and decoded on the way out.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import urllib.parse
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock

import pygit2

from rehearse.baseline.git_pack import Id, PackWriter, object_id, pack_object, render_tree
from rehearse.baseline.writing import make_private_folder, storing, sync_file, sync_folder
from rehearse.errors import Damaged, DiskFull, StoreError
from rehearse.ids import spell

pygit2.settings.owner_validation = False  # containers and teams share folders; digests decide, and no hook is run
_MARK = "%rehearse%"
_REFUSED = re.compile(r"^(|\.{1,2}|\.git|git~\d+|\.git[ .:].*)$", re.IGNORECASE)


@dataclass
class _Folder:
    blobs: dict[str, bytes] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)


class MetadataStore:
    """The repository `metadata.git` below a store's root; made on the first save."""

    def __init__(self, root: Path) -> None:
        self.path = root / "metadata.git"
        self._scratch = root / "scratch"

    def save(self, ulid: str, files: Mapping[str, bytes], sandbox: str, at: datetime) -> str:
        """Keep a tree of files as the commit of a capture; returns the commit id. Raises DiskFull or StoreError."""
        with self.writing(ulid) as writer:
            return writer.commit(files, sandbox, at)

    @contextmanager
    def writing(self, ulid: str) -> Iterator[MetadataWriter]:
        """A pack for one capture, which counts when `commit` was called. Raises DiskFull or StoreError."""
        scratch = self._scratch / f"git-{ulid}"
        with translated(self.path):
            make_private_folder(self.path)
            pygit2.init_repository(str(self.path), bare=True)
            shutil.rmtree(scratch, ignore_errors=True)
            make_private_folder(scratch)
        try:
            with PackWriter(scratch) as packer:
                yield MetadataWriter(self.path, ulid, packer)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def load_files(self, commit: str, paths: Collection[str] | None = None) -> dict[str, bytes]:
        """The files of a commit, all or the named ones that it has. Raises Damaged."""
        if paths is not None:
            files = self.open_files(commit)
            return {path: found for path in paths if (found := files.find(path)) is not None}
        with _reading(self.path, commit):
            return dict(_walk(pygit2.Repository(str(self.path))[commit].peel(pygit2.Tree), ""))

    def open_files(self, commit: str) -> CommitFiles:
        """The files of a commit, to be read one by one."""
        return CommitFiles(self.path, commit)

    def newest(self, sandbox: str) -> str | None:
        """The id of the capture that was kept last of a sandbox; None without one."""
        if not self.path.exists():
            return None
        with translated(self.path):
            store = pygit2.Repository(str(self.path))
            name = _branch(store, sandbox)
            if name not in store.references:
                return None
            commit = store.references[name].peel(pygit2.Commit)
            return commit.message.strip().rpartition(" ")[2]

    def load_ids(self, commit: str) -> dict[str, Id]:
        """The content id that git gives to each file of a commit. Raises Damaged."""
        with _reading(self.path, commit):
            return dict(_walk_ids(pygit2.Repository(str(self.path))[commit].peel(pygit2.Tree), ""))

    def verify(self, commit: str, ulid: str) -> int:
        """Check packs against their digests, objects against their names, and the capture's reference; counts files.

        Raises Damaged. (Reading alone would not do: libgit2 keeps packs mapped that were read before.) A pack without
        an index is what a killed capture or sweep left: git does not read it, and the next sweep removes it.
        """
        for index in sorted((self.path / "objects" / "pack").glob("*.idx")):
            for path in (index, index.with_suffix(".pack")):
                if not path.exists() or not _ends_with_its_digest(path):
                    raise Damaged(f"{path} is not what was written.", "Restore the folder from a copy.")
        with _reading(self.path, commit):
            name = f"refs/captures/{ulid}"
            if str(pygit2.Repository(str(self.path)).references[name].target) != commit:
                raise ValueError(f"{name} names another commit")
        return len(self.load_files(commit))


class CommitFiles:
    """The files of a commit, one by one; folders are read once, however many files of them are asked for."""

    def __init__(self, path: Path, commit: str) -> None:
        self._path = path
        self._commit = commit
        self._folders: dict[str, pygit2.Tree | None] = {}

    def find(self, path: str) -> bytes | None:
        """The content of a file; None where the commit has none there. Raises Damaged."""
        folder, _, name = path.rpartition("/")
        with _reading(self._path, self._commit):
            here = self._entry(self._folder(folder), name)
            return here.data if isinstance(here, pygit2.Blob) else None

    def _folder(self, path: str) -> pygit2.Tree | None:
        if path not in self._folders:
            above, _, name = path.rpartition("/")
            if path:
                found = self._entry(self._folder(above), name)
            else:
                found = pygit2.Repository(str(self._path))[self._commit].peel(pygit2.Tree)
            self._folders[path] = found if isinstance(found, pygit2.Tree) else None
        return self._folders[path]

    @staticmethod
    def _entry(folder: pygit2.Tree | None, name: str) -> pygit2.Object | None:
        encoded = encode_name(name)
        return folder[encoded] if folder is not None and encoded in folder else None


class MetadataWriter:
    """The objects of one capture on their way into the repository; made by `MetadataStore.writing`."""

    def __init__(self, path: Path, ulid: str, packer: PackWriter) -> None:
        self._path = path
        self._ulid = ulid
        self._packer = packer
        self._store = pygit2.Repository(str(path))
        self._known = {oid.raw for oid in self._store}
        self._writing = Lock()

    def keep(self, content: bytes) -> Id:
        """Write the content of a file unless the store has it, and return its id. Any thread may call it.

        Raises DiskFull or StoreError.
        """
        id = object_id("blob", content)
        if id not in self._known and id not in self._packer:
            piece = pack_object("blob", content)
            with self._writing, translated(self._path):
                self._packer.add(id, piece)
        return id

    def commit(
        self, files: Mapping[str, bytes], sandbox: str, at: datetime, ids: Mapping[str, bytes] | None = None
    ) -> str:
        """Keep a tree of files under the capture and the sandbox; returns the commit id.

        `ids` are files that `keep` has written already. Raises DiskFull or StoreError.
        """
        top = _Folder()
        for path in sorted(files):
            *folders, name = path.split("/")
            at_folder = top
            for folder in folders:
                at_folder = at_folder.folders.setdefault(folder, _Folder())
            at_folder.blobs[name] = (ids or {}).get(path) or self.keep(files[path])
        with translated(self._path):
            tree = self._write_tree(top)
            branch = _branch(self._store, sandbox)
            parent = f"parent {self._store.references[branch].target}\n" if branch in self._store.references else ""
            who = f"rehearse <rehearse@localhost> {int(at.timestamp())} +0000"
            said = f"tree {tree.hex()}\n{parent}author {who}\ncommitter {who}\n\n{sandbox} {self._ulid}\n"
            commit = self._add("commit", said.encode())
            self._packer.move(self._path / "objects" / "pack")
            self._name(sandbox, commit.hex())
        return commit.hex()

    def _write_tree(self, folder: _Folder) -> bytes:
        entries = {encode_name(name): ("blob", id) for name, id in folder.blobs.items()}
        for name, inner in folder.folders.items():
            entries[encode_name(name)] = ("tree", self._write_tree(inner))
        return self._add("tree", render_tree(entries))

    def _add(self, kind: str, content: bytes) -> bytes:
        id = object_id(kind, content)
        if id not in self._known:
            self._packer.add(id, pack_object(kind, content))
        return id

    def _name(self, sandbox: str, commit: str) -> None:
        store = pygit2.Repository(str(self._path))
        for name in (f"refs/captures/{self._ulid}", _branch(store, sandbox)):
            store.references.create(name, pygit2.Oid(hex=commit), force=True)
            sync_file(self._path / name)
            sync_folder((self._path / name).parent)


def encode_name(name: str) -> str:
    """A file or folder name that git takes; others than git's own names stay as they are."""
    if _REFUSED.match(name) or name.startswith(_MARK) or "\0" in name:
        return _MARK + "".join(f"%{byte:02X}" for byte in name.encode())
    return name


def decode_name(name: str) -> str:
    """The name that `encode_name` was given."""
    return urllib.parse.unquote(name.removeprefix(_MARK)) if name.startswith(_MARK) else name


def _walk(tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in tree:
        path = prefix + decode_name(entry.name or "")
        if isinstance(entry, pygit2.Tree):
            yield from _walk(entry, f"{path}/")
        elif isinstance(entry, pygit2.Blob):
            yield path, entry.data


def _walk_ids(tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, Id]]:
    for entry in tree:
        path = prefix + decode_name(entry.name or "")
        if isinstance(entry, pygit2.Tree):
            yield from _walk_ids(entry, f"{path}/")
        else:
            yield path, entry.id.raw


def _ends_with_its_digest(path: Path) -> bool:
    """Packs and their indexes end in the SHA-1 of all that stands before (git, pack format)."""
    left = path.stat().st_size - hashlib.sha1().digest_size
    found = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as file:
        while left > 0 and (piece := file.read(min(left, 1 << 20))):
            found.update(piece)
            left -= len(piece)
        return left == 0 and file.read() == found.digest()


def _branch(store: pygit2.Repository, sandbox: str) -> str:
    """The branch of a sandbox as it was first spelled: letter case makes no second one (nor may it, on some disks)."""
    return spell(f"refs/heads/{branch_of(sandbox)}", store.references)


def branch_of(sandbox: str) -> str:
    """The name of the branch that shows a sandbox's history."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", sandbox) or "org"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Say what git or the disk says while the repository is being written as our errors."""
    try:
        with storing(path):
            yield
    except pygit2.GitError as error:
        if "No space left" in str(error):
            raise DiskFull(f"There is no room left to write {path}.", "Free some space and run again.") from error
        raise StoreError(f"The metadata store {path} failed: {error}.", "Check storage.path.") from error


@contextmanager
def _reading(path: Path, commit: str) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.", "Look at its permissions.") from error
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        raise Damaged(
            f"The metadata of commit {commit[:12]} in {path} is damaged or missing.",
            "Take a new baseline, or restore the folder from a copy.",
        ) from error
