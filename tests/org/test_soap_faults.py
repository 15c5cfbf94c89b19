"""SOAP building and parsing, and Metadata zips both ways, against a server that cuts and faults."""

import base64
import io
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.baseline.listing import fetch_items
from rehearse.errors import OrgBusy, OrgLimit, OrgRejected, OrgUncertain, OrgUnreachable, ProductionRefused, UsageError
from rehearse.org import metadata, soap_request
from rehearse.org.metadata import MetadataReader, MetadataWriter
from rehearse.org.model import MetadataType
from rehearse.org.reader import OrgReader
from rehearse.org.rows import RowWriter
from rehearse.org.soap import ReplyParser
from rehearse.org.soap_request import METADATA, build_envelope
from rehearse.org.wire import Wire

ENV = "http://schemas.xmlsoap.org/soap/envelope/"
TEXT = st.text(st.characters(min_codepoint=9, max_codepoint=0xD7FF), max_size=30).filter(
    lambda text: not soap_request._NOT_XML.search(text)
)


def reply(body: object, status: int = 200, **headers: str) -> tuple[Any, ...]:
    return ("reply", body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def answer(operation: str, inner: str, status: int = 200) -> tuple[Any, ...]:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENV}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="{METADATA}"><soapenv:Body>'
        f"<{operation}Response>{inner}</{operation}Response></soapenv:Body></soapenv:Envelope>"
    )
    return reply(body.encode(), status, Content_Type="text/xml; charset=UTF-8")


def a_zip(size: int = 50) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("package.xml", "<Package/>" * size)
    return buffer.getvalue()


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["members", "name", "a"]), TEXT), max_size=5))
def test_every_text_survives_the_envelope(values: list[tuple[str, str]]) -> None:
    body = build_envelope(METADATA, "retrieve", {"x": [{name: text} for name, text in values]}, "tok<&>en")
    root = ElementTree.fromstring(body)
    assert root.findtext(f".//{{{METADATA}}}sessionId") == "tok<&>en"
    found = [(one[0].tag.partition("}")[2], one[0].text or "") for one in root.iter(f"{{{METADATA}}}x")]
    assert found == values
    assert soap_request.read_operation(body) == soap_request.Operation(METADATA, "retrieve")


@pytest.mark.parametrize("text", ["a\x0bb", "\x00", "\ufffe", "\ud800"])
def test_text_that_xml_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        build_envelope(METADATA, "retrieve", {"name": text}, "token")


def test_values_are_spelled_as_xsd_wants() -> None:
    body = build_envelope(
        METADATA, "x", {"a": True, "b": False, "c": 0, "d": None, "e": ["1", "2"], "f": {"g": "h"}}, "t"
    )
    assert b"<a>true</a><b>false</b><c>0</c><e>1</e><e>2</e><f><g>h</g></f>" in body


def test_a_reply_is_parsed_however_it_is_cut_into_pieces() -> None:
    data = (
        '<r xmlns="u"><a>é&amp;<b x="1"/></a><c xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/></r>'
    )
    for size in (1, 2, 3, 7, 1000):
        parser = ReplyParser()
        raw = data.encode()
        for at in range(0, len(raw), size):
            parser.feed(raw[at : at + size])
        root = parser.close()
        assert (root.name, root.value("a"), [one.name for one in root.children]) == ("r", "é&", ["a", "c"])
        c = root.child("c")
        assert c is not None and c.text is None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 1000])
def test_sunk_text_is_whole_and_not_in_the_tree_however_it_is_cut(size: int) -> None:
    raw = b'<e:r xmlns:e="u"><e:z e:nil="true"/><e:a>1 &gt; 0</e:a><e:z x="">QUJD&#13;\nREVG&#xd;R0hJ</e:z><e:c/></e:r>'
    sunk: list[bytes] = []
    parser = ReplyParser("z", sunk.append)
    for at in range(0, len(raw), size):
        parser.feed(raw[at : at + size])
    root = parser.close()
    assert b"".join(sunk) == b"QUJD\nREVGR0hJ"
    assert [(one.name, one.text) for one in root.children] == [("z", ""), ("a", "1 > 0"), ("z", ""), ("c", "")]


@pytest.mark.parametrize("data", [b"", b"<a>", b"<a></b>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"nonsense"])
def test_what_is_no_whole_plain_xml_is_refused(data: bytes) -> None:
    parser = ReplyParser()
    with pytest.raises(ValueError):
        parser.feed(data)
        parser.close()


@pytest.mark.parametrize("inner", ["", "<result/><result/>", "<result><id>x</id><createdDate>x</createdDate></result>"])
def test_an_answer_without_the_one_result_is_an_error_of_the_org(
    wire: Wire, open_wire: Wire, scripted: Any, tmp_path: Path, inner: str
) -> None:
    reader, writer = MetadataReader(wire, "67.0"), MetadataWriter(open_wire, "67.0")
    (tmp_path / "deploy.zip").write_bytes(a_zip())
    scripted.answers(answer("any", inner))
    one = "<result><id>" in inner
    reads = [lambda: reader.fetch_items("A")] if one else [reader.fetch_types, lambda: writer.fetch("0Af000000000001")]
    for read in (*reads, lambda: reader.retrieve({"A": ("A",)}, tmp_path / "out.zip")):
        with pytest.raises(OrgBusy):
            read()
    with pytest.raises(OrgUncertain):  # it may have been started
        writer.start(tmp_path / "deploy.zip", {})
    if not one:
        scripted.answers(answer("retrieve", "<result><id>09S000000000001AAA</id></result>"), answer("any", inner))
        with pytest.raises(OrgBusy):
            reader.retrieve({"A": ("A",)}, tmp_path / "out.zip")


# lists


@pytest.mark.parametrize("lightning", [True, False])
def test_templates_are_listed_in_classic_and_lightning_folders(wire: Wire, scripted: Any, lightning: bool) -> None:
    """Each kind of folder has a type of its own, and no list names the public one of the platform."""

    inner = "<faultcode>sf:INVALID_TYPE</faultcode><faultstring>INVALID_TYPE: Cannot use</faultstring>"
    envelope = f'<e:Envelope xmlns:e="{ENV}"><e:Body><e:Fault>{inner}</e:Fault></e:Body></e:Envelope>'
    refusal = reply(envelope.encode(), 500, Content_Type="text/xml")

    def script(request: Any) -> Any:
        asked = ElementTree.fromstring(request.body)
        queries = [
            (one.findtext(f"{{{METADATA}}}type"), one.findtext(f"{{{METADATA}}}folder"))
            for one in asked.iter(f"{{{METADATA}}}queries")
        ]
        known = {("EmailFolder", None): "Old", ("EmailTemplateFolder", None): "New"}
        if ("EmailTemplateFolder", None) in queries and not lightning:
            return refusal
        names = [known.get(one) or f"{one[1]}/Welcome" for one in queries]
        return answer(
            "listMetadata",
            "".join(
                f"<result><fullName>{name}</fullName><fileName>email/{name}</fileName><type>{kind}</type></result>"
                for name, (kind, _) in zip(names, queries, strict=True)
            ),
        )

    scripted.script = script
    type = MetadataType("EmailTemplate", "email", "email", True, False)
    items, unlisted = fetch_items(OrgReader(wire, "67.0", "00D000000000002AAA", is_sandbox=True), type)
    found = {"Old", "Old/Welcome", "unfiled$public/Welcome"} | ({"New", "New/Welcome"} if lightning else set())
    assert {one.full_name for one in items} == found
    told = [(one.name, one.state) for one in unlisted]
    assert told == ([] if lightning else [("EmailTemplate (EmailTemplateFolder)", "not-listable")])


# retrieve


def retrieve_script(zip_replies: list[tuple[Any, ...]]) -> Any:
    """Start, one status that is not done, then done with the zip as given, one a retrieve."""
    asked = {"status": 0}

    def script(request: Any) -> Any:
        if b"<retrieve>" in request.body:
            asked["status"] = 0
            return answer("retrieve", "<result><done>false</done><id>09S000000000001AAA</id></result>")
        asked["status"] += 1
        if asked["status"] > 1:
            return zip_replies.pop(0)
        inner = '<result><done>false</done><success>false</success><status>x</status><zipFile xsi:nil="true"/></result>'
        return answer("checkRetrieveStatus", inner)

    return script


def zip_reply(data: bytes) -> tuple[Any, ...]:
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    inner = (
        "<result><done>true</done><fileProperties><fullName>A</fullName><type>ApexClass</type><fileName>classes/A.cls"
        "</fileName><lastModifiedDate>1970-01-01T00:00:00.000Z</lastModifiedDate></fileProperties><messages>"
        "<fileName>package.xml</fileName><problem>Entity not found</problem></messages><status>Succeeded</status>"
        f"<success>true</success><zipFile>{lines}</zipFile></result>"
    )
    return answer("checkRetrieveStatus", inner)


def gone_for_good() -> tuple[Any, ...]:
    """What the org says to whoever asks for a zip that it handed out."""
    fault = f'<soapenv:Envelope xmlns:soapenv="{ENV}"><soapenv:Body><soapenv:Fault>'
    fault += "<faultcode>sf:INVALID_LOCATOR</faultcode><faultstring>INVALID_LOCATOR: deleted</faultstring>"
    return reply(f"{fault}</soapenv:Fault></soapenv:Body></soapenv:Envelope>".encode(), 500, Content_Type="text/xml")


def test_a_retrieve_is_polled_and_its_zip_streamed(
    wire: Wire, scripted: Any, tmp_path: Path, slept: list[float]
) -> None:
    data = a_zip(100_000)
    scripted.script = retrieve_script([zip_reply(data)])
    result = MetadataReader(wire, "67.0").retrieve({"ApexClass": ("A", "R&D")}, tmp_path / "r.zip")
    assert result.zip_path.read_bytes() == data
    assert result.files == 1
    assert result.messages == ("package.xml: Entity not found",)
    assert b"<members>R&amp;D</members>" in scripted.seen[0].body
    assert len(scripted.seen) == 3  # the start, and two questions of which one brought the zip
    assert len(slept) == 1
    assert list(tmp_path.iterdir()) == [result.zip_path]


@pytest.mark.parametrize(
    "broken",
    [
        ("drop", b""),
        ("drop", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nContent-Type: text/xml\r\n\r\n<a><zipFile>UEsD"),
        zip_reply(a_zip()[:-30]),
        zip_reply(b""),
        zip_reply(b"not a zip"),
        answer("checkRetrieveStatus", "<result><done>true</done><zipFile>AAA</zipFile></result>"),
        answer("checkRetrieveStatus", "<result><done>true</done><zipFile>A*AA</zipFile></result>"),
        answer(
            "checkRetrieveStatus",
            "<result><done>true</done><success>false</success><errorStatusCode>UNKNOWN_EXCEPTION</errorStatusCode>"
            '<errorMessage>An unexpected error occurred.</errorMessage><zipFile xsi:nil="true"/></result>',
        ),
    ],
)
def test_a_zip_that_is_not_whole_is_retrieved_again(wire: Wire, scripted: Any, tmp_path: Path, broken: Any) -> None:
    # the server hands a zip over once: asking again for the same one brings none
    gone = answer("checkRetrieveStatus", "<result><done>true</done><success>true</success></result>")
    scripted.script = retrieve_script(
        [broken, gone_for_good(), gone, zip_reply(a_zip())]
        if broken[0] == "drop"
        else [broken, zip_reply(a_zip()), zip_reply(a_zip())]
    )
    result = MetadataReader(wire, "67.0").retrieve({"ApexClass": ("A",)}, tmp_path / "r.zip")
    assert zipfile.is_zipfile(result.zip_path)
    assert list(tmp_path.iterdir()) == [result.zip_path]


def test_a_zip_that_never_comes_leaves_nothing_behind(wire: Wire, scripted: Any, tmp_path: Path) -> None:
    scripted.script = retrieve_script([zip_reply(b"not a zip")] * 99)
    with pytest.raises(OrgBusy):
        MetadataReader(wire, "67.0").retrieve({"ApexClass": ("A",)}, tmp_path / "r.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_retrieve_that_failed_says_why(wire: Wire, scripted: Any, tmp_path: Path) -> None:
    failed = (
        "<result><done>true</done><success>false</success><errorStatusCode>LIMIT_EXCEEDED</errorStatusCode>"
        '<errorMessage>too many</errorMessage><zipFile xsi:nil="true"/></result>'
    )
    scripted.answers(
        answer("retrieve", "<result><id>09S000000000001AAA</id></result>"), answer("checkRetrieveStatus", failed)
    )
    with pytest.raises(OrgRejected) as raised:
        MetadataReader(wire, "67.0").retrieve({"ApexClass": ("A",)}, tmp_path / "r.zip")
    assert (raised.value.org_code, raised.value.org_message) == ("LIMIT_EXCEEDED", "too many")
    assert raised.value.hint  # a refusal in the org's own words leaves nobody without a next step


def test_lists_repair_what_the_service_leaves_out(wire: Wire, scripted: Any) -> None:
    row = '<result><fullName>{}</fullName><type xsi:nil="true"/><fileName>x</fileName></result>'
    scripted.answers(answer("listMetadata", row.format("B") + row.format("A") + row.format("B")))
    items = MetadataReader(wire, "67.0").fetch_items("StandardValueSetTranslation", ["F"])
    assert [(one.type, one.full_name) for one in items] == [
        ("StandardValueSetTranslation", "A"),
        ("StandardValueSetTranslation", "B"),
    ]
    assert b"<queries><folder>F</folder><type>StandardValueSetTranslation</type></queries>" in scripted.seen[0].body


def test_lists_of_several_types_are_told_apart_or_not_taken(wire: Wire, scripted: Any) -> None:
    row = "<result><fullName>{}</fullName>{}<fileName>x</fileName></result>"
    queue, role = row.format("B", "<type>Queue</type>"), row.format("A", "<type>Role</type>")
    nameless, foreign = row.format("C", '<type xsi:nil="true"/>'), row.format("D", "<type>Group</type>")
    scripted.answers(*(answer("listMetadata", one) for one in (queue + role, queue + nameless, role + foreign)))
    reader = MetadataReader(wire, "67.0")
    found = reader.fetch_lists(["Queue", "Role", "Layout"])
    assert found is not None
    assert {type: [one.full_name for one in items] for type, items in found.items()} == {
        "Queue": ["B"],
        "Role": ["A"],
        "Layout": [],
    }
    assert [reader.fetch_lists(["Queue", "Role"]) for _ in range(2)] == [None, None]
    assert b"<queries><type>Queue</type></queries><queries><type>Role</type></queries>" in scripted.seen[1].body


def test_many_folders_are_listed_three_a_call(wire: Wire, scripted: Any) -> None:
    row = "<result><fullName>{}/R</fullName><type>Report</type></result>"
    scripted.answers(*(answer("listMetadata", "".join(map(row.format, one))) for one in ("DCB", "A")))
    items = MetadataReader(wire, "67.0").fetch_items("Report", list("DCBA"))
    assert [one.full_name for one in items] == ["A/R", "B/R", "C/R", "D/R"]
    assert [one.body.count(b"<queries>") for one in scripted.seen] == [3, 1]
    assert MetadataReader(wire, "67.0").fetch_items("Report", []) == () and len(scripted.seen) == 2


@pytest.mark.parametrize(
    ("code", "text"), [("sf:INVALID_TYPE", "INVALID_TYPE: unknown &lt;x&gt;"), ("soapenv:Client", "no such thing")]
)
def test_faults_keep_their_code_and_words(wire: Wire, scripted: Any, code: str, text: str) -> None:
    body = (
        f'<soapenv:Envelope xmlns:soapenv="{ENV}"><soapenv:Body><soapenv:Fault><faultcode>{code}</faultcode>'
        f"<faultstring>{text}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    scripted.answers(reply(body.encode(), 500, Content_Type="text/xml"))
    with pytest.raises(OrgRejected) as raised:
        MetadataReader(wire, "67.0").fetch_items("Nonsense")
    assert raised.value.org_code == code.partition(":")[2]
    assert raised.value.org_message in ("unknown <x>", "no such thing")


# deploy


def options() -> dict[str, bool | str]:
    return {"rollbackOnError": True, "singlePackage": True}


def test_a_deployment_is_streamed_with_its_length(open_wire: Wire, scripted: Any, tmp_path: Path) -> None:
    data = a_zip(200_000)
    path = tmp_path / "d.zip"
    path.write_bytes(data)
    scripted.answers(answer("deploy", "<result><done>false</done><id>0Af000000000001AAA</id></result>"))
    assert MetadataWriter(open_wire, "67.0").start(path, options()) == "0Af000000000001AAA"
    body = scripted.seen[0].body
    root = ElementTree.fromstring(body)
    text = root.findtext(f".//{{{METADATA}}}ZipFile") or ""
    assert base64.b64decode(text, validate=True) == data
    assert root.findtext(f".//{{{METADATA}}}rollbackOnError") == "true"
    assert scripted.seen[0].headers["content-length"] == str(len(body))


def test_a_deployment_is_refused_on_a_closed_wire_and_never_repeated(
    wire: Wire, open_wire: Wire, scripted: Any, tmp_path: Path
) -> None:
    path = tmp_path / "d.zip"
    path.write_bytes(a_zip())
    with pytest.raises(ProductionRefused):
        MetadataWriter(wire, "67.0").start(path, options())
    assert scripted.seen == []
    scripted.answers(("drop", b""))
    with pytest.raises(OrgUncertain):
        MetadataWriter(open_wire, "67.0").start(path, options())
    assert len(scripted.seen) == 1


def test_a_deployment_that_cannot_fit_is_not_sent(
    open_wire: Wire, scripted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "SOAP_BYTES", 1_500)
    path = tmp_path / "d.zip"
    path.write_bytes(a_zip(1000) * 10)
    with pytest.raises(OrgLimit):
        MetadataWriter(open_wire, "67.0").start(path, options())
    path.write_bytes(b"no zip")
    with pytest.raises(UsageError):
        MetadataWriter(open_wire, "67.0").start(path, options())
    assert scripted.seen == []


def test_a_component_that_stands_in_both_lists_has_failed(open_wire: Wire, scripted: Any) -> None:
    one = "<componentType>ApexClass</componentType><fullName>A</fullName><fileName>classes/A.cls</fileName>"
    details = (
        f"<details><componentSuccesses>{one}<success>true</success></componentSuccesses>"
        f"<componentFailures>{one}<success>false</success><problem>No such column</problem></componentFailures>"
        "</details>"
    )
    scripted.answers(
        answer(
            "checkDeployStatus",
            f"<result>{details}<done>true</done><success>false</success><status>Failed</status></result>",
        )
    )
    result = MetadataWriter(open_wire, "67.0").fetch("0Af000000000001AAA")
    assert [(m.full_name, m.success, m.problem) for m in result.messages] == [("A", False, "No such column")]
    assert (result.done, result.success, result.status) == (True, False, "Failed")


# undelete


def test_undelete_names_every_row_or_is_doubtful(open_wire: Wire, scripted: Any) -> None:
    ids = ["001000000000001AAA", "001000000000002AAA"]
    row = "<result><id>{}</id><success>{}</success>{}</result>"
    no = "<errors><message>not in the bin</message><statusCode>UNDELETE_FAILED</statusCode></errors>"
    scripted.answers(answer("undelete", row.format(ids[0], "true", "") + row.format(ids[1], "false", no)))
    good, bad = RowWriter(open_wire, "67.0").undelete(ids)
    assert good.success and not bad.success
    assert bad.errors[0].code == "UNDELETE_FAILED"
    scripted.answers(answer("undelete", row.format(ids[0], "true", "")))
    with pytest.raises(OrgUncertain):
        RowWriter(open_wire, "67.0").undelete(ids)


@pytest.mark.parametrize("body", [[], [{"success": True}] * 3, {"success": True}, None, "x"])
def test_a_reply_about_another_number_of_rows_is_doubtful(open_wire: Wire, scripted: Any, body: object) -> None:
    scripted.answers(reply(body))
    with pytest.raises(OrgUncertain):
        RowWriter(open_wire, "67.0").insert("Account", [{"Name": "a"}, {"Name": "b"}])
    assert len(scripted.seen) == 1


def test_a_call_takes_200_rows(open_wire: Wire, scripted: Any) -> None:
    for rows in ([], [{"Name": "x"}] * 201):
        with pytest.raises(UsageError):
            RowWriter(open_wire, "67.0").insert("Account", rows)
    with pytest.raises(UsageError):
        RowWriter(open_wire, "67.0").update("Account", [{"Name": "x"}])
    assert scripted.seen == []


def test_a_server_that_is_gone_is_unreachable(wire: Wire, scripted: Any) -> None:
    scripted.answers(("drop", b""))
    with pytest.raises(OrgUnreachable):
        MetadataReader(wire, "67.0").fetch_types()
