"""Packages for the cases of components.toml: the changes of many cases in one mdapi tree, made of the org's own XML."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rehearse.baseline.component_types import PARENT_OF, PLACES

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NS = (
    'xmlns="http://soap.sforce.com/2006/04/metadata" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
)
HERE = Path(__file__).parent
Case = Mapping[str, Any]
DIRECTORIES = {one.type: (one.directory, one.suffix) for one in PLACES}
ROOTS = {"Settings": "CaseSettings"}


def load_table(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / f"{name}.toml").read_text())


def load_cases(name: str) -> list[Case]:
    return list(load_table(name)["case"])


def manifest(members: Mapping[str, Iterable[str]]) -> str:
    types = "".join(
        f"<types>{''.join(f'<members>{one}</members>' for one in sorted(names))}<name>{type}</name></types>"
        for type, names in sorted(members.items())
    )
    return f"{HEAD}<Package {NS}>{types}<version>67.0</version></Package>"


def own(lab: Any, place: str) -> str:
    """What stands inside the root of a component in the practice org's own table."""
    type, _, name = place.partition(":")
    with lab.org.lock:
        row = lab.org.db.execute("SELECT xml FROM meta_component WHERE type = ? AND name = ?", (type, name)).fetchone()
        if type == "Flow":
            query = "SELECT xml FROM meta_flow_version WHERE flow = ? ORDER BY number DESC"
            row = lab.org.db.execute(query, (name,)).fetchone()
    inner = re.sub(r"^<\?xml[^>]*>\s*", "", row[0].decode())
    return re.sub(r"\A\s*<fullName>[^<]*</fullName>", "", inner[inner.index(">") + 1 : inner.rindex("</")])


def build_given(lab: Any, cases: Iterable[Case], key: str = "given") -> dict[str, bytes]:
    """One package of what there has to be: before the baseline, or (`first`) before the changes."""
    package = _Package(lab)
    for case in cases:
        for place, inner in case.get(key, {}).items():
            package.add(place, inner if isinstance(inner, str) else edited(own(lab, place), place, inner))
    return package.files()


def build(lab: Any, cases: Iterable[Case]) -> dict[str, bytes]:
    """One package that makes the changes of all cases."""
    package = _Package(lab)
    for case in cases:
        for place, inner in case.get("parts", {}).items():
            package.add(place, inner)
        for place, source in case.get("copies", {}).items():
            package.add(place, own(lab, source))
        for place, words in case.get("edits", {}).items():
            package.add(place, edited(own(lab, place), place, words))
        for kind in ("apex", "resource", "bundle"):
            for place, given in case.get(kind, {}).items():
                getattr(package, f"add_{kind}")(place, given)
        for place in case.get("deletes", ()):
            type, _, name = place.partition(":")
            package.deletes.setdefault(type, set()).add(name)
    return package.files()


def edited(text: str, place: str, words: list[str]) -> str:
    """The text with each old word replaced once; `</Type>` stands for the end of the component."""
    type = place.partition(":")[0]
    for old, new in zip(words[::2], words[1::2], strict=True):
        if old == f"</{type}>":
            text += new.removesuffix(old)
        else:
            assert old in text, f"{place} has no {old}"
            text = text.replace(old, new, 1)
    return text


class _Package:
    def __init__(self, lab: Any) -> None:
        self.lab = lab
        self.members: dict[str, set[str]] = {}
        self.deletes: dict[str, set[str]] = {}
        self.plain: dict[str, str] = {}
        self.inside: dict[tuple[str, str], list[str]] = {}

    def add(self, place: str, inner: str) -> None:
        type, _, name = place.partition(":")
        self.members.setdefault(type, set()).add(name)
        if type == "CustomObject":
            self.inside.setdefault((type, name), []).insert(0, inner)
        elif type in PARENT_OF:
            parent, child = PARENT_OF[type]
            container, _, short = name.rpartition(".")
            body = f"<{child.tag}><fullName>{short}</fullName>{inner}</{child.tag}>"
            self.inside.setdefault((parent, container or parent), []).append(body)
        else:
            directory, suffix = DIRECTORIES[type]
            root = ROOTS.get(type, type)
            self.plain[f"{directory}/{name}.{suffix}"] = f"{HEAD}<{root} {NS}>{inner}</{root}>"

    def add_apex(self, place: str, body: str) -> None:
        type, _, name = place.partition(":")
        self.members.setdefault(type, set()).add(name)
        self.plain[f"classes/{name}.cls"] = body
        meta = f"{HEAD}<{type} {NS}><apiVersion>67.0</apiVersion><status>Active</status></{type}>"
        self.plain[f"classes/{name}.cls-meta.xml"] = meta

    def add_resource(self, place: str, body: str) -> None:
        type, _, name = place.partition(":")
        self.members.setdefault(type, set()).add(name)
        self.plain[f"staticresources/{name}.resource"] = body
        meta = f"{HEAD}<{type} {NS}><cacheControl>Public</cacheControl><contentType>text/plain</contentType></{type}>"
        self.plain[f"staticresources/{name}.resource-meta.xml"] = meta

    def add_bundle(self, place: str, given: list[str]) -> None:
        """The bundle as it is, with one file changed."""
        type, _, name = place.partition(":")
        self.members.setdefault(type, set()).add(name)
        with self.lab.org.lock:
            query = "SELECT path, body FROM meta_file WHERE type = ? AND name = ?"
            files = {path: body.decode() for path, body in self.lab.org.db.execute(query, (type, name))}
        path = f"lwc/{name}/{given[0]}"
        assert path in files
        self.plain.update({**files, path: given[1]})
        self.plain[f"lwc/{name}/{name}.js-meta.xml"] = f"{HEAD}<{type} {NS}>{own(self.lab, place)}</{type}>"

    def files(self) -> dict[str, bytes]:
        found = dict(self.plain)
        for (type, name), parts in self.inside.items():
            directory, suffix = DIRECTORIES[type]
            found[f"{directory}/{name}.{suffix}"] = f"{HEAD}<{type} {NS}>{''.join(parts)}</{type}>"
        found["package.xml"] = manifest(self.members)
        if self.deletes:
            found["destructiveChangesPost.xml"] = manifest(self.deletes)
        return {path: text.encode() for path, text in sorted(found.items())}
