"""The partner calls that a reset needs, and how bodies that are no good are refused."""

import pytest
from lxml import etree

from rehearse.practice import rows


@pytest.fixture
def practice(calm_practice):
    """One world for the tests of this module; those that move its clock or end its server have their own."""
    return calm_practice


SPACE = "urn:partner.soap.sforce.com"
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    f' xmlns="{SPACE}"><s:Header><SessionHeader><sessionId>{{token}}</sessionId></SessionHeader>{{head}}</s:Header>'
    "<s:Body>{body}</s:Body></s:Envelope>"
)


def call(practice, body, head="", token=None):
    token = practice.orgs["UATFULL"].access_token if token is None else token
    data = ENVELOPE.format(token=token, head=head, body=body)
    return post(practice, data)


def post(practice, data, path="/services/Soap/u/67.0"):
    return practice.session.post(
        practice.http_url + path, data=data, headers={"Content-Type": "text/xml", "SOAPAction": '""'}, timeout=20
    )


def fault(answer):
    root = etree.fromstring(answer.content)
    return answer.status_code, root.findtext(".//faultcode"), root.findtext(".//faultstring")


def results(answer):
    assert answer.status_code == 200, answer.text
    found = etree.fromstring(answer.content).iter("{*}result")
    return [
        (one.findtext("{*}id"), one.findtext("{*}success"), one.findtext("{*}errors/{*}statusCode")) for one in found
    ]


def ids(name, values):
    return f"<{name}>" + "".join(f"<ids>{one}</ids>" for one in values) + f"</{name}>"


@pytest.fixture
def org(practice):
    return practice.estate.org(practice.orgs["UATFULL"].org_id)


@pytest.fixture
def binned(practice, org):
    """Three accounts in the recycle bin."""
    user_id = practice.estate.client(practice.orgs["UATFULL"].client_id).user_id
    saved = rows.insert(org, user_id, "Account", [{"Name": f"Binned {number}"} for number in range(3)])
    assert all(one.success for one in saved), saved
    found = [one.id for one in saved]
    rows.delete(org, user_id, found)
    return found


def alive(org, ids):
    """How many of these accounts are not deleted."""
    marks = ", ".join("?" for _ in ids)
    with org.lock:
        sql = f'SELECT count(*) FROM "Account" WHERE "IsDeleted" = 0 AND "Id" IN ({marks})'
        return org.db.execute(sql, ids).fetchone()[0]


def test_data_2_6_undelete_answers_each_id_in_order(practice, org, binned):
    answer = call(practice, ids("undelete", [binned[2], "001000000000000AAA", binned[0]]))
    good, bad, also = results(answer)
    assert (good[:2], also[:2]) == ((binned[2], "true"), (binned[0], "true"))
    assert bad[1] == "false" and bad[2]
    assert alive(org, binned) == 2


def test_all_or_none_brings_nothing_back(practice, org, binned):
    head = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
    found = results(call(practice, ids("undelete", [binned[0], "001000000000000AAA"]), head))
    assert [one[1] for one in found] == ["false", "false"]
    assert alive(org, binned) == 0


def test_an_emptied_bin_gives_nothing_back(practice, binned):
    assert [one[1] for one in results(call(practice, ids("emptyRecycleBin", binned[:1])))] == ["true"]
    assert [one[1] for one in results(call(practice, ids("emptyRecycleBin", binned[:1])))] == ["false"]
    ((_, success, code),) = results(call(practice, ids("undelete", binned[:1])))
    assert (success, code) == ("false", "UNDELETE_FAILED")


def test_data_2_6_more_than_200_ids_are_refused(practice):
    status, code, _ = fault(call(practice, ids("undelete", ["001000000000000AAA"] * 201)))
    assert (status, code) == (500, "sf:EXCEEDED_ID_LIMIT")


def test_data_2_6_the_clock_and_the_user(practice):
    stamp = etree.fromstring(call(practice, "<getServerTimestamp/>").content).findtext(".//{*}timestamp")
    assert stamp.startswith("2026-11-23T08:0") and stamp.endswith("Z")
    user = etree.fromstring(call(practice, "<getUserInfo/>").content)
    assert user.findtext(".//{*}organizationId") == practice.orgs["UATFULL"].org_id
    assert user.findtext(".//{*}userName") == practice.orgs["UATFULL"].username


def test_dead_sessions_and_unknown_operations_are_faults(practice):
    status, code, text = fault(call(practice, "<getServerTimestamp/>", token="00D000000000001!dead"))
    assert (status, code) == (500, "sf:INVALID_SESSION_ID")
    assert text.startswith("INVALID_SESSION_ID: Invalid Session ID found in SessionHeader")
    assert fault(call(practice, "<describeLayout/>"))[0] == 500


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<a>",
        b"<Envelope><Body/></Envelope>",
        b"\xff\xfe\x00",
        b"<" * 100_000,
        b"<a>" * 50_000,
        b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><Envelope><Body><op>&c;</op></Body></Envelope>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Envelope><Body><op/></Body></Envelope>',
    ],
    ids=lambda data: repr(data[:12]),
)
@pytest.mark.parametrize("door", ["u", "m"])
def test_bodies_that_are_no_envelope_are_faults(practice, data, door):
    answer = post(practice, data, f"/services/Soap/{door}/67.0")
    assert answer.status_code == 500
    assert etree.fromstring(answer.content).findtext(".//faultcode")
    assert b"root:" not in answer.content
