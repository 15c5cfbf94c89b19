"""Metadata XML has one canonical form: order and layout never count, except where order means something."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from rehearse.baseline.canonical_xml import (
    NAMESPACE,
    canonical_form,
    compare_elements,
    find_key,
    flatten_names,
    form_digest,
    parse_xml,
    tag_of,
)
from rehearse.baseline.components import file_digest
from rehearse.baseline.profiles import MergedProfile, merge_profiles, read_part

XSI = "http://www.w3.org/2001/XMLSchema-instance"
PROFILE = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Profile xmlns="{NAMESPACE}">
    <fieldPermissions><field>A__c.X__c</field><editable>true</editable><readable>true</readable></fieldPermissions>
    <fieldPermissions><field>A__c.Y__c</field><editable>false</editable><readable>true</readable></fieldPermissions>
    <!-- a comment -->
    <custom>false</custom>
    <layoutAssignments><layout>A__c-One</layout></layoutAssignments>
    <layoutAssignments><layout>A__c-One</layout><recordType>A__c.R</recordType></layoutAssignments>
    <userPermissions><enabled>true</enabled><name>ViewSetup</name></userPermissions>
</Profile>
"""


def form(text: str | bytes) -> bytes:
    root = parse_xml(text if isinstance(text, bytes) else text.encode())
    assert root is not None
    return canonical_form(root)


def wrap(type: str, inner: str) -> str:
    return f'<{type} xmlns="{NAMESPACE}">{inner}</{type}>'


@given(st.integers())
def test_order_and_layout_do_not_count(seed: int) -> None:
    mix = random.Random(seed)
    root = parse_xml(PROFILE.encode())
    assert root is not None
    for element in (root, *root):
        children = list(element)
        mix.shuffle(children)
        element[:] = children
    etree.indent(root, mix.choice(["", "\t", "      "]))
    assert form(etree.tostring(root)) == form(PROFILE)
    assert compare_elements(root, parse_xml(PROFILE.encode())) == ()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("<v><value><fullName>a</fullName></value><value><fullName>b</fullName></value></v>",
         "<v><value><fullName>b</fullName></value><value><fullName>a</fullName></value></v>"),
        ("<layoutSections><l>1</l></layoutSections><layoutSections><l>2</l></layoutSections>",
         "<layoutSections><l>2</l></layoutSections><layoutSections><l>1</l></layoutSections>"),
        ("<booleanFilter>1 AND (2 OR 3)</booleanFilter><matchingRuleItems><f>a</f></matchingRuleItems>"
         "<matchingRuleItems><f>b</f></matchingRuleItems>",
         "<booleanFilter>1 AND (2 OR 3)</booleanFilter><matchingRuleItems><f>b</f></matchingRuleItems>"
         "<matchingRuleItems><f>a</f></matchingRuleItems>"),
        ("<s><fieldNames>A</fieldNames><fieldNames>B</fieldNames></s>",
         "<s><fieldNames>B</fieldNames><fieldNames>A</fieldNames></s>"),
        ("<screens><fields><name>s</name><fields><name>a</name></fields><fields><name>b</name></fields></fields></screens>",
         "<screens><fields><name>s</name><fields><name>b</name></fields><fields><name>a</name></fields></fields></screens>"),
        *((f"<x><{tag}><f>a</f></{tag}><{tag}><f>b</f></{tag}></x>",
           f"<x><{tag}><f>b</f></{tag}><{tag}><f>a</f></{tag}></x>")
          for tag in ("sortOptions", "appMenuItems", "block", "chartSummaries", "dashboardTableColumn",
                      "flexTableColumn", "exitCriteriaFilterItems", "milestoneCriteriaFilterItems", "entryConditions",
                      "exitConditions", "botStepConditions", "multilineLayoutFields", "dataCategory", "groupingSorts")),
        ("<visibilityRule><booleanFilter>1 AND (2 OR 3)</booleanFilter><criteria><l>a</l></criteria><criteria><l>b</l>"
         "</criteria><criteria><l>c</l></criteria></visibilityRule>",
         "<visibilityRule><booleanFilter>1 AND (2 OR 3)</booleanFilter><criteria><l>b</l></criteria><criteria><l>a</l>"
         "</criteria><criteria><l>c</l></criteria></visibilityRule>"),
        *((f"<x><{tag}>a</{tag}><{tag}>b</{tag}></x>", f"<x><{tag}>b</{tag}><{tag}>a</{tag}></x>")
          for tag in ("multilineLayoutFields", "groupingColumn", "listViewButtons", "links", "standardTab",
                      "relatedObjects")),
        ("<opportunityListFieldsSelectedSettings><field>a</field><field>b</field></opportunityListFieldsSelectedSettings>",
         "<opportunityListFieldsSelectedSettings><field>b</field><field>a</field></opportunityListFieldsSelectedSettings>"),
        ("<indexes><fields><name>a</name></fields><fields><name>b</name></fields></indexes>",
         "<indexes><fields><name>b</name></fields><fields><name>a</name></fields></indexes>"),
        ("<buckets><values><v>1</v></values><values><v>2</v></values></buckets>",
         "<buckets><values><v>2</v></values><values><v>1</v></values></buckets>"),
        ("<a>x</a>", "<a>x </a>"),
        ("<a/>", ""),
        ("<a>1</a>", "<a>1</a><a>1</a>"),
    ],
)  # fmt: skip
def test_what_means_something_counts(left: str, right: str) -> None:
    assert form(wrap("Thing", left)) != form(wrap("Thing", right))


@pytest.mark.parametrize(
    ("type", "left", "right"),
    [
        ("Flow", "<locationX>1</locationX><status>Active</status><label>L</label>", "<label>L</label>"),
        ("Flow", "<a><name>n</name><locationY>5</locationY></a>", "<a><name>n</name><locationY>9</locationY></a>"),
        ("PermissionSet",
         "<tabSettings><tab>T</tab><visible>false</visible></tabSettings>", ""),
        ("ApexClass", "<packageVersions><namespace>n</namespace></packageVersions><status>Active</status>",
         "<status>Active</status>"),
        ("PermissionSetGroup", "<label>L</label><status>Outdated</status>", "<label>L</label><status>Updated</status>"),
        ("Thing", "<a>x\r\ny</a>", "<a>x\ny</a>"),
    ],
)  # fmt: skip
def test_noise_does_not_count(type: str, left: str, right: str) -> None:
    assert form(wrap(type, left)) == form(wrap(type, right))


def test_milestones_of_an_entitlement_process_stand_in_their_order() -> None:
    """Of milestones at the same time the first one counts first, and nothing but their place says which that is."""
    first, second = (f"<milestones><milestoneName>{one}</milestoneName></milestones>" for one in "AB")
    assert form(wrap("EntitlementProcess", first + second)) != form(wrap("EntitlementProcess", second + first))


def test_an_explicit_no_counts_in_a_profile() -> None:
    entry = "<userPermissions><enabled>false</enabled><name>Api</name></userPermissions>"
    assert form(wrap("Profile", entry)) != form(wrap("Profile", ""))


def test_changes_are_named_by_key() -> None:
    before = parse_xml(PROFILE.encode())
    text = PROFILE.replace("<editable>false</editable>", "<editable>true</editable>")
    text = text.replace("<layoutAssignments><layout>A__c-One</layout></layoutAssignments>", "")
    text = text.replace("</Profile>", "<description>new</description></Profile>")
    changes = compare_elements(before, parse_xml(text.encode()))
    assert [(one.name, one.before is None, one.after is None) for one in changes] == [
        ("description", True, False),
        ("fieldPermissions[A__c.Y__c].editable", False, False),
        ("layoutAssignments[A__c-One]", False, True),
    ]


def test_what_is_no_metadata_is_left_alone() -> None:
    assert parse_xml(b"public class A {}") is None
    assert parse_xml(b"<html/>") is None
    assert parse_xml(b"<broken") is None
    assert parse_xml(b"") is None


def test_entities_are_not_resolved(tmp_path: object) -> None:
    text = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><A xmlns="{NAMESPACE}"><b>&e;</b></A>'
    root = parse_xml(text.encode())
    assert root is None or not (root[0].text or "").strip()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_that_defines_entities_counts_by_its_bytes(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE A [<!ENTITY e "ha">]><A xmlns="{NAMESPACE}">&e;</A>'
    assert parse_xml(text.encode(encoding)) is None and len(file_digest(text.encode(encoding))) == 64
    outer = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE A [<!ENTITY e SYSTEM "file:///etc/hostname">]>&e;'
    assert parse_xml(outer.encode(encoding)) is None


def test_a_static_resource_that_is_nested_without_end_ends_no_capture() -> None:
    for size in (0, 11_000_000):  # a long text takes another way through libxml2
        text = "<b>" * 900 + "x" * size + "</b>" * 900
        deep = f'<A xmlns="{NAMESPACE}">{text}</A>'.encode()
        assert parse_xml(deep) is None and len(file_digest(deep)) == 64
    long = f'<A xmlns="{NAMESPACE}"><b>{"x" * 11_000_000}</b></A>'.encode()
    assert parse_xml(long) is not None


def merge(*texts: str) -> MergedProfile:
    return merge_profiles([read_part(one.encode()) for one in texts])


@pytest.mark.parametrize(
    "entry",
    [
        "<classAccesses><enabled>true</enabled><apexClass>Ä&amp;</apexClass></classAccesses>",
        "<layoutAssignments><recordType>A.R</recordType><layout>A-1</layout></layoutAssignments>",
        "<loginHours><mondayStart>1</mondayStart><mondayStart>0</mondayStart></loginHours>",
        '<tabVisibilities note="1"><tab>A</tab><visibility/></tabVisibilities>',
        f'<tabVisibilities><tab xmlns:i="{XSI}" i:nil="true"/><visibility>On</visibility></tabVisibilities>',
        "<pageAccesses><apexPage>a&#13;\nb</apexPage><packageVersions>1</packageVersions></pageAccesses>",
        "<loginIpRanges><range><endAddress>1.2.3.4</endAddress></range></loginIpRanges>",
        "<custom>true</custom>",
    ],
)
def test_what_is_known_of_a_part_of_a_profile_is_what_its_entries_say(entry: str) -> None:
    part = read_part(wrap("Profile", entry).encode())
    (element,) = part.root
    assert [form for _, form in part.forms] == [canonical_form(element)]
    names = flatten_names(part.root, {element: find_key(tag_of(element), element)})
    assert part.places == dict.fromkeys(names, 0)


@given(st.randoms(use_true_random=False))
def test_a_merged_profile_is_what_its_digest_says_and_nothing_is_lost(chance: random.Random) -> None:
    entries = [
        *(f"<classAccesses><apexClass>C{n}</apexClass><enabled>true</enabled></classAccesses>" for n in range(4)),
        "<description>a &lt; b&#13;\nc</description>",
        "<packageVersions><namespace>n</namespace></packageVersions>",
        "<custom>true</custom>",
        "<userPermissions/>",
    ]
    parts = [wrap("Profile", "".join(chance.sample(entries, chance.randint(1, len(entries))))) for _ in range(3)]
    merged = merge(*parts)
    assert merged.digest in (file_digest(merged.content), None)
    assert all(merged.content.count(b"<apexClass>C%d<" % n) == (f">C{n}<" in "".join(parts)) for n in range(4))
    from_trees = [replace(read_part(one.encode()), frame=None) for one in parts]
    assert merge_profiles(from_trees) == merged


@pytest.mark.parametrize(
    "odd",
    [
        '<Profile xmlns="{0}" xmlns:o="urn:o"><custom o:note="1">true</custom></Profile>',
        '<m:Profile xmlns:m="{0}"><m:custom>true</m:custom></m:Profile>',
        '<Profile xmlns="{0}">text<custom>a\n    <b/></custom></Profile>',
        '<Profile xmlns="{0}">\n    <custom>true</custom>\n  loose\n    <custom>\n    &lt;</custom></Profile>',
        '<Profile xmlns="{0}"/>',
        '<PermissionSet xmlns="{0}"><custom>true</custom></PermissionSet>',
        '<Profile xmlns="{0}">\n    <custom>true</custom>\n    <![CDATA[\n    <x>]]></Profile>',
    ],
)
def test_a_part_that_is_written_oddly_is_put_together_all_the_same(odd: str) -> None:
    plain = wrap("Profile", "<tabVisibilities><tab>T</tab><visibility>DefaultOn</visibility></tabVisibilities>")
    for parts in ([plain, odd.format(NAMESPACE)], [odd.format(NAMESPACE), plain]):
        merged = merge(*parts)
        assert merged.digest == file_digest(merged.content) and b"DefaultOn" in merged.content
        assert (b"true" in merged.content) == ("true" in odd)


def test_partial_translations_become_one() -> None:
    """Each retrieve shows the texts of what came with it; put together they have the digest of the whole file."""
    label, tab = ("<customLabels><label>Eins</label><name>A</name></customLabels>",
                  "<customTabs><label>Zwei</label><name>B</name></customTabs>")  # fmt: skip
    parts = [read_part(wrap("Translations", one).encode()) for one in (label, "", tab, label)]
    merged = merge_profiles(parts)
    assert merged.digest == form_digest(form(wrap("Translations", tab + label)))
    assert form(merged.content) == form(wrap("Translations", label + tab))


def test_partial_profiles_become_one() -> None:
    a = wrap(
        "Profile", "<custom>true</custom><classAccesses><apexClass>A</apexClass><enabled>true</enabled></classAccesses>"
    )
    b = wrap(
        "Profile",
        "<custom>true</custom><tabVisibilities><tab>T</tab><visibility>DefaultOn</visibility></tabVisibilities>",
    )
    merged = merge(a, b, a)
    both = wrap(
        "Profile",
        "<custom>true</custom><classAccesses><apexClass>A</apexClass><enabled>true</enabled></classAccesses>"
        "<tabVisibilities><tab>T</tab><visibility>DefaultOn</visibility></tabVisibilities>",
    )
    assert form(merged.content) == form(both)
    assert merged.digest == file_digest(merged.content)
    assert form(merge(b, a).content) == form(both)
    assert merge(a, a) == MergedProfile(a.encode())
