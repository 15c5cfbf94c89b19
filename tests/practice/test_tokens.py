"""Tokens, codes and clients: what opens a door, for how long, and that secrets do not show."""

from datetime import timedelta

from rehearse.practice.virtual_clock import START


def test_a_client_belongs_to_a_name_and_is_made_once(company):
    tokens = company.estate.tokens
    client = tokens.add_client("UAT", company.admin_id)
    assert tokens.add_client("uat", company.user_ids[1]) == client
    assert tokens.client(client.client_id) == client
    assert tokens.client("unknown") is None
    assert [one.sandbox for one in tokens.clients()] == [None, "UAT"]
    assert tokens.add_client(None, company.user_ids[1]).user_id == company.admin_id


def test_a_client_reaches_its_org_only_while_there_is_one(company):
    estate = company.estate
    client = estate.tokens.add_client("UAT", company.admin_id)
    assert estate.org_of_client(client) is None
    company.ready("UAT", "Developer")
    assert estate.org_of_client(client) is estate.sandbox("UAT")
    assert estate.org_of_client(estate.tokens.clients()[0]) is estate.production


def test_a_secret_does_not_show_in_a_repr(company):
    client = company.estate.tokens.clients()[0]
    assert client.client_secret not in repr(client)
    assert client.client_id in repr(client)


def test_a_revoked_token_is_dead_and_others_live(company):
    tokens = company.estate.tokens
    one, two = (tokens.issue("00D000000000001", company.admin_id, START) for _ in range(2))
    tokens.revoke(one)
    assert tokens.find(one, START) is None
    assert tokens.find(two, START).user_id == company.admin_id
    tokens.revoke_org("00D000000000001")
    assert tokens.find(two, START) is None


def test_an_idle_token_dies_and_use_keeps_it_alive(company):
    tokens = company.estate.tokens
    token = tokens.issue("00D000000000001", company.admin_id, START)
    at = START
    for _ in range(4):
        at += timedelta(hours=1, minutes=50)
        assert tokens.find(token, at, idle_hours=2) is not None
    assert tokens.find(token, at + timedelta(hours=2, seconds=1), idle_hours=2) is None
    assert tokens.find(token, at + timedelta(days=400)) is not None


def test_a_code_works_once(company):
    tokens = company.estate.tokens
    code = tokens.issue_code("00D000000000001", company.admin_id)
    assert tokens.redeem_code("wrong") is None
    assert tokens.redeem_code(code).user_id == company.admin_id
    assert tokens.redeem_code(code) is None
