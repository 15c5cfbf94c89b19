"""Sweeping the metadata repository: what no capture names goes, what stays becomes one pack.

The commits of kept captures keep their ids; where the commit before one is gone, git is told so in its `shallow` file,
as after a shallow clone. The new pack is on the disk before a reference moves, and the old packs go last: killed at any
point, every kept capture is whole and the next sweep finishes the work. The caller has the store to itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2

from rehearse.baseline.metadata_store import MetadataStore, branch_of, translated
from rehearse.baseline.writing import make_private_folder, sync_file, sync_folder, write_durably
from rehearse.errors import Damaged

Commit = pygit2.Oid | str


@dataclass(frozen=True)
class Kept:
    """A capture that names a commit: its sandbox, whose branch shows the newest one."""

    ulid: str
    sandbox: str
    commit: str


def sweep_metadata(store: MetadataStore, kept: tuple[Kept, ...], scratch: Path) -> int:
    """Remove every object that no kept capture (oldest first) needs; returns the bytes that came free.

    Raises Damaged when a kept capture lacks something (then nothing is removed), DiskFull, StoreError.
    """
    path = store.path
    if not path.exists():
        return 0
    before = _size(path)
    with translated(path):
        repository = pygit2.Repository(str(path))
        needed = _mark(repository, kept)
        surplus = len(list(_packs(path))) > 1 or any(oid not in needed for oid in repository)
        if surplus:
            new = _pack(repository, needed, path, scratch)
            _tell_git(repository, path, kept)
            for old in _packs(path):
                if old.stem not in new:
                    old.with_suffix(".idx").unlink(missing_ok=True)
                    old.unlink()
            _remove_loose(path)
            sync_folder(path / "objects" / "pack")
        else:
            _tell_git(repository, path, kept)
    return max(0, before - _size(path))


def drop_metadata(path: Path, ulid: str) -> None:
    """Forget a capture: its reference, and a branch that ends in it goes back to the last one that is kept.

    Its objects go with the next sweep.
    """
    with translated(path):
        store = pygit2.Repository(str(path))
        if (name := f"refs/captures/{ulid}") not in store.references:
            return
        commit = store.references[name].target
        store.references.delete(name)
        kept = {store.references[one].target for one in store.references if one.startswith("refs/captures/")}
        ends = (one for one in store.references if one.startswith("refs/heads/"))
        for branch in [one for one in ends if store.references[one].target == commit]:
            last = _find_kept(store, commit, kept)
            if last is None:
                store.references.delete(branch)
            else:
                store.references.create(branch, last, force=True)


def _find_kept(store: pygit2.Repository, commit: Commit, kept: Collection[object]) -> Commit | None:
    """The last commit before this one that a capture still names; None where a sweep has cut the history before it."""
    while commit not in kept:
        parents = store[commit].peel(pygit2.Commit).parent_ids if commit in store else []
        if not parents:
            return None
        commit = parents[0]
    return commit


def _mark(repository: pygit2.Repository, kept: tuple[Kept, ...]) -> dict[pygit2.Oid, None]:
    needed: dict[pygit2.Oid, None] = {}
    try:
        for one in kept:
            commit = repository[one.commit].peel(pygit2.Commit)
            needed[commit.id] = None
            _mark_tree(commit.tree, needed)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise Damaged(
            "The metadata of a capture is incomplete, so nothing of the metadata store is swept.",
            "Run `rehearse baseline verify` for each baseline, and `rehearse baseline repair` for the damaged one.",
        ) from error
    return needed


def _mark_tree(tree: pygit2.Tree, needed: dict[pygit2.Oid, None]) -> None:
    if tree.id in needed:
        return
    needed[tree.id] = None
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            _mark_tree(entry, needed)
        else:
            needed[entry.id] = None


def _pack(repository: pygit2.Repository, needed: Mapping[pygit2.Oid, None], path: Path, scratch: Path) -> set[str]:
    """Write the needed objects as one pack, on the disk before it is returned."""
    packs = path / "objects" / "pack"
    if not needed:
        return set()
    shutil.rmtree(scratch, ignore_errors=True)
    make_private_folder(scratch)
    try:
        builder = pygit2.PackBuilder(repository)
        for oid in needed:
            builder.add(oid)
        builder.write(str(scratch))
        made = sorted(scratch.iterdir(), key=lambda one: one.suffix, reverse=True)  # the index names the pack: last
        for one in made:
            sync_file(one)
            one.replace(packs / one.name)
        sync_folder(packs)
        return {one.stem for one in made}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _tell_git(repository: pygit2.Repository, path: Path, kept: tuple[Kept, ...]) -> None:
    """References to kept captures only, branches at the newest, and where history was cut."""
    commits, shallow = {one.commit for one in kept}, path / "shallow"
    known = set(shallow.read_text().split()) if shallow.exists() else set()  # git shows these without their parents
    lost = {one for one in commits if any(str(parent) not in commits for parent in _parents(repository, one))}
    if cut := sorted(lost | (known & commits)):
        write_durably(shallow, "".join(f"{one}\n" for one in cut).encode())
    wanted = {f"refs/captures/{one.ulid}": one.commit for one in kept}
    wanted.update({f"refs/heads/{branch_of(one.sandbox)}": one.commit for one in kept})
    for name, commit in wanted.items():
        repository.references.create(name, pygit2.Oid(hex=commit), force=True)
    for name in list(repository.references):
        if name not in wanted and name.startswith(("refs/captures/", "refs/heads/")):
            repository.references.delete(name)


def _parents(repository: pygit2.Repository, commit: str) -> list[pygit2.Oid]:
    return repository[commit].peel(pygit2.Commit).parent_ids


def _packs(path: Path) -> list[Path]:
    return sorted((path / "objects" / "pack").glob("*.pack"))


def _remove_loose(path: Path) -> None:
    for folder in (path / "objects").glob("??"):
        shutil.rmtree(folder)


def _size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
