"""SOAP bodies that nobody means: a fault, and nothing is read that was not sent."""

import socket
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

some = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def any_of(words):
    return st.sampled_from(words.split())


# ---- SOAP

tags = any_of(
    "listMetadata describeMetadata retrieve checkRetrieveStatus deploy checkDeployStatus cancelDeploy readMetadata "
    "search upsert queryMore renameMetadata fieldsToNull query create update delete undelete login "
    "describeSObjects getUserInfo emptyRecycleBin queries type members name "
    "asyncProcessId ids sObjects ZipFile DeployOptions unpackaged types version records x"
)
elements = st.recursive(
    st.one_of(
        st.text(string.printable, max_size=10), st.sampled_from(["001000000000001AAA", "ApexClass", "true", "-1"])
    ).map(lambda text: text.replace("&", "").replace("<", "").replace(">", "")),
    lambda one: st.tuples(tags, st.lists(one, max_size=3)).map(lambda two: f"<{two[0]}>{''.join(two[1])}</{two[0]}>"),
    max_leaves=8,
)


@given(inner=elements, kind=st.sampled_from("muc"))
@some
def test_any_soap_is_answered(world, inner, kind):
    world.soap(kind, world.envelope(inner))


@given(body=st.binary(max_size=80), kind=st.sampled_from("mu"))
@some
def test_any_bytes_to_soap_are_answered(world, body, kind):
    world.soap(kind, body)


@pytest.mark.parametrize("kind", ["m", "u", "c"])
@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<a>" * 5000 + "</a>" * 5000,
        "<listMetadata>" + "<queries><type>ApexClass</type></queries>" * 4 + "</listMetadata>",
        "<retrieve><retrieveRequest>" + "<x>" * 3000 + "</x>" * 3000 + "</retrieveRequest></retrieve>",
        "<deploy><ZipFile>%%%</ZipFile></deploy>",
        "<readMetadata><type>Nothing</type><fullNames>" + "n" * 100_000 + "</fullNames></readMetadata>",
        "<query><queryString>SELECT</queryString></query>",
        "<delete>" + "<ids>x</ids>" * 300 + "</delete>",
        "<create>" + "<sObjects><type>Account</type>" + "<Parent>" * 2000 + "</Parent>" * 2000 + "</sObjects></create>",
        "<create><sObjects><type>Account</type><Name><x>1</x></Name><Nothing>1</Nothing></sObjects></create>",
        "<update><sObjects/></update>",
        "<retrieve><fieldList>,,</fieldList><sObjectType>Account</sObjectType><ids>x</ids></retrieve>",
        "<queryMore><queryLocator>01g-x</queryLocator></queryMore>",
        "<getUpdated><sObjectType>Account</sObjectType><startDate>0000</startDate></getUpdated>",
        "<search><searchString>FIND {" + "(" * 3000 + "}</searchString></search>",
        "<describeSObjects>" + "<sObjectType>Account</sObjectType>" * 200 + "</describeSObjects>",
        "<renameMetadata><type>CustomField</type><oldFullName>.</oldFullName></renameMetadata>",
    ],
)
def test_absurd_soap_is_answered(world, kind, inner):
    world.soap(kind, world.envelope(inner))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "latin-1"])
def test_an_entity_bomb_explodes_nowhere(world, encoding):
    bomb = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1 or chr(0)};".replace("a" + chr(0), "a") * 10}">' for n in range(1, 9)
    )
    text = world.envelope("<login><username>&a8;</username></login>").decode()
    for kind in "mu":
        answer = world.soap(kind, f'<?xml version="1.0" encoding="{encoding}"?>{bomb}]>{text}'.encode(encoding))
        assert len(answer.content) < 10_000
    outside = '<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    answer = world.soap("m", (outside + text.replace("&a8;", "&x;")).encode(encoding))
    assert socket.gethostname() not in answer.text
