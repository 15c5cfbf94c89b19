"""Zips from strangers: what is no zip, leaves its folder, is a bomb or holds entities ends as a failed deployment."""

import io
import stat
import zipfile

import pytest

from rehearse.practice.deploy_model import DeployProblem
from rehearse.practice.deploy_zip import ZipRefused, open_package
from rehearse.practice.meta_package import render_package
from rehearse.practice.meta_xml import BrokenXml, parse, render, same

MANIFEST = render_package({"ApexClass": ["A"]}, "67.0")


def pack(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
    return body.getvalue()


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("classes/A.cls")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04 cut",
        pack(("package.xml", MANIFEST))[:-30],
        pack(("../package.xml", MANIFEST)),
        pack(("/etc/passwd", b"x"), ("package.xml", MANIFEST)),
        pack(("a/../../b", b"x"), ("package.xml", MANIFEST)),
        pack(("a\\b", b"x"), ("package.xml", MANIFEST)),
        pack((link(), b"/etc/passwd"), ("package.xml", MANIFEST)),
        pack(("bomb", b"\0" * 4_000_000), ("package.xml", MANIFEST)),
    ],
    ids=["empty", "no zip", "cut", "parent", "absolute", "hidden parent", "backslash", "link", "bomb"],
)
def test_metadata_8_unsafe_zips_are_refused(body):
    with pytest.raises(ZipRefused):
        open_package(body)


def test_metadata_2_limits_hold_before_anything_is_unpacked():
    body = pack(("package.xml", MANIFEST), ("a", b"12345"), ("b", b"12345"))
    with pytest.raises(ZipRefused, match="uncompressed"):
        open_package(body, most_bytes=100)
    with pytest.raises(ZipRefused, match="files"):
        open_package(body, most_files=2)


def test_metadata_1_4_the_package_may_be_in_one_folder():
    package = open_package(pack(("top/package.xml", MANIFEST), ("top/classes/A.cls", b"x")))
    assert package.folder == "top/" and set(package.files) == {"classes/A.cls"}
    assert package.package.names("ApexClass") == ("A",)


def test_without_package_xml_there_is_no_deployment():
    with pytest.raises(DeployProblem, match="No package.xml found"):
        open_package(pack(("classes/A.cls", b"x")))


@pytest.mark.parametrize(
    "data",
    [b"", b"<a>", b"<!DOCTYPE a><a/>", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ids=["empty", "open", "doctype", "entity"],
)
def test_xml_without_trust(data):
    with pytest.raises(BrokenXml):
        parse(data)


def test_what_is_written_reads_the_same():
    text = (
        '<Flow xmlns="http://soap.sforce.com/2006/04/metadata" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<a xsi:nil="true"/><b>  two\n lines &lt;&amp;&quot; \u00e9 </b><c><d>1</d><d>2</d></c><e></e></Flow>'
    ).encode()
    once = render(parse(text))
    assert render(parse(once)) == once
    assert same(text, once, unordered=False)
    assert b"  two\n lines &lt;&amp;&quot; \xc3\xa9 " in once and b'xsi:nil="true"' in once


@pytest.mark.parametrize(
    "left, right, ordered, unordered",
    [
        ("<a>1</a><b>2</b>", "<b>2</b><a>1</a>", True, True),
        ("<a>1</a><a>2</a>", "<a>2</a><a>1</a>", False, True),
        ("<a>1</a><a>2</a>", "<a>1</a>", False, False),
        ("<a><x>1</x><x>2</x></a>", "<a><x>2</x><x>1</x></a>", False, False),
        ("<a>1</a>", "\n  <a>1</a>\n", True, True),
        ("<a>1</a>", "<a> 1</a>", False, False),
    ],
)
def test_order_counts_only_inside(left, right, ordered, unordered):
    one, two = (f'<P xmlns="http://soap.sforce.com/2006/04/metadata">{text}</P>'.encode() for text in (left, right))
    assert same(one, two, unordered=False) is ordered
    assert same(one, two, unordered=True) is unordered
