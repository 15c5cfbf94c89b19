"""What is retrieved together: some files show only what comes along with them."""

from datetime import UTC, datetime
from typing import Any

from rehearse import clock
from rehearse.baseline.known_metadata import Known, find_same
from rehearse.baseline.manifests import WITH_EVERY_CHUNK, halve_manifest, split_manifest
from rehearse.org.model import MetadataItem

MANIFEST = {
    "CustomLabels": ("CustomLabels",),
    "CustomObject": ("A__c", "B__c"),
    "CustomObjectTranslation": ("A__c-de", "A__c-pt_BR", "B__c-de"),
    "CustomTab": ("A__c", "B__c"),
    "Layout": ("A__c-A Layout", "B__c-B-2 Layout"),
    "Profile": ("Admin",),
    "QuickAction": ("A__c.New", "Global_Action"),
    "Translations": ("de", "pt_BR"),
}
TOGETHER = {
    ("CustomObject", "A__c"), ("Layout", "A__c-A Layout"), ("QuickAction", "A__c.New"),
    ("CustomObjectTranslation", "A__c-de"), ("CustomObjectTranslation", "A__c-pt_BR"),
}  # fmt: skip


def pairs(chunk: dict[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    return {(type, name) for type, names in chunk.items() for name in names}


def test_an_object_comes_with_its_parts_and_every_chunk_with_profiles_and_translations() -> None:
    chunks = [pairs(one) for one in split_manifest(MANIFEST, limit=2)]
    assert len(chunks) == 4
    assert set().union(*chunks) == pairs(MANIFEST)
    everywhere = pairs({type: MANIFEST[type] for type in WITH_EVERY_CHUNK})
    assert all(everywhere <= one for one in chunks)
    assert [one >= TOGETHER for one in chunks].count(True) == 1
    assert sum(not TOGETHER.isdisjoint(one) for one in chunks) == 1
    assert sum(len(one - everywhere) for one in chunks) == len(pairs(MANIFEST) - everywhere), "nothing twice"


def test_halves_keep_together_what_belongs_together_as_long_as_there_is_more() -> None:
    halves = [pairs(one) for one in halve_manifest(MANIFEST)]
    assert len(halves) == 2 and set().union(*halves) == pairs(MANIFEST)
    assert [one >= TOGETHER for one in halves].count(True) == 1
    assert all({("Translations", "de"), ("Profile", "Admin")} <= one for one in halves)


def test_an_object_that_is_refused_with_its_translations_comes_without_them() -> None:
    alone = {type: tuple(name for kind, name in sorted(TOGETHER) if kind == type) for type, _ in sorted(TOGETHER)}
    first, second = (pairs(one) for one in halve_manifest({**alone, "Profile": ("Admin",)}))
    assert first == {("CustomObject", "A__c"), ("Layout", "A__c-A Layout"), ("Profile", "Admin")}
    assert first | second == TOGETHER | {("Profile", "Admin")}
    assert halve_manifest({"CustomObject": ("A__c",), "Layout": ("A__c-A Layout",)}) == []


def test_the_sharing_of_a_folder_within_a_folder_is_read_each_time() -> None:
    """It has no date: an increment took the file of such a folder from the capture before, and called it the same."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    rows = [("ReportFolder", "Sales"), ("ReportFolder", "Sales/Europe"), ("Report", "Sales/Europe/Open"),
            ("Report", "Sales/Due"), ("Report", "Old")]  # fmt: skip
    items = [
        MetadataItem(type, name, f"reports/{name}", f"00l{number}", at) for number, (type, name) in enumerate(rows)
    ]
    dates = {("Report", one.full_name): (one.id, clock.iso(at)) for one in items}
    files = {key: (f"reports/{key[1]}",) for key in dates}
    store: Any = None
    known = Known(dates, files, "commit", store, datetime(2026, 11, 2, tzinfo=UTC))
    assert find_same(known, "Report", [name for _, name in rows], items) == {"Sales/Due", "Sales/Europe/Open"}
