"""Packs of our own writing are git's packs: libgit2 finds every object by the name that it gives itself."""

from __future__ import annotations

import random
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from rehearse.baseline.git_pack import PackWriter, object_id, pack_object, render_tree

SIZES = [0, 1, 15, 16, 17, 2047, 2048, 2049, 70_000, *range(20, 320)]
# those that end in / are folders, which git sorts as if their names did
NAMES = [
    "b",
    "b.c",
    "b0",
    "a-b",
    "a",
    "ä",
    "Z",
    "a b",
    "c/",
    "c.d",
    "c0",
]


def test_libgit2_reads_every_object(tmp_path: Path) -> None:
    made = random.Random(7)
    contents = [made.randbytes(size) for size in SIZES]
    store = _pack(tmp_path, [("blob", one) for one in contents])
    assert all(store[pygit2.hash(one)].read_raw() == one for one in contents)
    assert sorted(one.raw for one in store) == sorted({object_id("blob", one) for one in contents})


def test_a_tree_is_named_as_libgit2_names_it(tmp_path: Path) -> None:
    blob, empty = b"content", b""
    entries = {
        name.rstrip("/"): ("tree", object_id("tree", empty))
        if name.endswith("/")
        else ("blob", object_id("blob", blob))
        for name in NAMES
    }
    store = _pack(tmp_path, [("blob", blob), ("tree", empty), ("tree", render_tree(entries))])
    builder = store.TreeBuilder()
    for name, (kind, id) in entries.items():
        builder.insert(name, pygit2.Oid(raw=id), FileMode.TREE if kind == "tree" else FileMode.BLOB)
    tree = store[object_id("tree", render_tree(entries)).hex()]
    assert isinstance(tree, pygit2.Tree)
    assert builder.write() == tree.id
    assert {one.name for one in tree} == set(entries)


def _pack(folder: Path, objects: list[tuple[str, bytes]]) -> pygit2.Repository:
    pygit2.init_repository(str(folder / "store"), bare=True)
    with PackWriter(folder) as packer:
        for kind, content in objects:
            packer.add(object_id(kind, content), pack_object(kind, content))
        packer.move(folder / "store" / "objects" / "pack")
    return pygit2.Repository(str(folder / "store"))
