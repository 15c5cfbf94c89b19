"""The zip files of a reset: baseline files to deploy, and destructive manifests. Pure but for writing the zip itself.

What is deployed is the baseline's own text, cut down to the components of the plan. Three things are made here: a
profile with explicit "off" entries; what was added and is set inactive, because an API cannot delete it (record types)
or not while it is active; and a matching rule that is active and differs, which is switched off first: the next pass
finds it off and deploys it whole.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from rehearse.baseline.canonical_xml import parse_xml
from rehearse.baseline.component_types import PARENT_OF
from rehearse.baseline.components import find_child
from rehearse.baseline.packages import build_deploy_files, build_package_xml, read_package_xml
from rehearse.reset.component_marks import OFF
from rehearse.reset.component_xml import set_text, text_at, wrap, write
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.model import Action
from rehearse.reset.profile_undo import undo_profile, without_entries_of

ACCESS = frozenset({"MutingPermissionSet", "PermissionSet", "Profile"})
"""Types that are refused whole for one entry about something that is not there (facts/metadata.md 3.6)."""


def build_upserts(
    book: MetadataBook, actions: Iterable[Action], api_version: str, lacking: Collection[tuple[str, str]] = ()
) -> dict[str, bytes]:
    """The files of a deployment that puts these components back. Raises NotFound for one that no capture holds.

    `lacking` are components that the org does not have and refused: access to them is left out.
    """
    actions = list(actions)
    added = [one for one in actions if (one.type, one.key) not in book.before]
    wanted = {(one.type, one.key) for one in actions} - {(one.type, one.key) for one in added}
    files = build_deploy_files(wanted, book.files_before, api_version) if wanted else {}
    for action in actions:
        if action.type == "Profile":
            _undo_grants(book, action, files)
        if action.type == "MatchingRule":
            _switch_off_first(book, action, files)
        if action.type in ACCESS and lacking:
            _leave_out(book, action, files, lacking)
    if added:
        _deactivate(book, added, files, api_version)
    return files


def build_destruction(actions: Iterable[Action], api_version: str) -> dict[str, bytes]:
    """The files of a deployment that deletes these components; children of a deleted container go along with it."""
    actions = list(actions)
    whole = {(one.type, one.key) for one in actions}
    members: dict[str, set[str]] = {}
    for one in actions:
        parent = PARENT_OF.get(one.type)
        if parent is None or (parent[0], one.key.partition(".")[0]) not in whole:
            members.setdefault(one.type, set()).add(one.key)
    return {
        "package.xml": build_package_xml({}, api_version),
        "destructiveChanges.xml": build_package_xml(members, api_version),
    }


def write_zip(files: Mapping[str, bytes], path: Path) -> None:
    """A zip with the manifest at its root."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in sorted(files):
            zipped.writestr(name, files[name])


def _undo_grants(book: MetadataBook, action: Action, files: dict[str, bytes]) -> None:
    component = book.before.get((action.type, action.key))
    for path in component.files if component else ():
        if path in files and path in book.files_after:
            files[path] = undo_profile(files[path], book.files_after[path])


def _leave_out(
    book: MetadataBook, action: Action, files: dict[str, bytes], lacking: Collection[tuple[str, str]]
) -> None:
    component = book.before.get((action.type, action.key))
    for path in component.files if component else ():
        root = parse_xml(files[path]) if path in files else None
        if root is not None:
            files[path] = write(without_entries_of(root, lacking))


def _switch_off_first(book: MetadataBook, action: Action, files: dict[str, bytes]) -> None:
    """A matching rule has to be off before it is changed (facts/metadata.md 4.1), by a deployment of its own."""
    live, name = book.after.get((action.type, action.key)), action.key.partition(".")[2]
    for path in live.files if live else ():
        roots = [parse_xml(one.get(path, b"")) for one in (book.files_after, files)]
        now, wanted = (None if root is None else find_child(root, action.type, name) for root in roots)
        if now is None or wanted is None:
            continue
        if text_at(now, "ruleStatus") == text_at(wanted, "ruleStatus") == "Active":
            set_text(wanted, "ruleStatus", "Inactive")
            files[path] = write(roots[1])


def _deactivate(book: MetadataBook, added: Iterable[Action], files: dict[str, bytes], api_version: str) -> None:
    """Deploy added components as inactive; parts of an object join its file where it is deployed anyway."""
    members = {type: set(names) for type, names in read_package_xml(files.get("package.xml", b"<x/>")).items()}
    for action in added:
        path = book.after[(action.type, action.key)].files[0]
        root = parse_xml(book.files_after[path])
        inside = PARENT_OF.get(action.type)
        name = action.key.partition(".")[2]
        element = find_child(root, action.type, name) if inside and root is not None else root
        if element is None:
            continue
        set_text(element, *OFF[action.type])
        present = parse_xml(files[path]) if path in files else None
        if inside is None:
            files[path] = write(element)
        elif present is None:
            files[path] = wrap(inside[0], element)
        else:
            present.append(element)
            files[path] = write(present)
        members.setdefault(action.type, set()).add(action.key)
    files["package.xml"] = build_package_xml(members, api_version)
