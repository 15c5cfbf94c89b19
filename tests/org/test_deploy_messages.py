"""How the messages of a deployment are read."""

import pytest
from lxml import etree

from rehearse.org.metadata import build_deploy_result
from rehearse.org.soap import Node


def message(kind, name):
    values = {"componentType": kind, "fullName": name, "success": "false", "problem": "refused"}
    return "".join(f"<{key}>{text}</{key}>" for key, text in values.items())


@pytest.mark.parametrize(
    ("kind", "name", "read"),
    [("FlowSettings", "Flow", "Settings"), ("Flow", "Flow", "Flow"), ("CustomObject", "My__c", "CustomObject")],
)
def test_settings_answer_under_a_type_of_their_own(kind, name, read):
    told = f"<result><details><componentFailures>{message(kind, name)}</componentFailures></details></result>"
    result = build_deploy_result(Node(etree.fromstring(told)))
    assert [(one.type, one.full_name) for one in result.messages] == [(read, name)]
