"""Deployments: load a seed without restrictions, or apply a package with every rule, as one transaction.

`install` is for the seed. `apply_package` is what Metadata SOAP and REST run: pre-deletions, writes in the order of
dependence, checks on the state that results, post-deletions; with rollbackOnError all or nothing, without it the
largest part that holds. A validation (checkOnly) does all of it and takes everything back.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.practice import components, meta_mirror, meta_standard, meta_value_sets
from rehearse.practice.components import Author
from rehearse.practice.deploy_model import ORDER
from rehearse.practice.deploy_save import ensure_container, settle, write
from rehearse.practice.meta_files import read_tree
from rehearse.practice.org_state import OrgState

MANIFESTS = ("package.xml", "destructiveChanges.xml", "destructiveChangesPre.xml", "destructiveChangesPost.xml")


def prepare(org: OrgState) -> None:
    """Make the component store of an org, and a component for each of its standard objects. Harmless to repeat."""
    components.prepare(org)
    meta_mirror.prepare(org)
    meta_standard.prepare(org)
    meta_value_sets.prepare(org)


def install(org: OrgState, files: Mapping[str, bytes], user_id: str = "") -> None:
    """Load a metadata tree without any restriction, as if it had always been there; manifests are not needed.

    A flow that is there already gets one more version. Raises ValueError naming the first file that is broken.
    """
    tree = read_tree({path: body for path, body in files.items() if path not in MANIFESTS})
    if tree.problems:
        first = tree.problems[0]
        raise ValueError(f"The seed file {first.path} cannot be installed: {first.text}")
    with org.transaction():
        prepare(org)
        author = Author(user_id or org_admin(org), org.stamp())
        ordered = sorted(tree.components, key=lambda one: ORDER.index(one.type))
        for component in ordered:
            ensure_container(org, component, author)
            write(org, component, author)
        settle(org, ordered)


def org_admin(org: OrgState) -> str:
    """The user that platform work is done as: the first user of the org, or the empty text when it has none."""
    with org.lock:
        row = org.db.execute('SELECT "Id" FROM "User" ORDER BY "Id" LIMIT 1').fetchone()
    return str(row[0]) if row else ""
