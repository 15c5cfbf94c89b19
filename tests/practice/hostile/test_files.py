"""Zips and CSV with bad intent: a failed deployment or job, and nothing written anywhere."""

import io
import zipfile
from base64 import b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MANIFEST = (
    '<?xml version="1.0"?><Package xmlns="http://soap.sforce.com/2006/04/metadata"><version>67.0</version></Package>'
)
some = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# ---- zips


def deploy(world, body):
    """Deploy a zip; its DeployResult once it is done."""
    options = (
        "<DeployOptions><rollbackOnError>true</rollbackOnError><singlePackage>true</singlePackage></DeployOptions>"
    )
    inner = f"<deploy><ZipFile>{b64encode(body).decode()}</ZipFile>{options}</deploy>"
    job = world.soap("m", world.envelope(inner)).text.partition("<id>")[2].partition("</id>")[0]
    check = f"<checkDeployStatus><asyncProcessId>{job}</asyncProcessId><includeDetails>true</includeDetails>"
    for _ in range(2000):
        found = world.soap("m", world.envelope(f"{check}</checkDeployStatus>")).text
        if "<done>true</done>" in found:
            return found.partition("<status>")[2].partition("</status>")[0], found
    raise AssertionError("the deployment never ended")


def zipped(*entries):
    """A zip of (name or ZipInfo, content)."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return held.getvalue()


def link(name):
    one = zipfile.ZipInfo(name)
    one.external_attr = 0o120777 << 16
    return one


def patched(place, offset, value):
    """A sound zip with other bytes at an offset of the first record that begins so."""
    body = bytearray(zipped(("package.xml", MANIFEST)))
    at = body.index(place) + offset
    body[at : at + len(value)] = value
    return bytes(body)


ZIPS = {
    "a directory before the file": lambda: patched(b"PK\x05\x06", 16, b"\xf4\x01\x90\x00"),
    "an entry packed otherwise": lambda: patched(b"PK\x01\x02", 10, b"\x0c\x00"),
    "an encrypted entry": lambda: patched(b"PK\x01\x02", 8, b"\x01\x00"),
    "an entry that claims everything": lambda: patched(b"PK\x01\x02", 20, b"\xff" * 8),
    "nothing": lambda: b"",
    "no zip": lambda: b"PK\x03\x04 and nothing more",
    "half a zip": lambda: zipped(("package.xml", MANIFEST))[:-30],
    "no manifest": lambda: zipped(("classes/A.cls", "class A {}")),
    "a bomb": lambda: zipped(("package.xml", MANIFEST), ("classes/A.cls", b"\0" * 5_000_000)),
    "a path out": lambda: zipped(("package.xml", MANIFEST), ("../../../../out.cls", "x")),
    "an absolute path": lambda: zipped(("package.xml", MANIFEST), ("/tmp/out.cls", "x")),
    "a drive": lambda: zipped(("package.xml", MANIFEST), ("C:/out.cls", "x")),
    "a back slash": lambda: zipped(("package.xml", MANIFEST), ("classes\\..\\..\\out.cls", "x")),
    "a link": lambda: zipped(("package.xml", MANIFEST), (link("classes/A.cls"), "/etc/passwd")),
    "too many files": lambda: zipped(("package.xml", MANIFEST), *((f"classes/A{n}.cls", "") for n in range(10_001))),
    "a broken manifest": lambda: zipped(("package.xml", MANIFEST[:60])),
    "a manifest with an entity": lambda: zipped(
        ("package.xml", '<!DOCTYPE p [<!ENTITY x "y">]>' + MANIFEST.partition("?>")[2].replace("67.0", "&x;"))
    ),
    "broken XML": lambda: zipped(
        (
            "package.xml",
            MANIFEST.replace("<version>", "<types><members>A</members><name>Layout</name></types><version>"),
        ),
        ("layouts/A.layout", "<Layout"),
    ),
    "deep XML": lambda: zipped(
        (
            "package.xml",
            MANIFEST.replace("<version>", "<types><members>A</members><name>Layout</name></types><version>"),
        ),
        ("layouts/A.layout", "<Layout>" + "<x>" * 20_000 + "</x>" * 20_000 + "</Layout>"),
    ),
}


@pytest.mark.parametrize("name", ZIPS)
def test_a_hostile_zip_fails_and_writes_nothing(world, name, tmp_path):
    status, found = deploy(world, ZIPS[name]())
    assert status == "Failed", found
    assert not list(tmp_path.iterdir())


NUMBERS = {
    "CustomField Account.N__c objects/Account.object": (
        "<CustomObject><fields><fullName>N__c</fullName><label>N</label><type>Text</type><length>{}</length></fields></CustomObject>"
    ),
    "FlowDefinition Case_Urgency flowDefinitions/Case_Urgency.flowDefinition": (
        "<FlowDefinition><activeVersionNumber>{}</activeVersionNumber></FlowDefinition>"
    ),
    "ApexClass N classes/N.cls-meta.xml": "<ApexClass><apiVersion>{}</apiVersion></ApexClass>",
}


@pytest.mark.parametrize("digits", ["x", "²"])
@pytest.mark.parametrize("what", NUMBERS)
def test_a_number_in_metadata_that_is_none_is_told(world, what, digits):
    kind, name, path = what.split()
    named = f"<types><members>{name}</members><name>{kind}</name></types><version>"
    entries = [("package.xml", MANIFEST.replace("<version>", named)), (path, NUMBERS[what].format(digits))]
    status, found = deploy(world, zipped(*entries, ("classes/N.cls", "class N {}")))
    assert status == "Failed" and "is not a valid value for the type" in found, found
    world.no_bug()


@given(data=st.data())
@settings(some, max_examples=10)
def test_a_damaged_zip_is_answered(world, data):
    body = bytearray(
        zipped(("package.xml", MANIFEST), ("classes/A.cls", "class A {}"), ("classes/A.cls-meta.xml", "<a/>"))
    )
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert deploy(world, bytes(body))[0] in ("Failed", "Succeeded")


# ---- CSV


@given(body=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda one: one.encode("utf-8", "replace"))))
@settings(some, max_examples=15)
def test_any_bytes_as_csv_are_answered(world, body):
    asked = {"object": "Account", "operation": "insert", "contentType": "CSV"}
    path = f"jobs/ingest/{world.ask('POST', 'jobs/ingest', json=asked).json()['id']}"
    world.ask("PUT", f"{path}/batches", data=body, headers={"Content-Type": "text/csv"})
    world.ask("PATCH", path, json={"state": "UploadComplete"})
    for _ in range(1000):
        if world.ask("GET", path).json()["state"] in ("JobComplete", "Failed"):
            break
    assert world.ask("GET", path).json()["state"] in ("JobComplete", "Failed")
    for which in ("successfulResults", "failedResults", "unprocessedrecords"):
        world.ask("GET", f"{path}/{which}")
