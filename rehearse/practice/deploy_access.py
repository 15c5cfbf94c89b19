"""How a deployed file meets the one that is there: profiles merge, permission sets replace, values go inactive.

Pure functions over XML. A profile keeps every entry that the file does not name; a container's own part keeps every
element that the file does not carry; a picklist value that the file leaves out stays, inactive (facts 0.2, 0.3, 0.6).
"""

from __future__ import annotations

from lxml import etree

from rehearse.practice.meta_xml import copy, elements, first, flag, local, parse, render, set_text, text_of

PROFILE_KEYS: dict[str, tuple[str, ...]] = {
    "applicationVisibilities": ("application",),
    "categoryGroupVisibilities": ("dataCategoryGroup",),
    "classAccesses": ("apexClass",),
    "customMetadataTypeAccesses": ("name",),
    "customPermissions": ("name",),
    "customSettingAccesses": ("name",),
    "externalDataSourceAccesses": ("externalDataSource",),
    "fieldPermissions": ("field",),
    "flowAccesses": ("flow",),
    "layoutAssignments": ("recordType", "layout"),
    "loginFlows": ("friendlyname",),
    "objectPermissions": ("object",),
    "pageAccesses": ("apexPage",),
    "profileActionOverrides": ("actionName",),
    "recordTypeVisibilities": ("recordType",),
    "tabVisibilities": ("tab",),
    "tabSettings": ("tab",),
    "userPermissions": ("name",),
}
WHOLE = ("loginHours", "loginIpRanges")


def entry_key(entry: etree._Element) -> tuple[str, ...]:
    """What makes an entry of a profile or permission set the same entry (facts 6.3)."""
    tag = local(entry)
    if tag == "layoutAssignments":  # one layout a record type, and one for the object without a record type
        kind = text_of(entry, "recordType")
        return (tag, kind or text_of(entry, "layout").split("-", 1)[0])
    if tag in WHOLE:
        return (tag, etree.tostring(entry, method="c14n").decode())
    if tag in PROFILE_KEYS:
        return (tag, *(text_of(entry, name) for name in PROFILE_KEYS[tag]))
    return (tag,)


def merge_profile(old: bytes, new: bytes) -> bytes:
    """The profile after a deployment: entries of the file take the place of those with the same key, others stay."""
    root = parse(old)
    kept = {entry_key(entry): entry for entry in elements(root)}
    for entry in elements(parse(new)):
        kept[entry_key(entry)] = copy(entry)
    root[:] = sorted(kept.values(), key=local)
    return render(root)


def drop_silent(xml: bytes) -> bytes:
    """A profile or permission set without field permissions that give nothing: the org keeps no such entry, and a
    retrieve makes them up again for the fields that it is asked about (facts 3.6)."""
    root = parse(xml)
    kept = [
        entry
        for entry in elements(root)
        if local(entry) != "fieldPermissions" or flag(entry, "readable") or flag(entry, "editable")
    ]
    if len(kept) == len(root):
        return xml
    root[:] = kept
    return render(root)


def merge_own_part(old: bytes, new: bytes) -> bytes:
    """A container's own part after a deployment: the elements of the file replace those of the same tag."""
    root, fresh = parse(old), parse(new)
    tags = {local(one) for one in elements(fresh)}
    root[:] = sorted(
        [*(one for one in elements(root) if local(one) not in tags), *(copy(one) for one in elements(fresh))], key=local
    )
    return render(root)


def merge_entries(old: bytes, new: bytes) -> bytes:
    """A translation after a deployment: its entries replace those of the same tag and name, the others stay, since no
    deployment takes an entry away (facts 4.1)."""
    root, fresh = parse(old), parse(new)
    was = {_entry(one): one for one in elements(root)}
    named = {_entry(one) for one in elements(fresh)}
    root[:] = sorted(
        [
            *(one for one in elements(root) if _entry(one) not in named),
            *(_still_translated(was.get(_entry(one)), one) for one in elements(fresh)),
        ],
        key=local,
    )
    return render(root)


def _still_translated(old: etree._Element | None, new: etree._Element) -> etree._Element:
    """An entry whose texts are empty in the file keeps those that it had."""
    entry = copy(new)
    if old is None:
        return entry
    for leaf in elements(entry):
        if not len(leaf) and not (leaf.text or "").strip():
            leaf.text = text_of(old, local(leaf)) or None
    return entry


def merge_pages(old: bytes, new: bytes) -> bytes:
    """An app after a deployment: pages that were assigned in it stay assigned where the file says nothing of them."""
    root, was = parse(new), parse(old)
    named = {_assigned(one) for one in elements(root)}
    for one in elements(was):
        if local(one) in ("actionOverrides", "profileActionOverrides") and _assigned(one) not in named:
            root.append(copy(one))
    root[:] = sorted(elements(root), key=local)
    return render(root)


def _assigned(one: etree._Element) -> tuple[str, ...]:
    of = ("actionName", "pageOrSobjectType", "formFactor", "recordType", "profile")
    return local(one), *(text_of(one, tag) for tag in of)


def _entry(one: etree._Element) -> tuple[str, str]:
    return local(one), next((found for tag in ("name", "fullName", "masterLabel") if (found := text_of(one, tag))), "")


def keep_values(old: bytes, new: bytes) -> bytes:
    """A picklist field or global value set after a deployment: values that the file leaves out stay, inactive."""
    root, was = parse(new), parse(old)
    target, tag = _value_list(root)
    source, _ = _value_list(was)
    if target is None or source is None:
        return new
    named = {text_of(one, "fullName") for one in elements(target, tag)}
    last = max((target.index(one) for one in elements(target, tag)), default=-1)
    for value in elements(source, tag):
        if text_of(value, "fullName") not in named:
            kept = copy(value)
            set_text(kept, "default", "false")
            set_text(kept, "isActive", "false")
            kept[:] = sorted(elements(kept), key=lambda one: (local(one) != "fullName", local(one)))
            last += 1
            target.insert(last, kept)
    _keep_dependencies(was, root)
    return render(root)


def _keep_dependencies(was: etree._Element, root: etree._Element) -> None:
    """Controlling values are added and never taken away; the dependency itself stays too (facts 4.1, 4.3)."""
    old, new = first(was, "valueSet"), first(root, "valueSet")
    controlling = first(old, "controllingField") if old is not None else None
    if old is None or new is None or controlling is None:
        return
    if not text_of(new, "controllingField"):
        new.insert(0, copy(controlling))
    by_name = {text_of(one, "valueName"): one for one in elements(new, "valueSettings")}
    for setting in elements(old, "valueSettings"):
        kept = by_name.get(text_of(setting, "valueName"))
        if kept is None:
            new.append(copy(setting))
            continue
        known = {one.text for one in elements(kept, "controllingFieldValue")}
        for place, one in enumerate(elements(setting, "controllingFieldValue")):
            if one.text not in known:
                kept.insert(place, copy(one))


def _value_list(root: etree._Element) -> tuple[etree._Element | None, str]:
    if local(root) == "GlobalValueSet":
        return root, "customValue"
    if local(root) == "StandardValueSet":
        return root, "standardValue"
    value_set = first(root, "valueSet")
    return (first(value_set, "valueSetDefinition") if value_set is not None else None), "value"


def drop_entries(xml: bytes, mentions: frozenset[tuple[str, str]]) -> bytes:
    """A profile, permission set, app or layout without the entries that name something that is gone.

    `mentions` holds (child tag, text) pairs such as ("field", "Account.Old__c")."""
    root = parse(xml)
    kept = [
        entry
        for entry in elements(root)
        if not any((local(part), part.text or "") in mentions for part in elements(entry))
        and (local(entry), entry.text or "") not in mentions
    ]
    if len(kept) == len(root):
        return xml
    root[:] = kept
    return render(root)


def drop_deep(xml: bytes, tag: str, leaf: tuple[str, str]) -> bytes:
    """The file without the elements `tag`, at any depth, that have a child like `leaf` (name, text)."""
    root = parse(xml)
    gone = [one for one in root.iter() if local(one) == tag and text_of(one, leaf[0]) == leaf[1]]
    for one in gone:
        parent = one.getparent()
        if parent is not None:
            parent.remove(one)
    return render(root) if gone else xml
